"""Gives each session its own proxy and CA bundle: the one place where the settings reach the network.

Pure. Settings win over the environment and AWS's files: an agent started by the desktop has no shell's
environment, and what a person wrote for one session was meant for it.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from credtray.core.models import AwsConfig, Endpoints
from credtray.core.secret import Secret
from credtray.core.settings import SessionSettings, Settings


def in_effect(config: AwsConfig, settings: Settings) -> AwsConfig:
    """Return the config with the network settings of each session in its endpoints and its profiles'."""
    if not any(chosen.proxy or chosen.ca_bundle for chosen in settings.sessions.values()):
        return config
    sessions = {
        name: replace(session, endpoints=_with(session.endpoints, settings.session(name)))
        for name, session in config.sessions.items()
    }
    profiles = {
        name: profile
        if profile.endpoints is None
        else replace(profile, endpoints=_with(profile.endpoints, settings.session(profile.session)))
        for name, profile in config.profiles.items()
    }
    return replace(config, sessions=MappingProxyType(sessions), profiles=MappingProxyType(profiles))


def _with(endpoints: Endpoints, chosen: SessionSettings) -> Endpoints:
    proxy = endpoints.proxy if chosen.proxy is None else Secret(chosen.proxy)
    return replace(endpoints, proxy=proxy, ca_bundle=chosen.ca_bundle or endpoints.ca_bundle)
