"""The loopback redirect: one right request gets through, whatever else knocks."""

from __future__ import annotations

import errno
import http.client
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from urllib.parse import urlsplit

import pytest

from credtray.core.errors import (
    CredtrayError,
    ListenerUnavailable,
    SignInCancelled,
    SignInDenied,
    SignInTimedOut,
)
from credtray.core.models import Secret
from credtray.web import sign_in_pages as pages
from credtray.web import sign_in_redirect as callback_module
from credtray.web.sign_in_listener import MOST_LINGERING, LoopbackCallbackListener
from credtray.web.sign_in_redirect import LoopbackCallback
from tests.web.endpoint_world import drained

STATE = Secret("c3RhdGUtb2YtdGhpcy1zaWduLWluLTEyMzQ1Njc4OTA")
RIGHT = f"/oauth/callback?code=the-code&state={STATE.reveal()}"
DENIAL = f"/oauth/callback?error=access_denied&state={STATE.reveal()}"


@pytest.fixture
def callback() -> Iterator[LoopbackCallback]:
    with LoopbackCallbackListener().listen(STATE) as listening:
        yield listening


def port_of(callback: LoopbackCallback) -> int:
    port = urlsplit(callback.redirect_uri).port
    assert port is not None
    return port


def send(callback: LoopbackCallback, raw: bytes) -> bytes:
    """Send raw bytes and return everything that comes back until the server closes."""
    with closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60)) as connection:
        connection.sendall(raw)
        return drained(connection)


def get(callback: LoopbackCallback, target: str, *, host: str | None = None, method: str = "GET") -> bytes:
    name = host if host is not None else f"127.0.0.1:{port_of(callback)}"
    return send(callback, f"{method} {target} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())


def location(answer: bytes) -> str:
    """Return the path that an answer leads on to."""
    head = answer.partition(b"\r\n\r\n")[0].decode("ascii")
    assert head.startswith("HTTP/1.1 303 ")
    (line,) = [each for each in head.split("\r\n") if each.startswith("Location: ")]
    return urlsplit(line.removeprefix("Location: ")).path


def landing(callback: LoopbackCallback, target: str = RIGHT) -> bytes:
    """Send the right redirect, and return the request with which a browser follows it."""
    path = location(get(callback, target))
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port_of(callback)}\r\n\r\n".encode()


def shown(callback: LoopbackCallback, target: str) -> bytes:
    """Return the page that a browser ends at."""
    return send(callback, landing(callback, target))


def never() -> bool:
    return False


def bring(callback: LoopbackCallback, target: str = RIGHT, failure: str | None = None) -> bytes:
    """Send the right redirect, let the sign-in end, and return what the browser is told then."""
    with closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60)) as connection:
        connection.sendall(landing(callback, target))
        callback.wait(5, never)
        callback.tell(failure)
        return drained(connection)


def test_code_of_the_right_redirect_is_returned(callback: LoopbackCallback) -> None:
    page = bring(callback)

    assert pages.signed_in() == page
    assert Secret("the-code") == callback.wait(1, never)


@pytest.mark.met("F21")
def test_a_parameter_without_a_value_does_not_hold_up_the_sign_in(callback: LoopbackCallback) -> None:
    bring(callback, f"{RIGHT}&ref")

    assert Secret("the-code") == callback.wait(1, never)


# --- how it ended ----------------------------------------------------------------------------------------


@pytest.mark.met("M5")
def test_browser_is_not_told_that_it_worked_before_there_is_a_token(callback: LoopbackCallback) -> None:
    with closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=0.3)) as connection:
        connection.sendall(landing(callback))
        callback.wait(5, never)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        callback.tell(None)
        connection.settimeout(5)

        assert pages.signed_in() == drained(connection)


@pytest.mark.met("M5")
def test_browser_is_told_why_there_is_no_token(callback: LoopbackCallback) -> None:
    page = bring(callback, failure="AWS has an internal <problem>")

    assert pages.failed("AWS has an internal <problem>") == page
    assert b"Sign-in failed" in page
    assert b"AWS has an internal &lt;problem&gt;. You can close this tab. To try again, run " in page
    assert b"You are signed in" not in page


@pytest.mark.met("M5")
@pytest.mark.parametrize("way", ["nothing is told in time", "the listener closes without a word"])
def test_browser_that_nobody_tells_is_sent_to_credtray(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback_module, "HOLD_SECONDS", 0.1 if way == "nothing is told in time" else 60.0)
    with LoopbackCallbackListener().listen(STATE) as callback:
        connection = socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60)
        connection.sendall(landing(callback))
        callback.wait(5, never)
        if way == "nothing is told in time":
            assert pages.unsettled() == drained(connection)
    with closing(connection):
        rest = drained(connection)

    assert rest == (b"" if way == "nothing is told in time" else pages.unsettled())


