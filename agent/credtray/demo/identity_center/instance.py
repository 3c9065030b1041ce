"""One Identity Center instance: everything it remembers between two requests.

It receives the time and has no lock; the server calls it from one thread at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from credtray.demo.identity_center.authorizations import Authorizations, Registrations
from credtray.demo.identity_center.directory import Directory
from credtray.demo.identity_center.journal import Journal
from credtray.demo.identity_center.tokens import RoleSession, RoleSessions, SignIns, Tokens


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
    journal: Journal = field(default_factory=Journal)
    console_tokens: dict[str, tuple[RoleSession, datetime]] = field(default_factory=dict, repr=False)
    """Sign-in tokens of the federation endpoint: whose they are and when they end."""
    auto_approve: str | None = None
    """A user whose browser signs in and consents by itself."""
