"""The browsers, for every module of this folder."""

from __future__ import annotations

from tests.browser.browsers import browser, chromium, firefox, playwright  # noqa: F401 - fixtures
