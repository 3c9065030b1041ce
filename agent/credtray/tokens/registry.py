"""`credtray docker-credential`: what `docker-credential-credtray` runs, for docker, podman and skopeo.

Speaks the protocol of docker's credential helpers: errors go to stdout, where those programs look for them.
Keeps no password; each is asked of Amazon ECR when a program wants it.
"""

from __future__ import annotations

import json
import re
import sys
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer

from credtray import __version__
from credtray.core.addresses import shown
from credtray.core.errors import CredtrayError, UnexpectedReply, UsageError
from credtray.core.models import AwsConfig, Profile, Way
from credtray.core.settings import Settings, dotted
from credtray.core.shell_words import argument, toml_word
from credtray.tokens.aws_calls import Asker
from credtray.tokens.presigned import service_host

NOT_FOUND = "credentials not found in native keychain"
"""What every program takes for "there is none" (docker-credential-helpers, package credentials)."""
NOT_DONE = "not implemented"
"""What Amazon's own helper says to `store` and `erase`."""
_USER = "AWS"
_USUAL_PORT = ":443"
_LONGEST_QUESTION = 4096
_PUBLIC = frozenset({"public.ecr.aws", "ecr-public.aws.com"})
_PUBLIC_REGION = "us-east-1"
"""The one that issues tokens for the public registry (ECR Public API reference)."""
_HOST = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?P<fips>-fips)?\.(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d{1,2})\."
    r"(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk"
    r"|csp\.hci\.ic\.gov|(?P<dual>on\.aws|on\.amazonwebservices\.com\.cn))",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry of Amazon ECR, as its host says."""

    host: str
    account_id: str | None
    """None: the public one."""
    region: str
    fips: bool = False
    dual_stack: bool = False


def registry_at(server: str) -> Registry | None:
    """Return the registry of a server, named with a scheme and a path or without; None: not of ECR."""
    host = server.strip().lower().removeprefix("https://").partition("/")[0].removesuffix(_USUAL_PORT)
    if host in _PUBLIC:
        return Registry(host, None, _PUBLIC_REGION)
    match = _HOST.fullmatch(host)
    if match is None:
        return None
    return Registry(host, match["account"], match["region"], bool(match["fips"]), bool(match["dual"]))


def profile_for(registry: Registry, config: AwsConfig, settings: Settings) -> str | None:
    """Return the profile whose keys open it; None: nobody has said so, and no profile is of that account.

    Raises:
        UsageError: several could, and no setting names one.
    """
    named = [name for name in config.profiles if _is_named(registry, settings.profile(name).registries)]
    of_account = [
        name for name, profile in config.profiles.items() if registry.account_id == account_of(profile)
    ]
    for candidates in (named, of_account):
        near = [name for name in candidates if _region(config, settings, name) == registry.region]
        for several in (near, candidates):
            if len(several) == 1:
                return several[0]
        if candidates:
            raise _ambiguous(registry, near or candidates)
    return None


def _is_named(registry: Registry, registries: Iterable[str]) -> bool:
    return bool({registry.host, registry.account_id}.intersection(registries))


def account_of(profile: Profile) -> str | None:
    """Return the account that a profile's keys are of."""
    if not profile.chain:
        return profile.account_id
    parts = profile.chain[-1].role_arn.split(":")
    return parts[4] if len(parts) > 4 else None  # noqa: PLR2004 -- arn:aws:iam::ACCOUNT:role/...


def _region(config: AwsConfig, settings: Settings, name: str) -> str | None:
    return settings.profile(name).region or config.profiles[name].region


def _ambiguous(registry: Registry, names: list[str]) -> UsageError:
    which = registry.account_id or registry.host
    setting = dotted(("profiles", names[0], "registries"))
    return UsageError(
        f"{', '.join(sorted(names))} could all open {registry.host}",
        hint=f"Say which one should, such as: credtray settings set {toml_word(setting)} {argument(which)}",
    )


