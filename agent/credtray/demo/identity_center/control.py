"""The control address of a portal in another process: one JSON command per POST, one JSON answer.

Every command is one call of ``Controls``; one that does not fit is answered with 400 and the reason.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict, Unpack

import msgspec

from credtray.demo.identity_center.exchange import Response, json_response
from credtray.demo.identity_center.faults import EVERY, Fault, Faults
from credtray.demo.identity_center.instance import CallLog, Clock, Directory, Instance, Role
from credtray.demo.identity_center.routes import OPERATIONS
from credtray.demo.identity_center.tokens import Rotation

# How tests and the demo steer the Identity Center while it runs: faults, revoking, clocks, counters.
#
# Every method takes the one lock, so it may be called from any thread. No HTTP in here.


class LifetimeChanges(TypedDict, total=False):
    """The members of ``Lifetimes``; those not given stay."""

    sign_in: timedelta
    access_token: timedelta
    role_credentials: timedelta
    device_code: timedelta
    authorization_code: timedelta
    registration: timedelta
    interval: timedelta


class Controls:
    """The state, its lock and its clock, with everything that can be changed from outside."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._instance = Instance(directory)
        self._clock = clock
        self._offset = timedelta(0)
        self._faults = Faults()
        self._lock = threading.RLock()

    def now(self) -> datetime:
        """Return the portal's time: its clock and the offset set."""
        return self._clock() + self._offset

    @property
    def journal(self) -> CallLog:
        """What was asked so far."""
        return self._instance.journal

    @property
    def directory(self) -> Directory:
        """Users, accounts and roles."""
        return self._instance.directory

    # --- what a person would do -----------------------------------------------------------------

    def auto_approve(self, user: str | None = "alice") -> None:
        """Let *user*'s browser sign in and consent by itself; None: a person has to.

        Raises KeyError for a user that is not in the directory.
        """
        with self._lock:
            if user is not None:
                self._instance.directory.users[user]
            self._instance.auto_approve = user

    def active_sign_ins(self) -> list[tuple[str, datetime, datetime]]:
        """Return (user, start, end) of the active sign-ins, the oldest first."""
        with self._lock:
            active = self._instance.sign_ins.active(self.now())
            return [(sign_in.user, sign_in.started_at, sign_in.ends_at) for sign_in in active]

    # --- what an administrator would do ---------------------------------------------------------

    def revoke_sign_ins(self, user: str | None = None) -> None:
        """End the sign-ins of *user* (None: everybody's); their tokens answer 401 and InvalidGrant."""
        with self._lock:
            self._instance.sign_ins.end_all(user)

    def revoke_access_tokens(self) -> None:
        """Make the access tokens issued so far a 401; refreshing still works."""
        with self._lock:
            self._instance.tokens.revoke_access_tokens()

    def revoke_refresh_tokens(self) -> None:
        """Make the refresh tokens issued so far an InvalidGrantException; access tokens still work."""
        with self._lock:
            self._instance.tokens.revoke_refresh_tokens()

    def forget_registrations(self) -> None:
        """Make every client an InvalidClientException, as after 90 days."""
        with self._lock:
            self._instance.registrations.forget_all()

    def assign(self, account_id: str, role_name: str, *, life: timedelta | None = None) -> None:
        """Assign a role, or change how long its credentials last."""
        with self._lock:
            self._instance.directory.assign(account_id, Role(role_name, life))

    def remove_role(self, account_id: str, role_name: str) -> None:
        """Take a role away: GetRoleCredentials answers 403. Raises KeyError where there is none."""
        with self._lock:
            self._instance.directory.remove_role(account_id, role_name)

    def remove_account(self, account_id: str) -> None:
        """Take an account away. Raises KeyError where there is none."""
        with self._lock:
            self._instance.directory.remove_account(account_id)

    def set_regions(self, *regions: str) -> None:
        """Let it be in these regions only, the primary one first; none: wherever it is asked."""
        with self._lock:
            self._instance.directory.regions = regions

    def set_lifetimes(self, **changes: Unpack[LifetimeChanges]) -> None:
        """Change how long what is issued from now on lives."""
        with self._lock:
            self._instance.lifetimes = replace(self._instance.lifetimes, **changes)

    def set_rotation(self, mode: Rotation, *, grace: timedelta = timedelta(seconds=60)) -> None:
        """Change what using a refresh token does to it."""
        with self._lock:
            self._instance.tokens.rotation = mode
            self._instance.tokens.grace = grace

    def set_clock_offset(self, offset: timedelta) -> None:
        """Let the portal's clock (also in the Date header) differ from the given one by *offset*."""
        with self._lock:
            self._offset = offset

    # --- what the world would do ----------------------------------------------------------------

    def inject(
        self, operation: str, fault: Fault, *, times: int | None = None, role: str | None = None
    ) -> None:
        """Let *operation* go wrong *times* times (None: until cleared); *role* narrows it to one role.

        Like all the methods that name an operation it raises ValueError for one that does not exist.
        """
        _check(operation)
        with self._lock:
            self._faults.inject(operation, fault, times=times, role=role)

    def clear_faults(self, operation: str | None = None) -> None:
        """Take back faults, latency and limits of *operation*, or all."""
        if operation is not None:
            _check(operation)
        with self._lock:
            self._faults.clear(operation)

    def set_latency(self, operation: str, seconds: float) -> None:
        """Delay every answer of *operation* by *seconds* of real time."""
        _check(operation)
        with self._lock:
            self._faults.set_latency(operation, seconds)

    def limit_rate(self, operation: str, per_second: int) -> None:
        """Throttle *operation* above *per_second* calls a second."""
        _check(operation)
        with self._lock:
            self._faults.limit_rate(operation, per_second)


