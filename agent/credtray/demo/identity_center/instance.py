"""One Identity Center instance: users, accounts, roles, and all that it remembers between two requests.

It receives the time and has no lock; the server calls it from one thread at a time.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from credtray.demo.identity_center.authorizations import Authorizations, Registrations
from credtray.demo.identity_center.tokens import RoleSession, RoleSessions, SignIns, Tokens

# Who may do what: users, accounts, the roles assigned in them, and roles that can be assumed from there.
#
# Plain data, changed only by the control interface. It knows no tokens and no time.


SESSION_NAME = "synderys"
START_URL = "https://d-9067000001.awsapps.com/start"
SECOND_START_URL = "https://d-9067000002.awsapps.com/start"
VANITY_HOST = "aws.synderys.com"
REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can sign in."""

    name: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Role:
    """A permission set assigned in one account."""

    name: str
    life: timedelta | None = None
    """How long its credentials last; None: as the portal's lifetimes say."""


@dataclass(slots=True)
class Account:
    """An AWS account; name and e-mail may be absent, as in answers of the live service."""

    account_id: str
    name: str | None
    email: str | None
    roles: dict[str, Role]


@dataclass(frozen=True, slots=True)
class AssumableRole:
    """A role that any signed-in role may assume through STS."""

    arn: str
    external_id: str | None = None
    mfa: bool = False
    """Its trust policy wants a code of an MFA device, which no caller here can show."""

    def trusts(self, external_id: str | None) -> bool:
        """Return whether its trust policy lets a role in that shows this external id."""
        return not self.mfa and self.external_id in {None, external_id}


@dataclass(slots=True)
class Directory:
    """One Identity Center instance's people and assignments; every user has every assignment."""

    users: dict[str, User]
    accounts: dict[str, Account]
    assumable: dict[str, AssumableRole] = field(default_factory=dict)
    start_urls: tuple[str, ...] = (START_URL, SECOND_START_URL)
    vanity_hosts: tuple[str, ...] = (VANITY_HOST,)
    regions: tuple[str, ...] = ()
    """Where it is, the primary one first; empty: wherever it is asked."""

    def role(self, account_id: str, role_name: str) -> Role | None:
        """Return the assignment, or None where there is none (any more)."""
        account = self.accounts.get(account_id)
        return account.roles.get(role_name) if account else None

    def knows_start_url(self, url: str) -> bool:
        """Return whether *url* leads here; a trailing slash or fragment is not looked at."""
        return url.partition("#")[0].rstrip("/") in self.start_urls

    def assign(self, account_id: str, role: Role) -> None:
        """Add an assignment, and the account with it if it is new."""
        account = self.accounts.setdefault(account_id, Account(account_id, None, None, {}))
        account.roles[role.name] = role

    def remove_role(self, account_id: str, role_name: str) -> None:
        """Take an assignment away; an account without assignments is no longer listed."""
        account = self.accounts[account_id]
        del account.roles[role_name]
        if not account.roles:
            del self.accounts[account_id]

    def remove_account(self, account_id: str) -> None:
        """Take an account with all its assignments away."""
        del self.accounts[account_id]


def _account(number: int, name: str | None, email: str | None, roles: Iterable[str]) -> Account:
    return Account(f"1111000000{number:02d}", name, email, {role: Role(role) for role in roles})


def synderys() -> Directory:
    """Return the demo's directory: eight accounts; ReadOnly, DNS and Security exist once each.

    Two accounts answer without a name or an e-mail address.
    """
    accounts = [
        _account(1, "Synderys Platform", "platform@synderys.example", ["ReadOnly", "Admin"]),
        _account(2, "Synderys Network", "network@synderys.example", ["DNS", "Admin"]),
        _account(3, "Synderys Security", "security@synderys.example", ["Security", "Admin"]),
        _account(4, "Synderys Billing", "billing@synderys.example", ["Billing"]),
        _account(5, "Synderys Web Production", "web@synderys.example", ["Deploy", "Admin"]),
        _account(6, "Synderys Web Staging", "web-staging@synderys.example", ["Deploy", "Developer"]),
        _account(7, None, None, ["Developer"]),
        _account(8, "Synderys Data", None, ["Analyst"]),
    ]
    audit = AssumableRole("arn:aws:iam::222200000001:role/Audit")
    partner = AssumableRole("arn:aws:iam::222200000002:role/Partner", external_id="synderys-7")
    return Directory(
        users={user.name: user for user in (User("alice", "demo"), User("bob", "demo"))},
        accounts={account.account_id: account for account in accounts},
        assumable={role.arn: role for role in (audit, partner)},
    )


