"""Who is let in, by the head of the request alone. Raw bytes are in tests/web/test_endpoint_attacks.py."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credtray.core.errors import EndpointUnavailable
from credtray.core.models import Secret
from credtray.ways_out.endpoint import (
    Admitted,
    EndpointRequest,
    Refused,
    cli_reads_token_file,
    judge,
    path_of,
    raw_refusal,
)
from tests.soak import examples

PORT = 20123
TOKENS = {"dev": Secret("t" * 43), "prod": Secret("p" * 43)}
NAMES = st.text(min_size=1, max_size=40).filter(lambda name: name.isprintable() and name not in {".", ".."})


def asking(
    target: str = "/credentials/dev",
    *more: tuple[str, str],
    token: bytes | None = b"t" * 43,
    method: bytes = b"GET",
    host: str = f"127.0.0.1:{PORT}",
) -> EndpointRequest:
    headers = [(b"host", host.encode()), *((name.encode(), value.encode()) for name, value in more)]
    if token is not None:
        headers.append((b"authorization", token))
    return EndpointRequest(method, target.encode(), b"1.1", tuple(headers))


def status(request: EndpointRequest) -> int:
    found = judge(request, PORT, TOKENS)
    return found.status if isinstance(found, Refused) else 200


def test_the_right_token_opens_its_profile() -> None:
    assert judge(asking(), PORT, TOKENS) == Admitted("dev")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asking(method=b"POST"), 405),
        (asking(host="evil.test"), 421),
        (asking("/credentials/dev", ("host", "evil.test")), 421),
        (asking("http://127.0.0.1:20123/credentials/dev"), 400),
        (asking("//credentials/dev"), 400),
        (asking("/credentials/dev", ("origin", "null")), 403),
        (asking("/credentials/dev", ("sec-fetch-site", "none")), 200),
        (asking("/credentials/dev", ("content-length", "0")), 200),
        (asking("/credentials/dev", ("content-length", "1")), 400),
        (asking("/credentials/dev", ("authorization", "t" * 43)), 400),
        (asking("/credentials"), 404),
        (asking("/credentials/dev", token=b"wrong"), 403),
        (asking("/credentials/prod"), 403),
        (asking("/credentials/%64ev"), 200),
        (asking("/credentials/%2564ev"), 403),
    ],
)
def test_each_refusal_has_its_status(request_: EndpointRequest, expected: int) -> None:
    assert status(request_) == expected


def test_what_is_wrong_with_the_request_is_said_before_the_token_is_looked_at() -> None:
    for token in (b"t" * 43, b"wrong", None):
        assert status(asking(host="evil.test", token=token)) == 421


@pytest.mark.met("F5")
@pytest.mark.parametrize("target", ["/credentials/dev", "/credentials/prod", "/credentials/nobody"])
def test_request_without_a_token_is_told_the_least_version(target: str) -> None:
    found = judge(asking(target, token=None), PORT, TOKENS)

    assert isinstance(found, Refused)
    assert (found.status, found.problem.code) == (403, "endpoint_token_missing")
    assert "too old to read AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" in found.problem.title
    assert "AWS CLI 2.15.0, boto3 1.34.41" in found.problem.title


@pytest.mark.met("F5")
def test_a_wrong_or_empty_token_is_no_old_program() -> None:
    for token in (b"wrong", b""):
        found = judge(asking(token=token), PORT, TOKENS)

        assert isinstance(found, Refused)
        assert found.problem.code == "endpoint_token_refused"


@pytest.mark.met("F5")
@pytest.mark.parametrize(
    ("version", "reads"),
    [
        ((2, 9, 19), False),
        ((2, 14, 6), False),
        ((2, 15, 0), True),
        ((2, 36, 7), True),
        ((1, 29, 80), False),
        ((1, 30, 0), True),
        ((3, 0, 0), True),
        ((), False),
    ],
)
def test_versions_of_the_aws_cli_that_can_use_the_endpoint(version: tuple[int, ...], *, reads: bool) -> None:
    assert cli_reads_token_file(version) is reads


def test_an_empty_table_opens_nothing() -> None:
    for token in (None, b"", b"-" * 43):
        assert isinstance(judge(asking(token=token), PORT, {}), Refused)


@settings(max_examples=examples(200))
@given(name=NAMES)
def test_every_address_leads_back_to_its_profile(name: str) -> None:
    try:
        path = path_of(name)
    except EndpointUnavailable:
        assert any("\ud800" <= char <= "\udfff" for char in name)
        return
    found = judge(asking(path), PORT, {name: TOKENS["dev"]})

    assert found == Admitted(name)
    assert re.fullmatch(r"/credentials/[A-Za-z0-9_.~%-]+", path)


@settings(max_examples=examples(300))
@given(target=st.text(st.characters(codec="ascii"), max_size=30).map("/credentials/".__add__))
def test_a_path_is_decoded_once_and_never_leads_elsewhere(target: str) -> None:
    names = {unquote(target.removeprefix("/credentials/"), errors="surrogateescape"): Secret("t" * 43)}
    found = judge(asking(target), PORT, names)

    if isinstance(found, Admitted):
        assert found.profile in names
        assert found.profile.isprintable()
        assert not set(target.removeprefix("/credentials/")) & set('/?#\\ "<>')


@pytest.mark.parametrize("name", ["", ".", "..", "a\0b", "a\nb", "\ud800"])
def test_names_that_clients_change_have_no_address(name: str) -> None:
    with pytest.raises(EndpointUnavailable):
        path_of(name)


@given(rest=st.binary(min_size=1, max_size=5))
def test_nothing_may_follow_the_head(rest: bytes) -> None:
    assert raw_refusal(b"GET / HTTP/1.1\r\n\r\n", rest) is not None
    assert raw_refusal(b"GET / HTTP/1.1\r\n\r\n", b"") is None


@pytest.mark.parametrize("name", ["a\0", "a\r\nX: y", "..", ".", "a\u202eb"])
def test_a_name_that_cannot_be_shown_is_not_looked_for(name: str) -> None:
    found = judge(asking("/credentials/" + quote(name)), PORT, {name: Secret("t" * 43)})

    assert isinstance(found, Refused)
    assert found.status == 404


def test_token_has_no_repr() -> None:
    assert "t" * 43 not in repr(asking())
