"""The Protocols the daemon needs from the other wings. Implementations live in aws/, desktop/ and web/.

Every method may block (it runs in a worker thread) and raises errors of core/errors only. The two bundles at
the end hold what one agent works with; app.py fills them.
"""

from __future__ import annotations

from dataclasses import dataclass

from credtray.core.ports.files import (
    ChangeRecord,
    ConfigFile,
    CredentialsFile,
    EndpointMemory,
    EndpointPort,
    EndpointState,
    EndpointStore,
    Mark,
    SettingsFile,
    StateFile,
    SyncReport,
    TokenCache,
)
from credtray.core.ports.outside import (
    Browser,
    Button,
    Callback,
    CallbackListener,
    Clock,
    DesktopPart,
    DeviceAuthorization,
    Door,
    IdentityCenter,
    Issued,
    Notification,
    Notifier,
    Part,
    Presence,
    RoleCredentialsSource,
    TokenRefresh,
    Urgency,
)

__all__ = [
    "Browser",
    "Button",
    "Callback",
    "CallbackListener",
    "ChangeRecord",
    "Clock",
    "ConfigFile",
    "CredentialsFile",
    "DesktopPart",
    "DeviceAuthorization",
    "Door",
    "EndpointMemory",
    "EndpointPort",
    "EndpointState",
    "EndpointStore",
    "IdentityCenter",
    "Issued",
    "Mark",
    "Notification",
    "Notifier",
    "Part",
    "Ports",
    "Presence",
    "RoleCredentialsSource",
    "SettingsFile",
    "SignInPorts",
    "StateFile",
    "SyncReport",
    "TokenCache",
    "TokenRefresh",
    "Urgency",
]


@dataclass(frozen=True, slots=True)
class SignInPorts:
    """What a sign-in works with."""

    clock: Clock
    token_cache: TokenCache
    token_refresh: TokenRefresh
    identity_center: IdentityCenter
    browser: Browser
    callback_listener: CallbackListener


@dataclass(frozen=True, slots=True)
class Ports(SignInPorts):
    """Everything outside that the daemon talks to."""

    config_file: ConfigFile
    settings_file: SettingsFile
    credentials_file: CredentialsFile
    role_credentials: RoleCredentialsSource
    notifier: Notifier
    state_file: StateFile
