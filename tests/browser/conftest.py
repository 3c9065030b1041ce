"""The browsers, for every module of this folder."""

from __future__ import annotations

from tests.browser.browsers import browser, chromium, context, firefox, playwright  # noqa: F401 - fixtures
