"""The page in front of a sign-in that ends another one, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from credtray.core.errors import PortalFailed, SignInCancelled
from credtray.core.models import AccessToken, ClientRegistration, Secret, SsoSession
from credtray.daemon.sign_in import SignInRequest
from credtray.demo.identity_center import IdentityCenter
from tests.browser.browsers import CHROMIUM
from tests.browser.test_sign_in_chromium import Attempt, Desk, sign_in

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")

PRICE = "This ends your current sign-in, 7 h 58 min left. Programs keep the keys they have until 18:36."
END, KEEP = "End it and sign in again", "Keep my current sign-in"


def asking() -> SignInRequest:
    return SignInRequest(fresh=True, question=lambda: PRICE)


@pytest.fixture(params=["light", "dark"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    scheme: Literal["light", "dark"] = request.param
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 900, "height": 640})
    yield context.new_page()
    context.close()


@pytest.fixture
def desk(portal: IdentityCenter, home: Path, page: Page) -> Desk:
    """Signed in already, in this very browser."""
    found = Desk(portal, home)
    attempt = Attempt(found)
    page.goto(found.addresses.get(timeout=20))
    sign_in(page)
    page.get_by_role("button", name="Allow").click()
    attempt.finished()
    return found


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page for a person to look at, where one is wanted."""
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.mark.met("H1")
def test_person_reads_the_price_and_signs_in_again(desk: Desk, page: Page, portal: IdentityCenter) -> None:
    attempt = Attempt(desk, asking())
    page.goto(desk.addresses.get(timeout=20))
    expect(page.get_by_text(PRICE)).to_be_visible()
    picture(page, f"asks-{page.evaluate('matchMedia(`(prefers-color-scheme: dark)`).matches')}")
    assert portal.journal.count("Logout") == 0
    page.reload()
    page.get_by_role("button", name=END).dblclick()
    sign_in(page)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()

    assert attempt.finished().ended
    assert portal.journal.count("Logout") == 1


@pytest.mark.met("H1")
def test_person_keeps_the_present_sign_in(desk: Desk, page: Page, portal: IdentityCenter) -> None:
    attempt = Attempt(desk, asking())
    page.goto(desk.addresses.get(timeout=20))
    page.get_by_role("button", name=KEEP).click()
    expect(page.get_by_role("heading", name="Nothing was changed")).to_be_visible()
    picture(page, f"kept-{page.evaluate('matchMedia(`(prefers-color-scheme: dark)`).matches')}")
    with pytest.raises(SignInCancelled):
        attempt.finished()

    assert portal.journal.count("Logout") == 0


@pytest.mark.met("M5")
def test_person_whose_token_is_refused_reads_that(
    desk: Desk, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: SsoSession | ClientRegistration | Secret | str) -> AccessToken:
        raise PortalFailed("HTTP 500")

    monkeypatch.setattr(desk.identity_center, "exchange_code", refused)
    monkeypatch.setattr("credtray.daemon.sign_in_grants._FIRST_PAUSE", 0.01)
    attempt = Attempt(desk, asking())
    page.goto(desk.addresses.get(timeout=20))
    page.get_by_role("button", name=END).click()
    sign_in(page)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_role("heading", name="Sign-in failed")).to_be_visible()
    picture(page, f"failed-{page.evaluate('matchMedia(`(prefers-color-scheme: dark)`).matches')}")

    with pytest.raises(PortalFailed):
        attempt.finished()


def test_another_web_page_cannot_press_the_buttons(desk: Desk, page: Page, portal: IdentityCenter) -> None:
    attempt = Attempt(desk, asking())
    address = desk.addresses.get(timeout=20)
    page.goto(address)
    actions = page.locator("form").evaluate_all("forms => forms.map(form => form.action)")
    page.goto("about:blank")
    page.set_content(
        "".join(
            f"<form method=post action='{action}' target=f{place}></form><iframe name=f{place}></iframe>"
            for place, action in enumerate(actions)
        )
        + f"<img src='{address}'><iframe src='{address}'></iframe>"
        "<script>for (const form of document.forms) form.submit();"
        f"for (const url of {actions}) fetch(url, {{method: 'POST', mode: 'no-cors'}}).catch(() => 0);"
        "</script>"
    )
    page.wait_for_load_state("networkidle")

    assert attempt.thread.is_alive()
    assert portal.journal.count("Logout") == 0
    attempt.cancelled.set()
    with pytest.raises(SignInCancelled):
        attempt.finished()
