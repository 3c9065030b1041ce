"""What the views say of a state: values, before any template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import RoleRefused
from credtray.core.events import (
    Activated,
    AgentsAsked,
    ConfigLoaded,
    Fetched,
    FetchFailed,
    SignInAddressKnown,
    SignInStarted,
    Switched,
)
from credtray.core.models import Profile
from credtray.core.protocol.results import AgentQuestion, AgentStatus
from credtray.core.settings import ProfileSettings, Settings
from credtray.core.state import State
from credtray.core.summary import status_document, summary
from credtray.guard.decisions import answers
from credtray.page.actions import request_of
from credtray.page.views import Overview, happened, overview
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    after,
    config,
    fetching,
    held,
    keys,
    profile,
    session,
    signed_in,
    started,
)
from tests.core.menu_states import signed_in_as
from tests.page import scene

AGENT = AgentStatus(running=True, pid=1, version="0")


def seen(state: State, now: datetime = NOON, **query: str) -> Overview:
    return overview(summary(state, now, UTC), status_document(state, AGENT, now), query)


def labels(view: Overview) -> list[str]:
    return [button.label for button in view.sessions[0].buttons]


def test_signed_in_person_sees_until_when_and_what_costs_what() -> None:
    view = seen(held())
    (card,) = view.sessions
    anew, code, out = card.buttons

    assert (view.badge, card.badge, card.shape) == ("Signed in", "Signed in", "fresh")
    assert card.standing.startswith("Signed in until about")
    assert labels(view) == ["New sign-in…", "Code for another device", "Sign out…"]
    assert anew.cost.startswith("This ends your current sign-in")
    assert dict(anew.fields) == {"session": "corp", "fresh": "yes", "agreed": "yes"}
    assert dict(code.fields)["device"] == "yes"
    assert out.cost == "1 active profile loses its keys in the credentials file."


def test_another_person_is_named_and_each_way_out_is_a_button() -> None:
    state = signed_in_as("alice@synderys.com", "bob@synderys.com")
    (card,) = seen(state, NOON + 2 * MINUTE).sessions

    assert card.badge == "Needs you"
    assert card.standing == "Another person is signed in"
    assert card.details.startswith("Signed in as bob@synderys.com; last time it was alice@synderys.com. ")
    assert [(button.action, button.label, dict(button.fields)) for button in card.buttons] == [
        ("sign-in", "Sign in as alice@synderys.com", {"session": "corp", "fresh": "yes"}),
        ("keep-person", "Keep bob@synderys.com", {"session": "corp", "person": "bob@synderys.com"}),
        ("sign-in", "Use a clean browser", {"session": "corp", "fresh": "yes", "clean": "yes"}),
        ("sign-out", "Sign out", {"session": "corp"}),
    ]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://oidc.us-east-1.amazonaws.com/authorize?x=1", True),
        ("http://127.0.0.1:4711/sign-in/door", True),
        ("javascript:alert(1)", False),
    ],
)
def test_the_page_of_a_sign_in_can_be_opened_in_another_window(address: str, *, shown: bool) -> None:
    state = after(signed_in(), SignInStarted("corp"), SignInAddressKnown("corp", address))
    (card,) = seen(state).sessions

    assert card.sign_in_page == (address if shown else "")


def test_who_is_signed_in_stands_on_the_card() -> None:
    (card,) = seen(signed_in_as("alice@synderys.com"), NOON + MINUTE).sessions

    assert card.details.startswith("Signed in as alice@synderys.com. ")


def test_signed_out_person_sees_one_main_button_that_costs_nothing() -> None:
    view = seen(started("dev"))
    main = view.sessions[0].buttons[0]

    assert labels(view) == ["Sign in", "Code for another device"]
    assert (main.main, main.cost, dict(main.fields)) == (True, "", {"session": "corp"})


def test_without_a_session_there_is_no_picture_and_the_badge_says_so() -> None:
    view = seen(after(State(), ConfigLoaded(config(sessions=()))))

    assert (view.picture, view.sessions, view.badge) == (None, (), "Not set up")


def test_picture_has_a_track_for_each_session_with_now_in_its_left_third() -> None:
    picture = seen(held()).picture
    assert picture is not None
    (track,) = picture.tracks

    assert picture.now == "12:00"
    assert 10 < float(picture.now_x.removesuffix("%")) < 33
    assert [stripe.label for stripe in track.stripes] == ["sign-in", "access token", "dev"]
    assert [flag.kind for flag in track.flags] == ["you"]
    assert "you sign in" in track.flags[0].text
    assert any(line.what == "keys of dev" for line in picture.table)


def test_card_tells_what_happens_next_and_when() -> None:
    renewed = held()
    last = seen(held(), NOON + 8 * HOUR - MINUTE)

    assert (
        seen(renewed).sessions[0].upcoming == "credtray renews the access token and the keys of dev at 12:40"
    )
    assert seen(started("dev")).sessions[0].upcoming == ""
    assert last.sessions[0].upcoming == "you sign in at about 20:00"


def test_eventful_day_shows_what_was_failed_and_hatched() -> None:
    document = status_document(scene.state(), AGENT, scene.NOW)
    view = overview(summary(scene.state(), scene.NOW, UTC), document, {"back": "day"}, scene.history())
    assert view.picture is not None
    company, lab = view.picture.tracks
    refused = next(line for line in view.profiles.lines if line.name == "synderys-billing")

    assert [flag.text for flag in company.flags] == [
        "13:58: synderys-billing refused",
        "About 17:20: you sign in",
    ]
    assert [flag.brief for flag in lab.flags] == ["About 14:25: you sign in"]
    assert [(gap.text, gap.room) for gap in view.picture.gaps] == [("asleep", "always"), ("offline", "")]
    assert view.picture.failed
    assert [bell.text for bell in lab.bells] == ["13:55: you were told: lab: sign-in ends in about 30 min"]
    assert ("lab", "event", lab.bells[0].text) in [(e.session, e.what, e.words) for e in view.picture.table]
    assert refused.problem == "The role is not, or no longer, assigned to you"
    assert "`credtray setup`" in refused.cure


def test_history_has_a_heading_for_each_day_and_shows_what_matters() -> None:
    today, yesterday = happened(scene.history(), scene.NOW, UTC)
    first = today.happenings[0]

    assert (today.name, yesterday.name) == ("Today", "Monday 23 November")
    assert (first.at, first.kind) == ("13:58", "failed")
    assert first.text == "synderys-billing was refused: The role is not, or no longer, assigned to you"
    assert [each.text for each in yesterday.happenings[2:5]] == [
        "you were told: synderys: sign-in ends in about 10 min",
        "you were told: synderys: sign-in ends in about 30 min",
        "keys of synderys-readonly renewed, until 17:25",
    ]
    assert {each.kind for each in today.happenings} == {"failed", "you", "given", "itself", "machine"}


def test_last_day_is_shown_when_asked_for() -> None:
    picture = seen(held(), back="day").picture
    assert picture is not None

    assert float(picture.now_x.removesuffix("%")) > 50


def test_profiles_in_use_come_first_and_say_how_their_keys_stand() -> None:
    state = after(signed_in("a", "b", "c"), Switched("c"), fetching("c"), Fetched("c", keys()))
    state = after(state, fetching("b"), FetchFailed("b", RoleRefused("no").problem))
    lines = {line.name: line for line in seen(state).profiles.lines}

    assert next(iter(lines)) == "c"
    assert lines["c"].default
    assert lines["c"].keys.endswith("left")
    assert lines["b"].problem
    assert lines["a"].console.startswith(
        "https://d-9067000001.awsapps.com/start/#/console?account_id=111100000000"
    )


def test_chained_profile_has_no_way_through_the_portal() -> None:
    step = replace(profile("chained"), chain=())
    state = after(State(), ConfigLoaded(config(step)))

    assert seen(state).profiles.lines[0].console


@pytest.mark.parametrize(
    ("query", "found"),
    [("lab admin", 2), ("DEV", 1), ("111100000000", 2), ("dns team", 1), ("nothing", 0), ("", 2)],
)
def test_search_looks_at_name_account_role_and_tags(query: str, found: int) -> None:
    chosen = {"prod": ProfileSettings(tags=("team", "DNS"))}
    state = started("dev", "prod", settings=Settings(profiles=chosen))
    listed = seen(state, q=query).profiles

    assert (listed.found, listed.total, len(listed.lines)) == (found, 2, found)


def test_ten_thousand_profiles_are_found_by_searching_and_never_all_drawn() -> None:
    names = [f"p{number:05}" for number in range(10_000)]
    state = after(State(), ConfigLoaded(config(*(profile(name) for name in names))))
    whole, one = seen(state).profiles, seen(state, q="p09999").profiles

    assert (len(whole.lines), whole.found, whole.total) == (1000, 10_000, 10_000)
    assert [line.name for line in one.lines] == ["p09999"]


@given(st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=500))
def test_hostile_names_are_one_visible_line_and_forms_send_them_as_they_are(name: str) -> None:
    hostile = Profile(name, "corp", "111100000000", name, region="eu-west-1")
    state = after(State(), ConfigLoaded(config(hostile, sessions=(session(),))), Activated((name,)))
    (line,) = seen(state, NOON + HOUR).profiles.lines

    assert line.name == name
    assert len(line.shown) <= 48
    assert line.shown.isprintable()
    assert line.role.isprintable()


def test_production_is_said() -> None:
    chosen: Mapping[str, ProfileSettings] = {"prod": ProfileSettings(production=True, notes="ask ops first")}
    (line,) = seen(started("prod", settings=Settings(profiles=dict(chosen)))).profiles.lines

    assert (line.production, line.notes) == (True, "ask ops first")


def test_a_coding_agent_that_waits_can_be_answered() -> None:
    question = AgentQuestion("dev\u202e", "Claude Code", 4711, 2)
    view = seen(after(signed_in(), AgentsAsked((question,))))

    ((headline, buttons),) = view.questions
    assert headline == "Claude Code (pid 4711) wants the keys of dev"
    assert [each.label for each in buttons] == ["Allow once", "Until the sign-in ends", "No"]
    clicks = [each.click for each in answers(question)]
    sent = [{name: (value,) for name, value in each.fields} for each in buttons]
    assert [request_of("answer-agent", fields, NOON) for fields in sent] == clicks
