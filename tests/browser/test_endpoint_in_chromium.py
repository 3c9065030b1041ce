"""A web page of another origin wants our keys: a real browser, and everything a page can send."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright

from tests.browser.browsers import CHROMIUM, SWITCHES
from tests.web.endpoint_world import CANARY, TOKEN, Endpoint, serving

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")

# Each tries to get at URL and returns what it could see. The page knows the token: the worst case.
SHAPES = {
    "fetch": "return await (await fetch(URL)).text()",
    "fetch with the token": "return await (await fetch(URL, {headers: {Authorization: TOKEN}})).text()",
    "fetch without cors": "const r = await fetch(URL, {mode: 'no-cors'}); return r.type + await r.text()",
    "fetch that keeps alive": "return await (await fetch(URL, {keepalive: true, mode: 'no-cors'})).text()",
    "fetch without a referrer": (
        "return await (await fetch(URL, {mode: 'no-cors', referrerPolicy: 'no-referrer'})).text()"
    ),
    "post without cors": (
        "return await (await fetch(URL, {method: 'POST', mode: 'no-cors', body: 'x'})).text()"
    ),
    "XMLHttpRequest": """return await new Promise(done => {
        const x = new XMLHttpRequest(); x.open('GET', URL); x.setRequestHeader('Authorization', TOKEN);
        x.onload = x.onerror = () => done(x.responseText); x.send()})""",
    "image": """return await new Promise(done => {
        const i = new Image(); i.onload = () => done('LOADED');
        i.onerror = () => done('error'); i.src = URL})""",
    "script": """return await new Promise(done => {
        const s = document.createElement('script'); s.onload = () => done('LOADED');
        s.onerror = () => done('error'); s.src = URL; document.head.append(s)})""",
    "style sheet": """return await new Promise(done => {
        const l = document.createElement('link'); l.rel = 'stylesheet'; l.onload = () => done('LOADED');
        l.onerror = () => done('error'); l.href = URL; document.head.append(l)})""",
    "frame": """return await new Promise(done => {
        const f = document.createElement('iframe');
        f.onload = () => { let t = ''; try { t = f.contentDocument.body.innerText } catch {} done(t) };
        f.src = URL; document.body.append(f)})""",
    "object": """return await new Promise(done => {
        const o = document.createElement('object'); o.onload = () => done('loaded');
        o.onerror = () => done('error'); o.data = URL; document.body.append(o)})""",
    "web socket": """return await new Promise(done => {
        const w = new WebSocket(URL.replace('http', 'ws')); w.onopen = () => done('OPEN');
        w.onmessage = e => done(e.data); w.onerror = () => done('error')})""",
    "event source": """return await new Promise(done => {
        const e = new EventSource(URL); e.onmessage = m => done(m.data);
        e.onerror = () => { e.close(); done('error') }})""",
    "beacon": "return String(navigator.sendBeacon(URL, 'x'))",
    "worker": """return await new Promise(done => {
        try { const w = new Worker(URL); w.onmessage = m => done(m.data); w.onerror = () => done('error') }
        catch (e) { done('error') }})""",
    "module": "try { return JSON.stringify(await import(URL)) } catch { return 'error' }",
    "prefetch": """return await new Promise(done => {
        const l = document.createElement('link'); l.rel = 'prefetch'; l.onload = () => done('loaded');
        l.onerror = () => done('error'); l.href = URL; document.head.append(l);
        setTimeout(done, 500, 'late')})""",
}  # fmt: skip
FORMS = {
    "form": "GET",
    "form that posts": "POST",
}


class _Page(BaseHTTPRequestHandler):
    """Whatever is asked for: an empty page of the attacker, which may do anything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>evil</title><body>evil")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


@contextmanager
def evil_server() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def evil() -> Iterator[int]:
    with evil_server() as port:
        yield port


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    rules = "--host-resolver-rules=MAP *.test 127.0.0.1"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*SWITCHES, rules])
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serving() as found:
        yield found


@pytest.fixture(scope="module")
def tab(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture
def page(tab: Page, evil: int) -> Page:
    """The attacker's page, loaded anew."""
    tab.goto(f"http://evil.test:{evil}/")
    return tab


def seen_by(page: Page, shape: str, url: str) -> str:
    """Return what the page's script saw, or what it failed with."""
    body = f"async ([URL, TOKEN]) => {{ {shape} }}"
    return str(page.evaluate(f"async (given) => {{ try {{ return String(await ({body})(given)) }} "
                             "catch (error) { return 'failed: ' + error } }", [url, TOKEN]))  # fmt: skip


def assert_nothing(endpoint: Endpoint, *texts: str) -> None:
    issued = endpoint.issued.copy()
    endpoint.issued.clear()
    assert issued == []
    for text in texts:
        assert CANARY not in text
        assert "LOADED" not in text
        assert "OPEN" not in text


@pytest.mark.parametrize("host", ["127.0.0.1", "rebound.test"])
@pytest.mark.parametrize("name", SHAPES)
def test_a_page_gets_nothing(endpoint: Endpoint, page: Page, name: str, host: str) -> None:
    seen = seen_by(page, SHAPES[name], f"http://{host}:{endpoint.port}/credentials/dev")

    assert_nothing(endpoint, seen)
    assert "endpoint_refused" not in seen  # not even why


@pytest.mark.parametrize("name", FORMS)
def test_a_form_gets_nothing(endpoint: Endpoint, page: Page, name: str) -> None:
    url = f"http://127.0.0.1:{endpoint.port}/credentials/dev"
    page.set_content(f"<form method={FORMS[name]} action='{url}'><input name=a value=b></form>")
    with page.expect_navigation():
        page.evaluate("document.forms[0].submit()")

    assert_nothing(endpoint, page.content())


def test_a_link_gets_nothing(endpoint: Endpoint, page: Page) -> None:
    page.set_content(f"<a href='http://127.0.0.1:{endpoint.port}/credentials/dev'>x</a>")
    with page.expect_navigation():
        page.click("a")

    assert_nothing(endpoint, page.content())


def test_a_window_it_opens_gets_nothing(endpoint: Endpoint, page: Page) -> None:
    with page.expect_popup() as opened:
        page.evaluate(f"void window.open('http://127.0.0.1:{endpoint.port}/credentials/dev')")
    opened.value.wait_for_load_state()
    shown = opened.value.content()
    opened.value.close()

    assert_nothing(endpoint, shown)


def test_a_name_that_was_rebound_to_us_is_not_our_name(page: Page) -> None:
    """The page came from where we are now: the same origin for the browser, so it may read everything."""
    with evil_server() as port:
        page.goto(f"http://rebound.test:{port}/")
    with serving(port=port) as endpoint:
        seen = seen_by(page, SHAPES["fetch with the token"], "/credentials/dev")

        assert endpoint.port == port
        assert "endpoint_refused" in seen  # it reads the refusal, so it would have read the keys
        assert_nothing(endpoint, seen)


def test_the_address_typed_in_by_a_person_shows_no_keys(endpoint: Endpoint, page: Page) -> None:
    page.goto(f"http://127.0.0.1:{endpoint.port}/credentials/dev")

    assert "endpoint_token_missing" in page.content()
    assert_nothing(endpoint, page.content())
