"""The menu's profiles: the default one, the active ones, whose keys to copy, whose console to open.

Pure; builds items only. What is done with production can be asked twice: a second click in a submenu.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from credtray.core.clicks import CopyCredentials, OpenConsole
from credtray.core.face.lines import CROWD, GAP, default_words, is_production, keys_words
from credtray.core.forms import Form, Shell
from credtray.core.menu import Item, Kind
from credtray.core.menu.agent import setup_items
from credtray.core.menu.branches import Entry, Menu, catalogue, laid_out, separator
from credtray.core.models import Delivery
from credtray.core.protocol import Activate, Deactivate, Switch
from credtray.core.state import State
from credtray.core.summary import Summary

RECENT = 8
"""Shortcuts of the default profile: more is a search again."""
_SHELLS = {form: ", ".join(each.menu for each in Shell if each.form is form and each.menu) for form in Form}
FORMS = (*((form, names) for form, names in _SHELLS.items() if names), (Form.SECTION, "credentials file"))
"""Which keys are copied for, and what the menu calls it."""
_WAYS = {Delivery.PROCESS: "by credential_process", Delivery.ENDPOINT: "by the local endpoint"}
"""How programs get keys that are in no section."""


def profile_menus(seen: Summary) -> Iterator[Item]:
    """Yield the four submenus of profiles; the way to get profiles when there is none."""
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
    yield Item("copy", Kind.SUBMENU, "Copy credentials", children=_copies(menu))
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
        parts = (entries[name].label, keys_words(seen, state.profiles[name]), way)
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
def _copies(menu: Menu) -> tuple[Item, ...]:
    entries = _entries(menu)

    def forms(name: str, prefix: str) -> Item:
        return _forms(name, entries[name], prefix)

    return laid_out(menu, "copy", forms)


@lru_cache(maxsize=4096)  # what is activated moves to the top; the others' items stay as they are
def _forms(name: str, entry: Entry, prefix: str) -> Item:
    written = tuple(
        Item(f"{prefix}-{form.value}:{name}", Kind.COMMAND, words, CopyCredentials(name, form))
        for form, words in FORMS
    )
    children = (*_notes(name, prefix, entry.notes), *written)
    return Item(f"{prefix}:{name}", Kind.SUBMENU, entry.label, children=children)


@lru_cache(maxsize=2)
def _consoles(menu: Menu) -> tuple[Item, ...]:
    entries = _entries(menu)

    def console(name: str, prefix: str) -> Item:
        return Item(f"{prefix}:{name}", Kind.COMMAND, entries[name].label, OpenConsole(name))

    return laid_out(menu, "console", console)
