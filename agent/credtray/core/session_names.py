"""Suggests a name for an sso-session from its start URL. Pure; the same URL always gives the same name.

Must not look at files or settings: the caller says which names are taken.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from credtray.core.addresses import same_portal_address
from credtray.core.presets import PRESETS

_GENERIC = frozenset({"aws", "sso", "login", "portal", "console", "access", "www", "start"})
_NUMBERS = ("d-", "ssoins-")
"""How the names begin that AWS gives to a directory or an instance."""


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
    parts = urlsplit(start_url)
    labels = (parts.hostname or "").split(".")
    if labels[0] == "identitycenter":
        return "sso"
    if labels[0] == "start" and "awsapps" in labels:  # GovCloud and China: the alias is in the path
        labels = [parts.path.rstrip("/").rpartition("/")[2].lower(), ""]
    owned = [label for label in labels[:-1] if label not in _GENERIC]
    return owned[0] if owned and owned[0] and not owned[0].startswith(_NUMBERS) else "sso"
