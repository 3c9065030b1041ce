"""Reads the token cache into facts that tell of tokens without holding one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from credtray.checkup.files import read_file
from credtray.core.cache_format import read_token, token_key
from credtray.core.diagnosis.facts import Held, TokenFacts
from credtray.core.errors import TokenMismatch, TokenUnreadable
from credtray.core.models import SsoSession
from credtray.files.atomic_file import CACHE_LIMIT

TORN_PAUSE = 0.1
"""Seconds before the second look at token files that cannot be used: the AWS CLI writes in place."""


def token_facts(sessions: Mapping[str, SsoSession], directory: Path, home: Path) -> Mapping[str, TokenFacts]:
    """Look at the token file of every session; those that cannot be used are looked at twice."""
    found = {name: _token(session, directory, home) for name, session in sessions.items()}
    torn = [name for name, token in found.items() if token.held is Held.UNREADABLE]
    if torn:
        time.sleep(TORN_PAUSE)
        found |= {name: _token(sessions[name], directory, home) for name in torn}
    return MappingProxyType(found)


def _token(session: SsoSession, directory: Path, home: Path) -> TokenFacts:
    file, data = read_file(directory / f"{token_key(session)}.json", home, CACHE_LIMIT)
    if file.unread is not None:
        return TokenFacts(file, Held.UNREADABLE, file.unread)
    if data is None:
        return TokenFacts(file)
    try:
        token = read_token(data, session)
    except TokenMismatch as error:
        return TokenFacts(file, Held.MISMATCH, error.detail)
    except TokenUnreadable as error:
        return TokenFacts(file, Held.UNREADABLE, error.detail)
    registration = token.registration
    return TokenFacts(
        file,
        Held.TOKEN,
        expires_at=token.expires_at,
        has_refresh_token=token.refresh_token is not None,
        registration_ends=None if registration is None else registration.expires_at,
    )
