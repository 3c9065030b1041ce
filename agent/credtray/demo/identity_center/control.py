"""The control address of a portal in another process: one JSON command per POST, one JSON answer.

Every command is one call of ``Steering``; one that does not fit is answered with 400 and the reason.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

import msgspec

from credtray.demo.identity_center.exchange import Response, json_response
from credtray.demo.identity_center.faults import Fault
from credtray.demo.identity_center.steering import LifetimeChanges, Steering
from credtray.demo.identity_center.tokens import Rotation


class Command(msgspec.Struct, frozen=True, tag_field="command", forbid_unknown_fields=True):
    """The base of all commands; the member ``command`` names which one it is."""

    def obey(self, steering: Steering) -> Any:
        """Do it and return the answer's content."""
        raise NotImplementedError


class Inject(Command, tag="inject", frozen=True):
    """``Steering.inject``; *fault* is an object whose member ``fault`` names it."""

    operation: str
    fault: Fault
    times: int | None = None
    role: str | None = None

    def obey(self, steering: Steering) -> Any:
        """Plan the fault."""
        steering.inject(self.operation, self.fault, times=self.times, role=self.role)


class Clear(Command, tag="clear", frozen=True):
    """``Steering.clear_faults``."""

    operation: str | None = None

    def obey(self, steering: Steering) -> Any:
        """Take faults back."""
        steering.clear_faults(self.operation)


class Latency(Command, tag="latency", frozen=True):
    """``Steering.set_latency``."""

    operation: str
    seconds: float

    def obey(self, steering: Steering) -> Any:
        """Delay answers."""
        steering.set_latency(self.operation, self.seconds)


class Rate(Command, tag="rate", frozen=True):
    """``Steering.limit_rate``."""

    operation: str
    per_second: int

    def obey(self, steering: Steering) -> Any:
        """Limit the rate."""
        steering.limit_rate(self.operation, self.per_second)


class Revoke(Command, tag="revoke", frozen=True):
    """One of the ``Steering.revoke_*`` methods, or ``forget_registrations``."""

    what: Literal["sign_ins", "access_tokens", "refresh_tokens", "registrations"]

    def obey(self, steering: Steering) -> Any:
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

    def obey(self, steering: Steering) -> Any:
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

    def obey(self, steering: Steering) -> Any:
        """Assign a role."""
        life = None if self.life is None else timedelta(seconds=self.life)
        steering.assign(self.account_id, self.role_name, life=life)


class Offset(Command, tag="offset", frozen=True):
    """``Steering.set_clock_offset``."""

    seconds: float

    def obey(self, steering: Steering) -> Any:
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

    def obey(self, steering: Steering) -> Any:
        """Change how long things live."""
        changes = LifetimeChanges()
        for name, seconds in self.seconds.items():
            changes[name] = timedelta(seconds=seconds)
        steering.set_lifetimes(**changes)


class SetRotation(Command, tag="rotation", frozen=True):
    """``Steering.set_rotation``; *grace* in seconds."""

    mode: Rotation
    grace: float = 60.0

    def obey(self, steering: Steering) -> Any:
        """Change the rotation."""
        steering.set_rotation(self.mode, grace=timedelta(seconds=self.grace))


class AutoApprove(Command, tag="auto_approve", frozen=True):
    """``Steering.auto_approve``."""

    user: str | None

    def obey(self, steering: Steering) -> Any:
        """Let a user's browser act by itself."""
        steering.auto_approve(self.user)


class Counters(Command, tag="counters", frozen=True):
    """Read the journal; *reset* starts counting anew afterwards."""

    reset: bool = False

    def obey(self, steering: Steering) -> Any:
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
    | Counters
)


def obey(steering: Steering, body: bytes) -> Response:
    """Carry out one command and answer 200 with its content, or 400 with the reason."""
    try:
        command: Command = msgspec.json.Decoder(_Commands).decode(body)
        content = command.obey(steering)
    except (msgspec.DecodeError, KeyError, ValueError) as error:
        return json_response(400, {"error": str(error)})
    return json_response(200, content if content is not None else {})
