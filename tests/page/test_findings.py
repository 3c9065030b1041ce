"""What the check-up of the page says of the documents that `credtray doctor` and `repair` print."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.shapes import from_json
from credtray.doctor.all_rules import EVERY_KIND, findings
from credtray.doctor.command import doctor_document
from credtray.doctor.evidence import Facts
from credtray.page.findings import (
    MOST_LINES,
    MOST_SIGHTS,
    Checkup,
    Client,
    Finding,
    RepairCase,
    Row,
    Sight,
    Step,
    Trouble,
    checkup_view,
    preview,
    steps,
)
from tests.core.diagnosis_facts import FINE, WRONG


def read(facts: Facts) -> Checkup:
    """Return the document as the page reads it from the command."""
    document = doctor_document(facts, findings(facts), {}, 0)
    return from_json(json.dumps(msgspec.to_builtins(document)), Checkup)


def finding(severity: str = "broken", *seen: str, cure: str = "", repair: str | None = None) -> Finding:
    return Finding("code", severity, "Title", tuple(map(Sight, seen)), "Cause.", cure, repair)


@pytest.mark.parametrize(("code", "facts"), WRONG.items())
def test_each_finding_of_the_doctor_is_a_card_with_its_cure(code: str, facts: Callable[[], Facts]) -> None:
    view = checkup_view(read(facts()))
    card = next(card for card in (*view.urgent, *view.rest) if card.key == code)

    assert card.title
    assert card.shape == "fresh" or card.repair or card.cure


def test_where_all_is_fine_nothing_is_urgent() -> None:
    view = checkup_view(read(FINE))

    assert (view.badge, view.shape, view.urgent) == ("Fine", "fresh", ())
    assert view.conclusion == "Nothing is broken"
    assert {card.word for card in view.rest} == {"Fine"}


def test_worst_is_counted_in_the_badge_and_everything_in_the_conclusion() -> None:
    found = (finding(), finding("warning"), finding("warning"), finding("note"), finding("fine"))
    view = checkup_view(Checkup(found))

    assert (view.badge, view.shape, view.conclusion) == ("1 problem", "ended", "Something is broken")
    assert view.counts == "1 problem, 2 warnings, 1 note, 1 check passed"
    assert view.rest_words == "1 note, 1 check passed"
    assert checkup_view(Checkup(found[1:])).badge == "2 warnings"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Run: unset AWS_PROFILE", [Step("", "unset AWS_PROFILE")]),
        ("Look, then do it: credtray repair x", [Step("Look, then do it:", "credtray repair x")]),
        ("Fix ~/.aws/config:3 in an editor", [Step("Fix ~/.aws/config:3 in an editor")]),
        (
            "Sign in: credtray login x; for good: credtray settings set y true",
            [Step("Sign in:", "credtray login x"), Step("For good:", "credtray settings set y true")],
        ),
        ("Run: credtray login 'a; b: c'", [Step("", "credtray login 'a; b: c'")]),
    ],
)
def test_command_to_copy_stands_apart_from_the_words(text: str, expected: list[Step]) -> None:
    assert list(steps(text)) == expected


def test_no_command_of_any_cure_holds_words_of_a_sentence() -> None:
    commands = [each.command for kind in EVERY_KIND for each in steps(kind.cure)]
    ours = [each for each in commands if each.startswith("credtray")]

    assert len(ours) > 10
    assert [each for each in ours if not re.fullmatch(r"credtray( [\w{}.=/:-]+)+", each)] == []


def test_plan_of_ours_stands_in_the_place_of_its_command() -> None:
    own = finding("warning", cure="See it: credtray repair stale_keys", repair="stale_keys")
    other = finding("warning", cure="Run: credtray login", repair="outdated_session")
    first, second = checkup_view(Checkup((own, other))).urgent

    assert (first.repair, first.cure) == ("stale_keys", ())
    assert (second.repair, second.cure[0].command) == ("outdated_session", "credtray login")


def test_ten_thousand_sights_are_a_few_and_a_number() -> None:
    (card,) = checkup_view(Checkup((finding("broken", *(f"profile p{n}" for n in range(10_000))),))).urgent

    assert (len(card.seen), card.more) == (MOST_SIGHTS, 10_000 - MOST_SIGHTS)


def client(
    name: str, why: str = "because", *, troubles: tuple[Trouble, ...] = (), fresh: bool = True
) -> Client:
    return Client(name, name != "Go", "keys in the credentials file", why, fresh, troubles)


def test_tools_that_do_the_same_are_one_answer() -> None:
    shadowed = (Trouble("Something else is used.", fatal=False),)
    nothing = (Trouble("There are no credentials.", fatal=True),)
    row = Row(
        "dev",
        (
            client("AWS CLI v2"),
            client("Go"),
            client("boto3", "other", troubles=shadowed, fresh=False),
            client("Java", "none", troubles=nothing),
        ),
    )
    view = checkup_view(Checkup((), (row,)), named=True)

    assert view.conclusion == "Some tools get no keys"
    assert checkup_view(Checkup((), (row,))).answers == ()
    assert [(each.tools, each.word) for each in view.answers] == [
        (("AWS CLI v2", "Go*"), "Works"),
        (("boto3",), "Look"),
        (("Java",), "Fails"),
    ]
    assert view.answers[0].uses == "Keys in the credentials file"
    assert view.documented


def case(**parts: object) -> RepairCase:
    given_parts: dict[str, object] = {"needed": True, "undoable": True, "changes": ("one",), "diff": ""}
    whole = {"name": "legacy_profiles", "title": "Title", "preview_id": "0123", "left_alone": {}}
    return RepairCase(**{**whole, "next_steps": (), **given_parts, **parts})  # type: ignore[arg-type]  # a test's own words


def test_preview_shows_each_line_of_the_difference() -> None:
    shown = preview(
        case(diff="@@ [a] @@\n-old = 1\n+new = 2\n", next_steps=("Sign in once: credtray login a",))
    )

    assert [(line.kind, line.text) for line in shown.diff] == [
        ("where", "@@ [a] @@"),
        ("minus", "-old = 1"),
        ("plus", "+new = 2"),
    ]
    assert shown.steps == (Step("Sign in once:", "credtray login a"),)


def test_preview_of_ten_thousand_changes_says_how_many_more_there_are() -> None:
    shown = preview(case(changes=("x",) * 10_000, diff="+a\n" * 10_000))

    assert (len(shown.changes), shown.more_changes) == (MOST_SIGHTS, 10_000 - MOST_SIGHTS)
    assert (len(shown.diff), shown.more_lines) == (MOST_LINES, 10_000 - MOST_LINES)


@given(st.text(min_size=1, max_size=500))
def test_hostile_names_are_visible_lines(name: str) -> None:
    (card,) = checkup_view(Checkup((finding("broken", name, cure=f"Run: credtray login {name}"),))).urgent
    shown = preview(case(changes=(name,), diff=f"+{name}\n", left_alone={name: name}))
    texts = [card.seen[0][0], card.cure[0].command, *shown.changes, *(line.text for line in shown.diff)]
    texts += [each for pair in shown.left_alone for each in pair]

    assert all(text.isprintable() for text in texts)
    assert not any("\u202e" in text for text in texts)