# --- the protocol ------------------------------------------------------------------------------------


class Action(StrEnum):
    """What a program can ask."""

    GET = "get"
    LIST = "list"
    STORE = "store"
    ERASE = "erase"
    VERSION = "version"


def docker_credential(
    action: Annotated[Action, typer.Argument(help="What docker asks for.", show_default=False)],
) -> None:
    """Answer docker, podman and skopeo with a password for Amazon ECR.

    They start it as `docker-credential-credtray` and write the registry to its standard input. Which
    profile is used follows from the registry's account number and region.

    Examples:
      credtray docker-credential list
      credtray docker-credential get < name-of-the-registry.txt
    """
    try:
        told = _answer(action)
    except CredtrayError as error:  # these programs show what is on stdout, and nothing else
        _say(f"credtray: {error}. {error.advice}")
        raise typer.Exit(1) from None
    if told is None:
        _say(NOT_DONE if action in {Action.STORE, Action.ERASE} else NOT_FOUND)
        raise typer.Exit(1)
    _say(told if isinstance(told, str) else json.dumps(told))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _answer(action: Action) -> Mapping[str, str] | str | None:
    match action:
        case Action.GET:
            return _get(sys.stdin.read(_LONGEST_QUESTION))
        case Action.LIST:
            return {f"https://{host}": _USER for host in _listed()}
        case Action.VERSION:
            return f"docker-credential-credtray {__version__}"
        case _:
            sys.stdin.read(_LONGEST_QUESTION)
            return None


def _files() -> tuple[AwsConfig, Settings]:
    from credtray.app import build
    from credtray.cli.configured import configuration

    return configuration(build())


def _get(server: str) -> Mapping[str, str] | None:
    registry = registry_at(server)
    if registry is None:
        return None
    profile = profile_for(registry, *_files())
    if profile is None:
        return None
    asker = Asker.of(profile, Way.REGISTRY, registry.region)
    endpoints = replace(
        asker.endpoints,
        fips=asker.endpoints.fips or registry.fips,
        dual_stack=asker.endpoints.dual_stack or registry.dual_stack,
    )
    user, password = _token(replace(asker, endpoints=endpoints), public=registry.account_id is None)
    return {"ServerURL": server.strip(), "Username": user, "Secret": password}


def _listed() -> Iterator[str]:
    """Yield the registries that are certain to be opened by a profile; asks nobody."""
    config, settings = _files()
    places = {
        (account_of(profile), _region(config, settings, name)) for name, profile in config.profiles.items()
    }
    for account, region in sorted((account, region) for account, region in places if account and region):
        host = f"{account}.{service_host('dkr.ecr', region)}"
        registry = registry_at(host)
        try:
            if registry is not None and profile_for(registry, config, settings) is not None:
                yield host
        except UsageError:
            continue


# --- what ECR issues ---------------------------------------------------------------------------------


class _Data(msgspec.Struct, rename="camel"):
    authorization_token: str


class _Private(msgspec.Struct, rename="camel"):
    authorization_data: list[_Data]


class _Public(msgspec.Struct, rename="camel"):
    authorization_data: _Data


def _token(asker: Asker, *, public: bool) -> tuple[str, str]:
    """Return the user and the password that the registry takes for 12 hours.

    Raises:
        CredtrayError: ECR issues none, or something else.
    """
    client: Any = asker.client("ecr-public" if public else "ecr")
    ask = client.get_authorization_token
    if public:
        found = [asker.call(ask, {}, _Public).authorization_data]
    else:
        found = asker.call(ask, {}, _Private).authorization_data
    try:
        user, colon, password = (
            b64decode(found[0].authorization_token, validate=True).decode("ascii").partition(":")
        )
    except (ValueError, IndexError):
        raise UnexpectedReply("GetAuthorizationToken: no token in it") from None
    if not colon or not password or not user.isalnum():
        raise UnexpectedReply(f"GetAuthorizationToken: a token of {shown(user[:20])}")
    return user, password
