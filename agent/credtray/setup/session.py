"""Which sso-session `credtray setup` is about: an existing one, a preset, or a new one from options.

Checks addresses and names before anything is sent anywhere. Writes nothing.
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from credtray.core import naming
from credtray.core.addresses import (
    DEFAULT_SCOPES,
    StartUrlKind,
    check_region,
    same_portal_address,
    start_url_kind,
)
from credtray.core.errors import (
    CredtrayError,
    PortalUnauthorized,
    SignInRequired,
    TokenUnreadable,
    UsageError,
)
from credtray.core.models import AccessToken, Account, AwsConfig, SsoSession
from credtray.core.naming import RoleChoice
from credtray.core.ports import Ports
from credtray.core.shell_words import argument
from credtray.core.words import did_you_mean
from credtray.daemon.sign_in import SignInProgress, SignInRequest, run_sign_in
from credtray.setup.team_file import SESSION_NAME, TeamSession, installed

_SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9:_.-]*\Z")


@dataclass(frozen=True, slots=True)
class SessionWish:
    """What was said about the session on the command line; None: not said."""

    preset: str | None = None
    name: str | None = None
    start_url: str | None = None
    region: str | None = None
    scopes: tuple[str, ...] | None = None
    duration: timedelta | None = None
    """How long a sign-in lasts there."""

    @property
    def silent(self) -> bool:
        """True when nothing was said at all."""
        return replace(self, duration=None) == SessionWish()


def known_session(wish: SessionWish, config: AwsConfig) -> SsoSession | None:
    """Return the session when it is in the config file already.

    Raises:
        UsageError: an unknown preset, or the file says something else than the options.
    """
    name = wish.name or wish.preset
    found = config.sessions.get(name) if name else None
    if found is None or found.legacy:
        return None
    said: Mapping[str, tuple[object, object]] = {
        "--start-url": (wish.start_url, found.start_url),
        "--region": (wish.region, found.region),
        "--scopes": (wish.scopes, found.scopes),
    }
    for option, (said_value, there) in said.items():
        if said_value is not None and said_value != there and not _same_address(option, said_value, there):
            raise UsageError(
                f"The config file has an sso-session {name} with another {option[2:]} ({there})",
                hint=f"Leave out {option} to extend it, or choose another --session.",
            )
    return found


def _same_address(option: str, said: object, there: object) -> bool:
    return option == "--start-url" and same_portal_address(str(said), str(there))


def preset_of(wish: SessionWish) -> TeamSession | None:
    """Return the session of an installed team file that was asked for, by argument or by its name.

    Raises:
        UsageError: there is none of that name; the nearest are offered.
    """
    if wish.preset is None and (wish.name is None or wish.start_url is not None):
        return None
    known = installed()
    if wish.preset is None:
        return known.get(wish.name or "")
    if wish.preset not in known:
        raise UsageError(
            f"There is no preset or sso-session named {wish.preset!r}.{did_you_mean(wish.preset, known)}",
            hint=f"Presets: {', '.join(known)}. For any other organisation, give --start-url and --region.",
        )
    return known[wish.preset]


def new_session(wish: SessionWish, config: AwsConfig) -> SsoSession:
    """Return the session the options (and the preset behind them) describe, checked.

    Raises:
        UsageError: something is missing, or the name is taken by something else.
        StartUrlRefused, RegionRefused: an address no sign-in may be sent to.
    """
    preset = preset_of(wish)
    start_url = wish.start_url or (preset.start_url if preset else None)
    region = wish.region or (preset.region if preset else None)
    name = wish.name or (preset.name if preset else None)
    parts = {"--session": name, "--start-url": start_url, "--region": region}
    missing = [option for option, value in parts.items() if value is None]
    if name is None or start_url is None or region is None:
        raise UsageError(f"{', '.join(missing)} missing", hint="Or name a preset: credtray setup synderys")
    check_session_name(name, config)
    start_url_kind(start_url)
    check_region(region)
    scopes = wish.scopes or (preset.scopes if preset else None)
    return SsoSession(name, start_url, region, scopes or DEFAULT_SCOPES)


def check_session_name(name: str, config: AwsConfig) -> None:
    """Check a name for a new session.

    Raises:
        UsageError: characters that not every tool reads back, or the name is taken.
    """
    if not SESSION_NAME.match(name):
        raise UsageError(f"The session name {name!a} may only contain letters, digits and . _ @ + -")
    if name in config.sessions:
        raise UsageError(f"There is an sso-session {name} already")


def read_scopes(text: str | None) -> tuple[str, ...] | None:
    """Read --scopes.

    Raises:
        UsageError: not a comma separated list of scopes.
    """
    if text is None:
        return None
    scopes = tuple(scope.strip() for scope in text.split(",") if scope.strip())
    if not scopes or not all(_SCOPE.match(scope) for scope in scopes):
        raise UsageError(f"--scopes {text!a} is not a list such as sso:account:access")
    return scopes


def suggested_name(start_url: str, config: AwsConfig) -> str:
    """Return a session name for a start URL: an installed team file's, or a part of the host name."""
    known = (item.name for item in installed().values() if same_portal_address(item.start_url, start_url))
    free = next((name for name in known if name not in config.sessions), None)
    return free or naming.suggested_name(start_url, config.sessions)


