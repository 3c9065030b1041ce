"""PKCE, the authorize URL and, above all, what counts as the redirect of our sign-in."""

from __future__ import annotations

import base64
import hashlib
import string
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from credtray.core import oauth
from credtray.core.models import Secret
from credtray.core.oauth import CallbackRequest, CodeReceived, DenialReceived, NotOurs, read_callback
from tests.soak import examples

PORT = 49321
STATE = Secret("c3RhdGUtb2YtdGhpcy1zaWduLWluLTEyMzQ1Njc4OTA")
HOST = f"127.0.0.1:{PORT}".encode()


def request(
    *,
    method: bytes = b"GET",
    path: str = "/oauth/callback",
    query: str | dict[str, str] | None = None,
    hosts: tuple[bytes, ...] = (HOST,),
) -> CallbackRequest:
    if query is None:
        query = {"code": "the-code", "state": STATE.reveal()}
    text = urlencode(query) if isinstance(query, dict) else query
    return CallbackRequest(method, f"{path}?{text}".encode(), hosts)


def judge(asked: CallbackRequest) -> CodeReceived | DenialReceived | NotOurs:
    return read_callback(asked, PORT, STATE)


# --- what the browser is sent away with --------------------------------------------------------------


@given(st.binary(min_size=oauth.VERIFIER_BYTES, max_size=oauth.VERIFIER_BYTES))
def test_pkce_pair_follows_rfc_7636(random: bytes) -> None:
    pair = oauth.pkce_pair(random)

    verifier = pair.verifier.reveal()
    digest = hashlib.sha256(verifier.encode()).digest()
    assert 43 <= len(verifier) <= 128
    assert set(verifier) <= set(string.ascii_letters + string.digits + "-._~")
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == pair.challenge


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(ValueError, match="48 random bytes"):
        oauth.pkce_pair(bytes(47))
    with pytest.raises(ValueError, match="32 random bytes"):
        oauth.new_state(bytes(31))


def test_state_carries_all_its_randomness() -> None:
    assert oauth.new_state(bytes(32)) != oauth.new_state(bytes(31) + b"\x01")
    assert len(oauth.new_state(bytes(32)).reveal()) * 6 >= 128


def test_authorize_url_is_the_one_aws_cli_makes() -> None:
    redirect = f"http://127.0.0.1:{PORT}/oauth/callback"
    asked = oauth.AuthorizeRequest("client", redirect, STATE, "challenge", ("sso:account:access", "other"))
    parts = urlsplit(asked.url("https://oidc.us-east-1.amazonaws.com/"))

    assert parts[:3] == ("https", "oidc.us-east-1.amazonaws.com", "/authorize")
    expected = {
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": redirect,
        "state": STATE.reveal(),
        "code_challenge_method": "S256",
        "scopes": "sso:account:access other",
        "code_challenge": "challenge",
    }
    assert expected == dict(parse_qsl(parts.query))


def test_verifier_never_shows_in_the_authorize_url() -> None:
    pair = oauth.pkce_pair(bytes(range(48)))
    asked = oauth.AuthorizeRequest(
        "client", "http://127.0.0.1:1/oauth/callback", STATE, pair.challenge, ("a",)
    )

    assert pair.verifier.reveal() not in asked.url("https://oidc.us-east-1.amazonaws.com")
    assert pair.verifier.reveal() not in repr(pair)
    assert STATE.reveal() not in repr(asked)


# --- the redirect ------------------------------------------------------------------------------------


def test_right_redirect_yields_its_code() -> None:
    assert CodeReceived(Secret("the-code")) == judge(request())


def test_unknown_parameters_do_no_harm() -> None:
    asked = request(query={"code": "c", "state": STATE.reveal(), "iss": "https://x", "session": ""})

    assert CodeReceived(Secret("c")) == judge(asked)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("access_denied", "access_denied"),
        ("server_error", "server_error"),
        ("<script>alert(1)</script>", "the sign-in page reported an error"),
        ("x" * 41, "the sign-in page reported an error"),
        ("", "the sign-in page reported an error"),
    ],
)
def test_error_with_the_right_state_is_a_denial_and_never_quotes_odd_text(error: str, reason: str) -> None:
    asked = request(query={"error": error, "error_description": "<b>", "state": STATE.reveal()})

    assert DenialReceived(reason) == judge(asked)


@pytest.mark.parametrize("kind", ["code", "error"])
@pytest.mark.parametrize(
    "state", ["", "x", STATE.reveal()[:-1], STATE.reveal() + "x", STATE.reveal().swapcase(), "é"]
)
def test_nothing_is_believed_without_the_right_state(kind: str, state: str) -> None:
    assert NotOurs(400) == judge(request(query={kind: "access_denied", "state": state}))


