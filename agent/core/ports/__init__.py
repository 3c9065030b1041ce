"""The Protocols the daemon needs from the other wings. Implementations live in aws/, desktop/ and web/.

Every method may block (it runs in a worker thread) and raises errors of core/errors only.
"""

from agent.core.ports.files import (
    ConfigFile,
    CredentialsFile,
    Mark,
    SettingsFile,
    StateFile,
    SyncReport,
    TokenCache,
)
from agent.core.ports.service import (
    DeviceAuthorization,
    IdentityCenter,
    Issued,
    RoleCredentialsSource,
    TokenRefresh,
)
from agent.core.ports.surroundings import (
    Browser,
    Callback,
    CallbackListener,
    Clock,
    Notifier,
)

__all__ = [
    "Browser",
    "Callback",
    "CallbackListener",
    "Clock",
    "ConfigFile",
    "CredentialsFile",
    "DeviceAuthorization",
    "IdentityCenter",
    "Issued",
    "Mark",
    "Notifier",
    "RoleCredentialsSource",
    "SettingsFile",
    "StateFile",
    "SyncReport",
    "TokenCache",
    "TokenRefresh",
]
