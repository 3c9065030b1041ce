"""Refreshes an access token that several programs share: implements ``ports.TokenRefresh``.

Under the lock of the token: read again, refresh, write. Deletes nothing, and never writes back a token whose
file the user (or ``aws sso logout``) removed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from credtray.core.errors import (
    CredtrayError,
    RegistrationRefused,
    SignInRequired,
    TokenMismatch,
    TokenRefused,
    TokenUnreadable,
)
from credtray.core.models import AccessToken, SsoSession
from credtray.core.ports import TokenCache
from credtray.files.open_directory import RealWaiter, Waiter

ATTEMPTS = 3
"""Further ones only with a refresh token that another program has put into the file meanwhile."""
AFTER_REFUSAL_PAUSES = (0.0, 0.1, 0.4, 1.0)
"""Seconds before each look at the file after a refusal: a faster program may not have written yet."""
WRITE_PAUSES = (0.0, 0.2, 0.6)
"""Seconds before each attempt to write a token that replaces one the service no longer accepts."""


class Refreshes(Protocol):
    """The part of ``ports.IdentityCenter`` used here."""

    def refresh(self, session: SsoSession, token: AccessToken) -> AccessToken:
        """CreateToken with the refresh token."""
        ...


@dataclass(frozen=True, slots=True)
class _Unsaved:
    """A token that could not be written: the file still holds the one it replaces."""

    replaced: AccessToken
    fresh: AccessToken


class SharedTokenRefresh:
    """Refreshes tokens of one token cache; one instance may serve several threads.

    Args:
        cache: the token cache.
        center: makes the CreateToken call.
        waiter: short pauses, injected by tests.
    """

    def __init__(self, cache: TokenCache, center: Refreshes, *, waiter: Waiter | None = None) -> None:
        self._cache = cache
        self._center = center
        self._waiter: Waiter = waiter if waiter is not None else RealWaiter()
        self._unsaved: dict[str, _Unsaved] = {}

    def refresh(self, session: SsoSession, known: AccessToken, now: datetime) -> AccessToken | None:
        """Return the newer token (ours, or another program's found on the disk), None when signed out.

        ``known`` is the token the caller wants to replace. If the file holds another one that is still
        good, that one is returned without any call. When the fresh token cannot be written, it is returned
        all the same and written at the next chance (see ``save_unsaved``).

        Raises:
            TokenRefused: refused although the file was read again before and after.
            SignInRequired: the token on the disk came without a refresh token.
            RegistrationRefused: the client it was issued to has expired.
            TokenUnreadable: the file cannot be read just now; no call was made.
            FileContended: another credtray process has been refreshing it for a minute.
            Other errors of CreateToken: offline, throttled and so on; nothing was changed.
        """
        with self._cache.lock(session):
            token = self._on_disk(session)
            return self._newer(session, token, known, now, ATTEMPTS)

    def save_unsaved(self, session: SsoSession) -> bool:
        """Try again to write a token that could not be written; True when there is none left.

        Raises nothing: a write that fails again is tried at the next chance.
        """
        if session.name in self._unsaved:
            try:
                with self._cache.lock(session):
                    self._on_disk(session)
            except CredtrayError:
                return False
        return session.name not in self._unsaved

    def _on_disk(self, session: SsoSession) -> AccessToken | None:
        """Read the file; where it still holds what a token of ours replaced, write that one first."""
        there = self._cache.read(session)
        unsaved = self._unsaved.get(session.name)
        if unsaved is None:
            return there
        if there is None or there.value != unsaved.replaced.value:
            del self._unsaved[session.name]  # signed out, or signed in anew
            return there
        self._write(session, unsaved)
        return unsaved.fresh

    def _newer(
        self, session: SsoSession, token: AccessToken | None, known: AccessToken, now: datetime, attempts: int
    ) -> AccessToken | None:
        if token is None or (token.value != known.value and token.expires_at > now):
            return token  # signed out, or another program's token that is still good: no call
        try:
            return self._refreshed(session, token, now)
        except TokenRefused:
            newer = self._after_refusal(session, token)
            if newer is token or attempts == 1:
                raise
        return self._newer(session, newer, known, now, attempts - 1)

    def _refreshed(self, session: SsoSession, token: AccessToken, now: datetime) -> AccessToken | None:
        if token.refresh_token is None or token.registration is None:
            raise SignInRequired("this sign-in has no refresh token")
        if token.registration.expires_at <= now:
            raise RegistrationRefused("the client registration has expired")
        unsaved = self._unsaved.get(session.name)
        held = token if unsaved is None else unsaved.replaced  # what the file holds
        answer = self._center.refresh(session, token)
        fresh = replace(
            answer,
            refresh_token=answer.refresh_token or token.refresh_token,
            registration=answer.registration or token.registration,
            issued_at=answer.issued_at or now,
        )
        try:
            there = self._cache.read(session)
        except TokenMismatch:
            raise
        except TokenUnreadable:
            there = held  # the refresh token in the file is used up: ours is the only good one
        if there is None or there.value != held.value:
            return there  # signed out or signed in anew while we asked: that stands
        self._write(session, _Unsaved(held, fresh))
        return fresh

    def _write(self, session: SsoSession, unsaved: _Unsaved) -> None:
        self._unsaved[session.name] = unsaved
        for pause in WRITE_PAUSES:
            if pause:
                self._waiter.sleep(pause)
            try:
                self._cache.write(session, unsaved.fresh)
            except CredtrayError:
                continue
            del self._unsaved[session.name]
            return

    def _after_refusal(self, session: SsoSession, sent: AccessToken) -> AccessToken | None:
        """Return what another program has put into the file; ``sent`` itself when nobody has."""
        for pause in AFTER_REFUSAL_PAUSES:
            if pause:
                self._waiter.sleep(pause)
            try:
                there = self._cache.read(session)
            except TokenUnreadable:
                continue
            if there is None or there.refresh_token != sent.refresh_token:
                return there
        return sent