S = STATE.reveal()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "code=c",
        f"state={S}",
        f"code=c&error=access_denied&state={S}",
        f"code=c&code=d&state={S}",
        f"code=c&state={S}&state={S}",
        f"code=c&state=wrong&state={S}",
        f"code=c&%73tate=wrong&state={S}",
        f"code=&state={S}",
        f"code=a%0Ab&state={S}",
        f"code=%C3%A9&state={S}",
        f"code=%FF&state={S}",
        f"code=c&state={S}&state",
        f"code&code=c&state={S}",
        f"code=c&st%61te={S}&state={S}",
        f"error&code=c&state={S}",
        f"code=c;state={S}",
        f"code={'c' * 9000}&state={S}",
        f"code=c&state={S}é",
    ],
)
def test_malformed_queries_are_not_ours(query: str) -> None:
    assert NotOurs(400) == judge(request(query=query))


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(f"code=c&state={S}&ref", marks=pytest.mark.met("F21")),
        pytest.param(f"ref&code=c&state={S}", marks=pytest.mark.met("F21")),
        pytest.param(f"code=c&state={S}&utm_source=", marks=pytest.mark.met("F21")),
        pytest.param(f"&&code=c&&state={S}&", marks=pytest.mark.met("F21")),
        pytest.param(f"code=c&session_state=a.b&session_state=c&state={S}", marks=pytest.mark.met("F21")),
        pytest.param(f"iss=https%3A%2F%2Fx&code=%63&state={S}", marks=pytest.mark.met("F21")),
        pytest.param(f"%FF=%FF&q=%&=&==&+=+&code=c&state={S}", marks=pytest.mark.met("F21")),
        pytest.param(f"code=c&state={S}&error_description=a+b&error_uri", marks=pytest.mark.met("F21")),
        pytest.param(f"Code=d&STATE=x&code=c&state={S}", marks=pytest.mark.met("F21")),
        "&".join(f"p{number}=1" for number in range(500)) + f"&code=c&state={S}",
    ],
)
def test_parameters_nobody_asked_for_are_ignored(query: str) -> None:
    assert CodeReceived(Secret("c")) == judge(request(query=query))


@pytest.mark.met("F21")
@pytest.mark.parametrize(
    "query", [f"error=access_denied&state={S}&ref", f"ref=&ref=&error=access_denied&state={S}"]
)
def test_a_denial_with_parameters_nobody_asked_for_is_a_denial(query: str) -> None:
    assert DenialReceived("access_denied") == judge(request(query=query))


@pytest.mark.parametrize(("written", "meant"), [("a%2Bb%2F%3D", "a+b/="), ("a+b", "a b"), ("a%26b", "a&b")])
def test_a_code_is_decoded_once(written: str, meant: str) -> None:
    assert CodeReceived(Secret(meant)) == judge(request(query=f"code={written}&state={S}"))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/oauth/callback/",
        "/oauth/Callback",
        "//oauth/callback",
        "/oauth/./callback",
        "/oauth%2Fcallback",
        "/oauth/callback;x",
        f"http://127.0.0.1:{PORT}/oauth/callback",
    ],
)
def test_only_the_exact_path_counts(path: str) -> None:
    assert NotOurs(404) == judge(request(path=path))


@pytest.mark.parametrize("method", [b"POST", b"HEAD", b"OPTIONS", b"get", b"PUT"])
def test_only_get_counts(method: bytes) -> None:
    assert NotOurs(405) == judge(request(method=method))


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        (HOST, HOST),
        (b"127.0.0.1",),
        (b"localhost:49321",),
        (b"127.0.0.1:49322",),
        (b"127.0.0.1.:49321",),
        (b"[::1]:49321",),
        (b"evil.example:49321",),
        (b"127.1:49321",),
        (b"127.0.0.1:49321 ",),
        (b"127.0.0.1:049321",),
    ],
)
def test_only_the_exact_host_counts(hosts: tuple[bytes, ...]) -> None:
    assert NotOurs(421) == judge(request(hosts=hosts))


ODD_PARTS = st.sampled_from(
    [
        b"code",
        b"=",
        b"&",
        b"state",
        S.encode(),
        b"error",
        b"%",
        b"%00",
        b"%2",
        b"+",
        b";",
        b"\xff",
        b"?",
        b"#",
        b"c",
    ]
)


@pytest.mark.timeout(3600)
@settings(max_examples=examples(10_000))
@given(st.lists(ODD_PARTS | st.binary(max_size=6), max_size=14).map(b"".join))
@example(f"code=c&state={S}".encode())
def test_any_query_is_judged_and_a_code_needs_exactly_one_right_state(query: bytes) -> None:
    found = judge(CallbackRequest(b"GET", b"/oauth/callback?" + query, (HOST,)))

    if not isinstance(found, NotOurs):
        assert query.count(b"state=") + query.count(b"%73tate=") == 1
        assert S.encode() in query


@settings(max_examples=examples(1_000))
@given(st.binary(max_size=8), st.binary(max_size=60), st.lists(st.binary(max_size=30), max_size=3))
def test_any_request_is_judged(method: bytes, target: bytes, hosts: list[bytes]) -> None:
    assert isinstance(judge(CallbackRequest(method, target, tuple(hosts))), NotOurs)


def test_request_has_no_repr_that_could_log_a_code() -> None:
    assert "the-code" not in repr(request())


# --- device polling ----------------------------------------------------------------------------------


def test_slow_down_adds_five_seconds_each_time() -> None:
    interval = timedelta(seconds=5)
    for code in ("SlowDownException", "AuthorizationPendingException", "SlowDownException"):
        interval = oauth.device_interval(interval, oauth.DEVICE_WAITS[code])

    assert timedelta(seconds=15) == interval
