"""Gives each session its own proxy and CA bundle: the one place where the settings reach the network.

Pure. Settings win over the environment and AWS's files: an agent started by the desktop has no shell's
environment, and what a person wrote for one session was meant for it.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from credtray.core.models import AwsConfig, Endpoints
from credtray.core.secret import Secret
from credtray.core.settings import Settings, dotted


def in_effect(config: AwsConfig, settings: Settings) -> AwsConfig:
    """Return the config with the network settings of each session in its endpoints and its profiles'."""
    if not any(chosen.proxy or chosen.ca_bundle for chosen in settings.sessions.values()):
        return config
    sessions = {
        name: replace(session, endpoints=_with(session.endpoints, settings, name))
        for name, session in config.sessions.items()
    }
    profiles = {
        name: profile
        if profile.endpoints is None
        else replace(profile, endpoints=_with(profile.endpoints, settings, profile.session))
        for name, profile in config.profiles.items()
    }
    return replace(config, sessions=MappingProxyType(sessions), profiles=MappingProxyType(profiles))


def _with(endpoints: Endpoints, settings: Settings, session: str) -> Endpoints:
    chosen, sources = settings.session(session), endpoints.sources
    if chosen.proxy is not None:
        named = f"the setting {dotted(('sessions', session, 'proxy'))}"
        endpoints = replace(endpoints, proxy=Secret(chosen.proxy))
        sources = replace(sources, proxy=named)
    if chosen.ca_bundle:
        named = f"the setting {dotted(('sessions', session, 'ca_bundle'))}"
        endpoints = replace(endpoints, ca_bundle=chosen.ca_bundle)
        sources = replace(sources, ca_bundle=named)
    return replace(endpoints, sources=sources)
