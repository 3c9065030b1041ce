from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType

import pytest

from credtray.core.errors import RegionRefused, StartUrlRefused, UsageError
from credtray.core.models import AwsConfig, SsoSession
from credtray.setup.session import (
    SessionWish,
    known_session,
    new_session,
    read_scopes,
    suggested_name,
)
from credtray.setup.team_file import read_length

EMPTY = AwsConfig()
CORP = SsoSession("corp", "https://corp.awsapps.com/start", "eu-west-1", ("sso:account:access",))
WITH_CORP = AwsConfig(sessions=MappingProxyType({"corp": CORP}))


def test_preset_gives_everything() -> None:
    session = new_session(SessionWish(preset="synderys"), EMPTY)

    assert session == SsoSession("synderys", "https://aws.synderys.com", "us-east-1", ("sso:account:access",))


def test_options_overrule_the_preset() -> None:
    wish = SessionWish(
        preset="synderys", name="work", region="eu-west-1", scopes=("codewhisperer:completions",)
    )

    assert new_session(wish, EMPTY) == SsoSession(
        "work", "https://aws.synderys.com", "eu-west-1", ("codewhisperer:completions",)
    )


def test_name_of_a_preset_with_another_address_is_not_the_preset() -> None:
    wish = SessionWish(name="synderys", start_url="https://x.awsapps.com/start")

    with pytest.raises(UsageError, match="--region missing"):
        new_session(wish, EMPTY)


def test_unknown_preset_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean synderys"):
        new_session(SessionWish(preset="synderis"), EMPTY)


@pytest.mark.parametrize(
    "url", ["http://x.awsapps.com/start", "javascript:alert(1)", "https://a@b.awsapps.com"]
)
def test_hostile_start_url_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(StartUrlRefused):
        new_session(SessionWish(name="x", start_url=url, region="us-east-1"), EMPTY)


def test_hostile_region_is_refused() -> None:
    with pytest.raises(RegionRefused):
        new_session(
            SessionWish(name="x", start_url="https://x.awsapps.com/start", region="evil.com/#"), EMPTY
        )


@pytest.mark.parametrize("name", ["a]b", "a\nb", "", "-x", "a b", "ü", "x" * 129])
def test_name_that_not_every_tool_reads_back_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        new_session(
            SessionWish(name=name, start_url="https://x.awsapps.com/start", region="us-east-1"), EMPTY
        )


def test_session_of_the_config_file_is_extended() -> None:
    assert known_session(SessionWish(name="corp"), WITH_CORP) == CORP
    assert known_session(SessionWish(preset="corp"), WITH_CORP) == CORP
    assert known_session(SessionWish(name="other"), WITH_CORP) is None
    assert known_session(SessionWish(), WITH_CORP) is None


@pytest.mark.parametrize(
    "wish",
    [
        SessionWish(name="corp", start_url="https://other.awsapps.com/start"),
        SessionWish(name="corp", region="us-east-1"),
        SessionWish(name="corp", scopes=("x",)),
    ],
)
def test_session_of_the_config_file_is_never_clobbered(wish: SessionWish) -> None:
    with pytest.raises(UsageError, match="another"):
        known_session(wish, WITH_CORP)


@pytest.mark.parametrize("text", ["", ",", "a b", "a,b]", "a\x00"])
def test_scopes_that_are_no_list_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_scopes(text)


def test_scopes_are_split() -> None:
    assert read_scopes("sso:account:access, codewhisperer:completions") == (
        "sso:account:access",
        "codewhisperer:completions",
    )
    assert read_scopes(None) is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://aws.synderys.com", "synderys"),
        ("https://mycorp.awsapps.com/start", "mycorp"),
        ("https://d-9067000001.awsapps.com/start", "sso"),
        ("https://corp.awsapps.com/start", "corp-2"),
        ("https://ssoins-123.portal.us-east-1.app.aws", "sso"),
    ],
)
def test_name_is_suggested_from_the_address(url: str, name: str) -> None:
    assert suggested_name(url, WITH_CORP) == name


@pytest.mark.met("M9")
@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("", None),
        ("  ", None),
        ("8", 8),
        ("7.5", 7.5),
        ("12h", 12),
        ("90m", 1.5),
        ("4 hours", 4),
        ("2160", 2160),
    ],
)
def test_length_of_a_sign_in_is_read_as_people_write_it(text: str, hours: float | None) -> None:
    assert read_length(text) == (None if hours is None else timedelta(hours=hours))


@pytest.mark.met("M9")
@pytest.mark.parametrize("text", ["0", "0.1", "10m", "2161", "91d", "-8", "eight", "8;9", "1e3", "8 h 5"])
def test_length_that_aws_does_not_allow_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_length(text)