def _check(operation: str) -> None:
    """Refuse a misspelt operation: a fault that never strikes makes a test that cannot fail."""
    if operation != EVERY and operation not in OPERATIONS:
        raise ValueError(f"no such operation: {operation}")


class Command(msgspec.Struct, frozen=True, tag_field="command", forbid_unknown_fields=True):
    """The base of all commands; the member ``command`` names which one it is."""

    def obey(self, steering: Controls) -> Any:
        """Do it and return the answer's content."""
        raise NotImplementedError


class Inject(Command, tag="inject", frozen=True):
    """``Steering.inject``; *fault* is an object whose member ``fault`` names it."""

    operation: str
    fault: Fault
    times: int | None = None
    role: str | None = None

    def obey(self, steering: Controls) -> Any:
        """Plan the fault."""
        steering.inject(self.operation, self.fault, times=self.times, role=self.role)


class Clear(Command, tag="clear", frozen=True):
    """``Steering.clear_faults``."""

    operation: str | None = None

    def obey(self, steering: Controls) -> Any:
        """Take faults back."""
        steering.clear_faults(self.operation)


class Latency(Command, tag="latency", frozen=True):
    """``Steering.set_latency``."""

    operation: str
    seconds: float

    def obey(self, steering: Controls) -> Any:
        """Delay answers."""
        steering.set_latency(self.operation, self.seconds)


class Rate(Command, tag="rate", frozen=True):
    """``Steering.limit_rate``."""

    operation: str
    per_second: int

    def obey(self, steering: Controls) -> Any:
        """Limit the rate."""
        steering.limit_rate(self.operation, self.per_second)


class Revoke(Command, tag="revoke", frozen=True):
    """One of the ``Steering.revoke_*`` methods, or ``forget_registrations``."""

    what: Literal["sign_ins", "access_tokens", "refresh_tokens", "registrations"]

    def obey(self, steering: Controls) -> Any:
        """Revoke what was issued so far."""
        {
            "sign_ins": steering.revoke_sign_ins,
            "access_tokens": steering.revoke_access_tokens,
            "refresh_tokens": steering.revoke_refresh_tokens,
            "registrations": steering.forget_registrations,
        }[self.what]()


