"""A person signs in with a real browser: our listener, our clients, our token cache, the portal's pages."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from credtray.aws.clients import Clients
from credtray.aws.identity_center import BotocoreIdentityCenter, Portal
from credtray.aws.token_cache import SharedTokenCache
from credtray.aws.token_refresh import SharedTokenRefresh
from credtray.core.errors import CredtrayError, SignInCancelled, SignInDenied
from credtray.core.models import Endpoints
from credtray.core.ports import SignInPorts
from credtray.daemon.sign_in import SignInProgress, SignInRequest, SignInResult, Step, run_sign_in
from credtray.demo.identity_center import IdentityCenter
from credtray.desktop.clock_watch import SystemClock
from credtray.web.sign_in_listener import LoopbackCallbackListener
from tests.browser.browsers import CHROMIUM, in_chromium
from tests.fakes_identity_center import CORP, FakeBrowser

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


class Desk:
    """Everything a sign-in needs on this computer; the browser's address waits in ``addresses``."""

    def __init__(self, portal: IdentityCenter, home: Path) -> None:
        endpoints = Endpoints(portal.url, portal.url, portal.url)
        clients = Clients()
        self.session = replace(CORP, endpoints=endpoints)
        self.clock = SystemClock()
        self.identity_center = BotocoreIdentityCenter(
            clients, self.clock, Portal(clients, self.clock, lambda: 0)
        )
        self.token_cache = SharedTokenCache(home / ".aws/sso/cache", home / "locks", self.clock)
        self.token_refresh = SharedTokenRefresh(self.token_cache, self.identity_center)
        self.callback_listener = LoopbackCallbackListener()
        self.addresses: queue.Queue[str] = queue.Queue()
        self.browser = FakeBrowser(visit=self.addresses.put)
        self.ports = SignInPorts(
            self.clock,
            self.token_cache,
            self.token_refresh,
            self.identity_center,
            self.browser,
            self.callback_listener,
        )


@dataclass
class Attempt:
    """One sign-in in its own thread, as in the daemon."""

    desk: Desk
    request: SignInRequest = SignInRequest()
    cancelled: threading.Event = field(default_factory=threading.Event)
    steps: queue.Queue[SignInProgress] = field(default_factory=queue.Queue)
    result: SignInResult | None = None
    error: CredtrayError | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        desk = self.desk
        try:
            self.result = run_sign_in(
                desk.ports, desk.session, self.request, None, self.steps.put, self.cancelled.is_set
            )
        except CredtrayError as error:
            self.error = error

    def finished(self) -> SignInResult:
        self.thread.join(20)
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result

    def code_step(self) -> SignInProgress:
        while True:
            step = self.steps.get(timeout=10)
            if step.kind is Step.CODE:
                return step


@pytest.fixture
def desk(portal: IdentityCenter, home: Path) -> Desk:
    return Desk(portal, home)


def sign_in(page: Page) -> None:
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()


def test_person_signs_in_and_the_tools_find_the_token(desk: Desk, page: Page, home: Path) -> None:
    complaints: queue.Queue[ConsoleMessage] = queue.Queue()
    page.on("console", complaints.put)
    attempt = Attempt(desk)
    page.goto(desk.addresses.get(timeout=10))
    sign_in(page)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    expect(page.get_by_text("You can close this tab.")).to_be_visible()
    token = attempt.finished().token

    [path] = [path for path in (home / ".aws/sso/cache").iterdir() if "accessToken" in path.read_text()]
    saved = json.loads(path.read_text())
    assert saved["accessToken"] == token.value.reveal()
    assert saved["startUrl"] == CORP.start_url
    assert desk.token_cache.read(desk.session) is not None
    assert desk.identity_center.accounts(desk.session, token, lambda _count: None)
    # The style was applied, so the policy's hash is right; and nothing was blocked or missing but the icon.
    assert page.locator("main").evaluate("node => getComputedStyle(node).borderRadius") == "18px"
    assert [said.text for said in complaints.queue if "favicon" not in said.location.get("url", "")] == []


@in_chromium
def test_person_who_says_no_sees_it_and_nothing_is_kept(desk: Desk, page: Page, home: Path) -> None:
    attempt = Attempt(desk)
    page.goto(desk.addresses.get(timeout=10))
    sign_in(page)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("heading", name="Sign-in not allowed")).to_be_visible()
    with pytest.raises(SignInDenied, match="access_denied"):
        attempt.finished()

    assert desk.token_cache.read(desk.session) is None


