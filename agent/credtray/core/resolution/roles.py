"""What the assumed roles of all clients have in common: the named sources, and how a role is described.

Which settings make a role, and in which order sources are tried, is each client's own; see the chains.
"""

from __future__ import annotations

from credtray.core.resolution.answer import Place, Provider, TroubleKind, Where
from credtray.core.resolution.others import FULL_URI, RELATIVE_URI, container, instance_metadata
from credtray.core.resolution.search import Find, Search, fatal
from credtray.core.resolution.surroundings import TEMPORARY

ROLE = "role_arn"
SOURCE = "source_profile"
NAMED = "credential_source"

NAMED_SOURCES = ("Environment", "Ec2InstanceMetadata", "EcsContainer")
_STATIC = frozenset({Provider.ENVIRONMENT, Provider.CREDENTIALS_FILE, Provider.CONFIG_FILE})


def role_of(search: Search, base: Find, why: str) -> Find:
    """Return the role that is assumed with the keys of *base*."""
    return Find(
        Provider.ASSUME_ROLE,
        search.both.where(ROLE),
        why,
        base.troubles,
        kept_fresh=base.kept_fresh,
        renews=base.renews or (base.provider in _STATIC and not base.temporary),
        base=base,
    )


def unusable_role(search: Search, text: str) -> Find:
    """Return a role that fails before anything is asked."""
    return Find(
        Provider.ASSUME_ROLE,
        search.both.where(ROLE, SOURCE, NAMED),
        "The profile assumes a role.",
        fatal(TroubleKind.ROLE_UNUSABLE, text),
    )


def named_source(search: Search, name: str) -> Find | None:
    """Return where the keys of a ``credential_source`` come from; None for a name nobody knows."""
    if name == "EcsContainer":
        found = container(search, RELATIVE_URI, FULL_URI)
    elif name == "Ec2InstanceMetadata":
        found = instance_metadata(search)
    elif name == "Environment":
        return _environment(search)
    else:
        return None
    nothing = fatal(TroubleKind.NOTHING_FOUND, f"{name} provides no keys here.")
    return found or Find(Provider.NONE, Where(Place.NOWHERE), "", nothing)


def _environment(search: Search) -> Find:
    there = search.environ.get("AWS_ACCESS_KEY_ID") and search.environ.get("AWS_SECRET_ACCESS_KEY")
    lacking = "The role needs keys from the environment, which has none."
    return Find(
        Provider.ENVIRONMENT,
        Where(Place.ENVIRONMENT, "AWS_ACCESS_KEY_ID"),
        "The profile uses the environment as its source.",
        () if there else fatal(TroubleKind.NOTHING_FOUND, lacking),
        temporary=search.environ.get("AWS_ACCESS_KEY_ID") == TEMPORARY,
    )