class Remove(Command, tag="remove", frozen=True):
    """``Steering.remove_role``, or ``remove_account`` where no role is named."""

    account_id: str
    role_name: str | None = None

    def obey(self, steering: Controls) -> Any:
        """Take assignments away."""
        if self.role_name is None:
            steering.remove_account(self.account_id)
        else:
            steering.remove_role(self.account_id, self.role_name)


class Assign(Command, tag="assign", frozen=True):
    """``Steering.assign``; *life* in seconds."""

    account_id: str
    role_name: str
    life: float | None = None

    def obey(self, steering: Controls) -> Any:
        """Assign a role."""
        life = None if self.life is None else timedelta(seconds=self.life)
        steering.assign(self.account_id, self.role_name, life=life)


class Offset(Command, tag="offset", frozen=True):
    """``Steering.set_clock_offset``."""

    seconds: float

    def obey(self, steering: Controls) -> Any:
        """Shift the portal's clock."""
        steering.set_clock_offset(timedelta(seconds=self.seconds))


class SetLifetimes(Command, tag="lifetimes", frozen=True):
    """``Steering.set_lifetimes``; the members of ``Lifetimes`` in seconds."""

    seconds: dict[
        Literal[
            "sign_in",
            "access_token",
            "role_credentials",
            "device_code",
            "authorization_code",
            "registration",
            "interval",
        ],
        float,
    ]

    def obey(self, steering: Controls) -> Any:
        """Change how long things live."""
        changes = LifetimeChanges()
        for name, seconds in self.seconds.items():
            changes[name] = timedelta(seconds=seconds)
        steering.set_lifetimes(**changes)


class SetRotation(Command, tag="rotation", frozen=True):
    """``Steering.set_rotation``; *grace* in seconds."""

    mode: Rotation
    grace: float = 60.0

    def obey(self, steering: Controls) -> Any:
        """Change the rotation."""
        steering.set_rotation(self.mode, grace=timedelta(seconds=self.grace))


class SetRegions(Command, tag="regions", frozen=True):
    """``Steering.set_regions``."""

    regions: list[str]

    def obey(self, steering: Controls) -> Any:
        """Let it be there only."""
        steering.set_regions(*self.regions)


class AutoApprove(Command, tag="auto_approve", frozen=True):
    """``Steering.auto_approve``."""

    user: str | None

    def obey(self, steering: Controls) -> Any:
        """Let a user's browser act by itself."""
        steering.auto_approve(self.user)


class Counters(Command, tag="counters", frozen=True):
    """Read the journal; *reset* starts counting anew afterwards."""

    reset: bool = False

    def obey(self, steering: Controls) -> Any:
        """Return calls, roles, grants, scopes and times."""
        journal = steering.journal
        calls = journal.totals()
        content = {
            "now": steering.now().isoformat(),
            "calls": calls,
            "refused": {name: journal.refused(name) for name in calls},
            "roles": {f"{account}/{role}": count for (account, role), count in journal.by_role().items()},
            "grants": journal.by_grant(),
            "scopes": journal.scopes(),
            "times": {name: [at.isoformat() for at in journal.times(name)] for name in calls},
        }
        if self.reset:
            journal.clear()
        return content


_Commands = (
    Inject
    | Clear
    | Latency
    | Rate
    | Revoke
    | Remove
    | Assign
    | Offset
    | SetLifetimes
    | SetRotation
    | AutoApprove
    | SetRegions
    | Counters
)
# Made here, before any thread: two threads that use a type of msgspec first at the same time end the process.
_DECODER = msgspec.json.Decoder(_Commands)


def obey(steering: Controls, body: bytes) -> Response:
    """Carry out one command and answer 200 with its content, or 400 with the reason."""
    try:
        command: Command = _DECODER.decode(body)
        content = command.obey(steering)
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        return json_response(400, {"error": str(error)})
    return json_response(200, content if content is not None else {})