def generated(accounts: int, roles: int) -> Directory:
    """Return *accounts* accounts with *roles* roles each, for load and paging."""
    made = {}
    for number in range(accounts):
        account_id = f"{300000000000 + number}"
        names = [f"Role{index:03d}" for index in range(roles)]
        made[account_id] = Account(
            account_id,
            f"Account {number:04d}",
            f"account{number:04d}@example.com",
            {name: Role(name) for name in names},
        )
    return Directory(users={"alice": User("alice", "demo")}, accounts=made)


# What was asked of the Identity Center: the counters that tests and the demo's timeline read.
#
# It holds names and times only, never a token, key or code. Any thread may read while another records.


_KEPT = 200_000
# Enough for a soak of days; older calls are forgotten, the totals are not.


@dataclass(frozen=True, slots=True)
class Call:
    """One request, answered or deliberately not."""

    operation: str
    at: datetime
    status: int
    """0 where a fault sent no whole answer."""
    account_id: str | None = None
    role_name: str | None = None
    grant: str | None = None


class CallLog:
    """Every call, and the scopes that clients registered."""

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=_KEPT)
        self._scopes: list[tuple[str, ...]] = []
        self._totals: Counter[str] = Counter()
        self._lock = threading.Lock()

    def record(self, call: Call) -> None:
        """Add one call."""
        with self._lock:
            self._calls.append(call)
            self._totals[call.operation] += 1

    def record_scopes(self, scopes: tuple[str, ...]) -> None:
        """Add the scopes one client registered."""
        with self._lock:
            self._scopes.append(scopes)

    def calls(self) -> list[Call]:
        """Return the calls, oldest first."""
        with self._lock:
            return list(self._calls)

    def scopes(self) -> list[tuple[str, ...]]:
        """Return the scopes of each RegisterClient, oldest first."""
        with self._lock:
            return list(self._scopes)

    def count(self, operation: str) -> int:
        """Return how often *operation* was called."""
        with self._lock:
            return self._totals[operation]

    def totals(self) -> dict[str, int]:
        """Return the number of calls by operation."""
        with self._lock:
            return dict(self._totals)

    def times(self, operation: str) -> list[datetime]:
        """Return when *operation* was called, oldest first."""
        return [call.at for call in self.calls() if call.operation == operation]

    def by_role(self) -> dict[tuple[str, str], int]:
        """Return the number of GetRoleCredentials calls by account id and role name."""
        return dict(
            Counter(
                (call.account_id, call.role_name)
                for call in self.calls()
                if call.account_id and call.role_name
            )
        )

    def by_grant(self) -> dict[str, int]:
        """Return the number of CreateToken calls by grant type."""
        return dict(Counter(call.grant for call in self.calls() if call.grant))

    def refused(self, operation: str) -> int:
        """Return how many calls of *operation* were answered with a status of 400 and above."""
        refusals = range(400, 600)
        return sum(call.operation == operation and call.status in refusals for call in self.calls())

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._calls.clear()
            self._scopes.clear()
            self._totals.clear()


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long everything lives. The defaults are those of the Synderys guide."""

    sign_in: timedelta = timedelta(hours=4)
    access_token: timedelta = timedelta(hours=1)
    role_credentials: timedelta = timedelta(hours=1)
    device_code: timedelta = timedelta(minutes=10)
    authorization_code: timedelta = timedelta(minutes=10)
    registration: timedelta = timedelta(days=90)
    interval: timedelta = timedelta(seconds=5)
    """How often a device code may be polled."""


@dataclass(slots=True)
class Instance:
    """The state of the service."""

    directory: Directory
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    registrations: Registrations = field(default_factory=Registrations)
    sign_ins: SignIns = field(default_factory=SignIns)
    authorizations: Authorizations = field(default_factory=Authorizations)
    tokens: Tokens = field(default_factory=Tokens)
    role_sessions: RoleSessions = field(default_factory=RoleSessions)
    journal: CallLog = field(default_factory=CallLog)
    console_tokens: dict[str, tuple[RoleSession, datetime]] = field(default_factory=dict, repr=False)
    """Sign-in tokens of the federation endpoint: whose they are and when they end."""
    auto_approve: str | None = None
    """A user whose browser signs in and consents by itself."""


# Clocks for the embedded Identity Center: the real one, and one that runs faster for the demo.
#
# The state never reads a clock: the holder of one of these passes the time in.


Clock = Callable[[], datetime]
"""Returns an aware UTC datetime."""


def system_clock() -> datetime:
    """Return the time of this computer."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FastClock:
    """Time that runs *speed* times faster since *origin*.

    Two processes with the same origin and speed agree, so the demo's agent and its portal share one time.
    """

    speed: float
    origin: datetime

    def __call__(self) -> datetime:
        """Return the fast time, aware UTC."""
        elapsed = time.time() - self.origin.timestamp()
        return self.origin + timedelta(seconds=elapsed * self.speed)
