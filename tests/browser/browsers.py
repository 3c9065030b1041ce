"""The browsers of Debian, as Playwright drives them: Chromium, and Firefox ESR beside it.

Each is started once for a module, and only where a test of it asks. ``browser`` is both, one after the other.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 20_000
"""Milliseconds that a page may take to show something, on a machine that is busy."""
FIREFOX = Path("/usr/bin/firefox-esr")
_RELAY = Path(__file__).with_name("firefox_relay.py")

in_chromium = pytest.mark.parametrize("browser", ["chromium"], indirect=True, scope="module")
"""For a test that one browser is enough for."""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    found = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
    yield found
    found.close()


@contextmanager
def launched_firefox(
    playwright: Playwright, home: Path, prefs: dict[str, str | float | bool] | None = None
) -> Iterator[Browser]:
    """Run a Firefox of its own, with these preferences."""
    program = home / "firefox"
    command = shlex.join([sys.executable, "-I", "-S", str(_RELAY), str(FIREFOX)])
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    program.chmod(0o700)
    found = playwright.firefox.launch(
        channel="moz-firefox",  # Mozilla's own, over WebDriver BiDi; without it, Playwright's patched one
        executable_path=program,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        firefox_user_prefs=prefs,
        timeout=120_000,
    )
    yield found
    found.close()


@pytest.fixture(scope="module")
def firefox(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not FIREFOX.exists():
        pytest.skip(f"needs Firefox at {FIREFOX}")
    with launched_firefox(playwright, tmp_path_factory.mktemp("firefox")) as found:
        yield found


@pytest.fixture(scope="module", params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest) -> Browser:
    """One after the other."""
    found: Browser = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(viewport={"width": 1280, "height": 900})
    yield found
    found.close()
