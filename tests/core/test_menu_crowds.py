"""Menus of hundreds of profiles, and of names somebody thought up to do harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credtray.core import clicks, protocol
from credtray.core.events import Activated, ConfigLoaded, MarksRead, SignedIn, Switched
from credtray.core.models import AwsConfig, Profile, SsoSession
from credtray.core.settings import ProfileSettings, Settings
from credtray.core.state import State, frozen
from credtray.core.state_words import CROWD
from credtray.menu import Item, Kind
from credtray.menu.profiles import LONGEST
from credtray.menu.tray_menu import Extras
from credtray.menu.tray_view import TrayView, face
from tests.core.making import MINUTE, NOON, after, config, session, token
from tests.core.menu_states import crowd, fetched
from tests.core.menu_text import every, labels, menu_of

MENUS = ("default", "active", "copy", "console")
KEY_LIKE = (
    *("a", "a:fish", "fish:a", "is:a", "shortcut:a", "is-shortcut:a", "ask:a", "yes:a", "none", "accounts"),
    *("account:1", "0:account:1", "1.0:accounts", "shortcuts"),
)
"""Names that look like the keys of items."""
_ODD_NAME = st.one_of(
    st.text(st.characters(), min_size=1, max_size=80),
    st.text(st.sampled_from("&_%<>:/\\-.{}אبע😀\u202e\u200d\u0301\ud800\n日"), min_size=1, max_size=12),
    st.sampled_from(KEY_LIKE),
)


def seen(state: State, minutes: float = 0) -> TrayView:
    return face(state, NOON + minutes * MINUTE, UTC, Extras(autostart=True, version="0.1.0"))


def made(profiles: dict[str, Profile], sessions: tuple[str, ...] = ("corp",)) -> State:
    known = {name: replace(session(), name=name) for name in sessions}
    state = after(State(seed="s"), ConfigLoaded(AwsConfig(known, profiles)), MarksRead(()))
    return after(state, *(SignedIn(name, token()) for name in sessions))


def menus(items: tuple[Item, ...]) -> Iterator[tuple[Item, ...]]:
    """The top menu and every submenu."""
    yield items
    for item in items:
        if item.children:
            yield from menus(item.children)


# --- odd names ---------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(_ODD_NAME, st.sampled_from(["1", "2", "3", ":", "a:b"]), _ODD_NAME), max_size=60),
    st.lists(_ODD_NAME, min_size=1, max_size=4, unique=True),
    st.dictionaries(st.sampled_from(["1", "2", "3"]), _ODD_NAME),
    st.booleans(),
)
def test_odd_names_make_a_menu_like_any_other(
    profiles: list[tuple[str, str, str]],
    sessions: list[str],
    accounts: dict[str, str],
    confirm: bool,  # noqa: FBT001 - a value of the property
) -> None:
    found = {name: Profile(name, sessions[0], account, role) for name, account, role in profiles}
    state = replace(made(found, tuple(sessions)), accounts=frozen(accounts))
    names = tuple(found)
    marked = frozen({name: ProfileSettings(production=True) for name in names[::3]})
    state = replace(state, settings=Settings(confirm_production=confirm, profiles=marked))
    state = after(state, Activated(names[::2]), Switched(names[0] if names else None))
    items = list(every(seen(state).menu))

    assert len({item.key for item in items}) == len(items)
    assert sum(item.default for item in items) <= 1
    for label in labels([item for item in items if item.kind is not Kind.SEPARATOR]):
        assert label.isprintable()
        assert label.strip()
        assert len(label) < 250
    assert {item.click.profile for item in items if isinstance(item.click, clicks.OpenConsole)} == set(names)


@pytest.mark.parametrize("count", [10, len(KEY_LIKE)])
@pytest.mark.parametrize("confirm", [False, True])
def test_names_that_look_like_keys_share_none(count: int, confirm: bool) -> None:  # noqa: FBT001 - a table
    names = KEY_LIKE[:count]
    marked = frozen({name: ProfileSettings(production=True) for name in names})
    state = made({name: Profile(name, "a", name, "R") for name in names}, ("a", *names[1:]))
    chosen = replace(state, settings=Settings(confirm_production=confirm, profiles=marked), recent=names[:3])
    keys = [item.key for item in every(seen(chosen).menu)]

    assert len(keys) == len(set(keys))


def test_five_hundred_odd_names_can_each_be_told_apart_and_chosen() -> None:
    scripts = ("שלום", "مرحبا", "日本", "😀", "<b>", "&File", "_x_", "%s", "a/b", "naïve")
    names = [f"{scripts[number % len(scripts)]}-{number}" for number in range(500)]
    shown = seen(
        made({name: Profile(name, "corp", f"{number % 37}", "R") for number, name in enumerate(names)})
    )
    radios = {item.label: item.click for item in every(shown.menu) if item.kind is Kind.RADIO}

    assert {label.partition("  ·  ")[0]: click for label, click in radios.items()} == {
        "None": protocol.Switch(None),
        **{name: protocol.Switch(name) for name in names},
    }


# --- the layout --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "accounts"), [(13, 1), (41, 1), (500, 1), (500, 7), (500, 100), (500, 500), (3300, 2)]
)
def test_no_submenu_is_longer_than_a_screen_and_every_profile_is_in_each_menu_once(
    count: int, accounts: int
) -> None:
    state = crowd(count, accounts)
    shown = seen(state)

    for key in MENUS:
        menu = menu_of(shown, key)
        assert all(len(entries) <= LONGEST + CROWD + 2 for entries in menus(menu.children))
        assert all(len(entries) <= LONGEST for item in menu.children for entries in menus(item.children))
    assert [
        item.click.profile for item in every(shown.menu) if isinstance(item.click, clicks.OpenConsole)
    ].count("p007") == 1


def test_few_profiles_are_a_flat_list_by_name() -> None:
    shown = seen(crowd(CROWD, 3))

    assert [item.key for item in menu_of(shown, "console").children] == [
        f"console:p{number:03}" for number in range(CROWD)
    ]


def test_one_profile_more_is_found_by_account() -> None:
    shown = seen(crowd(CROWD + 1, 3))

    assert [item.label for item in menu_of(shown, "console").children] == [
        "Payments",
        "Shop (111100000001)",
        "Shop (111100000002)",
    ]


def test_profiles_chosen_lately_come_first_and_are_found_in_their_account_as_well() -> None:
    recent = tuple(f"p{number:03}" for number in range(20, 40))
    shown = seen(replace(crowd(), recent=recent))
    radios = [item for item in menu_of(shown, "default").children if item.kind is Kind.RADIO]
    everywhere = [item for item in every(shown.menu) if item.click == protocol.Switch("p020")]

    assert [item.click for item in radios[:-1]] == [protocol.Switch(name) for name in recent[:CROWD]]
    assert {item.key for item in everywhere} == {"default-is-shortcut:p020", "default-is:p020"}


def test_favourites_come_before_what_was_chosen_lately() -> None:
    liked = frozen({name: ProfileSettings(favourite=True) for name in ("p040", "gone", "p020")})
    state = replace(crowd(), recent=("p011", "p020"), settings=Settings(profiles=liked))
    shown = seen(after(state, Activated(("p003",))))

    assert {
        key: [item.key.rpartition(":")[2] for item in menu_of(shown, key).children if "shortcut:" in item.key]
        for key in MENUS
    } == {
        "default": ["p040", "p020", "p003", "p011"],
        "active": ["p040", "p020", "p003", "p011"],
        "copy": ["p040", "p020", "p003", "p011"],
        "console": ["p040", "p020", "p003", "p011"],
    }


def test_many_favourites_leave_the_menu_as_long_as_a_screen() -> None:
    liked = frozen({f"p{number:03}": ProfileSettings(favourite=True) for number in range(60)})
    shown = seen(replace(crowd(), settings=Settings(profiles=liked)))

    for key in MENUS:
        assert sum("shortcut:" in item.key for item in menu_of(shown, key).children) == CROWD


def test_shortcuts_keep_their_places_when_one_of_them_becomes_the_default() -> None:
    state = replace(crowd(), recent=("p001", "p002", "p003"))
    before, after_it = seen(state), seen(replace(state, default="p002"))

    assert [item.key for item in menu_of(before, "default").children] == [
        item.key for item in menu_of(after_it, "default").children
    ]


def test_active_profiles_lead_the_list_of_the_active_ones() -> None:
    state = after(replace(crowd(), recent=("p001",)), Activated(("p050", "p040")))
    checks = [item for item in menu_of(seen(state), "active").children if item.kind is Kind.CHECK]

    assert [item.key for item in checks if item.checked] == [
        "active-is-shortcut:p050",
        "active-is-shortcut:p040",
    ]
    assert checks[0].checked


def test_in_a_crowd_a_minute_changes_no_label() -> None:
    names = tuple(f"p{number:03}" for number in range(60))
    state = fetched(after(crowd(), Activated(names)), *names)
    before, later = (
        [item.label for item in every(menu_of(seen(state, minutes), "active").children)] for minutes in (1, 2)
    )

    assert before == later


def test_what_is_gone_from_the_config_file_is_no_shortcut() -> None:
    shown = seen(replace(crowd(), recent=("gone", "p001"), active=("gone",), default="gone"))

    assert not [item for item in every(shown.menu) if item.key.endswith(":gone")]


def test_many_sessions_wait_in_a_submenu_the_used_ones_at_the_top() -> None:
    names = [f"s{number:02}" for number in range(12)]
    sessions = tuple(SsoSession(name, "https://corp.awsapps.com/start", "us-east-1") for name in names)
    state = after(State(), ConfigLoaded(config(sessions=sessions)), MarksRead(()), SignedIn("s11", token()))
    shown = seen(state)
    top = [item.key for item in shown.menu if item.key.startswith("session:")]

    assert top == ["session:s11", *(f"session:{name}" for name in names[:7])]
    assert labels([menu_of(shown, "sessions-more")]) == ["4 more sessions"]
