"""The Protocols the daemon needs from the other wings. Implementations live in aws/, desktop/ and web/.

Every method may block (it runs in a worker thread) and raises errors of core/errors only.
"""

from agent.core.ports.desktop import Button, DesktopPart, Notification, Notifier, Part, Presence, Urgency
from agent.core.ports.endpoint import EndpointMemory, EndpointPort, EndpointStanding, EndpointStore
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
)

__all__ = [
    "Browser",
    "Button",
    "Callback",
    "CallbackListener",
    "Clock",
    "ConfigFile",
    "CredentialsFile",
    "DesktopPart",
    "DeviceAuthorization",
    "EndpointMemory",
    "EndpointPort",
    "EndpointStanding",
    "EndpointStore",
    "IdentityCenter",
    "Issued",
    "Mark",
    "Notification",
    "Notifier",
    "Part",
    "Presence",
    "RoleCredentialsSource",
    "SettingsFile",
    "StateFile",
    "SyncReport",
    "TokenCache",
    "TokenRefresh",
    "Urgency",
]
