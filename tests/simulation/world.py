"""A world in virtual time around the pure core: a portal with faults, a person, a machine that sleeps.

Everything the agent would do runs here with a delay and comes back as an event, as in the real daemon.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from credtray.core.answers import answer
from credtray.core.apply import apply
from credtray.core.errors import (
    CaptivePortal,
    CredtrayError,
    FileUnwritable,
    Offline,
    PortalFailed,
    PortalUnauthorized,
    RoleRefused,
    Throttled,
    TokenRefused,
)
from credtray.core.events import (
    AccountsListed,
    AccountsUnknown,
    Activated,
    Asked,
    Begun,
    ConfigLoaded,
    Event,
    Fetched,
    FetchFailed,
    MarksRead,
    Refreshed,
    RefreshFailed,
    SignedIn,
    SignInStarted,
    Synced,
    SyncFailed,
    Tick,
    Woke,
)
from credtray.core.models import AccessToken, RoleCredentials, Secret
from credtray.core.notices import Notice, Subject
from credtray.core.policy import (
    Action,
    FetchRoleCredentials,
    ListAccounts,
    OpenSignIn,
    RefreshToken,
    ShowNotice,
    SyncCredentialsFile,
    WithdrawNotice,
    decide,
    next_look,
)
from credtray.core.ports import Mark
from credtray.core.section_mark import key_digest
from credtray.core.settings import Settings
from credtray.core.state import State
from tests.core.making import HOUR, MINUTE, NOON, config, profile, registration

STORMS: tuple[type[CredtrayError], ...] = (Throttled, PortalFailed, CaptivePortal)
FAULTS: tuple[type[CredtrayError], ...] = (Offline, Offline, *STORMS)
PROFILES = ("dev", "ro", "dns")


@dataclass
class Portal:
    """What Identity Center knows: one sign-in, when it ends, how long tokens and keys live."""

    sign_in_ends: datetime = NOON
    token: str = ""
    refresh: str = ""
    role_life: timedelta = HOUR
    token_life: timedelta = HOUR
    fault: type[CredtrayError] | None = None
    healthy_since: datetime = NOON
    refused_role: str | None = None
    calls: Counter[str] = field(default_factory=Counter)


class World:
    def __init__(
        self, seed: int, *, tick: timedelta = 5 * MINUTE, calm: bool = False, settings: Settings = Settings()
    ) -> None:
        self.random = random.Random(seed)
        self.now = NOON
        self.tick = tick
        self.calm = calm
        self.state = replace(State(seed=str(seed)), settings=settings)
        self.portal = Portal()
        self.asleep = False
        self.present = True
        self.disk_full = False
        self.file: dict[str, Mark] = {}
        self.queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self.serial = 0
        self.timer = 0
        self.awake_since = NOON
        self.storms: list[list[datetime]] = []
        self.notices: Counter[tuple[datetime, Subject, frozenset[str]]] = Counter()
        self.sign_ins = 0
        self.signing_in = False
        self.late: list[Event] = []
        self.served = 0
        self.sign_in_length = 8 * HOUR
        self.begin()

    # --- time -------------------------------------------------------------------------------------------

    def at(self, delay: timedelta, work: Callable[[], None]) -> None:
        self.serial += 1
        heapq.heappush(self.queue, (self.now + delay, self.serial, work))

    def run(self, length: timedelta) -> None:
        end = self.now + length
        while self.queue and self.queue[0][0] <= end:
            instant, _, work = heapq.heappop(self.queue)
            self.now = max(self.now, instant)
            work()
        self.now = end

    def some(self, low: float, high: float) -> timedelta:
        return timedelta(seconds=self.random.uniform(low, high))

    # --- the agent --------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.take(ConfigLoaded(config(*(profile(name) for name in PROFILES))))
        self.take(MarksRead(()))
        self.take(Activated(PROFILES[:2]))
        self.sign_in()
        if not self.calm:
            self.at(self.some(600, 7200), self.break_something)
            self.at(self.some(600, 7200), self.program_asks)
        self.at(MINUTE, self.check)

    def take(self, event: Event) -> None:
        if self.asleep:
            # Answers that were on the way arrive when the machine wakes.
            self.late.append(event)
            return
        self.state = apply(self.state, event, self.now)
        for action in decide(self.state, self.now):
            self.state = apply(self.state, Begun(action), self.now)
            self.start(action)
        self.set_timer()

    def set_timer(self) -> None:
        self.timer += 1
        mine = self.timer
        look = next_look(self.state, self.now) or self.now + self.tick

        def ring() -> None:
            if mine == self.timer:
                self.take(Tick())

        self.at(max(min(look - self.now, self.tick), timedelta(milliseconds=1)), ring)

    def start(self, action: Action) -> None:
        delay = self.some(0.05, 4)
        match action:
            case RefreshToken():
                self.at(delay, self.refresh)
            case FetchRoleCredentials(name):
                self.at(delay, lambda: self.fetch(name))
            case SyncCredentialsFile():
                self.at(self.some(0.01, 0.3), lambda: self.sync(action))
            case ListAccounts():
                self.at(delay, self.list_accounts)
            case ShowNotice(notice):
                self.show(notice)
            case WithdrawNotice(_, key):
                self.withdraw(key)
            case OpenSignIn():
                self.open_window()

    # --- the portal -------------------------------------------------------------------------------------

    def called(self, operation: str) -> CredtrayError | None:
        self.portal.calls[operation] += 1
        fault = self.portal.fault
        if fault in STORMS:
            self.storms[-1].append(self.now)
        return fault("made up") if fault is not None else None

    def issue(self) -> AccessToken:
        self.serial += 1
        self.portal.token, self.portal.refresh = f"a{self.serial}", f"r{self.serial}"
        life = min(self.portal.token_life, self.portal.sign_in_ends - self.now)
        return AccessToken(
            Secret(self.portal.token),
            self.now + life,
            Secret(self.portal.refresh),
            registration(self.now),
            self.now,
        )

    def refresh(self) -> None:
        held = self.state.sessions["corp"].token
        failed = self.called("refresh")
        if failed is not None:
            self.take(RefreshFailed("corp", failed.problem))
        elif (
            held is None
            or held.refresh_token != Secret(self.portal.refresh)
            or self.portal.sign_in_ends <= self.now
        ):
            self.take(RefreshFailed("corp", TokenRefused().problem))
        else:
            self.take(Refreshed("corp", self.issue()))

    def fetch(self, name: str) -> None:
        held = self.state.sessions["corp"].token
        failed = self.called("fetch")
        if failed is None and (
            held is None or held.value != Secret(self.portal.token) or self.portal.sign_in_ends <= self.now
        ):
            failed = PortalUnauthorized("made up")
        if failed is None and self.portal.refused_role == name:
            failed = RoleRefused("made up")
        if failed is not None:
            self.take(FetchFailed(name, failed.problem))
            return
        self.serial += 1
        life = self.portal.role_life
        keys = RoleCredentials(f"ASIA{self.serial}", Secret("s"), Secret("t"), self.now + life, self.now)
        self.take(Fetched(name, keys))

    def list_accounts(self) -> None:
        failed = self.called("accounts")
        self.take(AccountsListed("corp", ()) if failed is None else AccountsUnknown("corp"))

    # --- the disk ---------------------------------------------------------------------------------------

    def sync(self, action: SyncCredentialsFile) -> None:
        if self.disk_full:
            self.take(SyncFailed(FileUnwritable("no space").problem))
            return
        for section in action.removed:
            self.file.pop(section, None)
        for keys in action.wanted:
            digest = key_digest(keys.credentials.access_key_id)
            self.file[keys.section] = Mark(keys.section, keys.profile, keys.credentials.expires_at, digest)
        self.take(Synced(tuple(self.file.values())))

    # --- the person -------------------------------------------------------------------------------------

    def show(self, notice: Notice) -> None:
        started = self.state.sessions["corp"].sign_in
        assert started is not None
        self.notices[(started.started_at, notice.subject, notice.says)] += 1
        if notice.subject in {Subject.ENDED, Subject.ENDS_SOON} and self.present:
            self.at(self.some(20, 3000), self.sign_in)

    def withdraw(self, key: str) -> None:
        """Nobody looks at this screen."""

    def open_window(self) -> None:
        """No setting of this world allows one."""
        raise AssertionError("a window was opened by itself")

    def sign_in(self) -> None:
        if self.signing_in or self.asleep or not self.present or self.portal.fault is not None:
            self.at(self.some(600, 3600), self.sign_in)
            return
        session = self.state.sessions["corp"]
        if session.sign_in is not None and not session.ended and session.sign_in.ends_at - self.now > HOUR:
            return
        self.signing_in = True
        self.take(SignInStarted("corp"))
        self.at(self.some(10, 90), self.finish_sign_in)

    def finish_sign_in(self) -> None:
        self.signing_in = False
        self.sign_ins += 1
        self.sign_in_length = (
            timedelta(hours=self.random.choice((1, 4, 4, 8, 12))) if not self.calm else 8 * HOUR
        )
        self.portal.sign_in_ends = self.now + self.sign_in_length
        self.portal.role_life = (
            timedelta(minutes=self.random.choice((15, 60, 60, 240))) if not self.calm else HOUR
        )
        self.take(SignedIn("corp", self.issue()))

    def program_asks(self) -> None:
        name = self.random.choice(PROFILES)
        self.take(Asked(name))
        found = answer(self.state, self.state.profiles[name], self.now)
        if isinstance(found, RoleCredentials):
            self.served += 1
            assert found.expires_at > self.now, "expired role credentials were handed out"
        self.at(self.some(60, 7200), self.program_asks)

    # --- faults -----------------------------------------------------------------------------------------

    def faults(self) -> tuple[Callable[[], None], ...]:
        return self.portal_fails, self.sleep, self.go_away, self.revoke, self.refuse_role, self.fill_disk

    def break_something(self) -> None:
        self.random.choice(self.faults())()
        self.at(self.some(600, 4 * 3600), self.break_something)

    def portal_fails(self) -> None:
        self.portal.fault = self.random.choice(FAULTS)
        self.storms.append([])
        self.at(self.some(30, 2 * 3600), self.mend)

    def mend(self) -> None:
        if self.portal.fault is not None:
            self.portal.fault = None
            self.portal.healthy_since = self.now

    def sleep(self) -> None:
        self.asleep = True
        self.at(self.some(60, 14 * 3600), self.wake)

    def wake(self) -> None:
        if not self.asleep:
            return
        self.asleep = False
        self.awake_since = self.now
        if self.random.random() < 0.5:
            self.portal.fault = Offline
            self.at(self.some(5, 90), self.mend)
        late, self.late = self.late, []
        for event in late:
            self.take(event)
        self.take(Woke())
        self.at(self.some(5, 300), self.sign_in)

    def go_away(self) -> None:
        self.present = False
        self.at(self.some(60, 10 * 3600), self.come_back)

    def come_back(self) -> None:
        self.present = True
        self.sign_in()

    def revoke(self) -> None:
        if self.random.random() < 0.2:
            self.portal.sign_in_ends = self.now

    def refuse_role(self) -> None:
        self.portal.refused_role = self.random.choice(PROFILES)

        def grant() -> None:
            self.portal.refused_role = None

        self.at(self.some(60, 7200), grant)

    def fill_disk(self) -> None:
        self.disk_full = True

        def space() -> None:
            self.disk_full = False
            self.disk_free_since = self.now

        self.at(self.some(60, 3600), space)

    disk_free_since = NOON

    # --- what must hold ---------------------------------------------------------------------------------

    def check(self) -> None:
        self.at(self.some(20, 200), self.check)
        if self.asleep:
            return
        quiet = min(self.now - self.portal.healthy_since, self.now - self.awake_since)
        if self.portal.fault is None and quiet >= self.patience():
            self.check_no_missed_refresh()
        if not self.disk_full and min(self.now - self.disk_free_since, self.now - self.awake_since) > MINUTE:
            for mark in self.file.values():
                assert mark.expires_at > self.now - MINUTE, f"expired keys stay in [{mark.section}]"

    def patience(self) -> timedelta:
        """How long the portal must have been well: a storm is left alone for up to 8.4 minutes."""
        return 9 * MINUTE

    def check_no_missed_refresh(self) -> None:
        session = self.state.sessions["corp"]
        if session.token is None or session.ended or session.pending or self.portal.sign_in_ends <= self.now:
            return
        if self.portal.sign_in_ends - self.now < 10 * MINUTE or session.sign_in is None:
            return
        if self.now - session.sign_in.started_at < 2 * MINUTE:
            return
        for name in self.state.kept:
            held = self.state.profiles[name]
            if held.trouble is not None or name == self.portal.refused_role:
                continue
            assert held.credentials is not None, f"{name} has no keys although the portal is well"
            margin = min(5 * MINUTE, held.credentials.life / 6)
            assert held.credentials.expires_at - self.now > margin, f"a refresh of {name} was missed"
