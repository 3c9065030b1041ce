"""The ports one agent works with, joined by app.py. Holds them, does nothing."""

from __future__ import annotations

from dataclasses import dataclass

from credtray.core import ports


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside that the daemon talks to."""

    clock: ports.Clock
    config_file: ports.ConfigFile
    settings_file: ports.SettingsFile
    credentials_file: ports.CredentialsFile
    token_cache: ports.TokenCache
    identity_center: ports.IdentityCenter
    token_refresh: ports.TokenRefresh
    role_credentials: ports.RoleCredentialsSource
    notifier: ports.Notifier
    browser: ports.Browser
    callback_listener: ports.CallbackListener
    state_file: ports.StateFile
