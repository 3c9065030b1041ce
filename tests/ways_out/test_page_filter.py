"""Who is let in to the page, by the head of a request alone. Over sockets: tests/web/test_page_server.py."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.models import Secret
from credtray.ways_out.endpoint import EndpointRequest
from credtray.ways_out.page import (
    LONGEST_BODY,
    Admitted,
    Kind,
    Place,
    Refused,
    digest,
    form_token,
    judge,
    read_form,
)

PLACE = Place(41234, "0123456789abcdef")
COOKIE = "c" * 43
GUESTS = {digest(COOKIE)}
KEY = Secret("key")
ORIGIN = f"http://{PLACE.host}"
ROOM = PLACE.path

Headers = dict[str, str]
NAVIGATION = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
BY_HAND = NAVIGATION | {"sec-fetch-site": "none"}
SCRIPTED = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
FORM = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded", "content-length": "9"}

GOOD: dict[Kind, tuple[str, str, Headers]] = {
    Kind.ENTRANCE: ("GET", f"enter/{'s' * 43}", BY_HAND),
    Kind.VIEW: ("GET", "", NAVIGATION),
    Kind.PART: ("GET", "part/", SCRIPTED),
    Kind.EVENTS: ("GET", "events", SCRIPTED),
    Kind.ASSET: ("GET", "style.css", SCRIPTED | {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "style"}),
    Kind.ACTION: ("POST", "do/switch", NAVIGATION | FORM),
}
"""A request of each kind as a browser sends it, without Host and cookie."""


def request(
    kind: Kind, *more: tuple[str, str], cookie: str | None = COOKIE, **changed: str | None
) -> EndpointRequest:
    """Return a good request, with headers changed (None: left out) or added."""
    method, inside, usual = GOOD[kind]
    headers: dict[str, str | None] = {"host": PLACE.host, **usual}
    if cookie is not None:
        headers["cookie"] = f"other=1; {PLACE.cookie}={cookie}"
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    found = [(name, value) for name, value in headers.items() if value is not None]
    lines = tuple((name.encode(), value.encode("latin-1")) for name, value in (*found, *more))
    return EndpointRequest(method.encode(), f"{ROOM}{inside}".encode(), b"1.1", lines)


def judged(asked: EndpointRequest, place: Place = PLACE) -> Admitted | Refused:
    return judge(asked, b"GET / HTTP/1.1\r\n\r\n", b"", place, GUESTS)


def status(asked: EndpointRequest) -> int:
    found = judged(asked)
    return found.status if isinstance(found, Refused) else 200


@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_request_is_let_in_as_a_browser_sends_it(kind: Kind) -> None:
    found = judged(request(kind))

    assert isinstance(found, Admitted)
    assert found.kind is kind


@pytest.mark.parametrize("kind", [Kind.VIEW, Kind.PART, Kind.EVENTS, Kind.ACTION])
@pytest.mark.parametrize("cookie", [None, "", "x" * 43, COOKIE[:-1], f"{COOKIE} "[:-1] + "x"])
def test_nobody_is_let_in_without_the_cookie(kind: Kind, cookie: str | None) -> None:
    assert status(request(kind, cookie=cookie)) == 403


def test_cookie_of_another_port_or_twice_is_none() -> None:
    other = request(Kind.VIEW, ("cookie", f"credtray-1={COOKIE}"), cookie=None)
    twice = request(Kind.VIEW, ("cookie", f"{PLACE.cookie}={COOKIE}"))

    assert (status(other), status(twice)) == (403, 403)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost:41234", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:41234.", "[::1]:41234", ""],
)
def test_name_that_was_rebound_to_us_is_refused(kind: Kind, host: str) -> None:
    assert status(request(kind, host=host)) == 421


@pytest.mark.parametrize("kind", Kind)
def test_second_host_is_refused(kind: Kind) -> None:
    assert status(request(kind, ("host", "evil.example"))) == 421


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("site", ["cross-site", "same-site", "", None])
def test_no_other_site_can_ask(kind: Kind, site: str | None) -> None:
    assert status(request(kind, sec_fetch_site=site)) == 403


@pytest.mark.parametrize("kind", [Kind.PART, Kind.EVENTS, Kind.ASSET, Kind.ACTION])
def test_only_views_can_be_opened_by_hand(kind: Kind) -> None:
    assert status(request(kind, sec_fetch_site="none")) == 403


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("destination", ["iframe", "frame", "embed", "object", "worker", "audio", None])
def test_nothing_is_embedded(kind: Kind, destination: str | None) -> None:
    assert status(request(kind, sec_fetch_dest=destination)) == 403


@pytest.mark.parametrize(
    "origin", ["null", "https://evil.example", f"http://{PLACE.host}0", "http://127.0.0.1", None]
)
def test_form_of_another_page_is_refused(origin: str | None) -> None:
    assert status(request(Kind.ACTION, origin=origin)) == 403


def test_form_that_the_script_sends_is_let_in_as_such() -> None:
    found = judged(
        request(Kind.ACTION, **{name.replace("-", "_"): value for name, value in SCRIPTED.items()})
    )

    assert isinstance(found, Admitted)
    assert found.scripted


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/json"}, 415),
        ({"content_type": "multipart/form-data; boundary=x"}, 415),
        ({"content_length": None}, 411),
        ({"content_length": "-1"}, 411),
        ({"content_length": str(LONGEST_BODY + 1)}, 413),
        ({"transfer_encoding": "chunked"}, 400),
        ({"expect": "100-continue"}, 400),
        ({"x_forwarded_for": "127.0.0.1"}, 403),
        ({"via": "1.1 proxy"}, 403),
    ],
)
def test_form_of_another_shape_is_refused(changed: dict[str, str | None], expected: int) -> None:
    assert status(request(Kind.ACTION, **changed)) == expected


@pytest.mark.parametrize("method", [b"HEAD", b"PUT", b"OPTIONS", b"DELETE", b"CONNECT", b"get", b"TRACE"])
def test_other_methods_are_refused(method: bytes) -> None:
    assert status(replace(request(Kind.VIEW), method=method)) == 405


def test_view_cannot_be_posted_nor_an_action_fetched() -> None:
    posted = replace(request(Kind.ACTION), target=ROOM.encode())
    fetched = replace(request(Kind.VIEW), target=f"{ROOM}do/switch".encode())

    assert (status(posted), status(fetched)) == (404, 404)


@pytest.mark.parametrize(
    "target",
    [
        b"/", b"//", b"*", ROOM.encode()[:-1], b"http://127.0.0.1:41234/0123456789abcdef/",
        f"{ROOM}../".encode(), f"{ROOM}%2e%2e/".encode(), f"{ROOM}Overview".encode(), f"{ROOM}a/b".encode(),
        f"{ROOM}?q=<x>".encode(), f"{ROOM}\xff".encode("latin-1"), f"{ROOM}enter/short".encode(),
        f"{ROOM}enter/{'s' * 43}?x=1".encode(), f"{ROOM}part".encode() + b"/x/y", b"/fedcba9876543210/",
    ],
)  # fmt: skip
def test_other_targets_lead_nowhere(target: bytes) -> None:
    assert status(replace(request(Kind.VIEW), target=target)) in {403, 404}
    assert not isinstance(judged(replace(request(Kind.ENTRANCE), target=target)), Admitted) or target == b""


def test_second_request_and_odd_bytes_are_refused() -> None:
    asked = request(Kind.VIEW)

    assert judge(asked, b"GET / HTTP/1.1\r\n\r\n", b"GET", PLACE, GUESTS) == Refused(400)
    assert judge(asked, b"GET / HTTP/1.1\nHost: x\r\n\r\n", b"", PLACE, GUESTS) == Refused(400)


@given(
    st.sampled_from(Kind),
    st.sampled_from(
        ["host", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "origin", "cookie", "content-type"]
    ),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
)
def test_changed_header_lets_in_nobody_whom_the_right_one_does_not(kind: Kind, name: str, value: str) -> None:
    """Whatever stands there: what is let in is what a browser of ours would have sent."""
    allowed = {
        "host": {PLACE.host},
        "sec-fetch-site": {"none"}
        if kind is Kind.ENTRANCE
        else {"none", "same-origin"}
        if kind is Kind.VIEW
        else {"same-origin"},
        "sec-fetch-mode": {"navigate", "cors", "same-origin", "no-cors"},
        "sec-fetch-dest": {"document", "empty", "style"},
        "origin": {ORIGIN} if kind not in {Kind.ENTRANCE, Kind.VIEW} else set(),
        "content-type": {"application/x-www-form-urlencoded"} if kind is Kind.ACTION else {value},
        "cookie": {value} if kind in {Kind.ENTRANCE, Kind.ASSET} else set(),
    }[name]
    if kind is Kind.ASSET and name == "origin":
        allowed = {value}
    found = judged(request(kind, **{name.replace("-", "_"): value}))

    assert not isinstance(found, Admitted) or value in allowed


def body(**fields: str) -> bytes:
    return urlencode(fields).encode()


def test_form_needs_the_token_of_its_own_guest() -> None:
    guest = Secret(COOKIE)
    right = form_token(KEY, guest)

    assert read_form(body(token=right, profile="dév <x>"), KEY, guest) == {"profile": ("dév <x>",)}
    assert read_form(body(token=form_token(KEY, Secret("other")), profile="a"), KEY, guest) is None
    assert read_form(body(token=form_token(Secret("other"), guest), profile="a"), KEY, guest) is None
    assert read_form(body(profile="a"), KEY, guest) is None
    assert read_form(body(token=right) + b"&token=" + right.encode(), KEY, guest) is None
    assert read_form(b"", KEY, guest) is None
    assert read_form(b"\xff=1", KEY, guest) is None
    assert read_form(b"&".join([b"a=1"] * 5000), KEY, guest) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_none(raw: bytes) -> None:
    assert read_form(raw, KEY, Secret(COOKIE)) is None
