"""One client's search for the credentials of one profile: what it sees, and what a rule of its chain finds.

Holds no rule itself; see the chains.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from credtray.doctor.resolution.answer import Client, Place, Provider, Trouble, TroubleKind, Where
from credtray.doctor.resolution.environment import FileView, Section, Setting, TokenFile


@dataclass(frozen=True, slots=True)
class ProfileSections:
    """One profile in both files; the credentials file has the last word on each setting, for every client."""

    config: Section | None
    credentials: Section | None

    def find(self, name: str) -> tuple[Place, Setting] | None:
        """Return a setting and where it stands."""
        if self.credentials is not None and name in self.credentials.settings:
            return Place.CREDENTIALS, self.credentials.settings[name]
        if self.config is not None and name in self.config.settings:
            return Place.CONFIG, self.config.settings[name]
        return None

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def text(self, name: str) -> str:
        """Return a setting, empty when there is none."""
        found = self.find(name)
        return "" if found is None else found[1].value

    def where(self, *names: str) -> Where:
        """Return the place of the first of these settings that is there, or of the section."""
        for name in names:
            found = self.find(name)
            if found is not None:
                return Where(found[0], name, found[1].line)
        if self.config is not None:
            return Where(Place.CONFIG, "", self.config.line)
        if self.credentials is not None:
            return Where(Place.CREDENTIALS, "", self.credentials.line)
        return Where(Place.NOWHERE)


@dataclass(frozen=True, slots=True)
class ChainMatch:
    """What one rule came upon."""

    provider: Provider
    where: Where
    why: str
    troubles: tuple[Trouble, ...] = ()
    goes_on: bool = False
    """True: the client looks further, and comes to grief here only if it finds nothing else."""
    kept_fresh: bool = False
    renews: bool = False
    """A long-running process gets new keys from here by itself."""
    temporary: bool = False
    """Keys that stand somewhere and end, with nothing to renew them."""
    base: ChainMatch | None = None
    """Of an assumed role."""

    @property
    def fatal(self) -> bool:
        """Whether the client is left without usable credentials."""
        return any(trouble.fatal for trouble in self.troubles)


@dataclass(frozen=True, slots=True)
class Search:
    """What the rules of a chain look at."""

    client: Client
    profile: str
    """The one that is really used."""
    both: ProfileSections
    """Its settings."""
    named: bool
    """False: nobody named a profile, and ``default`` need not exist."""
    explicit: bool
    """The profile was given to the program itself."""
    environ: Mapping[str, str]
    config: FileView
    credentials: FileView
    tokens: Mapping[str, TokenFile]
    endpoint_answers: bool | None
    now: datetime

    def of(self, profile: str) -> ProfileSections:
        """Return another profile's settings."""
        return ProfileSections(self.config.profiles.get(profile), self.credentials.profiles.get(profile))

    def knows(self, profile: str) -> bool:
        """Whether either file has the profile."""
        return profile in self.config.profiles or profile in self.credentials.profiles

    def looking_at(self, profile: str) -> Search:
        """Return the search in a source profile: what the environment says does not count there."""
        return replace(self, profile=profile, both=self.of(profile), named=True, explicit=True)


Rule = Callable[[Search], ChainMatch | None]
Chain = tuple[Rule, ...]


def follow(chain: Chain, search: Search) -> ChainMatch | None:
    """Return what the first rule finds that does not go on, else what the first one of all found."""
    passed: ChainMatch | None = None
    for rule in chain:
        found = rule(search)
        if found is None:
            continue
        if not found.goes_on:
            return found if passed is None else replace(found, troubles=found.troubles + noted(passed))
        passed = passed or found
    return passed


def first(chain: Chain, search: Search) -> ChainMatch | None:
    """Return what the first rule finds, even if the client goes on behind the whole of *chain*."""
    return next((found for rule in chain if (found := rule(search)) is not None), None)


def noted(passed: ChainMatch) -> tuple[Trouble, ...]:
    """Return the troubles of what was passed over: they did not stop the search."""
    return tuple(replace(trouble, fatal=False) for trouble in passed.troubles)


def going_on(rule: Rule) -> Rule:
    """Return the rule of a client that looks further when this one fails."""

    def tried(search: Search) -> ChainMatch | None:
        found = rule(search)
        return replace(found, goes_on=True) if found is not None and found.fatal else found

    return tried


def fatal(kind: TroubleKind, text: str) -> tuple[Trouble]:
    """Return a trouble that leaves the client without credentials."""
    return (Trouble(kind, text, fatal=True),)


def noticed(kind: TroubleKind, text: str) -> tuple[Trouble]:
    """Return a trouble that a person should know of."""
    return (Trouble(kind, text, fatal=False),)
