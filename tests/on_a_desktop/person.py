"""A person at a real browser, as BROWSER="python person.py JOURNAL %s &": signs in, allows what is asked.

Writes each address to JOURNAL first, and what the last page said at its end.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
SWITCHES = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"]


def main(journal: Path, url: str) -> None:
    with journal.open("a") as file:
        file.write(f"{url}\n")
    with sync_playwright() as playwright:
        # The browser is not to live in another time than its user: it asks for it all the time.
        environ = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES, env={**environ})
        page = browser.new_page()
        page.goto(url)
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password").fill("demo")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Allow").click()
        page.get_by_role("heading", name="You are signed in").wait_for()
        browser.close()
    with journal.with_suffix(".done").open("a") as file:
        file.write("You are signed in\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