def test_browser_that_left_before_the_end_is_no_harm(callback: LoopbackCallback) -> None:
    with closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60)) as connection:
        connection.sendall(landing(callback))
        callback.wait(5, never)
    callback.tell(None)

    assert pages.signed_in() == shown(callback, RIGHT)


def test_browser_that_waits_for_the_truth_is_not_crowded_out(callback: LoopbackCallback) -> None:
    with ExitStack() as stack:
        connection = stack.enter_context(
            closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60))
        )
        connection.sendall(landing(callback))
        callback.wait(5, never)
        for _ in range(callback_module.MOST_CONNECTIONS + 5):
            stack.enter_context(
                closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60))
            )
        get(callback, "/")  # by now all of them have been accepted
        callback.tell(None)

        assert pages.signed_in() == drained(connection)


@pytest.mark.met("M5")
def test_page_reloaded_while_it_waits_is_told_the_same_truth(callback: LoopbackCallback) -> None:
    request = landing(callback)
    with closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60)) as first:
        first.sendall(request)
        callback.wait(5, never)
    with closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60)) as again:
        again.sendall(request)
        get(callback, "/")  # by now the second request has been read as well
        callback.tell("AWS has an internal problem")

        assert pages.failed("AWS has an internal problem") == drained(again)


def test_another_code_does_not_learn_how_the_first_one_ends(callback: LoopbackCallback) -> None:
    with closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60)) as first:
        first.sendall(landing(callback))
        callback.wait(5, never)

        assert pages.gone() == get(callback, RIGHT.replace("the-code", "another"))


# --- the redirect itself ---------------------------------------------------------------------------------


def test_redirect_uri_names_loopback_port_and_path(callback: LoopbackCallback) -> None:
    parts = urlsplit(callback.redirect_uri)

    assert (parts.scheme, parts.hostname, parts.path) == ("http", "127.0.0.1", "/oauth/callback")


def test_waiting_thread_is_woken_by_the_redirect(callback: LoopbackCallback) -> None:
    found: list[Secret] = []
    waiting = threading.Thread(target=lambda: found.append(callback.wait(1000, never)))
    waiting.start()
    bring(callback)
    waiting.join()

    assert [Secret("the-code")] == found


def test_error_with_the_right_state_is_a_denial(callback: LoopbackCallback) -> None:
    assert pages.denied() == shown(callback, DENIAL)
    with pytest.raises(SignInDenied, match="access_denied"):
        callback.wait(1, never)


def test_error_with_a_wrong_state_changes_nothing(callback: LoopbackCallback) -> None:
    assert pages.refused(400) == get(callback, "/oauth/callback?error=access_denied&state=wrong")
    bring(callback)

    assert Secret("the-code") == callback.wait(1, never)


def test_nothing_in_time_is_a_time_out(callback: LoopbackCallback) -> None:
    with pytest.raises(SignInTimedOut):
        callback.wait(0.05, never)
    bring(callback)

    assert Secret("the-code") == callback.wait(1, never)


def test_cancelling_ends_the_wait_at_once(callback: LoopbackCallback) -> None:
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()
    with pytest.raises(SignInCancelled):
        callback.wait(1000, cancelled.is_set)


@pytest.mark.parametrize(
    "late",
    [
        RIGHT.replace("the-code", "another"),
        DENIAL,
        "/oauth/callback?code=other&state=wrong",
        "/oauth/callback",
    ],
)
def test_later_and_repeated_redirects_are_gone(callback: LoopbackCallback, late: str) -> None:
    bring(callback)

    assert pages.gone() == get(callback, late)
    assert Secret("the-code") == callback.wait(1, never)


def test_code_after_a_denial_is_gone(callback: LoopbackCallback) -> None:
    get(callback, DENIAL)

    assert pages.gone() == get(callback, RIGHT)
    with pytest.raises(SignInDenied):
        callback.wait(1, never)


@pytest.mark.parametrize(
    ("method", "target", "host", "status"),
    [
        ("POST", RIGHT, None, 405),
        ("HEAD", RIGHT, None, 405),
        ("OPTIONS", RIGHT, None, 405),
        ("GET", "/favicon.ico", None, 404),
        ("GET", RIGHT, "localhost", 421),
        ("GET", RIGHT, "evil.example", 421),
        ("GET", "/oauth/callback", None, 400),
    ],
)
def test_everything_else_gets_a_static_refusal(
    callback: LoopbackCallback, method: str, target: str, host: str | None, status: int
) -> None:
    assert pages.refused(status) == get(callback, target, host=host, method=method)


