"""The rules that need one setting or variable: process, login, web identity, container, instance metadata.

Nothing is run, read or asked here.
"""

from __future__ import annotations

from credtray.core.resolution.answer import Client, Place, Provider, Trouble, TroubleKind, Where
from credtray.core.resolution.search import Find, Search, fatal, noticed
from credtray.core.resolution.surroundings import LOGIN, OURS, PROCESS, WEB_IDENTITY

FULL_URI = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
RELATIVE_URI = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
TOKEN_FILE = "AWS_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - the name of a variable
ROLE_ARN = "AWS_ROLE_ARN"


def process(search: Search) -> Find | None:
    """Return the profile's ``credential_process``."""
    both = search.both
    if PROCESS not in both:
        return None
    ours = both.text(PROCESS) == OURS
    named = "credtray" if ours else "the command"
    return Find(
        Provider.PROCESS,
        both.where(PROCESS),
        f"The profile's credential_process asks {named} for keys whenever they expire.",
        kept_fresh=ours,
        renews=True,
    )


def login(search: Search) -> Find | None:
    """Return the profile's ``aws login`` session."""
    both = search.both
    if LOGIN not in both:
        return None
    troubles: tuple[Trouble, ...] = ()
    if search.client is Client.BOTO3:
        troubles = noticed(TroubleKind.UNSUPPORTED, "boto3 needs the extra package botocore[crt] for it.")
    return Find(
        Provider.LOGIN,
        both.where(LOGIN),
        "The profile belongs to `aws login`, which has its own cache.",
        troubles,
        renews=True,
    )


def web_identity_of_profile(search: Search) -> Find:
    """Return the profile's web identity; the caller has seen its settings."""
    return Find(
        Provider.WEB_IDENTITY,
        search.both.where(WEB_IDENTITY),
        "The profile names a web identity token, which is exchanged for a role's keys.",
        renews=True,
    )


def web_identity_of_environment(search: Search) -> Find | None:
    """Return the web identity that two variables name."""
    if not search.environ.get(TOKEN_FILE):
        return None
    troubles: tuple[Trouble, ...] = ()
    if not search.environ.get(ROLE_ARN):
        troubles = fatal(TroubleKind.ROLE_UNUSABLE, f"{TOKEN_FILE} is set without {ROLE_ARN}.")
    return Find(
        Provider.WEB_IDENTITY,
        Where(Place.ENVIRONMENT, TOKEN_FILE),
        "The environment sets a web identity token, which is exchanged for a role's keys.",
        troubles,
        renews=True,
    )


def container(search: Search, *order: str) -> Find | None:
    """Return the endpoint of the first variable in *order* that is set."""
    name = next((name for name in order if search.environ.get(name)), None)
    if name is None:
        return None
    troubles: tuple[Trouble, ...] = ()
    if name == FULL_URI and search.endpoint_answers is False:
        troubles = fatal(TroubleKind.ENDPOINT_SILENT, f"The endpoint that {name} names does not answer.")
    return Find(
        Provider.CONTAINER,
        Where(Place.ENVIRONMENT, name),
        "Nothing overrides the endpoint set in the environment.",
        troubles,
        kept_fresh=name == FULL_URI and search.endpoint_answers is True,
        renews=True,
    )


def instance_metadata(search: Search) -> Find | None:
    """Return the last resort, unless it is switched off: then nothing is found."""
    if search.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    only_there = "No keys were found; the instance metadata answers only on EC2."
    return Find(
        Provider.INSTANCE_METADATA,
        Where(Place.NOWHERE),
        "Nothing else was found, so the client asks the EC2 metadata service.",
        fatal(TroubleKind.NOTHING_FOUND, only_there),
        goes_on=True,
        renews=True,
    )
