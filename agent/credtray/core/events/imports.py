"""What can happen to pasted keys. See the package."""

from __future__ import annotations

from dataclasses import dataclass

from credtray.core.imports import ImportedKeys
from credtray.core.models import RoleCredentials


@dataclass(frozen=True, slots=True)
class Imported:
    """Somebody pasted role credentials: they are to be kept in a section until they end."""

    section: str
    credentials: RoleCredentials
    account_id: str | None = None
    role_name: str | None = None


@dataclass(frozen=True, slots=True)
class ImportFailed:
    """They did not get into the credentials file; what was there before counts again."""

    section: str
    before: ImportedKeys | None
