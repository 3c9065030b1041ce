"""Makes profile names from a template, unique and fit for an INI section.

Pure and deterministic: the same accounts and roles give the same names in whatever order they come.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from credtray.core.errors import UsageError
from credtray.core.models import Account
from credtray.core.words import did_you_mean

DEFAULT_TEMPLATE = "{session}-{role}"

_RESERVED = frozenset({"default"})
"""Never made by a template: ``[default]`` belongs to ``credtray switch`` and to the user."""


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """An account and a role in it, as picked in setup."""

    account: Account
    role_name: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes it unique in one session."""
        return (self.account.account_id, self.role_name)


FIELDS: Mapping[str, Callable[[str, RoleChoice], str]] = {
    "session": lambda session, _: session,
    "account_id": lambda _, choice: choice.account.account_id,
    "account_name": lambda _, choice: choice.account.name or choice.account.account_id,
    "account_number": lambda _, choice: choice.account.account_id,
    "role": lambda _, choice: choice.role_name,
}
"""What a template may name in braces. An account without a name stands with its number."""

_WHEN_EMPTY: Mapping[str, Callable[[RoleChoice], str]] = {
    "session": lambda _: "sso",
    "account_name": lambda choice: choice.account.account_id,
    "role": lambda _: "role",
}
"""What stands for a name of which ``slug`` leaves nothing, such as one in Japanese."""
_LONGEST = 64
"""Characters of one field. AWS has no longer names of accounts (50) and roles (64)."""


def slug(text: str) -> str:
    """Return the text in lower case ASCII letters, digits and ``._+=@-``; empty without letter or digit."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    clean = re.sub(r"[^a-z0-9._+=@]+", "-", plain).strip("-")[:_LONGEST].rstrip("-")
    return clean if re.search(r"[a-z0-9]", clean) else ""


def check_template(template: str) -> None:
    """Check that a template can be used.

    Raises:
        UsageError: an unknown field (the nearest known one is offered), no field, or a stray brace.
    """
    _pieces(template)


def profile_names(
    template: str, session: str, choices: Iterable[RoleChoice], taken: Collection[str] = ()
) -> dict[tuple[str, str], str]:
    """Return a name for each (account id, role name): from the template, plus the account on a collision.

    Names in ``taken`` and ``default`` are never given out.

    Raises:
        UsageError: see ``check_template``.
    """
    pieces = _pieces(template)
    left = {choice.key: choice for choice in choices}
    used = {*taken, *_RESERVED}
    names: dict[tuple[str, str], str] = {}
    for form in (_plain, _with_account, _with_account_id):
        made = {key: form(pieces, session, choice) for key, choice in left.items()}
        counts = Counter(made.values())
        free = {key: name for key, name in made.items() if counts[name] == 1 and name not in used}
        names |= free
        used |= set(free.values())
        left = {key: choice for key, choice in left.items() if key not in free}
    for key in sorted(left):
        names[key] = _numbered(_with_account_id(pieces, session, left[key]), used)
        used.add(names[key])
    return names


def _pieces(template: str) -> list[tuple[str, str | None]]:
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError:
        raise UsageError(f"The template {template!r} has a stray brace") from None
    for _, name, spec, conversion in parsed:
        if name is not None and name not in FIELDS:
            known = ", ".join(FIELDS)
            raise UsageError(f"The template names {name!r}; it may name {known}.{did_you_mean(name, FIELDS)}")
        if spec or conversion:
            raise UsageError(f"The template {template!r} formats a field; only names may stand in braces")
    if not any(name for _, name, _, _ in parsed):
        raise UsageError(f"The template {template!r} names no field, so all profiles would have one name")
    return [(text, name) for text, name, _, _ in parsed]


def _plain(pieces: list[tuple[str, str | None]], session: str, choice: RoleChoice) -> str:
    parts: list[str] = []
    for text, name in pieces:
        parts.append(re.sub(r"[^a-z0-9._+=@/:-]+", "-", text.lower()))
        if name is not None:
            parts.append(slug(FIELDS[name](session, choice)) or _WHEN_EMPTY[name](choice))
    return "".join(parts).strip("-") or choice.account.account_id


def _with_account(pieces: list[tuple[str, str | None]], session: str, choice: RoleChoice) -> str:
    label = slug(choice.account.name or "") or choice.account.account_id
    return f"{_plain(pieces, session, choice)}-{label}"


def _with_account_id(pieces: list[tuple[str, str | None]], session: str, choice: RoleChoice) -> str:
    return f"{_plain(pieces, session, choice)}-{choice.account.account_id}"


def _numbered(name: str, used: Collection[str]) -> str:
    number = 2
    while f"{name}-{number}" in used:
        number += 1
    return f"{name}-{number}"


# Suggests a name for an sso-session from its start URL. Pure; the same URL always gives the same name.
#
# Must not look at files or settings: the caller says which names are taken.


_GENERIC = frozenset({"aws", "sso", "login", "portal", "console", "access", "www", "start"})
_NUMBERS = ("d-", "ssoins-")
"""How the names begin that AWS gives to a directory or an instance."""


def suggested_name(start_url: str, taken: Collection[str]) -> str:
    """Return a free session name: the organisation's part of the host name, numbered."""
    first = _organisation(start_url)
    name, number = first, 2
    while name in taken:
        name, number = f"{first}-{number}", number + 1
    return name


def _organisation(start_url: str) -> str:
    parts = urlsplit(start_url)
    labels = (parts.hostname or "").split(".")
    if labels[0] == "identitycenter":
        return "sso"
    if labels[0] == "start" and "awsapps" in labels:  # GovCloud and China: the alias is in the path
        labels = [parts.path.rstrip("/").rpartition("/")[2].lower(), ""]
    owned = [label for label in labels[:-1] if label not in _GENERIC]
    return owned[0] if owned and owned[0] and not owned[0].startswith(_NUMBERS) else "sso"
