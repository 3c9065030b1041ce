"""The config file of a child that acts as one profile: its settings, and credtray for its credentials. Pure.

Copies no key and no other profile: a child cannot take what it cannot see.
"""

from __future__ import annotations

from credtray.core import ini
from credtray.core.config.sections import Section, read_config
from credtray.core.config.sso import merged, whole_credentials
from credtray.core.ini.text import encode
from credtray.core.shell_words import posix_word

KEPT = frozenset(
    {"region", "output", "ca_bundle", "services", "endpoint_url", "ignore_configured_endpoint_urls"}
    | {"api_versions", "parameter_validation", "tcp_keepalive", "retry_mode", "max_attempts", "defaults_mode"}
    | {"use_dualstack_endpoint", "use_fips_endpoint", "endpoint_discovery_enabled", "auth_scheme_preference"}
    | {"sts_regional_endpoints", "account_id_endpoint_mode", "sigv4a_signing_region_set", "sdk_ua_app_id"}
    | {"request_checksum_calculation", "response_checksum_validation", "disable_request_compression"}
    | {"request_min_compression_size_bytes", "ec2_metadata_service_endpoint", "user_agent_extra"}
    | {"ec2_metadata_service_endpoint_mode", "metadata_service_timeout", "metadata_service_num_attempts"}
    | {"s3", "s3api", "cloudfront", "emr", "configservice"}
)
"""Settings without any say in credentials (AWS SDKs and Tools reference; botocore 1.44 configprovider.py).

What is new and unknown stays behind: a setting that is lost is noticed, another identity is not.
"""
_KEPT_FAMILIES = ("cli_", "s3_")


def child_config(
    config: bytes, credentials: bytes, profile: str, process: str, code_page: str | None = None
) -> bytes:
    """Return the config file of a child.

    ``[default]`` is the profile, and the profile is there under its own name, for who names it.

    Args:
        config: the user's config file.
        credentials: the user's credentials file, which has the last word on each setting.
        profile: whose settings are kept.
        process: the ``credential_process`` of both.
        code_page: what boto3 reads the file in, where that is not UTF-8. Other letters than ASCII's would be
            another command to it, so ``[default]`` leaves the credentials to the endpoint then.

    Raises:
        ConfigInvalid: the config file is broken as a whole.
    """
    found = merged(read_config(config), whole_credentials(credentials))
    section = found.profiles.get(profile)
    kept = "" if section is None else _kept(section)
    body = f"{kept}credential_process = {process}\n"
    alike = code_page is None or body.isascii()
    text = f"[default]\n{body if alike else kept}"
    if profile != "default" and section is not None:
        named = f"\n[{_header(section, profile)}]\n{body}"
        text += named if code_page is None or _readable(named, code_page) else ""
    services = found.services.get((section.text("services") if section is not None else None) or "")
    return encode(text) + (b"\n" + ini.text_of(services.span) if services is not None else b"")


def _readable(text: str, code_page: str) -> bool:
    try:
        encode(text).decode(code_page)
    except UnicodeDecodeError:
        return False
    return True


def _kept(section: Section) -> str:
    values = section.span.values
    if section.over is not None:
        said = section.over.settings
        values |= {name: value for name, value in section.over.span.values.items() if name in said}
        values |= {name: value for name, value in said.items() if isinstance(value, str)}
    kept = ((name, value) for name, value in values.items() if name in KEPT or _of_a_family(name))
    return "".join(_written(name, value) for name, value in kept)


def _header(section: Section, profile: str) -> str:
    """Return the header as it stands in the config file, or as it would for a profile of the other file."""
    if section.over is None or section.span is not section.over.span:
        return section.span.name
    return f"profile {posix_word(profile)}"


def _of_a_family(name: str) -> bool:
    return name.startswith(_KEPT_FAMILIES)


def _written(name: str, value: str) -> str:
    first, *more = value.split("\n")
    lines = [f"{name} = {first}".rstrip(), *(f"    {line}" for line in more if line)]
    return "".join(f"{line}\n" for line in lines)
