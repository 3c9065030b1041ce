"""The ports one agent works with, joined by app.py. Holds them, does nothing."""

from __future__ import annotations

from dataclasses import dataclass

from credtray.core import ports


@dataclass(frozen=True, slots=True)
class SignInPorts:
    """What a sign-in works with."""

    clock: ports.Clock
    token_cache: ports.TokenCache
    token_refresh: ports.TokenRefresh
    identity_center: ports.IdentityCenter
    browser: ports.Browser
    callback_listener: ports.CallbackListener


@dataclass(frozen=True, slots=True)
class Ports(SignInPorts):
    """Everything outside that the daemon talks to."""

    config_file: ports.ConfigFile
    settings_file: ports.SettingsFile
    credentials_file: ports.CredentialsFile
    role_credentials: ports.RoleCredentialsSource
    notifier: ports.Notifier
    state_file: ports.StateFile