def test_the_code_leaves_the_address_bar_and_a_reload_shows_the_same_truth(desk: Desk, page: Page) -> None:
    desk.callback_listener = LoopbackCallbackListener(60.0)
    desk.ports = replace(desk.ports, callback_listener=desk.callback_listener)
    attempt = Attempt(desk)
    page.goto(desk.addresses.get(timeout=10))
    sign_in(page)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    attempt.finished()
    address = page.url
    page.reload()

    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    assert page.url == address
    assert "?" not in address
    page.go_back()  # the address that held the code is no page that one could come back to
    assert "code=" not in page.url


def test_who_said_no_presses_try_again_once(desk: Desk, page: Page) -> None:
    desk.callback_listener = LoopbackCallbackListener(60.0)
    desk.ports = replace(desk.ports, callback_listener=desk.callback_listener)
    pressed: queue.Queue[str] = queue.Queue()
    attempt = Attempt(desk, SignInRequest(again=lambda: pressed.put("again")))
    page.goto(desk.addresses.get(timeout=10))
    sign_in(page)
    page.get_by_role("button", name="Deny").click()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="A new sign-in opens")).to_be_visible()
    with pytest.raises(SignInDenied):
        attempt.finished()

    assert list(pressed.queue) == ["again"]


@in_chromium
def test_fresh_sign_in_moves_the_end_though_the_browser_is_signed_in(
    desk: Desk, page: Page, portal: IdentityCenter
) -> None:
    first = Attempt(desk)
    page.goto(desk.addresses.get(timeout=10))
    sign_in(page)
    page.get_by_role("button", name="Allow").click()
    first.finished()
    [(_, _, old_end)] = portal.active_sign_ins()

    second = Attempt(desk, SignInRequest(fresh=True))
    page.goto(desk.addresses.get(timeout=10))
    sign_in(page)
    page.get_by_role("button", name="Allow").click()
    result = second.finished()

    [(_, _, new_end)] = portal.active_sign_ins()
    assert result.ended
    assert timedelta() < new_end - old_end < timedelta(minutes=1)


@in_chromium
def test_code_shown_by_the_device_flow_is_the_one_on_the_page(desk: Desk, page: Page) -> None:
    attempt = Attempt(desk, SignInRequest(device=True))
    step = attempt.code_step()
    page.goto(step.url or "")
    sign_in(page)
    expect(page.get_by_text(step.user_code or "?")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Request approved")).to_be_visible()

    assert attempt.finished().token.refreshable
    assert desk.browser.opened == []


@in_chromium
def test_web_page_that_finds_the_port_can_neither_end_nor_steal_the_sign_in(desk: Desk, page: Page) -> None:
    attempt = Attempt(desk)
    address = desk.addresses.get(timeout=10)
    callback = address.partition("redirect_uri=")[2].partition("&")[0].replace("%3A", ":").replace("%2F", "/")
    page.goto("about:blank")
    page.set_content(
        f"<img src='{callback}?error=access_denied'><script src='{callback}?code=evil&state=guess'></script>"
        f"<iframe src='{callback}?error=access_denied&state='></iframe>"
        f"<form id=f method=post action='{callback}?code=evil' target=t><input name=state></form>"
        f"<iframe name=t></iframe><script>f.submit(); fetch('{callback}?code=evil', {{mode: 'no-cors'}});"
        f"navigator.sendBeacon('{callback}?error=x', 'x'); new WebSocket('{callback}'.replace('http', 'ws'));"
        "</script>"
    )
    page.wait_for_load_state("networkidle")
    assert attempt.thread.is_alive()
    page.goto(address)
    sign_in(page)
    page.get_by_role("button", name="Allow").click()

    assert attempt.finished().token.refreshable


@pytest.mark.parametrize(
    ("scheme", "background"), [("light", "rgb(244, 246, 248)"), ("dark", "rgb(18, 23, 29)")]
)
def test_closing_page_follows_light_and_dark(
    desk: Desk, chromium: Browser, portal: IdentityCenter, scheme: Literal["light", "dark"], background: str
) -> None:
    portal.auto_approve()
    attempt = Attempt(desk)
    context = chromium.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(desk.addresses.get(timeout=10))
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    attempt.finished()

    assert page.locator("body").evaluate("node => getComputedStyle(node).backgroundColor") == background
    context.close()


@in_chromium
def test_cancelled_sign_in_closes_its_port(desk: Desk, page: Page) -> None:
    attempt = Attempt(desk)
    desk.addresses.get(timeout=10)
    attempt.cancelled.set()
    with pytest.raises(SignInCancelled):
        attempt.finished()
