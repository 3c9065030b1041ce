"""Which accounts and roles `credtray setup` takes: from --accounts and --roles, or picked from a list.

Knows no file and no network.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from credtray.core.errors import UsageError
from credtray.core.models import Account
from credtray.core.naming import RoleChoice
from credtray.core.words import did_you_mean

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


def listed(
    choices: Iterable[RoleChoice], there: Collection[tuple[str, str]]
) -> list[tuple[tuple[str, str], RoleChoice]]:
    """Return ((account, role), choice) for the list to pick from, sorted as a person looks for them."""
    ordered = sorted(
        choices,
        key=lambda item: ((item.account.name or "~").casefold(), item.account.account_id, item.role_name),
    )
    marks = dict.fromkeys(there, "  (has a profile)")
    return [
        ((_account_words(item.account), f"{item.role_name}{marks.get(item.key, '')}"), item)
        for item in ordered
    ]


def _account_words(account: Account) -> str:
    return f"{account.name} {account.account_id}" if account.name else account.account_id
