"""Suggests a name for an sso-session from its start URL. Pure; the same URL always gives the same name.

Must not look at files or settings: who asks says which names are taken.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from credtray.core.presets import PRESETS

_GENERIC = frozenset({"aws", "sso", "login", "portal", "console", "access", "www", "start"})


def same_portal_address(one: str, other: str) -> bool:
    """Whether two start URLs differ only in how they are written: case of the host, final slash, fragment."""
    return normal_start_url(one) == normal_start_url(other)


def normal_start_url(url: str) -> str:
    """Return a start URL as far as it says which portal is meant; for comparing, never for cache keys."""
    parts = urlsplit(url)
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{parts.path.rstrip('/')}{query}"


def suggested_name(start_url: str, taken: Collection[str]) -> str:
    """Return a free session name: the preset's, or the organisation's part of the host name, numbered."""
    first = _preset_name(start_url) or _organisation(start_url)
    name, number = first, 2
    while name in taken:
        name, number = f"{first}-{number}", number + 1
    return name


def _preset_name(start_url: str) -> str | None:
    presets = (preset for preset in PRESETS.values() if same_portal_address(preset.start_url, start_url))
    return next((preset.session for preset in presets), None)


def _organisation(start_url: str) -> str:
    labels = (urlsplit(start_url).hostname or "").split(".")
    owned = [label for label in labels[:-1] if label not in _GENERIC]
    return owned[0] if owned and not owned[0].startswith(("d-", "ssoins-")) else "sso"
