"""The whole menu as text in typical moments, and what its items do; see tests/core/snapshots/menu-*.txt.

Run with UPDATE_SNAPSHOTS=1 to write the texts anew, and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from credtray.core import clicks, protocol
from credtray.core.events import (
    Activated,
    AgentsAsked,
    Deactivated,
    RolesListed,
    SignedIn,
    SignInAddressKnown,
    SignInStarted,
    Switched,
)
from credtray.core.forms import Form
from credtray.core.models import AwsConfig, ConfigWarning
from credtray.core.protocol.results import AgentQuestion
from credtray.core.settings import ProfileSettings, Settings
from credtray.core.state import State, frozen
from credtray.menu import Item, Kind
from credtray.menu.profiles import FORMS, forms_from
from credtray.menu.tray_menu import Extras, tomorrow_morning
from credtray.menu.tray_view import TrayView, face
from tests.core.making import MINUTE, NOON, after, signed_in, started, token
from tests.core.menu_states import (
    Moment,
    moments,
    profile_moments,
    session_moments,
    trouble_moments,
    working,
)
from tests.core.menu_text import every, labels, menu_of, text_of

SNAPSHOTS = Path(__file__).with_name("snapshots")
EXTRAS = Extras(autostart=False, version="0.1.0")
USES = ("copy", "console")
"""Submenus that look alike at all times; they are open in one moment only."""


def seen(state: State, now: datetime = NOON, extras: Extras = EXTRAS) -> TrayView:
    return face(state, now, UTC, extras)


def at(name: str) -> TrayView:
    moment = moments()[name]
    return seen(moment.state, moment.now)


@pytest.mark.parametrize(
    ("name", "found", "closed"),
    [
        ("sessions", session_moments, (*USES, "default", "notices-pause")),
        ("troubles", trouble_moments, (*USES, "default", "notices-pause")),
        ("profiles", profile_moments, (*USES, "notices-pause")),
        ("opened", lambda: iter([("everything opened", Moment(working()))]), ()),
    ],
)
def test_menus_are_as_they_were_read_and_approved(
    name: str, found: Callable[[], Iterator[tuple[str, Moment]]], closed: tuple[str, ...]
) -> None:
    shown = {title: text_of(seen(moment.state, moment.now), closed) for title, moment in found()}
    text = "\n\n".join(f"# {title}\n\n{menu}" for title, menu in shown.items()) + "\n"
    snapshot = SNAPSHOTS / f"menu-{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(text, encoding="utf-8")

    assert snapshot.read_text(encoding="utf-8") == text


# --- what holds at all times -------------------------------------------------------------------------


@pytest.mark.parametrize("name", moments())
def test_menu_is_well_formed_at_all_times(name: str) -> None:
    items = list(every(at(name).menu))
    keys = [item.key for item in items]

    assert len(keys) == len(set(keys))
    assert sum(item.default for item in items) <= 1
    for item in items:
        assert (item.click is not None) == (item.kind in {Kind.COMMAND, Kind.CHECK, Kind.RADIO}), item.key
        assert bool(item.children) == (item.kind is Kind.SUBMENU), item.key
        assert bool(item.label) == (item.kind is not Kind.SEPARATOR), item.key


def test_items_keep_their_keys_while_time_passes_and_choices_change() -> None:
    state = working()
    before = {item.key for item in every(seen(state).menu)}
    later = after(state, Switched("ro"), Activated(("prod",)), Deactivated(("dev",)))

    assert before == {item.key for item in every(seen(later, NOON + 20 * MINUTE).menu)}


def test_an_item_that_acts_on_another_session_or_profile_is_another_item() -> None:
    """Panels click by number, which goes with the key; whoever clicks may not have seen the change yet."""
    acts_on: dict[str, set[str]] = {}
    for name in moments():
        for item in every(at(name).menu):
            target = getattr(item.click, "session", None) or getattr(item.click, "profile", None)
            if target is not None:
                acts_on.setdefault(item.key, set()).add(target)

    assert {key: targets for key, targets in acts_on.items() if len(targets) > 1} == {}


def test_the_icon_itself_is_at_the_top_of_the_menu_where_panels_look_for_it() -> None:
    for name in moments():
        shown = at(name)

        assert [item.key for item in every(shown.menu) if item.default] == [
            item.key for item in shown.menu if item.default
        ], name


# --- sessions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "click"),
    [
        ("signed out, nothing chosen", protocol.Login("corp")),
        ("ended", protocol.Login("corp")),
        ("ends soon", protocol.Login("corp", fresh=True)),
        ("sign-in denied", protocol.Login("corp")),
        ("two sessions, one in use signed out", protocol.Login("lab")),
        ("signed in, estimated", None),
        ("offline", None),
        ("clock off", None),
        ("signing in, the address is not known yet", None),
        ("nothing is set up", None),
    ],
)
def test_click_on_the_icon_signs_in_where_a_person_is_wanted(
    moment: str, click: protocol.Login | None
) -> None:
    defaults = [item.click for item in every(at(moment).menu) if item.default]

    assert ([] if click is None else [click]) == defaults


@pytest.mark.met("M14")
def test_a_sign_in_that_ends_a_good_one_takes_a_second_click_that_says_what_it_costs() -> None:
    row = menu_of(at("signed in, proven"), "sign-in:corp")

    assert (row.label, row.click) == ("New sign-in…", None)
    assert [(item.label, item.click) for item in row.children] == [
        ("Yes, end the current one (45 min left)", protocol.Login("corp", fresh=True, agreed=True)),
        (
            "Yes, end the current one (45 min left), on another device",
            protocol.Login("corp", fresh=True, device=True, agreed=True),
        ),
    ]
    assert not menu_of(at("signed in, proven"), "sign-in-device:corp").enabled


@pytest.mark.met("M14")
@pytest.mark.parametrize("moment", ["signed in, estimated", "signed in, proven", "offline", "clock off"])
def test_one_click_never_ends_a_sign_in_of_which_much_is_left(moment: str) -> None:
    top = [item for item in at(moment).menu if item.enabled]

    assert [
        item for item in top if isinstance(item.click, protocol.Login | protocol.Logout | protocol.Stop)
    ] == []


def test_near_its_end_a_new_sign_in_is_one_click_away() -> None:
    shown = at("ends soon")

    assert menu_of(shown, "sign-in:corp") == Item(
        "sign-in:corp", Kind.COMMAND, "Sign in again", protocol.Login("corp", fresh=True), default=True
    )
    assert menu_of(shown, "sign-in-device:corp").click == protocol.Login("corp", fresh=True, device=True)


def test_link_can_be_copied_as_soon_as_it_is_known() -> None:
    pending = after(started("dev"), SignInStarted("corp"))
    known = after(pending, SignInAddressKnown("corp", "https://oidc.us-east-1.amazonaws.com/authorize?x=1"))
    links = [menu_of(seen(state), "sign-in-link:corp") for state in (pending, known)]

    assert [link.enabled for link in links] == [False, True]
    assert links[1].click == clicks.CopySignInLink("corp")
    assert menu_of(seen(known), "sign-in-cancel:corp").click == protocol.CancelLogin("corp")


@pytest.mark.met("M14")
@pytest.mark.parametrize(
    ("active", "keep", "cost"),
    [
        (("dev", "ro", "prod"), False, " (3 active profiles lose their keys)"),
        (("ro",), False, " (1 active profile loses its keys)"),
        ((), False, ""),
        (("ro",), True, " (keys stay until they expire, and are not renewed)"),
    ],
)
def test_signing_out_takes_a_second_click_that_says_what_it_costs(
    active: tuple[str, ...],
    keep: bool,  # noqa: FBT001 - a row
    cost: str,
) -> None:
    settings = Settings(remove_keys_at_sign_out=not keep)
    state = after(
        started("dev", "ro", "prod", settings=settings), SignedIn("corp", token()), Activated(active)
    )
    row = menu_of(seen(state), "sign-out")

    assert (row.kind, row.enabled) == (Kind.SUBMENU, True)
    assert [(item.label, item.click) for item in row.children] == [
        (f"Yes, sign out of corp{cost}", protocol.Logout("corp"))
    ]


@pytest.mark.met("M14")
@pytest.mark.parametrize(
    ("removes", "keys"),
    [(True, "keys are removed from the credentials file"), (False, "keys stay in the credentials file")],
)
def test_quitting_takes_a_second_click_that_says_what_it_costs(removes: bool, keys: str) -> None:  # noqa: FBT001 - a row
    state = started("dev", settings=Settings(remove_keys_on_stop=removes))
    (yes,) = menu_of(seen(state), "quit").children

    assert (yes.label, yes.click) == (f"Yes, quit (renewal stops; {keys})", protocol.Stop())


def test_nothing_that_is_not_there_can_be_signed_out() -> None:
    row = menu_of(seen(started("dev")), "sign-out")

    assert [item.enabled for item in (row, *row.children)] == [False, False]


def test_of_two_sessions_each_is_signed_out_of_by_itself() -> None:
    row = menu_of(at("two sessions, one in use signed out"), "sign-out")

    assert [(item.click, item.enabled) for item in row.children] == [
        (protocol.Logout("corp"), True),
        (protocol.Logout("lab"), False),
    ]


@pytest.mark.met("M14")
def test_rows_keep_their_places_whatever_happens_to_a_session() -> None:
    names = [name for name, _ in session_moments() if "two" not in name and "set up" not in name]
    names += [name for name, _ in trouble_moments() if "at the start" not in name]
    places = {name: [item.key for item in at(name).menu] for name in names}

    assert {tuple(keys) for keys in places.values()} == {tuple(places["signed in, estimated"])}


@pytest.mark.met("M14")
def test_rows_of_two_sessions_keep_their_places() -> None:
    both, one = at("two sessions, both signed in"), at("two sessions, one in use signed out")

    def row(item: Item) -> str:
        return item.key.partition(":")[0] if item.key.startswith("sign-in-wanted:") else item.key

    assert [row(item) for item in both.menu] == [row(item) for item in one.menu]
    assert [item.key for item in menu_of(both, "session:lab").children] == [
        item.key for item in menu_of(one, "session:lab").children
    ]


@pytest.mark.met("M14")
def test_what_costs_most_is_at_the_end_behind_a_line() -> None:
    for name in moments():
        keys = [item.key for item in at(name).menu]

        assert [key for key in keys[keys.index("separator:agent") :] if key != "sign-out"] == [
            "separator:agent",
            "quit",
        ], name


@pytest.mark.met("L")
def test_problems_are_told_in_a_row_that_does_not_grow() -> None:
    fine, broken = at("signed in, estimated"), at("credentials file broken")

    assert menu_of(fine, "problems") == Item("problems", Kind.TEXT, "No problems")
    assert menu_of(broken, "problems").label == "1 problem"
    assert labels(menu_of(broken, "problems").children) == [
        "The credentials file is broken, so every AWS tool fails: line 3"
    ]


@pytest.mark.met("L")
def test_warnings_about_the_files_are_told_in_their_own_words() -> None:
    warnings = tuple(
        ConfigWarning(f"p{line}", line, f"setting {line} is not known", "Fix it.", in_credentials=line == 2)
        for line in range(1, 6)
    )
    state = replace(working(), config=AwsConfig(warnings=warnings))

    assert labels(menu_of(seen(state), "problems").children) == [
        "Config file, line 1: setting 1 is not known",
        "Credentials file, line 2: setting 2 is not known",
        "Config file, line 3: setting 3 is not known",
        "2 more warnings about the AWS files",
    ]


@pytest.mark.met("L")
@pytest.mark.parametrize(
    ("state", "lacking"),
    [
        (State(), "Not set up yet"),
        (replace(working(), profiles=frozen({}), active=(), default=None), "No profiles yet"),
    ],
)
def test_setup_is_one_click_away_and_no_command_to_learn(state: State, lacking: str) -> None:
    shown = seen(state)
    commands = [item.label for item in every(shown.menu) if "credtray " in item.label]

    assert menu_of(shown, "set-up").label == f"{lacking}: run setup in a terminal"
    assert menu_of(shown, "set-up-copy").click == clicks.CopySetupCommand()
    assert commands == ["About credtray 0.1.0"]


@pytest.mark.met("L")
def test_the_headline_has_room_for_whatever_it_may_say_while_the_menu_is_open() -> None:
    for name, moment in session_moments():
        for session in moment.state.sessions:
            row = menu_of(at(name), f"session:{session}")

            assert len(row.label) <= row.room, (name, row.label)


# --- profiles ----------------------------------------------------------------------------------------


def test_choosing_the_default_switches_and_none_gives_it_back() -> None:
    shown = at("signed in, estimated")

    assert menu_of(shown, "default-is:ro").click == protocol.Switch("ro")
    assert menu_of(shown, "default-is:dev").checked
    assert menu_of(shown, "default-none").click == protocol.Switch(None)


def test_checks_activate_and_deactivate_one_profile() -> None:
    shown = at("signed in, estimated")

    assert menu_of(shown, "active-is:prod").click == protocol.Activate(("prod",))
    assert menu_of(shown, "active-is:dev").click == protocol.Deactivate(("dev",))


def test_production_takes_a_second_click_and_only_on_the_way_in() -> None:
    asked, chosen = at("production is asked twice"), at("production was chosen")

    assert menu_of(asked, "default-is-ask:prod").click is None
    assert menu_of(asked, "default-is-yes:prod").click == protocol.Switch("prod")
    assert menu_of(asked, "active-is-yes:prod").click == protocol.Activate(("prod",))
    assert menu_of(chosen, "active-is:prod").click == protocol.Deactivate(("prod",))
    assert menu_of(chosen, "default-is:prod").checked


def test_every_form_that_is_pasted_can_be_copied_of_every_profile() -> None:
    found = {item.click for item in every(at("signed in, estimated").menu)}

    pasted = set(Form) - {Form.DOTENV, Form.JSON}
    copied = {click for click in found if isinstance(click, clicks.CopyCredentials)}

    assert {clicks.CopyCredentials(name, form) for name in ("dev", "ro", "prod") for form in pasted} == copied
    assert {clicks.OpenConsole(name) for name in ("dev", "ro", "prod")} <= found


@pytest.mark.met("L")
def test_every_submenu_of_profiles_has_the_same_order() -> None:
    liked = Settings(profiles=frozen({"ro": ProfileSettings(favourite=True)}))
    state = after(
        signed_in("prod", "ro", "Ops", "dev", settings=liked), Deactivated(("dev", "ro")), Switched("prod")
    )
    orders = {
        key: [item.key.rpartition(":")[2] for item in menu_of(seen(state), key).children if ":" in item.key]
        for key in ("default", "active", "copy", "console")
    }

    assert {key: [name for name in names if name != "default-none"] for key, names in orders.items()} == {
        key: ["ro", "dev", "Ops", "prod"] for key in orders
    }


def test_default_that_left_the_config_file_is_named_and_can_be_given_back() -> None:
    shown = seen(replace(started("dev"), default="gone"))

    assert menu_of(shown, "default").label == "Default profile: gone"
    assert not any(item.checked for item in menu_of(shown, "default").children)


# --- credtray itself ---------------------------------------------------------------------------------


def test_start_at_login_shows_how_it_is_and_turns_it_round() -> None:
    off, on, unknown = (
        menu_of(seen(State(), extras=Extras(enabled, "0.1.0")), "autostart")
        for enabled in (False, True, None)
    )

    assert (off.checked, off.click) == (False, clicks.SetAutostart(enabled=True))
    assert (on.checked, on.click) == (True, clicks.SetAutostart(enabled=False))
    assert (unknown.checked, unknown.enabled, on.enabled) == (False, False, True)


def test_version_that_is_installed_can_be_restarted_into() -> None:
    newer = seen(State(), extras=Extras(autostart=False, version="0.1.0", installed="0.2.0"))
    same, unknown = (
        seen(State(), extras=Extras(autostart=False, version="0.1.0", installed=each))
        for each in ("0.1.0", None)
    )
    item = menu_of(newer, "restart")

    assert (item.label, item.click) == ("Restart to use version 0.2.0", clicks.Restart())
    assert not any(each.key == "restart" for shown in (same, unknown) for each in every(shown.menu))


def test_the_end_of_the_menu_is_always_there() -> None:
    found = [item.click for item in every(seen(State()).menu) if item.kind is Kind.COMMAND]

    assert found[0] == clicks.ShowPage()
    assert found[5:] == [
        clicks.OpenSettings(),
        clicks.ShowTestNotice(),
        clicks.OpenLog(),
        clicks.About(),
        protocol.Stop(),
    ]


def test_pause_is_about_an_hour_or_until_tomorrow_morning() -> None:
    pause = menu_of(seen(State(), NOON + timedelta(seconds=30)), "notices-pause").children

    assert [item.click for item in pause] == [
        protocol.PauseNotices(NOON + 61 * MINUTE),
        protocol.PauseNotices(NOON + timedelta(hours=20)),
        protocol.PauseNotices(None),
    ]
    assert [item.enabled for item in pause] == [True, True, False]


def test_pause_that_is_over_is_no_pause() -> None:
    state = replace(State(), paused_until=NOON)

    assert not menu_of(seen(state, NOON), "notices-resume").enabled
    assert menu_of(seen(state, NOON - MINUTE), "notices-resume").enabled
    assert menu_of(seen(state, NOON - MINUTE), "notices-pause").label == "Notices paused until 12:00"


class Berlin(tzinfo):
    """Berlin in the summer and autumn of 2026; not every machine has the tables of the zones."""

    def utcoffset(self, local: datetime | None) -> timedelta:
        winter = local is not None and local.replace(tzinfo=None, fold=0) >= datetime(2026, 10, 25, 3)  # noqa: DTZ001 - local
        return timedelta(hours=1 if winter else 2)

    def dst(self, local: datetime | None) -> timedelta:
        return self.utcoffset(local) - timedelta(hours=1)

    def tzname(self, _local: datetime | None) -> str:
        return "Berlin"


@pytest.mark.parametrize(
    ("now", "morning"),
    [
        ("2026-11-22T12:00", "2026-11-23T07:00"),
        ("2026-11-22T22:30", "2026-11-23T07:00"),
        ("2026-11-22T23:30", "2026-11-24T07:00"),
        ("2026-07-01T21:30", "2026-07-02T06:00"),
        ("2026-10-24T12:00", "2026-10-25T07:00"),
    ],
)
def test_tomorrow_is_the_readers_day_also_across_a_change_of_the_clocks(now: str, morning: str) -> None:
    found = tomorrow_morning(datetime.fromisoformat(f"{now}+00:00"), Berlin())

    assert datetime.fromisoformat(f"{morning}+00:00") == found


def test_without_a_zone_this_computers_is_meant() -> None:
    assert tomorrow_morning(NOON, None).astimezone().strftime("%H:%M") == "08:00"


def test_labels_of_a_menu_hold_no_line_break() -> None:
    for name in moments():
        assert all("\n" not in label for label in labels(list(every(at(name).menu)))), name


def test_credentials_are_offered_first_in_the_form_of_the_system() -> None:
    for first, others in ((Form.POSIX, Form.FISH), (Form.POWERSHELL, Form.POSIX)):
        forms = [form for form, _ in forms_from(first)]

        assert forms[:2] == [first, others]
        assert sorted(forms, key=str) == sorted((form for form, _ in FORMS), key=str)


# --- what other machines have ------------------------------------------------------------------------


def test_who_has_keys_is_in_the_menu_with_its_end_one_click_behind() -> None:
    shares = (clicks.StopSharing("devbox", "ro"), clicks.StopSharing("me@10.0.0.7", "dev"))
    menu = seen(working(), extras=replace(EXTRAS, shares=shares)).menu
    found = [item for item in menu if item.key.startswith("share:")]

    assert [item.label for item in found] == ["devbox has the keys of ro", "me@10.0.0.7 has the keys of dev"]
    assert [[each.click for each in item.children] for item in found] == [[share] for share in shares]


def test_a_crowd_of_shares_does_not_push_everything_else_out_of_the_menu() -> None:
    shares = tuple(clicks.StopSharing(f"host-{number}", "ro") for number in range(50))
    menu = seen(working(), extras=replace(EXTRAS, shares=shares)).menu

    assert sum(item.key.startswith("share:") for item in menu) == 6
    assert "44 more: credtray share --list" in labels(menu)


def test_a_coding_agent_that_waits_is_answered_below_the_page() -> None:
    question = AgentQuestion("dev", "Claude Code", 4711, 2)
    before, asked = seen(working()), seen(after(working(), AgentsAsked((question,))))
    item = asked.menu[1]

    assert labels(asked.menu)[1] == "Claude Code (pid 4711) wants the keys of dev"
    assert [(each.label, each.click) for each in item.children] == [
        ("Allow once", protocol.AnswerAgent("dev", True, pid=4711)),
        ("Until the sign-in ends", protocol.AnswerAgent("dev", True, until_sign_in_ends=True, pid=4711)),
        ("No", protocol.AnswerAgent("dev", False, pid=4711)),
    ]
    assert asked.menu[:1] + asked.menu[2:] == before.menu


def test_profile_whose_role_is_gone_says_so_kept_or_not() -> None:
    state = signed_in("dev", "ops")
    gone = after(state, Deactivated(("ops",)), RolesListed("corp", frozenset({("111100000000", "Admin")})))

    assert [label.rpartition("  ·  ")[2] for label in labels(menu_of(seen(gone), "active").children)] == [
        "role removed",
        "role removed",
    ]
    assert "No access to dev" in text_of(seen(gone))
