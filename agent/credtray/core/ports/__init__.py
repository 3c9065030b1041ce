"""The Protocols the daemon needs from the other wings. Implementations live in aws/, desktop/ and web/.

Every method may block (it runs in a worker thread) and raises errors of core/errors only.
"""

from credtray.core.ports.desktop import Button, DesktopPart, Notification, Notifier, Part, Presence, Urgency
from credtray.core.ports.endpoint import EndpointMemory, EndpointPort, EndpointStanding, EndpointStore
from credtray.core.ports.files import (
    ChangeRecord,
    ConfigFile,
    CredentialsFile,
    Mark,
    SettingsFile,
    StateFile,
    SyncReport,
    TokenCache,
)
from credtray.core.ports.service import (
    DeviceAuthorization,
    IdentityCenter,
    Issued,
    RoleCredentialsSource,
    TokenRefresh,
)
from credtray.core.ports.surroundings import (
    Browser,
    Callback,
    CallbackListener,
    Clock,
    Door,
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
