"""What a coding agent may have: the rule of a profile, and what a person's answer is good for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.core.protocol import AnswerAgent
from credtray.core.settings import ProfileSettings, Settings
from credtray.core.state import State
from credtray.guard.agents import Agent, Asker
from credtray.guard.decisions import (
    COMMAND_LASTS,
    GIVEN_UP,
    MOST_QUESTIONS,
    NEXT_COMMAND,
    QUESTION_LASTS,
    REFUSAL_LASTS,
    Decisions,
    Rule,
    Verdict,
    answers,
    headline,
    notification,
    rule_for,
)
from tests.core.making import HOUR, MINUTE, NOON, SECOND, signed_in

CLAUDE = Agent("Claude Code", (4711, 1))
COMMAND = Asker(CLAUDE, (5000, 7))
ANOTHER_COMMAND = Asker(CLAUDE, (5001, 8))
ANOTHER_AGENT = Asker(Agent("Codex", (4800, 2)), (5002, 9))
ONCE = AnswerAgent("dev", True)
UNTIL_END = AnswerAgent("dev", True, until_sign_in_ends=True)
NO = AnswerAgent("dev", False)


def asked(*askers: Asker) -> Decisions:
    found = Decisions()
    for asker in askers or (COMMAND,):
        found.ask("dev", asker, NOON)
    return found


@pytest.mark.parametrize(
    ("profile", "for_all", "rule"),
    [
        (ProfileSettings(), None, Rule.ALLOW),
        (ProfileSettings(production=True), None, Rule.ASK),
        (ProfileSettings(production=True), "allow", Rule.ASK),
        (ProfileSettings(production=True), "never", Rule.NEVER),
        (ProfileSettings(production=True, agents="allow"), "never", Rule.ALLOW),
        (ProfileSettings(agents="never"), "allow", Rule.NEVER),
        (ProfileSettings(), "ask", Rule.ASK),
    ],
)
def test_a_profiles_own_setting_wins_else_the_stricter(
    profile: ProfileSettings, for_all: str | None, rule: Rule
) -> None:
    assert rule_for(Settings(agents=for_all, profiles={"dev": profile}), "dev") is rule


def test_once_is_for_the_command_that_waits_as_long_as_it_runs() -> None:
    state, found = signed_in(), asked()

    assert found.verdict(state, "dev", COMMAND, NOON) is None
    assert found.answer(state, ONCE, NOON) == (CLAUDE,)
    assert found.verdict(state, "dev", COMMAND, NOON + COMMAND_LASTS - SECOND) is Verdict.YES
    assert found.verdict(state, "dev", COMMAND, NOON + COMMAND_LASTS) is None
    assert found.verdict(state, "dev", ANOTHER_COMMAND, NOON) is None
    assert found.verdict(state, "dev", ANOTHER_AGENT, NOON) is None
    assert found.verdict(state, "other", COMMAND, NOON) is None


def test_once_after_the_command_gave_up_is_for_the_next_one_only() -> None:
    state, found = signed_in(), asked()
    found.leave("dev", COMMAND, NOON, in_vain=True)
    found.answer(state, ONCE, NOON)

    assert found.verdict(state, "dev", ANOTHER_COMMAND, NOON + NEXT_COMMAND - SECOND) is Verdict.YES
    assert found.verdict(state, "dev", ANOTHER_COMMAND, NOON + HOUR / 2) is Verdict.YES
    assert found.verdict(state, "dev", Asker(CLAUDE, (5009, 1)), NOON + NEXT_COMMAND) is None


def test_once_for_nobody_who_comes_in_time_is_over() -> None:
    state, found = signed_in(), asked()
    found.leave("dev", COMMAND, NOON, in_vain=True)
    found.answer(state, ONCE, NOON)

    assert found.verdict(state, "dev", ANOTHER_COMMAND, NOON + NEXT_COMMAND) is None


def test_until_the_sign_in_ends_is_for_all_commands_of_the_agent_and_for_that_sign_in() -> None:
    state, found = signed_in(), asked()
    found.answer(state, UNTIL_END, NOON)

    assert found.verdict(state, "dev", ANOTHER_COMMAND, NOON + HOUR / 2) is Verdict.YES
    assert found.verdict(state, "dev", ANOTHER_AGENT, NOON) is None
    assert found.verdict(ended(state), "dev", COMMAND, NOON + HOUR / 2) is None


def test_another_sign_in_does_not_inherit_the_answer() -> None:
    state, found = signed_in(), asked()
    found.answer(state, UNTIL_END, NOON)
    session = state.sessions["corp"]
    assert session.sign_in is not None
    later = replace(session, sign_in=replace(session.sign_in, started_at=NOON + MINUTE))

    assert found.verdict(state.with_session(later), "dev", COMMAND, NOON + MINUTE) is None


def ended(state: State) -> State:
    return state.with_session(replace(state.sessions["corp"], ended=True))


def test_no_is_remembered_for_a_while_and_can_be_changed() -> None:
    state, found = signed_in(), asked()
    found.answer(state, NO, NOON)
    found.leave("dev", COMMAND, NOON, in_vain=False)

    assert found.verdict(state, "dev", ANOTHER_COMMAND, NOON + REFUSAL_LASTS - SECOND) is Verdict.NO
    assert found.questions() == ()
    assert found.answer(state, UNTIL_END, NOON + MINUTE) == (CLAUDE,)
    assert found.verdict(state, "dev", ANOTHER_COMMAND, NOON + MINUTE) is Verdict.YES


def test_no_is_forgotten_in_the_end() -> None:
    state, found = signed_in(), asked()
    found.answer(state, NO, NOON)
    found.leave("dev", COMMAND, NOON, in_vain=False)

    assert found.verdict(state, "dev", COMMAND, NOON + REFUSAL_LASTS) is None


def test_a_command_that_waited_in_vain_does_not_wait_again_at_once() -> None:
    state, found = signed_in(), asked()
    found.leave("dev", COMMAND, NOON, in_vain=True)

    assert found.verdict(state, "dev", COMMAND, NOON + GIVEN_UP - SECOND) is Verdict.TOO_LATE
    assert found.verdict(state, "dev", ANOTHER_COMMAND, NOON) is None
    assert found.verdict(state, "dev", COMMAND, NOON + GIVEN_UP) is None


def test_one_question_for_many_requests_of_an_agent() -> None:
    found = asked(COMMAND, COMMAND, ANOTHER_COMMAND, ANOTHER_AGENT)

    assert [(each.agent, each.pid, each.waiting) for each in found.questions()] == [
        ("Claude Code", 4711, 3),
        ("Codex", 4800, 1),
    ]
    assert len(found.to_show()) == 2
    found.ask("dev", COMMAND, NOON)
    assert found.to_show() == ()


def test_a_question_that_nobody_waits_for_is_open_for_a_while() -> None:
    state, found = signed_in(), asked()
    found.leave("dev", COMMAND, NOON, in_vain=True)

    found.forget(state, NOON + QUESTION_LASTS - SECOND)
    assert [each.waiting for each in found.questions()] == [0]
    assert found.next_change() == NOON + QUESTION_LASTS
    found.forget(state, NOON + QUESTION_LASTS)
    assert found.questions() == ()
    assert found.next_change() is None


def test_an_answer_can_be_for_one_agent_of_several() -> None:
    state, found = signed_in(), asked(COMMAND, ANOTHER_AGENT)

    assert found.answer(state, replace_pid(4800), NOON) == (ANOTHER_AGENT.agent,)
    assert [each.agent for each in found.questions()] == ["Claude Code"]


def replace_pid(pid: int) -> AnswerAgent:
    return AnswerAgent("dev", True, pid=pid)


def test_an_answer_nobody_asked_for_changes_nothing() -> None:
    state, found = signed_in(), Decisions()

    assert found.answer(state, UNTIL_END, NOON) == ()
    assert found.verdict(state, "dev", COMMAND, NOON) is None


def test_a_clock_that_is_set_back_ends_what_is_measured_by_it() -> None:
    state, found = signed_in(), asked()
    found.answer(state, ONCE, NOON)

    assert found.verdict(state, "dev", COMMAND, NOON - HOUR) is None


def test_the_question_has_its_three_answers_and_no_markup_of_a_hostile_name() -> None:
    found = Decisions()
    found.ask("dev\u202e\n", COMMAND, NOON)
    (question,) = found.questions()
    told = notification(signed_in(), question, timedelta(seconds=45))

    assert headline(question) == "Claude Code (pid 4711) wants the keys of dev"
    assert [each.label for each in told.buttons] == ["Allow once", "Until the sign-in ends", "No"]
    assert [each.click for each in answers(question)] == [
        AnswerAgent("dev\u202e\n", True, pid=4711),
        AnswerAgent("dev\u202e\n", True, until_sign_in_ends=True, pid=4711),
        AnswerAgent("dev\u202e\n", False, pid=4711),
    ]
    assert told.on_body.label == "Open credtray"


def test_nobody_is_asked_about_a_flood_of_agents_one_by_one() -> None:
    agents = [Agent("Claude Code", (9000 + number, 1)) for number in range(MOST_QUESTIONS + 1)]
    *first, last = [Asker(agent, (agent.pid + 500, 2)) for agent in agents]
    found = asked(*first)
    state = signed_in()

    assert len(found.questions()) == MOST_QUESTIONS
    assert found.verdict(state, "dev", last, NOON) is Verdict.TOO_MANY
    assert found.verdict(state, "dev", first[0], NOON) is None  # who asked first still waits for its answer
    found.answer(state, AnswerAgent("dev", False, pid=first[0].agent.pid), NOON)
    assert found.verdict(state, "dev", last, NOON) is None
