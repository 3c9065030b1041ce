"""The daemon without the world: a loop whose time jumps, workers without threads, files and a portal."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from credtray.core import protocol
from credtray.core.config.setup_edits import Undone
from credtray.core.errors import CredtrayError, Problem, RoleRefused
from credtray.core.models import (
    AccessToken,
    AwsConfig,
    ClientRegistration,
    Profile,
    RoleCredentials,
    Secret,
    SectionKeys,
    SsoSession,
)
from credtray.core.ports import CredentialsFile, Issued, Mark, Notification, Ports
from credtray.core.protocol import Progress, Reply, Request, Update
from credtray.core.protocol.results import StatusDocument
from credtray.core.section_mark import key_digest
from credtray.core.settings import ProfileSettings, Settings, Toml
from credtray.core.state import State
from credtray.daemon.changes import Changes
from credtray.daemon.loop import Loop, LoopOptions
from credtray.daemon.requests import Requests
from credtray.daemon.sign_in_sharing import SignIns
from credtray.daemon.workers import Workers
from tests.core.making import HOUR, NOON, config, profile
from tests.fakes_identity_center import (
    FakeBrowser,
    FakeCallbackListener,
    FakeClock,
    FakeIdentityCenter,
    FakeTokenRefresh,
    MemoryTokenCache,
)

T = TypeVar("T")


# --- time --------------------------------------------------------------------------------------------


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting it moves the time on."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everybody waits, and nothing will ever happen")
        self.time += max(timeout, 0.0)
        return super().select(0)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop in which an hour passes as soon as nobody has anything to do for an hour."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.time


def run(work: Coroutine[Any, Any, T]) -> T:
    """As ``asyncio.run``, in no time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)


class LoopClock(FakeClock):
    """The wall clock beside a ``JumpingLoop``; it can be set, and it can run on while the machine sleeps."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = timedelta()
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    def now(self) -> datetime:
        return NOON + self.shift + timedelta(seconds=self._loop.time() - self._began)

    def wait(self, seconds: float) -> None:
        """Only work that nobody waits for in these tests waits: a sign-in nobody finishes."""
        self.shift += timedelta(seconds=seconds)


class SlowPool:
    """Does its work inline, after a while; at most so many at once."""

    def __init__(self, _name: str, most: int, delay: Callable[[], float]) -> None:
        self._free = [0.0] * most
        self._delay = delay

    def submit(self, work: Callable[[], None]) -> bool:
        loop = asyncio.get_running_loop()
        began = max(loop.time(), min(self._free))
        self._free.remove(min(self._free))
        self._free.append(began + self._delay())
        loop.call_at(max(self._free[-1], loop.time()), work)
        return True

    def staff(self) -> bool:
        return True


# --- files -------------------------------------------------------------------------------------------


class Changing:
    """A file with a stamp that can break and be mended."""

    def __init__(self) -> None:
        self.version = 0
        self.problem: CredtrayError | None = None
        self.loads = 0

    def stamp(self) -> object:
        return self.version

    def touch(self) -> None:
        self.version += 1

    def read(self) -> None:
        self.loads += 1
        if self.problem is not None:
            raise self.problem


class MemoryConfig(Changing):
    def __init__(self, content: AwsConfig) -> None:
        super().__init__()
        self.content = content

    def load(self) -> AwsConfig:
        self.read()
        return self.content

    def put(self, content: AwsConfig) -> None:
        self.content = content
        self.touch()


class MemorySettings(Changing):
    def __init__(self) -> None:
        super().__init__()
        self.content = Settings()

    def load(self) -> Settings:
        self.read()
        return self.content

    def set(self, keys: Sequence[str], value: Toml | None) -> None:
        """Set the section of a profile: the agent edits nothing else."""
        assert keys[0::2] == ("profiles", "section")
        assert not isinstance(value, bool | list)
        self.content = settings_with_section(self.content, keys[1], value)
        self.touch()


@dataclass(frozen=True)
class Report:
    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: Mapping[str, Problem] = field(default_factory=dict)
    tightened_from: int | None = None


class MemoryCredentials(Changing):
    """Sections of ours; ``foreign`` ones are refused, ``forgetful`` ones are changed back at once."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: dict[str, Mark] = {}
        self.keys: dict[str, SectionKeys] = {}
        self.foreign: dict[str, Problem] = {}
        self.forgetful: set[str] = set()
        self.full: CredtrayError | None = None
        self.syncs = 0

    def sync(self, wanted: Sequence[SectionKeys], removed: Collection[str], now: datetime) -> Report:
        self.syncs += 1
        if self.full is not None:
            raise self.full
        for section in removed:
            self.sections.pop(section, None)
            self.keys.pop(section, None)
        written = [keys for keys in wanted if keys.section not in self.foreign]
        for keys in written:
            if keys.section not in self.forgetful:
                digest = key_digest(keys.credentials.access_key_id)
                self.keys[keys.section] = keys
                self.sections[keys.section] = Mark(
                    keys.section, keys.profile, keys.credentials.expires_at, digest, keys.pasted
                )
        self.touch()
        refused = {keys.section: self.foreign[keys.section] for keys in wanted if keys not in written}
        return Report(tuple(keys.section for keys in written), tuple(removed), refused)

    def marks(self) -> tuple[Mark, ...]:
        self.read()
        return tuple(self.sections.values())


