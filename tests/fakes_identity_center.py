"""Stand-ins for the ports of a sign-in, small enough to read: service, token cache, clock, callback, person.

The service here keeps the same contract as the real client (tests/contracts/test_identity_center.py).
"""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

from credtray.core import oauth
from credtray.core.errors import (
    CredtrayError,
    FileContended,
    FileUnwritable,
    PortalUnauthorized,
    RegistrationRefused,
    RoleRefused,
    SignInCancelled,
    SignInDenied,
    SignInTimedOut,
    TokenRefused,
    TokenUnreadable,
)
from credtray.core.models import AccessToken, Account, ClientRegistration, Secret, SsoSession
from credtray.core.ports import DeviceAuthorization, Door

START_URL = "https://d-9067000001.awsapps.com/start"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DOOR = "http://127.0.0.1:49321/sign-in/door"
CORP = SsoSession("corp", START_URL, "us-east-1")


@dataclass
class FakeClock:
    """Time that moves only when somebody waits, or by hand."""

    time: datetime = NOON
    waits: list[float] = field(default_factory=list)
    on_wait: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += timedelta(seconds=seconds)
        self.on_wait()


@dataclass
class _Device:
    user_code: str
    client_id: str
    expires_at: datetime
    answer: str = "pending"


class FakeIdentityCenter:
    """Codes, tokens and registrations in memory; ``fail`` lets the next calls of an operation go wrong."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.calls: list[str] = []
        self.sign_in_active = False
        self.resolved: tuple[str, str] | None = None
        self.endpoint = "https://oidc.us-east-1.amazonaws.com"
        self.verification_uri = "https://device.sso.us-east-1.amazonaws.com/"
        self.assigned: dict[str, tuple[str, list[str]]] = {
            "111100000001": ("Synderys Platform", ["ReadOnly", "Admin"])
        }
        """Account -> its name, and the roles of the person in it."""
        self.registered: list[tuple[str, str]] = []
        """(start URL, grant) of each RegisterClient."""
        self._failures: dict[str, list[CredtrayError]] = defaultdict(list)
        self._number = itertools.count(1)
        self._clients: set[str] = set()
        self._codes: dict[str, tuple[str, str, str]] = {}
        self._devices: dict[str, _Device] = {}
        self._refresh_tokens: set[str] = set()
        self._access_tokens: set[str] = set()

    def fail(self, operation: str, *errors: CredtrayError) -> None:
        self._failures[operation] += errors

    # --- the person -----------------------------------------------------------------------------------

    def visit(self, url: str) -> dict[str, str]:
        """Go to an authorize address, sign in and allow; return what the redirect would carry."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-{next(self._number)}"
        self._codes[code] = (query["client_id"], query["redirect_uri"], query["code_challenge"])
        self.sign_in_active = True
        return {"code": code, "state": query["state"]}

    def confirm_device(self, user_code: str, *, allow: bool = True) -> None:
        for device in self._devices.values():
            if device.user_code == user_code:
                device.answer = "allowed" if allow else "denied"
        self.sign_in_active = self.sign_in_active or allow

    def forget_registrations(self) -> None:
        self._clients.clear()

    def revoke(self) -> None:
        self.sign_in_active = False
        self._refresh_tokens.clear()
        self._access_tokens.clear()

    # --- the port -------------------------------------------------------------------------------------

    def register(self, session: SsoSession, start_url: str, grant: str) -> ClientRegistration:
        self._called("register")
        self.registered.append((start_url, grant))
        client_id = f"client-{next(self._number)}"
        self._clients.add(client_id)
        scopes = session.scopes or (None if session.legacy else oauth.DEFAULT_SCOPES)
        pkce = grant == oauth.AUTHORIZATION_CODE
        return ClientRegistration(
            client_id,
            Secret(f"CANARY-{client_id}"),
            self.clock.now() + timedelta(days=90),
            scopes,
            (oauth.AUTHORIZATION_CODE, oauth.REFRESH_TOKEN) if pkce else None,
        )

    def authorize_endpoint(self, session: SsoSession) -> str:
        return session.endpoints.oidc or self.endpoint

    def exchange_code(
        self,
        session: SsoSession,
        client: ClientRegistration,
        code: Secret,
        redirect_uri: str,
        verifier: Secret,
    ) -> AccessToken:
        self._called("exchange_code")
        self._check(client)
        known = self._codes.pop(code.reveal(), None)
        # Any 48 bytes make a pair; only the challenge of this very verifier counts.
        if known != (client.client_id, redirect_uri, oauth.challenge_of(verifier)):
            raise SignInDenied("HTTP 400: InvalidGrantException")
        return self._token(client)

    def start_device(
        self, session: SsoSession, client: ClientRegistration, start_url: str
    ) -> DeviceAuthorization:
        self._called("start_device")
        self._check(client)
        number = next(self._number)
        expires_at = self.clock.now() + timedelta(minutes=10)
        self._devices[f"CANARY-device-{number}"] = _Device(f"ABCD-{number:04d}", client.client_id, expires_at)
        return DeviceAuthorization(
            Secret(f"CANARY-device-{number}"),
            f"ABCD-{number:04d}",
            self.verification_uri,
            f"{self.verification_uri}?{urlencode({'user_code': f'ABCD-{number:04d}'})}",
            expires_at,
            timedelta(seconds=5),
        )

    def poll_device(
        self, session: SsoSession, client: ClientRegistration, device_code: Secret
    ) -> AccessToken | timedelta | None:
        self._called("poll_device")
        self._check(client)
        device = self._devices[device_code.reveal()]
        if self.clock.now() >= device.expires_at:
            raise SignInTimedOut("HTTP 400: ExpiredTokenException")
        if device.answer == "denied":
            raise SignInDenied("HTTP 400: AccessDeniedException")
        return self._token(client) if device.answer == "allowed" else None

    def refresh(self, session: SsoSession, token: AccessToken) -> AccessToken:
        self._called("refresh")
        if token.refresh_token is None or token.registration is None:
            raise TokenRefused("this sign-in has no refresh token")
        self._check(token.registration)
        if token.refresh_token.reveal() not in self._refresh_tokens:
            raise TokenRefused("HTTP 400: InvalidGrantException")
        self._refresh_tokens.discard(token.refresh_token.reveal())
        return self._token(token.registration)

    def logout(self, session: SsoSession, token: AccessToken) -> None:
        self._called("logout")
        self._demand(token)
        self.revoke()

    def accounts(
        self, session: SsoSession, token: AccessToken, progress: Callable[[int], None]
    ) -> list[Account]:
        self._called("accounts")
        self._demand(token)
        progress(len(self.assigned))
        return [Account(number, name) for number, (name, _) in self.assigned.items()]

    def roles(self, session: SsoSession, token: AccessToken, account_id: str) -> list[str]:
        self._called("roles")
        self._demand(token)
        if account_id not in self.assigned:
            raise RoleRefused("HTTP 404: ResourceNotFoundException")
        return list(self.assigned[account_id][1])

    def resolve_start_url(self, session: SsoSession) -> tuple[str, str]:
        self._called("resolve_start_url")
        return self.resolved or (session.start_url, session.region)

    # --- inside ---------------------------------------------------------------------------------------

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        if self._failures[operation]:
            raise self._failures[operation].pop(0)

    def _check(self, client: ClientRegistration) -> None:
        if client.client_id not in self._clients:
            raise RegistrationRefused("HTTP 401: InvalidClientException")

    def _demand(self, token: AccessToken) -> None:
        if token.value.reveal() not in self._access_tokens or token.expires_at <= self.clock.now():
            raise PortalUnauthorized("HTTP 401: UnauthorizedException")

    def _token(self, client: ClientRegistration) -> AccessToken:
        number = next(self._number)
        refresh = f"CANARY-refresh-{number}" if client.scopes else None
        if refresh:
            self._refresh_tokens.add(refresh)
        self._access_tokens.add(f"CANARY-access-{number}")
        now = self.clock.now()
        return AccessToken(
            Secret(f"CANARY-access-{number}"),
            now + timedelta(hours=1),
            Secret(refresh) if refresh else None,
            client,
            now,
        )


