"""The questions of an interactive `credtray setup`, each with a default; asks only what was not said.

Changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from credtray.cli.questions import ask_one, ask_several, ask_text, ask_yes
from credtray.cli.terminal import say
from credtray.core.addresses import check_region, pasted_start_url, start_url_kind
from credtray.core.errors import UsageError
from credtray.core.models import Account, AwsConfig, SsoSession
from credtray.core.naming import RoleChoice, check_template
from credtray.core.words import did_you_mean
from credtray.setup.session import (
    DEFAULT_REGION,
    SessionWish,
    check_session_name,
    listed,
    suggested_name,
)
from credtray.setup.team_file import installed, read_length

# Which accounts and roles `credtray setup` takes: from --accounts and --roles, or picked from a list.
#
# Knows no file and no network.


ALL = "all"


@dataclass(frozen=True, slots=True)
class Filter:
    """The value of --accounts or --roles; ``names`` is None for "all"."""

    option: str
    names: tuple[str, ...] | None

    @classmethod
    def read(cls, option: str, text: str) -> Filter:
        """Read a comma separated list, or ``all``.

        Raises:
            UsageError: it is empty.
        """
        names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
        if not names:
            raise UsageError(f"{option} needs names, or all")
        return cls(option, None if names == (ALL,) else names)

    def takes(self, *names: str | None) -> bool:
        """Tell whether one of these names was asked for."""
        return self.names is None or any(name in self.names for name in names if name is not None)

    def check(self, known: Iterable[str]) -> None:
        """Check that every name asked for exists.

        Raises:
            UsageError: one does not; the nearest are offered.
        """
        there = set(known)
        for name in self.names or ():
            if name not in there:
                raise UsageError(
                    f"{self.option}: {name!a} is not one of yours.{did_you_mean(name, there)}",
                    hint="Run `credtray setup` in a terminal to pick from a list.",
                )


def names_of(account: Account) -> tuple[str, ...]:
    """Return how an account may be named in --accounts: its number, and its name where it has one."""
    return (account.account_id, account.name) if account.name else (account.account_id,)


def chosen(
    accounts: Sequence[Account], found: Sequence[RoleChoice], by_account: Filter, by_role: Filter
) -> list[RoleChoice]:
    """Return the choices both filters take.

    Raises:
        UsageError: a name that does not exist, or nothing is left.
    """
    by_account.check(name for account in accounts for name in names_of(account))
    by_role.check(choice.role_name for choice in found)
    taken = [
        choice
        for choice in found
        if by_account.takes(*names_of(choice.account)) and by_role.takes(choice.role_name)
    ]
    if not taken:
        raise UsageError("No role matches both --accounts and --roles")
    return taken


def complete(wish: SessionWish, config: AwsConfig) -> SessionWish:
    """Return the wish with everything a new session needs, asking for what was not said."""
    if wish.silent:
        wish = _first_choice(config)
    if (
        wish.preset is not None
        or wish.name in config.sessions
        or (wish.name in installed() and not wish.start_url)
    ):
        return wish
    start_url = wish.start_url or pasted_start_url(
        ask_text("Start URL:", check=lambda text: start_url_kind(pasted_start_url(text)))
    )
    region = wish.region or ask_text("Region of Identity Center:", DEFAULT_REGION, check_region)
    name = wish.name or ask_text(
        "A short name for this sign-in (used in profile names):",
        suggested_name(start_url, config),
        lambda text: check_session_name(text, config),
    )
    return replace(wish, name=name, start_url=start_url, region=region, duration=_length(wish))


def _length(wish: SessionWish) -> timedelta | None:
    """Ask how long a sign-in lasts there; AWS tells no program."""
    if wish.duration is not None:
        return wish.duration
    return read_length(
        ask_text("How many hours does a sign-in last? (leave empty if unknown)", check=read_length)
    )


def _first_choice(config: AwsConfig) -> SessionWish:
    """Offer the presets first, then what the config file has, then a new start URL."""
    presets = [
        (f"{name}  {item.start_url}", SessionWish(preset=name))
        for name, item in installed().items()
        if name not in config.sessions
    ]
    there = [
        (_existing(session, config), SessionWish(name=session.name))
        for session in config.sessions.values()
        if not session.legacy
    ]
    return ask_one("Which sign-in?", [*presets, *there, ("another start URL", SessionWish())])


def _existing(session: SsoSession, config: AwsConfig) -> str:
    count = sum(item.session == session.name for item in config.profiles.values())
    profiles = "1 profile" if count == 1 else f"{count} profiles"
    return f"{session.name}  {session.start_url}  (in your config file, {profiles})"


def pick(found: Sequence[RoleChoice], there: Collection[tuple[str, str]]) -> list[RoleChoice]:
    """Let a person pick accounts and roles; what has a profile already is picked from the start."""
    options = listed(found, there)
    before = [choice for _, choice in options if choice.key in there]
    return ask_several("Which accounts and roles?", options, before)


def region_of_profiles(default: str) -> str | None:
    """Ask for the region that new profiles get; empty for none."""

    def check(text: str) -> None:
        if text:
            check_region(text)

    return ask_text("Default region for these profiles (leave empty for none):", default, check) or None


def agreed() -> str:
    """Ask whether to write; ``yes``, ``no`` or ``names`` for other profile names."""
    return ask_one(
        "Write this?",
        [("Yes, write it", "yes"), ("Change the profile names first", "names"), ("No, change nothing", "no")],
    )


def template(before: str) -> str:
    """Ask for another template of the profile names."""
    return ask_text("Template, such as {session}-{account_name}-{role}:", before, check_template)


def starting(*, now: bool, at_login: bool) -> bool:
    """Ask whether to start the agent now, or at login, or both."""
    when = " and ".join(words for words, wanted in (("now", now), ("at every login", at_login)) if wanted)
    say("While it runs, everything renews automatically, and a notification tells you when to sign in again.")
    return ask_yes(f"Start credtray {when}?")


def activation(count: int) -> bool:
    """Ask whether to keep the keys of the profiles from now on."""
    which = "this profile" if count == 1 else f"these {count} profiles"
    say("Only tools that cannot use SSO profiles need keys in a file.")
    return ask_yes(f"Keep fresh keys for {which} in ~/.aws/credentials?", default=False)