class MemoryState:
    def __init__(self) -> None:
        self.document = b""
        self.problem: CredtrayError | None = None
        self.saves = 0

    def save(self, document: bytes) -> None:
        self.saves += 1
        if self.problem is not None:
            raise self.problem
        self.document = document


class MemoryNotifier:
    def __init__(self) -> None:
        self.shown: list[str] = []
        """Titles, as they came."""
        self.there: dict[str, Notification] = {}
        """What stands on the screen, by key."""
        self.problem: CredtrayError | None = None

    def show(self, notification: Notification) -> None:
        if self.problem is not None:
            raise self.problem
        self.shown.append(notification.title)
        self.there[notification.key] = notification

    def withdraw(self, key: str) -> None:
        if self.problem is not None:
            raise self.problem
        self.there.pop(key, None)


# --- the service -------------------------------------------------------------------------------------


class Portal(FakeIdentityCenter):
    """Sign-ins that end, tokens cut at their end, role credentials; ``fault`` lets every call go wrong."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.fault: CredtrayError | None = None
        self.sign_in_length = 8 * HOUR
        self.role_life = HOUR
        self.refused_roles: set[str] = set()
        self.ends_at = NOON
        self.counted: Counter[str] = Counter()
        self.in_browser = "alice@synderys.com"
        """Who is signed in at the identity provider in the browser."""
        self.sts_fault: CredtrayError | None = None
        self._visitor = ""
        self.persons: dict[str, str] = {}
        """By access token, refresh token and access key id."""

    def visit(self, url: str) -> dict[str, str]:
        if not self.sign_in_active or self.ends_at <= self.clock.now():
            self.ends_at = self.clock.now() + self.sign_in_length
        self._visitor = self.in_browser
        return super().visit(url)

    def refresh(self, session: SsoSession, token: AccessToken) -> AccessToken:
        self._visitor = self.persons.get(token.value.reveal(), self._visitor)
        return super().refresh(session, token)

    def signed_in_elsewhere(self, person: str, client: ClientRegistration) -> AccessToken:
        """Return the token that another program on this computer gets when this person signs in."""
        self._visitor = person
        return self._token(client)

    def _called(self, operation: str) -> None:
        self.counted[operation] += 1
        if self.fault is not None:
            raise self.fault
        super()._called(operation)
        self.calls.clear()
        if self.ends_at <= self.clock.now():
            self.revoke()

    def _token(self, client: ClientRegistration) -> AccessToken:
        token = super()._token(client)
        self.persons[token.value.reveal()] = self._visitor
        return replace(token, expires_at=min(token.expires_at, self.ends_at))

    def fetch(
        self, session: SsoSession, token: AccessToken, profile: Profile, now: Callable[[], datetime]
    ) -> Issued[RoleCredentials]:
        self._called("fetch")
        self._demand(token)
        if profile.role_name in self.refused_roles:
            raise RoleRefused("HTTP 403: ForbiddenException")
        key = f"ASIA{profile.name.upper()}{self.counted['fetch']}"
        keys = RoleCredentials(
            key, Secret("CANARY-key"), Secret("CANARY-token"), now() + self.role_life, now()
        )
        self.persons[key] = self.persons.get(token.value.reveal(), "")
        return Issued(keys, timedelta())

    def person(
        self, session: SsoSession, profile: Profile, keys: RoleCredentials, now: Callable[[], datetime]
    ) -> str:
        self.counted["person"] += 1
        if self.sts_fault is not None:
            raise self.sts_fault
        return self.persons[keys.access_key_id]


# --- the whole ---------------------------------------------------------------------------------------


class Sink:
    """One client: keeps what it is sent."""

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self.updates: list[StatusDocument] = []
        self.final: Reply | None = None
        self.caller: int | None = None

    async def send(self, reply: Reply) -> None:
        if isinstance(reply, Progress):
            self.progress.append(reply)
        elif isinstance(reply, Update):
            self.updates.append(reply.document)
        else:
            self.final = reply


@dataclass
class Record:
    """No change of the config file to take back."""

    kept: list[Any] = field(default_factory=list)

    def changes(self) -> list[Any]:
        return list(self.kept)

    def forget(self, change: Any) -> None:
        self.kept.remove(change)


class Daemon:
    """The real Loop, Actions, Reading, Requests and SignIns over everything above."""

    def __init__(
        self,
        *names: str,
        state: State | None = None,
        conduct: LoopOptions | None = None,
        seed: int = 0,
        workers: Workers | None = None,
        credentials_file: CredentialsFile | None = None,
        changes: Changes | None = None,
        before: Daemon | None = None,
    ) -> None:
        """Make one; after *before*, whose service, files and clock it finds."""
        chance = random.Random(seed)
        self.clock: LoopClock = before.clock if before is not None else LoopClock()
        self.portal: Portal = before.portal if before is not None else Portal(self.clock)
        self.token_cache: MemoryTokenCache = before.token_cache if before is not None else MemoryTokenCache()
        self.config = MemoryConfig(config(*(profile(name) for name in names or ("dev",))))
        self.settings = MemorySettings()
        self.credentials: MemoryCredentials = (
            before.credentials if before is not None else MemoryCredentials()
        )
        self.state_file = MemoryState()
        self.notifier = MemoryNotifier()
        self.browser = FakeBrowser()
        self.listener = FakeCallbackListener(self.clock)
        self.browser.visit = self.listener.come
        self.listener.visit = self.allow
        self.token_refresh = FakeTokenRefresh(self.portal, self.token_cache)
        self.record = Record()
        self.stopped = asyncio.Event()
        self.ports = self._joined(credentials_file)
        self.workers = workers or Workers(
            lambda name, most: SlowPool(name, most, lambda: chance.uniform(0.01, 0.5))
        )
        self.workers.start()
        self.loop = Loop(self.ports, self.workers, state or State(seed="s"), conduct=conduct)
        self.sign_ins = SignIns(self.ports, self.workers, self.loop)
        changes = changes or Changes(self.settings, nothing_to_restore, self.record)
        self.requests = Requests(self.loop, self.sign_ins, changes, self.stopped.set)

    def _joined(self, credentials_file: CredentialsFile | None) -> Ports:
        return Ports(
            clock=self.clock,
            config_file=self.config,
            settings_file=self.settings,
            credentials_file=credentials_file or self.credentials,
            token_cache=self.token_cache,
            identity_center=self.portal,
            token_refresh=self.token_refresh,
            role_credentials=self.portal,
            notifier=self.notifier,
            browser=self.browser,
            callback_listener=self.listener,
            state_file=self.state_file,
        )

    def allow(self, url: str) -> None:
        self.listener.arrived = self.portal.visit(url)

    async def ask(self, request: Request) -> Reply:
        """Return the final reply; what it failed with is raised."""
        sink = Sink()
        await self.requests.handle(request, sink)
        assert sink.final is not None
        return sink.final

    async def started(self) -> Daemon:
        self.loop.start(self.sign_ins.open_by_itself)
        assert await self.loop.everything_settled(60)
        return self

    async def signed_in(self, *active: str) -> Daemon:
        """Start, sign in to the one session, and keep the keys of these profiles."""
        await self.started()
        await self.ask(protocol.Login("corp"))
        if active:
            await self.ask(protocol.Activate(active))
        return self

    def killed(self) -> None:
        """Do nothing any more, as after kill -9."""
        if self.loop._timer is not None:
            self.loop._timer.cancel()
        dead: Any = self.loop
        dead.take = lambda event: None

    @property
    def state(self) -> State:
        return self.loop.state


def settings_with_section(settings: Settings, name: str, section: str | None) -> Settings:
    return replace(settings, profiles={**settings.profiles, name: ProfileSettings(section)})


def nothing_to_restore(
    _originals: Mapping[str, bytes | None], _results: Mapping[str, bytes | None]
) -> Undone:
    raise AssertionError("there is nothing to restore")
