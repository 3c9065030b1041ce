"""Takes a picture of every view of the page and of the sign-in, light and dark, on a phone and on a desk.

    python packaging/page_pictures.py            writes docs/images/page/, and the page that shows them
    python packaging/page_pictures.py FOLDER     writes pictures only

The server and the views are the agent's own; what they show is one made-up moment (tests/page/scene.py),
whose clock stands still, so that a picture changes only with what it shows.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402 - the checkout is not installed
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402 - the same

from credtray.web import sign_in_pages  # noqa: E402 - the same
from tests.browser.browsers import CHROMIUM, SWITCHES  # noqa: E402 - the same
from tests.end_to_end.house import House  # noqa: E402 - the same
from tests.page import scene  # noqa: E402 - the same
from tests.page.still_page import serving  # noqa: E402 - the same
from tests.portal import running  # noqa: E402 - the same

IMAGES = ROOT / "docs" / "images" / "page"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (360, 1280)
GALLERY = ROOT / "docs" / "explanation" / "page-in-pictures.md"
VIEWS = {
    "overview": "The overview: a sign-in ends soon, a role was refused, there was no network for a while",
    "overview-day": "The overview with the last 24 hours",
    "another-person": "Another person signed in than the last time",
    "history": "The history",
    "check-up": "The check-up, with a change that is shown before it is written",
    "which-keys": "Which keys the tools use for a profile",
    "settings": "The settings",
    "add-start": "The first thing to see with nothing set up",
    "add-choosing": "Picking accounts and roles",
    "add-preview": "The changes to the config file, before they are written",
    "add-written": "Profiles are set up",
    "gone": "The agent has ended under an open page",
    "stranger": "An address that was used before, in a browser that was not let in",
    "sign-in-question": "Before a sign-in is ended that is good for long",
    "sign-in-done": "Signed in",
    "sign-in-failed": "A sign-in that failed",
    "sign-in-denied": "A sign-in that was not allowed",
    "sign-in-late": "A sign-in that took too long",
    "sign-in-cancelled": "A sign-in that was cancelled",
    "sign-in-used": "A result that came twice",
}
"""Each view, and what it shows."""
_EXACT, _OTHERS = 64, 192
"""Colours of a picture's palette: those that fill most of it, and what comes nearest to all others."""


def main() -> int:
    """Take all of them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["TZ"] = "UTC"
    time.tzset()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ |= dict.fromkeys(("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"), home)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*SWITCHES])
        album = Album(browser, folder)
        take_views(album)
        take_another_person(album)
        take_sign_in_pages(album)
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            portal = stack.enter_context(running("--auto-approve", "alice", "--interval", "1"))
            house = House(Path(directory), portal)
            stack.enter_context(house.agent())
            take_first_run(album, house)
        browser.close()
    if folder == IMAGES:
        GALLERY.write_text(gallery(), "utf-8")
    return 0


def gallery() -> str:
    """Return a page of the documentation with all pictures."""
    lines = [
        "# The page in pictures",
        "",
        "Taken by `make screenshots`, of one made-up moment. Light and dark as your",
    ]
    lines += ["system chooses, in a window of 1280 pixels and in one as narrow as a phone's.", ""]
    for name, words in VIEWS.items():
        lines += [f"## {words}", ""]
        lines += [
            f"![{words}: {scheme}, {width} pixels](../images/page/{name}-{scheme}-{width}.png)"
            for width in reversed(WIDTHS)
            for scheme in SCHEMES
        ]
        lines.append("")
    return "\n".join(lines)


class Album:
    """A browser, and the folder its pictures go to."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser = browser
        self._folder = folder

    @contextmanager
    def opened(self, address: str) -> Iterator[Page]:
        """Give an address open in a browser that knows nothing."""
        context = self.browser.new_context(viewport={"width": 1280, "height": 800}, device_scale_factor=1)
        page = context.new_page()
        page.goto(address)
        yield page
        context.close()

    def take(self, page: Page, name: str) -> None:
        """Take the four pictures of what is open."""
        for scheme in SCHEMES:
            for width in WIDTHS:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.set_viewport_size({"width": width, "height": 640})
                picture = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
                path = self._folder / f"{name}-{scheme}-{width}.png"
                with_palette(picture).save(path, optimize=True)
                print(f"{path.name}: {path.stat().st_size} B")