class MemoryTokenCache:
    """One token file and its registrations, without files."""

    def __init__(self) -> None:
        self.token: AccessToken | None = None
        self.unreadable = False
        self.unwritable = False
        self.registrations: dict[str, ClientRegistration] = {}
        self.events: list[str] = []
        self.refuse_registration: CredtrayError | None = None
        self.before_sign_in: Callable[[], None] = lambda: None
        """What happens while somebody else holds the sign-in lock."""
        self._changes = 0
        self._lock = threading.Lock()
        self._sign_in_lock = threading.Lock()

    def stamp(self, session: SsoSession) -> object:
        return self._changes

    def read(self, session: SsoSession) -> AccessToken | None:
        if self.unreadable:
            raise TokenUnreadable("torn")
        return self.token

    def write(self, session: SsoSession, token: AccessToken) -> None:
        self.put(token)
        self.events.append(f"write {session.region}")

    def check_writable(self, session: SsoSession) -> None:
        if self.unwritable:
            raise FileUnwritable("the disk is full")

    def put(self, token: AccessToken | None) -> None:
        """Change the file as another program would."""
        self.token = token
        self._changes += 1

    def emptied(self) -> bool:
        return self.token is None and not self.registrations

    def drop(self, session: SsoSession, token: AccessToken) -> None:
        if self.token is not None and self.token.value == token.value:
            self.put(None)
            self.events.append("drop")

    def registration(self, session: SsoSession, grant: str) -> ClientRegistration | None:
        return self.registrations.get(grant)

    def save_registration(self, session: SsoSession, registration: ClientRegistration) -> None:
        if self.refuse_registration is not None:
            raise self.refuse_registration
        grant = oauth.AUTHORIZATION_CODE if registration.grant_types else oauth.DEVICE_CODE
        self.registrations = {grant: registration}

    @contextmanager
    def lock(self, session: SsoSession) -> Iterator[None]:
        with self._lock:
            self.events.append("lock")
            try:
                yield
            finally:
                self.events.append("unlock")

    @contextmanager
    def sign_in_lock(self, session: SsoSession, given_up: Callable[[], bool]) -> Iterator[None]:
        self.before_sign_in()
        while not self._sign_in_lock.acquire(timeout=0.01):
            if given_up():
                raise FileContended("given up")
        try:
            yield
        finally:
            self._sign_in_lock.release()


