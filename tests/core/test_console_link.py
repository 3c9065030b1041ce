from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.console.link import portal_link
from credtray.core.errors import StartUrlRefused


@pytest.mark.parametrize(
    ("start_url", "begins"),
    [
        ("https://aws.synderys.com", "https://aws.synderys.com/#/console?"),
        ("https://aws.synderys.com/", "https://aws.synderys.com/#/console?"),
        ("https://d-9067000001.awsapps.com/start", "https://d-9067000001.awsapps.com/start/#/console?"),
        ("https://d-9067000001.awsapps.com/start/", "https://d-9067000001.awsapps.com/start/#/console?"),
        ("https://d-9067000001.awsapps.com/start#/", "https://d-9067000001.awsapps.com/start/#/console?"),
        ("https://d-9067000001.awsapps.com/start/#/", "https://d-9067000001.awsapps.com/start/#/console?"),
        ("https://corp.awsapps.com/start/?a=b#", "https://corp.awsapps.com/start/?a=b#/console?"),
    ],
)
def test_link_is_the_portals_own_for_every_spelling_of_the_start_url(start_url: str, begins: str) -> None:
    assert f"{begins}account_id=111100000000&role_name=Admin" == portal_link(
        start_url, "111100000000", "Admin"
    )


def test_destination_is_encoded_as_one_value() -> None:
    link = portal_link(
        "https://aws.synderys.com",
        "111100000000",
        "Admin",
        "https://console.aws.amazon.com/s3?region=eu&x=1#y",
    )

    assert link.endswith("&destination=https%3A%2F%2Fconsole.aws.amazon.com%2Fs3%3Fregion%3Deu%26x%3D1%23y")


@given(st.text(), st.text(), st.text(min_size=1))
def test_no_name_reaches_beyond_its_value(account: str, role: str, destination: str) -> None:
    link = portal_link("https://corp.awsapps.com/start", account, role, destination)
    parts = urlsplit(link)
    page, _, query = parts.fragment.partition("?")

    assert link.isascii()
    assert (*parts[:3], parts.query) == ("https", "corp.awsapps.com", "/start/", "")
    assert page == "/console"
    assert {"account_id": account, "role_name": role, "destination": destination} == dict(
        parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    )


def test_names_that_are_no_unicode_make_no_broken_link() -> None:
    assert portal_link("https://aws.synderys.com", "1", "A\ud800").endswith("role_name=A%3F")


@pytest.mark.parametrize(
    "start_url",
    ["javascript:alert(1)", "http://aws.synderys.com", "https://user@aws.synderys.com", "file:///x"],
)
def test_start_url_that_is_not_for_a_browser_is_refused(start_url: str) -> None:
    with pytest.raises(StartUrlRefused):
        portal_link(start_url, "111100000000", "Admin")
