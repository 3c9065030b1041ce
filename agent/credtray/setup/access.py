"""Signs in for `credtray setup` and asks the portal what there is, with a progress bar on stderr.

A cancelled sign-in leaves nothing in the config file: setup writes only at its end.
"""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credtray.cli import terminal
from credtray.cli.sign_in import narrate
from credtray.core.errors import CredtrayError, PortalUnauthorized, TokenUnreadable
from credtray.core.models import AccessToken, Account, SsoSession
from credtray.core.naming import RoleChoice
from credtray.core.protocol import Progress
from credtray.daemon.ports import Ports
from credtray.daemon.sign_in import SignInProgress, SignInRequest, run_sign_in

ENOUGH = timedelta(minutes=15)
"""A cached token with more than this left is used, as `aws configure sso` does."""
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Access:
    """A signed-in session."""

    session: SsoSession
    token: AccessToken


def located(ports: Ports, session: SsoSession) -> SsoSession:
    """Return a new session with the region its portal is in: a vanity start URL may lead to another one.

    Raises:
        StartUrlRefused, Offline: the start URL leads nowhere a sign-in may go, or cannot be asked.
    """
    _, region = ports.identity_center.resolve_start_url(session)
    if region == session.region:
        return session
    terminal.say(f"{session.start_url} leads to {region}; using that region instead of {session.region}.")
    return replace(session, region=region)


def sign_in(ports: Ports, session: SsoSession, request: SignInRequest) -> Access:
    """Return access to the portal: by the cached token, a silent refresh, or a sign-in.

    Raises:
        CredtrayError: as ``run_sign_in``.
    """
    token = _cached(ports, session)
    if token is not None and _good(token, ports.clock.now()):
        return Access(session, token)
    return _sign_in_anew(ports, session, request, token)


def _sign_in_anew(
    ports: Ports, session: SsoSession, request: SignInRequest, useless: AccessToken | None
) -> Access:
    """Sign in; the token that is of no use any more is named, so that it is not found again and joined."""
    try:
        return Access(session, run_sign_in(ports, session, request, useless, _tell, lambda: False).token)
    except CredtrayError as error:
        # The session is in no file yet: `credtray login` would not find it.
        error.advice = error.advice.replace("credtray login", "credtray setup")
        raise


def _tell(step: SignInProgress) -> None:
    narrate(
        Progress(
            step.kind,
            url=step.url,
            user_code=step.user_code,
            verification_uri=step.verification_uri,
            text=step.text,
        )
    )


def _cached(ports: Ports, session: SsoSession) -> AccessToken | None:
    """Return the token there is, refreshed where it helps; it may be of no use all the same."""
    now = ports.clock.now()
    try:
        token = ports.token_cache.read(session)
    except TokenUnreadable:
        return None
    if token is None or _good(token, now) or not token.refreshable:
        return token
    try:
        return ports.token_refresh.refresh(session, token, now)
    except CredtrayError as error:
        terminal.say(f"The last sign-in can no longer be used: {error}")
        return token


def _good(token: AccessToken, now: datetime) -> bool:
    return token.expires_at - now > ENOUGH


def choices_of(
    ports: Ports, access: Access, request: SignInRequest, wanted: Callable[[Account], bool]
) -> tuple[Access, list[Account], list[RoleChoice]]:
    """Return all accounts, and the roles in those that are wanted; signs in once more on a 401.

    Raises:
        CredtrayError: what the portal or the network answers.
    """
    try:
        return access, *_listed(ports, access, wanted)
    except PortalUnauthorized:
        terminal.say("The portal no longer accepts the last sign-in.")
        access = _sign_in_anew(ports, access.session, request, access.token)
        return access, *_listed(ports, access, wanted)


def _listed(
    ports: Ports, access: Access, wanted: Callable[[Account], bool]
) -> tuple[list[Account], list[RoleChoice]]:
    from rich import progress

    columns = (progress.TextColumn("{task.description}"), progress.BarColumn(), progress.MofNCompleteColumn())
    shown = sys.stderr.isatty()
    with progress.Progress(*columns, console=terminal.console(talk=True), disable=not shown) as bar:
        task = bar.add_task("Accounts", total=None)
        accounts = ports.identity_center.accounts(
            access.session, access.token, lambda count: bar.update(task, completed=count)
        )
        bar.update(task, total=len(accounts), completed=len(accounts))
        chosen = [account for account in accounts if wanted(account)]
        task = bar.add_task("Roles", total=len(chosen))
        roles = _roles(ports, access, chosen, lambda: bar.advance(task))
    return accounts, roles


def _roles(
    ports: Ports, access: Access, accounts: Sequence[Account], advance: Callable[[], None]
) -> list[RoleChoice]:
    """Ask for the roles of all accounts, several at once; the portal port paces the calls."""
    waiting: queue.SimpleQueue[Account] = queue.SimpleQueue()
    answers: queue.SimpleQueue[list[RoleChoice] | BaseException] = queue.SimpleQueue()
    for account in accounts:
        waiting.put(account)

    def work() -> None:
        try:
            while True:
                account = waiting.get_nowait()
                names = ports.identity_center.roles(access.session, access.token, account.account_id)
                answers.put([RoleChoice(account, name) for name in names])
        except queue.Empty:
            return
        except BaseException as error:  # noqa: BLE001 -- carried to the main thread and raised there
            answers.put(error)

    for _ in range(min(_AT_ONCE, len(accounts))):
        # Daemons: after Ctrl-C or an error nobody waits for calls that are still under way.
        threading.Thread(target=work, name="roles", daemon=True).start()
    found: list[RoleChoice] = []
    for _ in accounts:
        answer = answers.get()
        if isinstance(answer, BaseException):
            raise answer
        found += answer
        advance()
    return found
