"""The page in front of a sign-in that ends another one: looking costs nothing, only its own button counts."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from credtray.core.errors import CredtrayError, Offline, SignInCancelled, SignInTimedOut
from credtray.core.models import Secret
from credtray.core.oauth import PATH_BYTES, Entrance
from credtray.web import http_connections
from credtray.web import sign_in_pages as pages
from credtray.web.sign_in_listener import LoopbackCallbackListener
from credtray.web.sign_in_redirect import LoopbackCallback
from tests.web.endpoint_world import drained

STATE = Secret("c3RhdGUtb2YtdGhpcy1zaWduLWluLTEyMzQ1Njc4OTA")
ONWARD = "https://oidc.us-east-1.amazonaws.com/authorize?client_id=abc&state=xyz"
PRICE = "This ends your current sign-in, 7 h 58 min left."
TAG = re.compile(r"<[^>]*>")
FORM = re.compile(rb'<form method="post" action="([^"]+)"><button[^>]*>([^<]+)</button>')


@dataclass
class Doorway:
    """Implements ``ports.Door``."""

    price: str | None = PRICE
    problem: CredtrayError | None = None
    overtaken: bool = False
    passed: int = 0
    onward: str = ONWARD

    def question(self) -> str | None:
        return self.price

    def through(self) -> str | None:
        if self.problem is not None:
            raise self.problem
        self.passed += 1
        return None if self.overtaken else self.onward


@dataclass
class Scene:
    """A sign-in that waits in its own thread, and its address."""

    callback: LoopbackCallback
    door: Doorway
    address: str = ""
    error: CredtrayError | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.address = self.callback.lead_through(self.door)
        self.thread = threading.Thread(target=self._wait)
        self.thread.start()

    def _wait(self) -> None:
        while not self.over.is_set():
            try:
                self.callback.wait(0.2, self.over.is_set)
            except SignInTimedOut:
                continue
            except CredtrayError as error:
                self.error = error
                return

    def ended(self) -> CredtrayError | None:
        self.thread.join(10)
        return self.error

    @property
    def host(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def port(self) -> int:
        port = urlsplit(self.address).port
        assert port is not None
        return port

    @property
    def page(self) -> str:
        return urlsplit(self.address).path

    def send(self, method: str, target: str, **headers: str) -> bytes:
        """Send one request; underscores in the name of a header stand for hyphens."""
        told = {"Host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
        with closing(socket.create_connection(("127.0.0.1", self.port), timeout=60)) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            return drained(connection)

    def buttons(self) -> dict[str, str]:
        found = FORM.findall(self.send("GET", self.page))
        return {label.decode(): action.decode() for action, label in found}

    def press(self, label: str, **headers: str) -> bytes:
        told = {"Origin": f"http://{self.host}", "Sec_Fetch_Site": "same-origin", "Content_Length": "0"}
        return self.send("POST", self.buttons()[label], **{**told, **headers})


END, KEEP = "End it and sign in again", "Keep my current sign-in"


@contextmanager
def scene(door: Doorway | None = None) -> Iterator[Scene]:
    with LoopbackCallbackListener().listen(STATE) as callback:
        found = Scene(callback, door or Doorway())
        try:
            yield found
        finally:
            found.over.set()
            found.thread.join(10)


# --- a person --------------------------------------------------------------------------------------------


@pytest.mark.met("H1")
def test_much_is_left_so_the_page_tells_the_price_and_nothing_is_ended() -> None:
    with scene() as found:
        first, again = found.send("GET", found.page), found.send("GET", found.page)

        assert PRICE in TAG.sub("", first.decode())
        assert list(found.buttons()) == [END, KEEP]
        assert again == first
        assert found.door.passed == 0


@pytest.mark.met("H1")
def test_button_ends_it_once_and_leads_on_however_often_it_is_pressed() -> None:
    with scene() as found:
        path = found.buttons()[END]
        answers = {found.press(END)}
        answers |= {found.send("POST", path, Origin=f"http://{found.host}"), found.send("GET", found.page)}

        assert answers == {pages.onward(ONWARD)}
        assert found.door.passed == 1


def test_button_for_keeping_cancels_the_sign_in_and_says_so() -> None:
    with scene() as found:
        page = found.press(KEEP)

        assert page == pages.kept()
        assert isinstance(found.ended(), SignInCancelled)
        assert found.door.passed == 0


@pytest.mark.met("H1")
def test_little_is_left_so_arriving_is_enough() -> None:
    with scene(Doorway(price=None)) as found:
        answer = found.send("GET", found.page, Sec_Fetch_Site="none", Sec_Fetch_Mode="navigate")

        assert answer == pages.onward(ONWARD)
        assert answer.startswith(b"HTTP/1.1 303 ")
        assert found.door.passed == 1


def test_portal_that_cannot_be_reached_ends_nothing_and_the_page_says_so() -> None:
    with scene(Doorway(price=None, problem=Offline("no route"))) as found:
        page = found.send("GET", found.page)

        assert page == pages.failed(Offline.title)
        assert b"no route" not in page
        assert isinstance(found.ended(), Offline)


def test_who_was_overtaken_by_another_program_is_signed_in() -> None:
    with scene(Doorway(overtaken=True)) as found:
        assert found.press(END) == pages.signed_in()


# --- anybody else ----------------------------------------------------------------------------------------

STRANGE_POSTS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:1"},
    {"Origin": "https://127.0.0.1"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
]


@pytest.mark.met("H1")
@pytest.mark.parametrize("label", [END, KEEP])
@pytest.mark.parametrize("headers", STRANGE_POSTS)
def test_another_web_page_cannot_press_a_button(label: str, headers: dict[str, str]) -> None:
    with scene() as found:
        answer = found.press(label, **headers)

        assert answer == pages.refused(403)
        assert found.door.passed == 0
        assert found.thread.is_alive()


@pytest.mark.parametrize("host", ["localhost", "evil.example", "127.0.0.1", "127.0.0.1:1"])
def test_another_host_name_for_this_computer_is_refused(host: str) -> None:
    with scene(Doorway(price=None)) as found:
        assert found.send("GET", found.page, Host=host) == pages.refused(421)
        assert found.door.passed == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "OPTIONS"])
def test_looking_at_a_button_presses_nothing(method: str) -> None:
    with scene() as found:
        answer = found.send(method, found.buttons()[END])

        assert answer == pages.refused(404)
        assert found.door.passed == 0


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT"])
def test_page_is_only_looked_at(method: str) -> None:
    with scene(Doorway(price=None)) as found:
        assert found.send(method, found.page) == pages.refused(405)
        assert found.door.passed == 0


@pytest.mark.met("H1")
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Purpose": "prefetch"},
        {"Sec_Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X_Purpose": "preview"},
        {"X_Moz": "prefetch"},
        {"Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    ],
)
def test_browser_that_fetches_ahead_ends_nothing(headers: dict[str, str]) -> None:
    with scene(Doorway(price=None)) as found:
        assert found.send("GET", found.page, **headers) == pages.refused(403)
        assert found.door.passed == 0


@pytest.mark.parametrize("change", ["/x", "?", "?q=1", "/end", "/end/guess", "/", "%20"])
def test_address_that_is_not_the_very_one_leads_nowhere(change: str) -> None:
    with scene(Doorway(price=None)) as found:
        assert found.send("GET", found.page + change) == pages.refused(404)
        assert found.send("POST", found.page + change) == pages.refused(404)
        assert found.door.passed == 0


def test_addresses_of_another_sign_in_lead_nowhere() -> None:
    with scene() as one, scene() as other:
        path = one.buttons()[END]

        assert other.send("GET", one.page) == pages.refused(404)
        assert other.send("POST", path, Origin=f"http://{other.host}") == pages.refused(404)


def test_without_a_door_there_is_no_page() -> None:
    with LoopbackCallbackListener().listen(STATE) as callback:
        port = urlsplit(callback.redirect_uri).port
        with closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as connection:
            connection.sendall(f"GET /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())

            assert drained(connection) == pages.refused(404)


def test_another_user_of_this_computer_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credtray.web.sign_in_redirect.another_person", lambda _peer, _ours: True)
    with scene(Doorway(price=None)) as found:
        assert found.send("GET", found.page) == pages.refused(404)
        assert found.door.passed == 0


@pytest.mark.posix("user numbers")
@pytest.mark.parametrize(("owner", "another"), [(1000, False), (0, False), (1001, True), (None, False)])
def test_only_a_known_other_user_is_another_person(
    owner: int | None, *, another: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(http_connections, "_tables", lambda: ["table"])
    monkeypatch.setattr(http_connections, "owner_in", lambda *_: owner)

    assert http_connections.another_person(("127.0.0.1", 1), ("127.0.0.1", 2)) is another


# --- the page itself -------------------------------------------------------------------------------------


def test_page_is_kept_nowhere_framed_nowhere_and_runs_nothing() -> None:
    head = pages.question("<b>&", "/end", "/keep", ONWARD).partition(b"\r\n\r\n")[0].decode()

    assert "Cache-Control: no-store" in head
    assert "X-Frame-Options: DENY" in head
    assert "default-src 'none'; style-src 'sha256-" in head
    assert "form-action 'self' https: https://oidc.us-east-1.amazonaws.com;" in head
    assert "frame-ancestors 'none'" in head
    # With no-referrer the browser would not say where the form was sent from.
    assert "Referrer-Policy: same-origin" in head
    assert b"&lt;b&gt;&amp;" in pages.question("<b>&", "/end", "/keep", ONWARD)


def test_addresses_of_an_entrance_are_not_to_be_guessed_or_shown() -> None:
    entrance = Entrance.new(1, bytes(range(2 * PATH_BYTES)))

    assert len(entrance.page.reveal()) * 6 >= 256
    assert entrance.page.reveal() not in repr(entrance)
    with pytest.raises(ValueError, match="64 random bytes"):
        Entrance.new(1, bytes(63))
