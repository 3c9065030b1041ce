"""~/.aws/sso/cache, shared with the AWS CLI and every SDK: implements ``ports.TokenCache``.

Touches only file names it computed itself, and deletes nothing but a token that it was asked to drop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from credtray.aws.cache_format import (
    Fields,
    belongs_to,
    read_fields,
    read_registration,
    read_token,
    registration_key,
    render_registration,
    render_token,
    serves_grant,
    token_key,
)
from credtray.core.errors import FileContended, FileRefused, FileUnwritable, TokenMismatch, TokenUnreadable
from credtray.core.models import AccessToken, ClientRegistration, SsoSession
from credtray.core.ports import Clock
from credtray.files.atomic_file import CACHE_LIMIT, check_writable, read_bounded, write_atomically
from credtray.files.directory_safety import translated
from credtray.files.file_lock import FileLock
from credtray.files.open_directory import RealWaiter, Waiter
from credtray.files.settling import Stamp

REREAD_PAUSES = (0.05, 0.05, 0.05)
"""Seconds before each further look at a torn file: the AWS CLI writes in place, without a lock."""
REGISTRATION_WINDOW = timedelta(minutes=15)
"""A registration that ends sooner is not used any more (AWS CLI 2.36 ``_EXPIRY_WINDOW``)."""
_ATTEMPTS = 5
_ROOM = 16 * 1024
"""Bytes; several times what a token file has."""
_REFRESH_LOCK_SECONDS = 60.0
_SIGN_IN_LOCK_SECONDS = 660.0  # a sign-in may take ten minutes


class SharedTokenCache:
    """The token cache of one home directory.

    Args:
        directory: ``~/.aws/sso/cache``; created 0700 by the first write.
        lock_directory: an own directory for lock files, 0700; locks in the cache itself would be
            taken for tokens by other programs.
        clock: says whether a registration is still good.
        fallback_lock_directory: for file systems without locks (see ``FileLock``).
        waiter: short pauses, injected by tests.
    """

    def __init__(
        self,
        directory: Path,
        lock_directory: Path,
        clock: Clock,
        *,
        fallback_lock_directory: Path | None = None,
        waiter: Waiter | None = None,
    ) -> None:
        self._directory = directory
        self._lock_directory = lock_directory
        self._clock = clock
        self._fallback = fallback_lock_directory
        self._waiter: Waiter = waiter if waiter is not None else RealWaiter()

    def token_path(self, session: SsoSession) -> Path:
        """Return where the token of a session lies."""
        return self._directory / f"{token_key(session)}.json"

    def registration_path(self, session: SsoSession) -> Path:
        """Return where the client registration of a session lies."""
        return self._directory / f"{registration_key(session)}.json"

    def stamp(self, session: SsoSession) -> object:
        """Return something that differs when the token file may have changed."""
        return Stamp.at(self.token_path(session))

    def read(self, session: SsoSession) -> AccessToken | None:
        """Return the token, or None when the file does not exist: the user signed out.

        Raises:
            TokenUnreadable: torn, empty, garbage, larger than 1 MiB or no file, at the fourth look too.
            TokenMismatch: it is of another start URL or region than the config file says.
        """
        pauses = iter(REREAD_PAUSES)
        while True:
            try:
                return self._read_once(session)
            except TokenMismatch:
                raise  # a whole token: looking again would not change it
            except TokenUnreadable:
                pause = next(pauses, None)
                if pause is None:
                    raise
            self._waiter.sleep(pause)

    def write(self, session: SsoSession, token: AccessToken) -> None:
        """Write all fields atomically, 0600, keeping fields we do not know.

        Raises:
            FileContended: another program changed the file each time it was about to be replaced.
            FileUnwritable, FileRefused: nothing was changed.
        """
        path = self.token_path(session)
        for _ in range(_ATTEMPTS):
            seen = Stamp.at(path)
            data = render_token(session, token, self._known(path, session))
            if write_atomically(path, data, waiter=self._waiter, unchanged=partial(_still, seen, path)):
                return
        raise FileContended(f"{path} changed each time it was about to be replaced")

    def check_writable(self, session: SsoSession) -> None:
        """Find out whether a token could be written now, without touching the one there is.

        Raises:
            FileUnwritable, FileRefused: it could not; nothing was changed.
        """
        check_writable(self.token_path(session), _ROOM, waiter=self._waiter)

    def drop(self, session: SsoSession, token: AccessToken) -> None:
        """Delete the token file if it still holds this very token.

        Raises:
            FileUnwritable, FileRefused: it cannot be deleted.
        """
        try:
            there = self.read(session)
        except TokenUnreadable:
            return  # not this token, as far as anybody can tell
        if there is not None and there.value == token.value:
            path = self.token_path(session)
            with translated(path, "deleting"):
                path.unlink(missing_ok=True)

    def emptied(self) -> bool:
        """Tell whether there is not one file left, of whatever program."""
        return next(self._directory.glob("*.json"), None) is None

    def registration(self, session: SsoSession, grant: str) -> ClientRegistration | None:
        """Return a cached client registration good for this grant type and 15 minutes longer, or None."""
        try:
            data = read_bounded(self.registration_path(session), CACHE_LIMIT)
            registration = read_registration(data) if data is not None else None
        except (FileRefused, FileUnwritable, ValueError):
            return None  # a new one is made and written over it
        if registration is None or not serves_grant(registration, grant):
            return None
        return registration if registration.expires_at - self._clock.now() >= REGISTRATION_WINDOW else None

    def save_registration(self, session: SsoSession, registration: ClientRegistration) -> None:
        """Cache a client registration in the AWS CLI's format, over whatever was there.

        Raises:
            FileUnwritable, FileRefused: nothing was changed.
        """
        path = self.registration_path(session)
        write_atomically(path, render_registration(registration), waiter=self._waiter)

    @contextmanager
    def lock(self, session: SsoSession) -> Iterator[None]:
        """Hold the lock of this token over re-read, refresh and write; waits for at most a minute.

        Raises:
            FileContended: another credtray process holds it for longer.
            FileUnwritable, FileRefused: the lock file cannot be used.
        """
        with self._locked(f"refresh-{token_key(session)}.lock", _REFRESH_LOCK_SECONDS):
            yield

    @contextmanager
    def sign_in_lock(self, session: SsoSession, given_up: Callable[[], bool]) -> Iterator[None]:
        """Hold the lock of a sign-in; waits for at most eleven minutes, longer than a sign-in may take.

        *given_up* is asked all the while somebody else holds it; True ends the wait.

        Raises:
            FileContended: as ``lock``, or the wait was given up.
            FileUnwritable, FileRefused: as ``lock``.
        """
        with self._locked(f"sign-in-{token_key(session)}.lock", _SIGN_IN_LOCK_SECONDS, given_up):
            yield

    def _locked(self, name: str, timeout: float, given_up: Callable[[], bool] = lambda: False) -> FileLock:
        path = self._lock_directory / name
        return FileLock(
            path, timeout=timeout, fallback=self._fallback, waiter=self._waiter, given_up=given_up
        )

    def _read_once(self, session: SsoSession) -> AccessToken | None:
        try:
            data = read_bounded(self.token_path(session), CACHE_LIMIT)
        except (FileRefused, FileUnwritable) as error:
            raise TokenUnreadable(error.detail) from None
        if data is None:
            return None
        return replace(read_token(data, session), issued_at=self._written_at(session), found=True)

    def _written_at(self, session: SsoSession) -> datetime | None:
        """Return when the file was written: whoever issued the token wrote it at once."""
        stamp = Stamp.at(self.token_path(session))
        return None if stamp is None else datetime.fromtimestamp(stamp.modified_ns / 1e9, UTC)

    def _known(self, path: Path, session: SsoSession) -> Fields:
        with suppress(FileRefused, FileUnwritable, ValueError):
            fields = read_fields(read_bounded(path, CACHE_LIMIT) or b"")
            if belongs_to(fields, session):
                return fields
        return {}


def _still(seen: Stamp | None, path: Path) -> bool:
    return Stamp.at(path) == seen
