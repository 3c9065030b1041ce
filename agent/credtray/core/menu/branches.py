"""How a crowd of profiles is laid out in submenus: by account, none longer than fits on a screen. Pure.

Lays out names only; what an item does is said by whoever asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

from credtray.core.face.lines import CROWD, account_words, profile_label
from credtray.core.menu import Item, Kind
from credtray.core.models import Profile
from credtray.core.plain import plain
from credtray.core.state import State

T = TypeVar("T")

LONGEST = 40
"""Entries of one submenu."""
_LABEL_SIDE = 24
_LONGEST_NOTES = 110


@dataclass(frozen=True, slots=True)
class Branch:
    """A submenu: of profiles, or of further submenus."""

    key: str
    """Unique among the branches of one tree, and the same as long as the account is."""
    label: str
    names: tuple[str, ...] = ()
    branches: tuple[Branch, ...] = ()


class Entry(NamedTuple):
    """One profile, as far as the layout goes."""

    name: str
    account_id: str
    account: str
    """The account's label."""
    label: str
    notes: str = ""
    """What a person has written down to be known before it is used."""


Catalogue = tuple[Entry, ...]
"""All profiles in the order of the config file. Changes with config file, settings and account names only."""


def catalogue(state: State) -> Catalogue:
    """Return the profiles with their labels."""
    accounts = {item.profile.account_id: "" for item in state.profiles.values()}
    labels = {account: account_words(state, account) for account in accounts}
    seen = Counter(labels.values())
    for account, label in labels.items():
        accounts[account] = label if seen[label] == 1 else f"{label} ({plain(account)})"
    return tuple(
        _entry(state, item.profile, accounts[item.profile.account_id]) for item in state.profiles.values()
    )


def _entry(state: State, profile: Profile, account: str) -> Entry:
    notes = state.settings.profile(profile.name).notes
    told = plain(notes, _LONGEST_NOTES) if notes is not None else ""
    return Entry(profile.name, profile.account_id, account, profile_label(state, profile, account), told)


@lru_cache(maxsize=2)  # asked for at every tick
def branches(entries: Catalogue) -> tuple[Branch, ...]:
    """Return the accounts by name, each with its profiles by name."""
    members: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        members.setdefault((entry.account, entry.account_id), []).append(entry.name)
    accounts = sorted(members, key=lambda account: (account[0].casefold(), account))
    found = tuple(_account(account_id, label, members[label, account_id]) for label, account_id in accounts)
    return _parted(found, "accounts")


def _account(account_id: str, label: str, members: list[str]) -> Branch:
    names = tuple(sorted(members, key=lambda name: (name.casefold(), name)))
    key = f"account:{account_id}"
    if len(names) <= LONGEST:
        return Branch(key, label, names)
    pieces = [
        Branch(f"{index}:{key}", _span(part[0], part[-1]), part) for index, part in enumerate(_parts(names))
    ]
    return Branch(key, label, branches=_parted(tuple(pieces), key))


def _parted(found: tuple[Branch, ...], key: str) -> tuple[Branch, ...]:
    """Return the branches below as many further ones as it takes to keep each level short."""
    level = 0
    while len(found) > LONGEST:
        level += 1
        found = tuple(
            Branch(f"{level}.{index}:{key}", _span(part[0].label, part[-1].label), branches=part)
            for index, part in enumerate(_parts(found))
        )
    return found


def _parts(things: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    """Yield them in order, in as few parts as possible, all about equally long."""
    count = -(-len(things) // LONGEST)
    edges = [index * len(things) // count for index in range(count + 1)]
    for start, end in pairwise(edges):
        yield things[start:end]


def _span(first: str, last: str) -> str:
    return f"{plain(first, _LABEL_SIDE)} to {plain(last, _LABEL_SIDE)}"


# --- a menu of profiles ------------------------------------------------------------------------------

MakeItem = Callable[[str, str], Item]
"""(profile, key prefix) -> its item."""


@dataclass(frozen=True, slots=True)
class Menu:
    """What a menu of profiles is made of, besides its items. Hashable: an unchanged menu is shared."""

    entries: Catalogue
    first: tuple[str, ...] = ()
    """Profiles to be found before all others."""
    recent: tuple[str, ...] = ()
    """In a crowd the next ones."""
    shortcuts: int = CROWD
    """Of these together, at most."""


def laid_out(menu: Menu, prefix: str, make: MakeItem) -> tuple[Item, ...]:
    """Return the items of all profiles: by name for a few, else shortcuts and a submenu for each account.

    A shortcut is an item of its own: the profile is found under its account as well.
    """
    names = frozenset(entry.name for entry in menu.entries)
    if len(names) <= CROWD:
        every = dict.fromkeys((*menu.first, *sorted(names, key=lambda name: (name.casefold(), name))))
        return tuple(make(name, prefix) for name in every if name in names)
    wanted = [name for name in dict.fromkeys((*menu.first, *menu.recent)) if name in names]
    top = tuple(make(name, f"{prefix}-shortcut") for name in wanted[: menu.shortcuts])
    gap = (separator(f"{prefix}-shortcuts"),) if top else ()
    return top + gap + tuple(_submenu(branch, prefix, make) for branch in branches(menu.entries))


def _submenu(branch: Branch, prefix: str, make: MakeItem) -> Item:
    children = [_submenu(inner, prefix, make) for inner in branch.branches]
    children += [make(name, prefix) for name in branch.names]
    return Item(f"{prefix}-{branch.key}", Kind.SUBMENU, branch.label, children=tuple(children))


def separator(after: str) -> Item:
    """Return a line between items; *after* makes its key unique."""
    return Item(f"separator:{after}", Kind.SEPARATOR)
