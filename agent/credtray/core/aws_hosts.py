"""Finds what chooses the hosts of a profile, and its CA bundle, in botocore's order of precedence.

Takes the environment as a mapping; reads neither it nor any file by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from credtray.core.config.sections import ConfigText, Section
from credtray.core.models import AwsConfig, Endpoints, Secret, Sources
from credtray.core.settings import Settings, dotted

Named = tuple[str | None, str | None]
"""A value, and what named it."""

ENDPOINT_SETTINGS = frozenset(
    {"services", "endpoint_url", "ca_bundle", "ignore_configured_endpoint_urls"}
    | {"use_fips_endpoint", "use_dualstack_endpoint", "sts_regional_endpoints"}
)
"""What can make a profile's endpoints differ from those of all profiles."""


class MissingServices(LookupError):
    """A profile names a ``[services ...]`` section that does not exist; botocore refuses the profile."""


def find_endpoints(profile: Section | None, config: ConfigText, environ: Mapping[str, str]) -> Endpoints:
    """Return what chooses the hosts for one profile (None: for no profile in particular).

    An address that is named outright goes before FIPS, dual-stack and the global STS. A value of
    sts_regional_endpoints that botocore refuses counts as ``regional``.

    Sources: botocore 1.44 configprovider.py, args.py, ``ConfiguredEndpointProvider`` and
    ``EndpointCreator._get_verify_value``. Measured: AWS_CA_BUNDLE is looked at before ``ca_bundle``.

    Raises:
        MissingServices: the section that ``services =`` names is needed and does not exist.
    """
    bundle, named = (
        _variable("AWS_CA_BUNDLE", environ)
        or _line("ca_bundle", profile)
        or _variable("REQUESTS_CA_BUNDLE", environ)
        or (None, None)
    )
    general = Endpoints(
        ca_bundle=bundle,
        fips=_is_true("use_fips_endpoint", profile, environ),
        dual_stack=_is_true("use_dualstack_endpoint", profile, environ),
        global_sts=_chosen("sts_regional_endpoints", profile, environ) == "legacy",
        sources=Sources(ca_bundle=named),
    )
    if _is_true("ignore_configured_endpoint_urls", profile, environ):
        return general
    oidc, portal, sts = (
        _endpoint(service, profile, config, environ) for service in ("sso_oidc", "sso", "sts")
    )
    return replace(
        general,
        oidc=oidc[0],
        portal=portal[0],
        sts=sts[0],
        signin=_sign_in_page(profile, config, environ),
        sources=Sources(oidc[1], portal[1], sts[1], named),
    )


def _variable(name: str, environ: Mapping[str, str]) -> Named | None:
    return (environ[name], name) if environ.get(name) else None


def _line(name: str, section: Section | None) -> Named | None:
    value = _text(section, name)
    return (value, f"{name} in [{section.span.name}]") if value and section is not None else None


def _sign_in_page(profile: Section | None, config: ConfigText, environ: Mapping[str, str]) -> str | None:
    """Named outright or not at all: AWS_ENDPOINT_URL is for services, and the console is none."""
    named = environ.get("AWS_ENDPOINT_URL_SIGNIN")
    try:
        return named or (_from_services("signin", profile, config) or (None,))[0]
    except MissingServices:  # botocore never looks for it, so the profile works all the same
        return None


def _endpoint(service: str, profile: Section | None, config: ConfigText, environ: Mapping[str, str]) -> Named:
    return (
        _variable(f"AWS_ENDPOINT_URL_{service.upper()}", environ)
        or _variable("AWS_ENDPOINT_URL", environ)
        or _from_services(service, profile, config)
        or _line("endpoint_url", profile)
        or (None, None)
    )


def _from_services(service: str, profile: Section | None, config: ConfigText) -> Named | None:
    name = _text(profile, "services")
    if name is None:
        return None
    services = config.services.get(name)
    if services is None or not services.settings:
        raise MissingServices(name)
    block = services.settings.get(service)
    url = block.get("endpoint_url") if isinstance(block, Mapping) else None
    return (url, f"endpoint_url of {service} in [{services.span.name}]") if url else None


def _chosen(setting: str, profile: Section | None, environ: Mapping[str, str]) -> str | None:
    """Return a variable, even an empty one, before the setting of the same name."""
    chosen = environ.get(f"AWS_{setting.upper()}")
    return _text(profile, setting) if chosen is None else chosen


def _is_true(setting: str, profile: Section | None, environ: Mapping[str, str]) -> bool:
    # botocore 1.44 utils.py ensure_boolean: everything else is false
    return (_chosen(setting, profile, environ) or "").lower() == "true"


def _text(profile: Section | None, name: str) -> str | None:
    return profile.text(name) if profile is not None else None


# Gives each session its own proxy and CA bundle: the one place where the settings reach the network.
#
# Pure. Settings win over the environment and AWS's files: an agent started by the desktop has no shell's
# environment, and what a person wrote for one session was meant for it.


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
