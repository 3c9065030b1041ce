"""What coding agents may have: the rule for a profile, and what a person has said to those that asked. Pure.

Kept in memory only: a new agent of credtray's asks again. Told the time; waits for nobody and shows nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from credtray.core.errors import CodingAgentRefused
from credtray.core.ports import Button, Notification
from credtray.core.protocol import AnswerAgent
from credtray.core.protocol.results import AgentQuestion
from credtray.core.session_status import sign_in_status
from credtray.core.settings import Settings, dotted
from credtray.core.shell_words import argument, toml_word
from credtray.core.state import SignInStatus, State
from credtray.core.words import plain, short
from credtray.guard.agents import Agent, Asker, ProcessId

COMMAND_LASTS = timedelta(hours=1)
"""How long "once" is good for, as long as the command runs that asked."""
NEXT_COMMAND = timedelta(minutes=1)
"""For so long "once" waits for the command that asks again, where the one that asked has given up."""
REFUSAL_LASTS = timedelta(minutes=10)
"""So long "no" is the answer without anybody being asked."""
QUESTION_LASTS = timedelta(minutes=10)
"""So long a question can be answered after the last request for it has given up."""
GIVEN_UP = timedelta(minutes=1)
"""So long a command that waited in vain is refused at once: it would never stop waiting otherwise."""


MOST_QUESTIONS = 8
"""No person reads more of them at once."""


class Rule(Enum):
    """What a profile's keys are to coding agents."""

    ALLOW = "allow"
    ASK = "ask"
    NEVER = "never"


def rule_for(settings: Settings, profile: str) -> Rule:
    """Return what holds for a profile: its own setting, else the stricter of that for all and the usual."""
    chosen = settings.profile(profile)
    if chosen.agents is not None:
        return Rule(chosen.agents)
    usual = Rule.ASK if chosen.production else Rule.ALLOW
    return max(usual, Rule(settings.agents or Rule.ALLOW.value), key=list(Rule).index)


@dataclass(frozen=True, slots=True)
class _Grant:
    """One yes."""

    profile: str
    agent: Agent
    until: datetime | None = None
    """None: until the sign-in ends."""
    command: ProcessId | None = None
    """None: every command of the agent; with ``until`` the next one that asks."""
    sign_in: datetime | None = None
    """When the sign-in began that it is good for."""


@dataclass(slots=True)
class _Open:
    """One question."""

    asked_at: datetime
    waiting: Counter[ProcessId] = field(default_factory=Counter)
    """How many requests wait, by the command they are of."""
    given_up: dict[ProcessId, datetime] = field(default_factory=dict)
    refused_at: datetime | None = None
    shown: bool = False
    """A person was told of it."""


_Key = tuple[str, Agent]


class Verdict(Enum):
    """What there is to say to a request."""

    YES = "yes"
    NO = "no"
    TOO_LATE = "too_late"
    """It has waited already, and nobody answered."""
    TOO_MANY = "too_many"
    """So many others ask that a person is not asked about this one as well."""


class Decisions:
    """The questions of one agent of credtray's, and their answers."""

    def __init__(self) -> None:
        """Know of nothing yet."""
        self._open: dict[_Key, _Open] = {}
        self._grants: list[_Grant] = []

    # --- requests ---------------------------------------------------------------------------------------

    def verdict(self, state: State, profile: str, asker: Asker, now: datetime) -> Verdict | None:
        """Return what was said of this already; None: a person is to be asked, or is being asked."""
        self.forget(state, now)
        for place, grant in enumerate(self._grants):
            if (grant.profile, grant.agent) != (profile, asker.agent):
                continue
            if grant.command is None and grant.until is not None:  # it was for the next command: this one
                until = now + COMMAND_LASTS
                self._grants[place] = _Grant(profile, asker.agent, until, asker.command)
                return Verdict.YES
            if grant.command in {None, asker.command}:
                return Verdict.YES
        found = self._open.get((profile, asker.agent))
        if found is not None and found.refused_at is not None:
            return Verdict.NO
        if found is not None and asker.command in found.given_up:
            return Verdict.TOO_LATE
        return Verdict.TOO_MANY if found is None and len(self.questions()) >= MOST_QUESTIONS else None

    def ask(self, profile: str, asker: Asker, now: datetime) -> None:
        """Note that a request waits for the answer."""
        found = self._open.setdefault((profile, asker.agent), _Open(now))
        found.asked_at = now
        found.waiting[asker.command] += 1

    def leave(self, profile: str, asker: Asker, now: datetime, *, in_vain: bool) -> None:
        """Note that it waits no longer."""
        found = self._open.get((profile, asker.agent))
        if found is None:
            return
        found.asked_at = now
        found.waiting[asker.command] -= 1
        found.waiting += Counter()  # without those of which none is left
        if in_vain:
            found.given_up[asker.command] = now

    # --- answers ----------------------------------------------------------------------------------------

    def answer(self, state: State, request: AnswerAgent, now: datetime) -> tuple[Agent, ...]:
        """Take what a person said; return whom it is about, which is nobody where nobody had asked."""
        self.forget(state, now)
        about = [key for key in self._open if key[0] == request.profile and request.pid in {None, key[1].pid}]
        for key in about:
            if not request.allow:
                self._open[key].refused_at = now
                continue
            self._allow(state, key, self._open.pop(key), now, until_end=request.until_sign_in_ends)
        return tuple(agent for _, agent in about)

    def _allow(self, state: State, key: _Key, asked: _Open, now: datetime, *, until_end: bool) -> None:
        profile, agent = key
        if until_end:
            self._grants.append(_Grant(profile, agent, sign_in=_sign_in_of(state, profile, now)))
        elif asked.waiting:
            until = now + COMMAND_LASTS
            self._grants += (_Grant(profile, agent, until, command) for command in asked.waiting)
        else:
            self._grants.append(_Grant(profile, agent, now + NEXT_COMMAND))

    # --- what is open -----------------------------------------------------------------------------------

    def questions(self) -> tuple[AgentQuestion, ...]:
        """Return what a person can answer now, the first question first."""
        return tuple(
            AgentQuestion(profile, agent.label, agent.pid, found.waiting.total())
            for (profile, agent), found in self._open.items()
            if found.refused_at is None
        )

    def to_show(self) -> tuple[AgentQuestion, ...]:
        """Return the questions that nobody was told of yet, which from now on count as told."""
        new = {key for key, found in self._open.items() if found.refused_at is None and not found.shown}
        for key in new:
            self._open[key].shown = True
        return tuple(AgentQuestion(profile, agent.label, agent.pid) for profile, agent in new)

    def next_change(self) -> datetime | None:
        """Return when a question may be forgotten; None where there is none."""
        return min((found.asked_at + QUESTION_LASTS for found in self._open.values()), default=None)

    def forget(self, state: State, now: datetime) -> None:
        """Drop what is over."""
        self._grants = [each for each in self._grants if _holds(state, each, now)]
        for key, found in list(self._open.items()):
            over = {each for each, at in found.given_up.items() if not timedelta() <= now - at < GIVEN_UP}
            for command in over:
                del found.given_up[command]
            since = found.refused_at or found.asked_at
            lasts = QUESTION_LASTS if found.refused_at is None else REFUSAL_LASTS
            if not found.waiting and not timedelta() <= now - since < lasts:
                del self._open[key]


def _holds(state: State, grant: _Grant, now: datetime) -> bool:
    if grant.until is not None:
        return grant.until - COMMAND_LASTS <= now < grant.until
    return grant.sign_in is not None and grant.sign_in == _sign_in_of(state, grant.profile, now)


def _sign_in_of(state: State, profile: str, now: datetime) -> datetime | None:
    """Return when the sign-in began by which a profile gets its keys; None where there is none now."""
    known = state.profiles.get(profile)
    session = None if known is None else state.sessions.get(known.profile.session)
    if session is None or session.sign_in is None:
        return None
    signed_in = sign_in_status(session, now) is SignInStatus.SIGNED_IN
    return session.sign_in.started_at if signed_in else None


# --- words -------------------------------------------------------------------------------------------