class FakeTokenRefresh:
    """Refreshes without looking at the disk."""

    def __init__(self, center: FakeIdentityCenter, cache: MemoryTokenCache) -> None:
        self._center = center
        self._cache = cache

    def refresh(self, session: SsoSession, known: AccessToken, now: datetime) -> AccessToken | None:
        fresh = self._center.refresh(session, known)
        self._cache.put(fresh)
        return fresh

    def save_unsaved(self, session: SsoSession) -> bool:
        return False


class FakeCallbackListener:
    """A redirect that arrives when a test says so; waiting moves the clock.

    ``come`` is a browser that opens an address: at the door it is led on, and gets where it was led to.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.failure: CredtrayError | None = None
        self.open = 0
        self.ports: list[int | None] = []
        """Which port each sign-in wanted."""
        self.arrived: dict[str, str] = {}
        self.door: Door | None = None
        self.asked: list[str] = []
        """What a person was asked at the door."""
        self.answer: str = "end"
        """What they press there: ``end`` or ``keep``; empty: they close the tab."""
        self.pressed = ""
        self.told: list[str | None] = []
        self.again: Callable[[], None] | None = None
        """What the button of a page without a token does."""
        self.visit: Callable[[str], None] = lambda _url: None
        """What happens in the browser behind the door."""

    def come(self, url: str) -> None:
        """Open an address in the browser."""
        if url != DOOR:
            self.visit(url)
            return
        assert self.door is not None
        price = self.door.question()
        if price is not None:
            self.asked.append(price)
        self.pressed = "end" if price is None else self.answer

    def pass_door(self) -> None:
        pressed, self.pressed = self.pressed, ""
        if pressed == "keep":
            raise SignInCancelled("you kept your current sign-in")
        if pressed and self.door is not None:
            onward = self.door.through()
            if onward is not None:
                self.visit(onward)

    @contextmanager
    def listen(self, state: Secret, port: int | None = None) -> Iterator[FakeCallback]:
        self.ports.append(port)
        if self.failure is not None:
            raise self.failure
        self.open += 1
        try:
            yield FakeCallback(self, state)
        finally:
            self.open -= 1


@dataclass
class FakeCallback:
    listener: FakeCallbackListener
    state: Secret
    redirect_uri: str = "http://127.0.0.1:49321/oauth/callback"

    def lead_through(self, door: Door) -> str:
        self.listener.door = door
        return DOOR

    def offer_again(self, begin: Callable[[], None]) -> None:
        self.listener.again = begin

    def tell(self, failure: str | None) -> None:
        self.listener.told.append(failure)

    def wait(self, timeout: float, cancelled: Callable[[], bool]) -> Secret:
        if cancelled():
            raise SignInCancelled
        self.listener.pass_door()
        arrived, self.listener.arrived = self.listener.arrived, {}
        if arrived and arrived["state"] == self.state.reveal():
            if "error" in arrived:
                raise SignInDenied(arrived["error"])
            return Secret(arrived["code"])
        self.listener.clock.wait(timeout)
        raise SignInTimedOut


@dataclass
class FakeBrowser:
    """A person's browser: ``visit`` is what the person does with the address."""

    visit: Callable[[str], None] = lambda _url: None
    opens: bool = True
    opened: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    """What was to be run for it; ``broken`` is one that does not work."""

    clean: list[str] = field(default_factory=list)
    """What was opened with an empty profile."""

    def open_clean(self, url: str) -> bool:
        self.clean.append(url)
        return self.open(url)

    def open(self, url: str, command: str | None = None) -> bool:
        if command is not None:
            self.commands.append(command)
        if command == "broken":
            return False
        self.opened.append(url)
        if self.opens:
            self.visit(url)
        return self.opens


def longer(token: AccessToken, **parts: float) -> AccessToken:
    """Return the token with more (or less) time left."""
    return replace(token, expires_at=token.expires_at + timedelta(**parts))
