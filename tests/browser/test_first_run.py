"""A person who has installed credtray and typed nothing: from a click to keys that Debian's AWS CLI uses."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from credtray.desktop.login_entry.xdg import exec_words
from credtray.desktop.login_entry.xdg import menu_entry as application_entry
from tests.browser.browsers import CHROMIUM
from tests.connect_proxy import ConnectProxy
from tests.end_to_end.house import House, until
from tests.portal import RunningPortal, running

AWS = Path("/usr/bin/aws")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
    pytest.mark.skipif(not AWS.exists(), reason="needs Debian's awscli package"),
]

START_URL = "https://d-9067000001.awsapps.com/start"
OPENER = """\
import sys
with open(sys.argv[1], "a") as file:
    file.write(sys.argv[2] + "\\n")
"""
"""The person's browser as the desktop starts it: the address goes to the one that is open already."""


@pytest.fixture
def portal() -> Iterator[RunningPortal]:
    with running("--interval", "1") as found:  # nobody signs in by itself
        yield found


@pytest.fixture
def house(portal: RunningPortal, home: Path) -> Iterator[House]:
    opener = home / "opener.py"
    opener.write_text(OPENER)
    found = House(home, portal)
    command = shlex.join([sys.executable, "-I", "-S", str(opener), str(found.journal)])
    found.environ["BROWSER"] = f"{command} %s"
    yield found
    found.run("stop", code=None)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context()
    yield found
    found.close()


@pytest.fixture
def next_tab(house: House, context: BrowserContext) -> Callable[[], Page]:
    """Return what waits for the next address that is opened, and gives it a tab of the browser."""
    seen = iter(range(100))

    def wait() -> Page:
        number = next(seen)
        until(lambda: len(house.visits()) > number)
        page = context.new_page()
        page.goto(house.visits()[number])
        return page

    return wait


def entry_of_the_package() -> list[str]:
    """Return what a click on credtray in the menu of applications runs, without the program's path."""
    entry = application_entry(("/usr/bin/credtray", "start", "--clicked"), "1").decode()
    (command,) = [line.partition("=")[2] for line in entry.splitlines() if line.startswith("Exec=")]
    program, *words = exec_words(command)
    assert program == "/usr/bin/credtray"
    return words


def test_from_a_click_to_an_identity_without_a_typed_command(
    house: House, next_tab: Callable[[], Page], portal: RunningPortal
) -> None:
    clicked = house.start(*entry_of_the_package())
    page = next_tab()
    expect(page.get_by_role("heading", name="Welcome to credtray")).to_be_visible(timeout=30_000)
    clicked.communicate(timeout=60)
    assert clicked.wait() == 0
    page.get_by_label("Start URL", exact=True).fill(START_URL)
    page.get_by_role("button", name="Sign in", exact=True).click()

    signing_in = next_tab()
    signing_in.get_by_label("User name").fill("alice")
    signing_in.get_by_label("Password").fill("demo")
    signing_in.get_by_role("button", name="Sign in").click()
    signing_in.get_by_role("button", name="Allow").click()
    expect(signing_in.get_by_role("heading", name="You are signed in")).to_be_visible(timeout=30_000)
    signing_in.close()

    expect(page.get_by_role("heading", name="Which accounts and roles")).to_be_visible(timeout=30_000)
    page.get_by_role("checkbox", name="DNS").check()
    page.get_by_role("button", name="Show the changes").click()
    expect(page.get_by_text("sso_role_name = DNS")).to_be_visible()
    assert not house.config.exists()
    page.get_by_role("button", name="Write this").click()
    expect(page.get_by_text("Your profile is set up")).to_be_visible()
    page.get_by_role("button", name="Start credtray at login").click()
    expect(page.get_by_text("credtray starts at login")).to_be_visible()
    shown = page.get_by_text("aws sts get-caller-identity").inner_text()

    assert json.loads(said_by_the_cli(house, portal, shown))["Account"] == "111100000002"
    assert "[Desktop Entry]" in (house.home / ".config" / "autostart" / "credtray.desktop").read_text()


def said_by_the_cli(house: House, portal: RunningPortal, command: str) -> str:
    """Run what the page shows, where AWS's own names lead to the portal: Debian's CLI knows no others."""
    port = urlsplit(portal.url).port
    assert port is not None
    with ConnectProxy(port) as proxy:
        kept = {name: value for name, value in house.environ.items() if not name.startswith("AWS_")}
        words = shlex.split(command)
        done = subprocess.run(
            [str(AWS), *words[1:]],
            env={**kept, **proxy.environment, "AWS_EC2_METADATA_DISABLED": "true"},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout
