"""The menu's profiles: the default one, the active ones, whose keys to copy, whose console to open.

Pure; builds items only. What is done with production can be asked twice: a second click in a submenu.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agent.core.clicks import CopyCredentials, OpenConsole
from agent.core.forms import Form
from agent.core.lines import CROWD, GAP, PRODUCTION, is_production, keys_words
from agent.core.menu import Item, Kind
from agent.core.menu_branches import Catalogue, Menu, catalogue, laid_out, separator
from agent.core.overview import Overview
from agent.core.plain import plain
from agent.core.protocol import Activate, Deactivate, Switch
from agent.core.state import State

RECENT = 8
"""Shortcuts of the default profile: more is a search again."""
FORMS = (
    (Form.POSIX, "bash, zsh"),
    (Form.FISH, "fish"),
    (Form.POWERSHELL, "PowerShell"),
    (Form.CMD, "cmd"),
    (Form.SECTION, "credentials file"),
)


def profile_menus(seen: Overview) -> Iterator[Item]:
    """Yield the four submenus of profiles; a line of text when there is no profile."""
    state = seen.state
    if not state.profiles:
        yield Item("no-profiles", Kind.TEXT, "No profiles yet. Run: credtray setup")
        return
    entries = catalogue(state)
    asks = frozenset(_asks(state))
    radios = _default(_default_menu(state, entries), state.default, asks)
    yield Item("default", Kind.SUBMENU, f"Default profile: {_chosen(state)}", children=radios)
    active = tuple(name for name in state.active if name in state.profiles)
    first = active if len(entries) > CROWD else ()
    checks = _active(seen, Menu(entries, first, state.recent), frozenset(active), asks)
    yield Item("active", Kind.SUBMENU, f"Active profiles: {len(active)}", children=checks)
    likely = Menu(entries, state.kept, state.recent)
    yield Item("copy", Kind.SUBMENU, "Copy credentials", children=_copies(likely))
    yield Item("console", Kind.SUBMENU, "Open console", children=_consoles(likely))


# --- choosing ----------------------------------------------------------------------------------------


def _chosen(state: State) -> str:
    if state.default is None:
        return "none"
    sign = f"{GAP}{PRODUCTION}" if is_production(state, state.default) else ""
    return f"{plain(state.default)}{sign}"


def _default_menu(state: State, entries: Catalogue) -> Menu:
    # The default itself is among the shortcuts even when it was chosen long ago; else they keep their order.
    hidden = state.default is not None and state.default not in state.recent[:RECENT]
    crowd = len(entries) > CROWD
    first = (state.default,) if crowd and hidden and state.default is not None else ()
    return Menu(entries, first, state.recent, RECENT)


@lru_cache(maxsize=2)
def _default(menu: Menu, default: str | None, asks: frozenset[str]) -> tuple[Item, ...]:
    labels = _labels(menu)

    def radio(name: str, prefix: str) -> Item:
        if name != default and name in asks:
            return _asked(name, prefix, labels[name], "Yes, switch to production", Switch(name))
        return Item(f"{prefix}:{name}", Kind.RADIO, labels[name], Switch(name), checked=name == default)

    nothing = Item("default-none", Kind.RADIO, "None", Switch(None), checked=default is None)
    return (*laid_out(menu, "default-is", radio), separator("default-none"), nothing)


def _active(seen: Overview, menu: Menu, active: frozenset[str], asks: frozenset[str]) -> tuple[Item, ...]:
    labels, profiles = _labels(menu), seen.state.profiles

    def check(name: str, prefix: str) -> Item:
        words = keys_words(seen, profiles[name])
        label = f"{labels[name]}{GAP}{words}" if words else labels[name]
        if name in active:
            return Item(f"{prefix}:{name}", Kind.CHECK, label, Deactivate((name,)), checked=True)
        if name in asks:
            return _asked(name, prefix, label, "Yes, activate production", Activate((name,)))
        return Item(f"{prefix}:{name}", Kind.CHECK, label, Activate((name,)))

    return laid_out(menu, "active-is", check)


def _asks(state: State) -> Iterator[str]:
    if state.settings.confirm_production:
        yield from (name for name in state.profiles if is_production(state, name))


def _asked(name: str, prefix: str, label: str, question: str, click: Switch | Activate) -> Item:
    """Return an item that does nothing until a second, deliberate click in its submenu."""
    yes = Item(f"{prefix}-yes:{name}", Kind.COMMAND, question, click)
    return Item(f"{prefix}-ask:{name}", Kind.SUBMENU, label, children=(yes,))


def _labels(menu: Menu) -> dict[str, str]:
    return {entry.name: entry.label for entry in menu.entries}


# --- using -------------------------------------------------------------------------------------------


@lru_cache(maxsize=2)  # thousands of items, and the clock changes none of them
def _copies(menu: Menu) -> tuple[Item, ...]:
    labels = _labels(menu)

    def forms(name: str, prefix: str) -> Item:
        return _forms(name, labels[name], prefix)

    return laid_out(menu, "copy", forms)


@lru_cache(maxsize=4096)  # what is activated moves to the top; the others' items stay as they are
def _forms(name: str, label: str, prefix: str) -> Item:
    written = tuple(
        Item(f"{prefix}-{form.value}:{name}", Kind.COMMAND, words, CopyCredentials(name, form))
        for form, words in FORMS
    )
    return Item(f"{prefix}:{name}", Kind.SUBMENU, label, children=written)


@lru_cache(maxsize=2)
def _consoles(menu: Menu) -> tuple[Item, ...]:
    labels = _labels(menu)

    def console(name: str, prefix: str) -> Item:
        return Item(f"{prefix}:{name}", Kind.COMMAND, labels[name], OpenConsole(name))

    return laid_out(menu, "console", console)