def never(profile: str, agent: Agent) -> CodingAgentRefused:
    """Return the refusal of a profile that is for no coding agent."""
    setting = dotted(("profiles", profile, "agents"))
    return CodingAgentRefused(
        f"{_wants(profile, agent)}, and its setting `agents` is never",
        hint="Tell the person at this computer. They can change it with: "
        f"credtray settings set {toml_word(setting)} ask",
    )


def said_no(profile: str, agent: Agent) -> CodingAgentRefused:
    """Return the refusal that a person has chosen."""
    return CodingAgentRefused(
        f"{_wants(profile, agent)}, and the answer was no",
        hint=f"If the person at this computer changes their mind, they run: {allow_command(profile)}",
    )


def unanswered(profile: str, agent: Agent, waited: timedelta) -> CodingAgentRefused:
    """Return the refusal after waiting in vain: it says how the next try can succeed."""
    return CodingAgentRefused(
        f"{_wants(profile, agent)}, and nobody answered within {short(waited)}",
        hint="Tell the person at this computer: allow it in credtray's notification or menu, or run "
        f"`{allow_command(profile)}` in a terminal of your own. Then try again.",
    )


def too_many(profile: str, agent: Agent) -> CodingAgentRefused:
    """Return the refusal where others have used up the questions that a person can be asked."""
    return CodingAgentRefused(
        f"{_wants(profile, agent)}, and {MOST_QUESTIONS} questions of others are still open",
        hint="Tell the person at this computer to answer those first, in credtray's menu or on its page. "
        "Then try again.",
    )


def nobody_to_ask(profile: str, agent: Agent) -> CodingAgentRefused:
    """Return the refusal where no agent of credtray's runs that could ask."""
    return CodingAgentRefused(
        f"{_wants(profile, agent)}, and no credtray agent is running that could ask",
        hint="Tell the person at this computer. They run: credtray start",
    )


def by_itself(agent: Agent) -> CodingAgentRefused:
    """Return the refusal of an agent that would allow itself."""
    return CodingAgentRefused(
        f"{_who(agent)} cannot allow itself",
        hint="The person at this computer has to: in the notification, in credtray's menu or page, or in a "
        "terminal of their own.",
    )


def allow_command(profile: str) -> str:
    """Return what a person types to allow it."""
    return f"credtray allow {argument(profile)}"


def _wants(profile: str, agent: Agent) -> str:
    return f"{_who(agent)} wants {plain(profile)}"


def _who(agent: Agent) -> str:
    return f"{agent.label} (pid {agent.pid})"


@dataclass(frozen=True, slots=True)
class Answer:
    """One way to answer: in the notification, the menu and the page."""

    label: str
    allow: bool
    until_end: bool = False

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """What a form sends for it."""
        said = {"allow": self.allow, "until-end": self.until_end}
        return tuple((name, "yes") for name, chosen in said.items() if chosen)


BUTTONS = (
    Answer("Allow once", allow=True),
    Answer("Until the sign-in ends", allow=True, until_end=True),
    Answer("No", allow=False),
)


def answers(question: AgentQuestion) -> tuple[Button, ...]:
    """Return how a person can answer, the least first."""
    return tuple(
        Button(each.label, AnswerAgent(question.profile, each.allow, each.until_end, question.pid))
        for each in BUTTONS
    )


def headline(question: AgentQuestion) -> str:
    """Return the question in a line: who wants what."""
    return f"{question.agent} (pid {question.pid}) wants the keys of {plain(question.profile)}"


def key_of(question: AgentQuestion) -> str:
    """Return the key of its notification."""
    return f"agent:{question.pid}:{question.profile}"


def notification(state: State, question: AgentQuestion, waits: timedelta) -> Notification:
    """Return the question as a notification."""
    production = " This is production." if state.settings.profile(question.profile).production else ""
    return Notification(
        key_of(question),
        headline(question),
        f"It waits for {short(waits)} and can ask again.{production} "
        '"Once" is for the command that it runs now.',
        answers(question),
        stays=True,
        to_be_chosen=True,
    )
