"""Pasted role credentials: which sections of the credentials file they hold, and until when.

Pure, and tells nobody anything: events change them in ``apply.profiles``, and the notices about their end are
in ``notices``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from credtray.core.models import RoleCredentials, SectionKeys
from credtray.core.ports import Mark
from credtray.core.section_mark import key_digest

FORGOTTEN_AFTER = timedelta(hours=24)
"""So long after their end pasted keys are still shown as ended."""


@dataclass(frozen=True, slots=True)
class ImportedKeys:
    """One set of pasted keys."""

    section: str
    expires_at: datetime
    """In this computer's time, as the paste or a person said: nobody else tells it."""
    digest: str
    """Of the access key ID; see core/section_mark."""
    account_id: str | None = None
    role_name: str | None = None
    imported_at: datetime | None = None
    """None where only the credentials file knows of them."""
    credentials: RoleCredentials | None = field(default=None, repr=False)
    """None after a restart, when the file alone holds them, and once they have ended."""
    said: frozenset[str] = frozenset()
    """What was told of their end."""
    showing: frozenset[str] = frozenset()
    """What the notice on the screen says."""
    unseen: frozenset[str] = frozenset()
    """What was to be told while nobody could be."""
    released: bool = False
    """Not to be kept any more; remembered only until its notice is off the screen."""

    @property
    def owner(self) -> str:
        """Whose they are, as the mark in the file says it: ``111122223333/ReadOnly``, empty if unknown."""
        return f"{self.account_id}/{self.role_name or ''}" if self.account_id else ""


def imported(
    section: str,
    credentials: RoleCredentials,
    account_id: str | None = None,
    role_name: str | None = None,
    *,
    now: datetime,
) -> ImportedKeys:
    """Return keys that were pasted just now."""
    return ImportedKeys(
        section,
        credentials.expires_at,
        key_digest(credentials.access_key_id),
        account_id,
        role_name,
        now,
        credentials,
    )


def known_from(mark: Mark) -> ImportedKeys:
    """Return what the file alone tells of pasted keys."""
    account_id, _, role_name = mark.profile.partition("/")
    return ImportedKeys(mark.section, mark.expires_at, mark.digest, account_id or None, role_name or None)


def kept_imports(imports: Mapping[str, ImportedKeys]) -> tuple[ImportedKeys, ...]:
    """Return those that are still to be kept, or have ended lately."""
    return tuple(item for item in imports.values() if not item.released)


def wanted_imports(
    imports: Mapping[str, ImportedKeys], marks: Mapping[str, Mark], taken: Collection[str], now: datetime
) -> Iterator[SectionKeys]:
    """Yield the sections that must be written because the file does not hold these keys yet.

    Sections in *taken* are those of profiles: keys that renew themselves go before pasted ones.
    """
    for item in kept_imports(imports):
        if item.credentials is None or item.expires_at <= now or item.section in taken:
            continue
        mark = marks.get(item.section)
        if mark is None or not (mark.pasted and mark.digest == item.digest):
            yield SectionKeys(item.section, item.owner, item.credentials, pasted=True)


def may_stay(
    imports: Mapping[str, ImportedKeys],
    mark: Mark,
    taken: Collection[str],
    now: datetime,
    *,
    remove_at_end: bool,
) -> bool:
    """Tell whether pasted keys may stay in the file. Nobody could bring them back, so only their end counts.

    Neither a sign-out nor the end of the agent takes them out: see docs/adr/0021.
    """
    item = imports.get(mark.section)
    if mark.section in taken:  # until the profile's own keys replace them in one step
        return mark.expires_at > now
    if item is None or item.released:
        return False
    return item.expires_at > now or not remove_at_end
