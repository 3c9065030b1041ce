"""The menu's profiles: the default one, the active ones, whose keys to copy, whose console to open.

Pure; builds items only. What is done with production can be asked twice: a second click in a submenu.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeVar

from credtray.core.clicks import CopyCredentials, OpenConsole
from credtray.core.forms import Form, Shell
from credtray.core.models import Delivery, Profile
from credtray.core.protocol import Activate, Deactivate, Switch
from credtray.core.session_status import is_gone
from credtray.core.state import State
from credtray.core.state_words import (
    CROWD,
    GAP,
    account_words,
    default_words,
    is_production,
    keys_line,
    profile_label,
)
from credtray.core.summary import Summary
from credtray.core.words import plain
from credtray.menu import Item, Kind
from credtray.menu.sessions import setup_items

# How a crowd of profiles is laid out in submenus: by account, none longer than fits on a screen. Pure.
#
# Lays out names only; what an item does is said by whoever asks.


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


RECENT = 8
"""Shortcuts of the default profile: more is a search again."""
Forms = tuple[tuple[Form, str], ...]
_SHELLS = {form: ", ".join(each.menu for each in Shell if each.form is form and each.menu) for form in Form}
FORMS: Forms = (
    *((form, names) for form, names in _SHELLS.items() if names),
    (Form.SECTION, "credentials file"),
)
"""Which keys are copied for, and what the menu calls it."""
_REMOVED = "role removed"
_WAYS = {Delivery.PROCESS: "by credential_process", Delivery.ENDPOINT: "by the local endpoint"}
"""How programs get keys that are in no section."""


def forms_from(first: Form) -> Forms:
    """Return ``FORMS`` with one before all others."""
    return tuple(sorted(FORMS, key=lambda each: each[0] is not first))


def profile_menus(seen: Summary, first: Form = Form.POSIX) -> Iterator[Item]:
    """Yield the four submenus of profiles; the way to get profiles when there is none.

    Credentials are copied in the *first* form most.
    """
    state = seen.state
    if not state.profiles:
        yield from setup_items("No profiles yet")
        return
    menu, asks = _menu(state), frozenset(_asks(state))
    radios = _default(menu, state.default, asks)
    yield Item("default", Kind.SUBMENU, default_words(state), children=radios)
    active = frozenset(name for name in state.active if name in state.profiles)
    checks = _active(seen, menu, active, asks)
    label = f"Keys kept in credentials file ({len(active)})"
    yield Item("active", Kind.SUBMENU, label, children=checks)
    yield Item("copy", Kind.SUBMENU, "Copy credentials", children=_copies(menu, first))
    yield Item("console", Kind.SUBMENU, "Open console", children=_consoles(menu))


def _menu(state: State) -> Menu:
    """Return the order of every submenu of profiles: whoever has learned one knows them all."""
    entries, liked = catalogue(state), favourites(state)
    if len(entries) <= CROWD:
        return Menu(entries, liked)
    active = tuple(name for name in state.active if name in state.profiles)
    # The default itself is among the shortcuts even when it was chosen long ago; else they keep their order.
    hidden = state.default is not None and state.default not in state.recent[:RECENT]
    first = (state.default,) if hidden and state.default is not None else ()
    return Menu(entries, (*liked, *active, *first), state.recent)


def favourites(state: State) -> tuple[str, ...]:
    """Return the profiles a person wants to find first, in the order of the settings file."""
    chosen = state.settings.profiles.items()
    return tuple(name for name, each in chosen if each.favourite and name in state.profiles)


# --- choosing ----------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _default(menu: Menu, default: str | None, asks: frozenset[str]) -> tuple[Item, ...]:
    entries = _entries(menu)

    def radio(name: str, prefix: str) -> Item:
        if name != default and name in asks:
            return _asked(name, prefix, entries[name], "Yes, switch to production", Switch(name))
        return Item(
            f"{prefix}:{name}", Kind.RADIO, entries[name].label, Switch(name), checked=name == default
        )

    nothing = Item("default-none", Kind.RADIO, "None", Switch(None), checked=default is None)
    return (*laid_out(menu, "default-is", radio), separator("default-none"), nothing)


def _active(seen: Summary, menu: Menu, active: frozenset[str], asks: frozenset[str]) -> tuple[Item, ...]:
    entries, state = _entries(menu), seen.state

    def check(name: str, prefix: str) -> Item:
        way = _WAYS.get(state.settings.profile(name).delivery, "") if name in active else ""
        keys = _REMOVED if is_gone(state, state.profiles[name]) else keys_line(seen, state.profiles[name])
        parts = (entries[name].label, keys, way)
        label = GAP.join(part for part in parts if part)
        if name in active:
            return Item(f"{prefix}:{name}", Kind.CHECK, label, Deactivate((name,)), checked=True)
        if name in asks:
            entry = entries[name]._replace(label=label)
            return _asked(name, prefix, entry, "Yes, activate production", Activate((name,)))
        return Item(f"{prefix}:{name}", Kind.CHECK, label, Activate((name,)))

    return laid_out(menu, "active-is", check)


def _asks(state: State) -> Iterator[str]:
    if state.settings.confirm_production:
        yield from (name for name in state.profiles if is_production(state, name))


def _asked(name: str, prefix: str, entry: Entry, question: str, click: Switch | Activate) -> Item:
    """Return an item that does nothing until a second, deliberate click in its submenu."""
    yes = Item(f"{prefix}-yes:{name}", Kind.COMMAND, question, click)
    children = (*_notes(name, prefix, entry.notes), yes)
    return Item(f"{prefix}-ask:{name}", Kind.SUBMENU, entry.label, children=children)


def _notes(name: str, prefix: str, notes: str) -> tuple[Item, ...]:
    """Return the line of what is worth knowing before the profile is used; nothing when there is nothing."""
    return (Item(f"{prefix}-notes:{name}", Kind.TEXT, notes),) if notes else ()


def _entries(menu: Menu) -> dict[str, Entry]:
    return {entry.name: entry for entry in menu.entries}


# --- using -------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)  # thousands of items, and the clock changes none of them
def _copies(menu: Menu, first: Form) -> tuple[Item, ...]:
    entries = _entries(menu)

    def forms(name: str, prefix: str) -> Item:
        return _forms(name, entries[name], prefix, first)

    return laid_out(menu, "copy", forms)


@lru_cache(maxsize=4096)  # what is activated moves to the top; the others' items stay as they are
def _forms(name: str, entry: Entry, prefix: str, first: Form) -> Item:
    written = tuple(
        Item(f"{prefix}-{form.value}:{name}", Kind.COMMAND, words, CopyCredentials(name, form))
        for form, words in forms_from(first)
    )
    children = (*_notes(name, prefix, entry.notes), *written)
    return Item(f"{prefix}:{name}", Kind.SUBMENU, entry.label, children=children)


@lru_cache(maxsize=2)
def _consoles(menu: Menu) -> tuple[Item, ...]:
    entries = _entries(menu)

    def console(name: str, prefix: str) -> Item:
        return Item(f"{prefix}:{name}", Kind.COMMAND, entries[name].label, OpenConsole(name))

    return laid_out(menu, "console", console)