def test_two_host_headers_are_refused(callback: LoopbackCallback) -> None:
    host = f"Host: 127.0.0.1:{port_of(callback)}\r\n"
    raw = f"GET {RIGHT} HTTP/1.1\r\n{host}{host}\r\n".encode()

    assert pages.refused(400) == send(callback, raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n\r\n\r\nnonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_broken_requests_are_refused_and_forgotten(callback: LoopbackCallback, raw: bytes) -> None:
    answer = send(callback, raw)
    bring(callback)

    assert not answer or answer.startswith(b"HTTP/1.1 4")
    assert Secret("the-code") == callback.wait(1, never)


def test_a_thousand_strangers_do_not_keep_the_real_redirect_out(callback: LoopbackCallback) -> None:
    strange = [
        "/",
        "/?error=access_denied",
        "/oauth/callback?code=evil&state=guess",
        "/oauth/callback?error=x",
    ]
    for number in range(1000):
        answer = get(callback, strange[number % 4])
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 "))
    bring(callback)

    assert Secret("the-code") == callback.wait(1, never)


def test_two_hundred_idle_connections_and_a_slow_one_do_not_block(callback: LoopbackCallback) -> None:
    with ExitStack() as stack:
        for number in range(200):
            connection = stack.enter_context(
                closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60))
            )
            if number % 2:
                connection.sendall(b"GET /oauth/callback?co")
        assert pages.signed_in() == bring(callback)  # one after the other, they would hold it for minutes
    assert Secret("the-code") == callback.wait(1, never)


def test_oldest_silent_connection_makes_room(callback: LoopbackCallback) -> None:
    with ExitStack() as stack:
        silent = [
            stack.enter_context(
                closing(socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60))
            )
            for _ in range(callback_module.MOST_CONNECTIONS + 1)
        ]
        get(callback, "/")  # by now all of them have been accepted
        silent[0].settimeout(5)
        try:
            rest = silent[0].recv(1)
        except ConnectionResetError:
            rest = b""

        assert rest == b""
        silent[-1].settimeout(0.05)
        with pytest.raises(TimeoutError):
            silent[-1].recv(1)


def test_visitor_who_never_finishes_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback_module, "REQUEST_SECONDS", 0.1)
    with LoopbackCallbackListener().listen(STATE) as callback:
        assert send(callback, b"GET /oauth") == b""


def test_answer_arrives_whole_though_the_listener_closes_at_once() -> None:
    with LoopbackCallbackListener().listen(STATE) as callback:
        connection = http.client.HTTPConnection("127.0.0.1", port_of(callback), timeout=60)
        connection.request("GET", location(get(callback, RIGHT)))
        callback.wait(5, never)
        callback.tell(None)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()

    assert pages.signed_in().endswith(body)
    assert b"You are signed in" in body


def test_port_is_closed_and_the_thread_gone_afterwards() -> None:
    before = threading.active_count()
    with LoopbackCallbackListener().listen(STATE) as callback:
        port = port_of(callback)

    assert before == threading.active_count()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=60)


def test_waiting_connections_end_with_the_sign_in() -> None:
    with LoopbackCallbackListener().listen(STATE) as callback:
        idle = socket.create_connection(("127.0.0.1", port_of(callback)), timeout=60)
        get(callback, "/")  # by now the idle one has been accepted as well
    with closing(idle):
        try:
            rest = idle.recv(1)
        except ConnectionResetError:
            rest = b""

        assert rest == b""


@pytest.mark.posix("options of sockets and their errors")
@pytest.mark.parametrize("option", [None, "SO_REUSEADDR", "SO_REUSEPORT"])
def test_nobody_else_can_bind_the_port(callback: LoopbackCallback, option: str | None) -> None:
    with closing(socket.socket()) as thief:
        if option is not None:
            thief.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        with pytest.raises(OSError, match="in use") as caught:
            thief.bind(("127.0.0.1", port_of(callback)))

    assert caught.value.errno == errno.EADDRINUSE


def test_only_loopback_is_bound(callback: LoopbackCallback) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port_of(callback)), timeout=60)


def test_no_free_port_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_port(_self: socket.socket, _address: object) -> None:
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(socket.socket, "bind", no_port)
    with (
        pytest.raises(ListenerUnavailable, match="Cannot assign requested address"),
        LoopbackCallbackListener().listen(STATE),
    ):
        pass


# --- the address, late comers and another try ------------------------------------------------------------


def test_the_answer_is_below_an_address_without_code_and_state_and_stays_there(
    callback: LoopbackCallback,
) -> None:
    path = location(get(callback, RIGHT))
    callback.wait(5, never)
    callback.tell(None)

    assert "the-code" not in path
    assert STATE.reveal() not in path
    assert [get(callback, path), get(callback, path)] == [pages.signed_in()] * 2  # reloaded


def test_the_address_of_the_answer_is_nobody_elses(callback: LoopbackCallback) -> None:
    path = location(get(callback, RIGHT))

    assert pages.refused(404) == get(callback, path[:-1] + ("A" if path[-1] != "A" else "B"))
    assert pages.refused(404) == get(callback, path, host="evil.example")


