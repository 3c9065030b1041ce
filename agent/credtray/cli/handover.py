"""Hands an address that lets in to the browser of this desktop, over a page that is good for one visit."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from credtray.core.errors import BrowserUnopened, NotInTime
from credtray.core.models import Secret

PRINT = "Print the address with --print and open it yourself."


async def lead(address: Secret, start: Callable[[str], None]) -> None:
    """Start the browser at a page that is good for one visit, and wait for that visit."""
    from credtray.web.console_handover import GOOD_FOR_SECONDS, one_time_redirect

    async with one_time_redirect(address) as page:
        await asyncio.to_thread(start, page.address)
        if not await page.fetched():
            raise NotInTime(
                f"no browser opened the address within {GOOD_FOR_SECONDS:.0f} s; it no longer works",
                hint=f"A browser on another computer cannot open it. {PRINT}",
            )


def show_page(address: Secret) -> None:
    """Lead the browser of this desktop to the page.

    Raises:
        BrowserUnopened, NotInTime: none came.
    """
    asyncio.run(lead(address, _open_page))


def _open_page(url: str) -> None:
    """Open it in the browser of this desktop; over SSH there is none that could reach it."""
    from credtray.cli.backend import without_browser
    from credtray.desktop.browser import SystemBrowser

    if without_browser(os.environ) or not SystemBrowser().open(url):
        raise BrowserUnopened("no program here can open an address", hint=PRINT)