# Signs in for `credtray setup` and asks the portal what there is, with a progress bar on stderr.
#
# A cancelled sign-in leaves nothing in the config file: setup writes only at its end.


DEFAULT_REGION = "us-east-1"


def listed(
    choices: Iterable[RoleChoice], there: Collection[tuple[str, str]]
) -> list[tuple[tuple[str, str], RoleChoice]]:
    """Return ((account, role), choice) for the list to pick from, sorted as a person looks for them."""
    ordered = sorted(
        choices,
        key=lambda item: ((item.account.name or "~").casefold(), item.account.account_id, item.role_name),
    )
    marks = dict.fromkeys(there, "  (has a profile)")
    return [
        ((_account_words(item.account), f"{item.role_name}{marks.get(item.key, '')}"), item)
        for item in ordered
    ]


def _account_words(account: Account) -> str:
    return f"{account.name} {account.account_id}" if account.name else account.account_id


ENOUGH = timedelta(minutes=15)
"""A cached token with more than this left is used, as `aws configure sso` does."""
_AT_ONCE = 8


Count = Callable[[str, int, int | None], None]
"""Takes what is counted, how many there are by now, and of how many where that is known."""


@dataclass(frozen=True, slots=True)
class Talk:
    """Whom the steps talk to: the person at this terminal, or at the page."""

    say: Callable[[str], None]
    step: Callable[[SignInProgress], None]
    cancelled: Callable[[], bool]
    counting: Callable[[], AbstractContextManager[Count]]
    """Shows how far it has come, while the block runs."""


@dataclass(frozen=True, slots=True)
class Access:
    """A signed-in session."""

    session: SsoSession
    token: AccessToken


def located(ports: Ports, session: SsoSession, talk: Talk) -> SsoSession:
    """Return a new session with the region its portal is in: a vanity start URL may lead to another one.

    Raises:
        StartUrlRefused, Offline: the start URL leads nowhere a sign-in may go, or cannot be asked.
    """
    found, region = ports.identity_center.resolve_start_url(session)
    if found == session.start_url and start_url_kind(found) is StartUrlKind.OF_AWS:
        talk.say(f"credtray does not know {urlsplit(found).hostname}, a name of AWS; trying it as it is.")
    if region == session.region:
        return session
    talk.say(f"{session.start_url} leads to {region}; using that region instead of {session.region}.")
    return replace(session, region=region)


def sign_in(ports: Ports, session: SsoSession, request: SignInRequest, talk: Talk) -> Access:
    """Return access to the portal: by the cached token, a silent refresh, or a sign-in.

    Raises:
        CredtrayError: as ``run_sign_in``.
    """
    token = _cached(ports, session, talk)
    if token is not None and _good(token, ports.clock.now()):
        return Access(session, token)
    return _sign_in_anew(ports, session, request, token, talk)


def _sign_in_anew(
    ports: Ports, session: SsoSession, request: SignInRequest, useless: AccessToken | None, talk: Talk
) -> Access:
    """Sign in; the token that is of no use any more is named, so that it is not found again and joined."""
    try:
        return Access(session, run_sign_in(ports, session, request, useless, talk.step, talk.cancelled).token)
    except CredtrayError as error:
        # The session is in no file yet: `credtray login` would not find it.
        error.advice = error.advice.replace("credtray login", "credtray setup")
        raise


def _cached(ports: Ports, session: SsoSession, talk: Talk) -> AccessToken | None:
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
        talk.say(f"The last sign-in can no longer be used: {error}")
        return token


def choices_now(ports: Ports, session: SsoSession, talk: Talk) -> list[RoleChoice]:
    """Return all roles, by the sign-in that is there: none is begun.

    Raises:
        SignInRequired: nobody is signed in.
        CredtrayError: what the portal or the network answers.
    """
    token = _cached(ports, session, talk)
    if token is None or token.expires_at <= ports.clock.now():
        raise SignInRequired(session.name, hint=f"Run: credtray login {argument(session.name)}")
    return _listed(ports, Access(session, token), lambda _account: True, talk)[1]


def _good(token: AccessToken, now: datetime) -> bool:
    return token.expires_at - now > ENOUGH


def choices_of(
    ports: Ports, access: Access, request: SignInRequest, wanted: Callable[[Account], bool], talk: Talk
) -> tuple[Access, list[Account], list[RoleChoice]]:
    """Return all accounts, and the roles in those that are wanted; signs in once more on a 401.

    Raises:
        CredtrayError: what the portal or the network answers.
    """
    try:
        return access, *_listed(ports, access, wanted, talk)
    except PortalUnauthorized:
        talk.say("The portal no longer accepts the last sign-in.")
        access = _sign_in_anew(ports, access.session, request, access.token, talk)
        return access, *_listed(ports, access, wanted, talk)


def _listed(
    ports: Ports, access: Access, wanted: Callable[[Account], bool], talk: Talk
) -> tuple[list[Account], list[RoleChoice]]:
    with talk.counting() as count:
        accounts = ports.identity_center.accounts(
            access.session, access.token, lambda done: count("Accounts", done, None)
        )
        count("Accounts", len(accounts), len(accounts))
        chosen = [account for account in accounts if wanted(account)]
        asked = iter(range(1, len(chosen) + 1))
        roles = _roles(ports, access, chosen, lambda: count("Roles", next(asked), len(chosen)))
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