def lingering(end: Exception | None, begin: Callable[[], None] | None = None) -> LoopbackCallback:
    """Return a sign-in that ended this way before anybody came; its port is still open."""
    with suppress(Exception), LoopbackCallbackListener(60.0).listen(STATE) as callback:
        if begin is not None:
            callback.offer_again(begin)
        if end is not None:
            raise end
    return callback


@pytest.mark.parametrize("end", [SignInCancelled(), SignInTimedOut()])
def test_who_comes_after_the_end_is_told_why_and_gets_no_token(end: CredtrayError) -> None:
    callback = lingering(end)
    try:
        assert pages.over(end.title) == shown(callback, RIGHT)
        assert pages.refused(400) == get(callback, RIGHT.replace(STATE.reveal(), "wrong"))
    finally:
        callback.stop()


def test_who_comes_when_another_program_has_signed_in_is_told_so() -> None:
    callback = lingering(None)
    try:
        assert pages.signed_in() == shown(callback, RIGHT)
    finally:
        callback.stop()


def test_a_late_port_closes_when_its_time_is_over_or_others_came() -> None:
    listener = LoopbackCallbackListener(60.0)
    made = []
    for _ in range(MOST_LINGERING + 1):
        with listener.listen(STATE) as callback:
            made.append(callback)
    try:
        with pytest.raises(ConnectionRefusedError):
            get(made[0], "/")
        assert pages.refused(404) == get(made[1], "/")
    finally:
        for each in made[1:]:
            each.stop()
    with LoopbackCallbackListener(0.01).listen(STATE) as short:
        pass
    short._thread.join()

    with pytest.raises(ConnectionRefusedError):
        get(short, "/")


def test_the_port_that_was_asked_for_is_used_again_and_again() -> None:
    listener = LoopbackCallbackListener(60.0)
    with listener.listen(STATE) as first:
        port = first.port
    for _ in range(2):
        with listener.listen(STATE, port) as again:
            assert again.redirect_uri == f"http://127.0.0.1:{port}/oauth/callback"
    again.stop()


def test_a_port_that_somebody_else_has_is_named() -> None:
    with (
        LoopbackCallbackListener().listen(STATE) as taken,
        pytest.raises(ListenerUnavailable, match=f"port {taken.port}"),
        LoopbackCallbackListener().listen(STATE, taken.port),
    ):
        raise AssertionError("it was bound twice")


def pressed(callback: LoopbackCallback, page: bytes, origin: str | None = None) -> bytes:
    (path,) = re.findall(rb'action="([^"]+)"', page)
    host = f"127.0.0.1:{port_of(callback)}"
    given = origin or f"http://{host}"
    head = f"POST {path.decode()} HTTP/1.1\r\nHost: {host}\r\nOrigin: {given}\r\nContent-Length: 0\r\n\r\n"
    return send(callback, head.encode())


def test_another_try_begins_once_when_a_person_presses_the_button() -> None:
    begun: list[str] = []
    callback = lingering(SignInCancelled(), lambda: begun.append("again"))
    try:
        page = shown(callback, RIGHT)

        assert b"Try again" in page
        assert pages.refused(403) == pressed(callback, page, "https://evil.example")
        assert begun == []
        assert [pages.begun_again()] * 2 == [pressed(callback, page), pressed(callback, page)]
        assert begun == ["again"]
    finally:
        callback.stop()


def test_a_denial_and_a_failure_offer_another_try(callback: LoopbackCallback) -> None:
    callback.offer_again(lambda: None)

    assert b"Try again" in shown(callback, DENIAL)
    with LoopbackCallbackListener().listen(STATE) as other:
        other.offer_again(lambda: None)
        assert b"Try again" in bring(other, failure="No")


def test_the_end_of_a_sign_in_leads_on_to_the_page_once_and_closing_the_tab_comes_first() -> None:
    opened: list[str] = []
    listener = LoopbackCallbackListener()
    listener.show_page = lambda: opened.append("page")
    with listener.listen(STATE) as callback:
        page = bring(callback)

        assert page.index(b"You can close this tab") < page.index(b"Open credtray")
        assert pages.refused(403) == pressed(callback, page, "https://evil.example")
        assert opened == []
        assert [pages.page_opens()] * 2 == [pressed(callback, page), pressed(callback, page)]
        assert opened == ["page"]


def test_a_sign_in_that_failed_leads_to_another_try_and_to_no_page() -> None:
    listener = LoopbackCallbackListener()
    listener.show_page = lambda: None
    with listener.listen(STATE) as callback:
        callback.offer_again(lambda: None)

        assert b"Open credtray" not in bring(callback, failure="No")