def with_palette(picture: Image.Image) -> Image.Image:
    """Return the picture in a third of the bytes, with its surfaces' colours and those of fading bars."""
    counted = sorted(picture.getcolors(picture.width * picture.height), reverse=True)
    exact = [colour for _, colour in counted[:_EXACT]]
    others = Image.new("RGB", (max(len(counted) - _EXACT, 1), 1))
    others.putdata([colour for _, colour in counted[_EXACT:]] or exact[:1])
    chosen = others.quantize(_OTHERS, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(part for colour in exact for part in colour), *chosen])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


# --- the views ---------------------------------------------------------------------------------------------


def take_views(album: Album) -> None:
    """The overview, of the day and of the moment, and the history; a stranger; and an agent that is gone."""
    with (
        serving(scene.state(), scene.history(), scene.NOW) as served,
        album.opened(served.entrance()) as page,
    ):
        page.locator("html.live").wait_for()
        album.take(page, "overview")
        page.get_by_role("link", name="Last 24 hours").click()
        page.locator(".toggle a[aria-current]", has_text="Last 24 hours").wait_for()
        album.take(page, "overview-day")
        page.get_by_role("link", name="History").click()
        page.locator(".happened").first.wait_for()
        album.take(page, "history")
        with album.opened(page.url) as other:
            album.take(other, "stranger")
        take_checkup(album, page)
        page.get_by_role("link", name="Overview").click()
        page.locator("html.live").wait_for()
        served.close()
        page.get_by_role("alert").wait_for()
        album.take(page, "gone")


def take_another_person(album: Album) -> None:
    """The overview while somebody else is signed in."""
    with (
        serving(scene.another_person(), [], scene.NOW) as served,  # what happened is in the history already
        album.opened(served.entrance()) as page,
    ):
        page.locator("html.live").wait_for()
        album.take(page, "another-person")


def take_checkup(album: Album, page: Page) -> None:
    """What was found and can be repaired, which keys the tools use, and the settings."""
    page.get_by_role("link", name="Check-up").click()
    page.get_by_role("button", name="Check now").click()
    page.get_by_role("button", name="Show the change").click()
    page.get_by_role("button", name="Write this").wait_for()
    page.reload()
    album.take(page, "check-up")
    page.get_by_role("link", name="Overview").click()
    page.locator("li[data-profile=synderys-dns] .more summary").click()
    page.get_by_role("button", name="Which keys would my tool use?").click()
    page.get_by_role("heading", name="Which keys your tools use").wait_for()
    album.take(page, "which-keys")
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("heading", name="Settings").wait_for()
    album.take(page, "settings")


# --- the end of a sign-in ----------------------------------------------------------------------------------

_PRICE = (
    "This ends your current sign-in (3 h 15 min left): every program that uses it needs you to sign in "
    "again. Keys already issued work until 14:40."
)
SIGN_IN_PAGES = {
    "sign-in-done": sign_in_pages.signed_in("/page"),
    "sign-in-failed": sign_in_pages.failed("AWS did not accept the sign-in", "/again"),
    "sign-in-denied": sign_in_pages.denied("/again"),
    "sign-in-late": sign_in_pages.over("The sign-in timed out after 10 minutes", "/again"),
    "sign-in-cancelled": sign_in_pages.over("The sign-in was cancelled", "/again"),
    "sign-in-question": sign_in_pages.question(_PRICE, "/end", "/keep", scene.START_URL),
    "sign-in-used": sign_in_pages.gone(),
}


def take_sign_in_pages(album: Album) -> None:
    """What the browser shows before and after a sign-in."""
    with album.opened("about:blank") as page:
        for name, answer in SIGN_IN_PAGES.items():
            page.set_content(answer.partition(b"\r\n\r\n")[2].decode())
            album.take(page, name)


# --- the first run -----------------------------------------------------------------------------------------


def take_first_run(album: Album, house: House) -> None:
    """From nothing to profiles, by an agent that runs."""
    with album.opened(house.run("open", "--print").stdout.strip()) as page:
        page.locator("html.live").wait_for()
        album.take(page, "add-start")
        page.get_by_label("Start URL", exact=True).fill(scene.START_URL)
        page.get_by_label("A short name").fill("synderys")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("heading", name=re.compile("^Which accounts")).wait_for()
        page.get_by_role("checkbox", name="ReadOnly").check()
        page.get_by_role("checkbox", name="DNS").check()
        page.evaluate("document.activeElement.blur()")
        album.take(page, "add-choosing")
        page.get_by_role("button", name="Show the changes").click()
        page.get_by_text("Changes to ~/.aws/config").wait_for()
        album.take(page, "add-preview")
        page.get_by_role("button", name="Write this").click()
        page.get_by_text("Your profiles are set up").wait_for()
        album.take(page, "add-written")


if __name__ == "__main__":
    sys.exit(main())
