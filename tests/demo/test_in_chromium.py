"""The pages in a real browser: forms, cookie, redirects and the pages' own content policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from credtray.demo.identity_center import IdentityCenter
from tests.demo.program import Program, answer_of
from tests.portal import Answer

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.linux_desktop("Chromium and its driver"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium package"),
]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium for the file, with a home of its own."""
    home = str(tmp_path_factory.mktemp("chromium"))
    quiet = [
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-first-run", "--disable-gpu", *quiet],
            chromium_sandbox=False,
            env={"HOME": home, "PATH": "/usr/bin:/bin"},
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page without cookies."""
    with chromium.new_context() as context:
        yield context.new_page()


def test_person_signs_in_allows_and_the_second_time_only_passes_through(
    portal: IdentityCenter, page: Page
) -> None:
    program = Program(portal.url)
    program.register()
    # The program's own listener: the portal itself answers 404 there, which is as good.
    callback = f"{portal.url}/oauth/callback"
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(program.authorize_url(redirect_uri=callback))
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"{callback}?**")
    first = answer_of(Answer(303, {"location": page.url}, b""))

    assert program.redeem(first["code"], redirectUri=callback).json()["expiresIn"] == 3600

    page.goto(program.authorize_url(redirect_uri=callback))

    assert page.url.startswith(f"{callback}?code=")
    assert [text for text in complaints if "Content Security Policy" in text] == []
    assert portal.journal.count("SignInPage") == 1


def test_person_types_the_device_code(portal: IdentityCenter, page: Page) -> None:
    program = Program(portal.url)
    program.register_for_device()
    started = program.start_device().json()
    page.goto(started["verificationUri"])
    page.get_by_label("Code").press_sequentially(started["userCode"].lower())
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()

    assert started["userCode"] in page.inner_text("main")

    page.get_by_role("button", name="Allow").click()

    assert "Request approved" in page.inner_text("h1")
    assert program.poll(started["deviceCode"]).status == 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_follow_the_desktops_scheme_and_fit_a_phone(
    portal: IdentityCenter, page: Page, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{portal.url}/signin")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()

    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(243, 245, 249)", "dark": "rgb(16, 21, 29)"}[scheme]
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
