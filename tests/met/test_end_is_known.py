"""A sign-in that is not renewed ends with its token, whatever the service answers; a guess is called one.

Every error that AWS's models name, and those they do not, goes through the pure core: an agent lives through
it in virtual time, and what it says of itself is looked at before and after the token's end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.session import Session

from credtray.aws.error_table import Refusal, Service, error_for
from credtray.cli.status_words import Reader, end_words, session_words, token_words
from credtray.core.apply import apply
from credtray.core.clicks import Click
from credtray.core.errors import (
    CaptivePortal,
    CertificateRefused,
    CredtrayError,
    Problem,
    ProxyRefused,
    TokenRefused,
    UnexpectedReply,
)
from credtray.core.events import (
    Begun,
    Deactivated,
    Fetched,
    FetchFailed,
    Refreshed,
    RefreshFailed,
    Synced,
    TokenFound,
)
from credtray.core.models import EndProof
from credtray.core.notice_texts import notice_words
from credtray.core.notices import Notice, Subject
from credtray.core.policy import (
    FetchRoleCredentials,
    RefreshToken,
    ShowNotice,
    SyncCredentialsFile,
    decide,
    next_look,
)
from credtray.core.ports import Mark
from credtray.core.protocol import Login
from credtray.core.protocol.results import AgentStatus, SessionStatus
from credtray.core.section_mark import key_digest
from credtray.core.session_status import SignInNeeded, ValidUntil, outlook
from credtray.core.state import State
from credtray.core.state_words import tooltip
from credtray.core.summary import status_document, summary
from credtray.menu.tray_view import details, look
from tests.as_json import as_json
from tests.core.making import HOUR, MINUTE, NOON, SECOND, after, keys, signed_in, token

LIFE = 65 * SECOND
STEP = 30 * SECOND
FACTS = AgentStatus(running=True, pid=1, version="1")


def modelled(service: str, operation: str, of: Service) -> Iterator[Any]:
    """Every error of botocore's model, with its HTTP status."""
    for shape in Session().get_service_model(service).operation_model(operation).error_shapes:
        status = int(shape.metadata.get("error", {}).get("httpStatusCode", 400))
        yield pytest.param(error_for(Refusal(of, status, shape.name, "no", {}), None, NOON), id=shape.name)


def refused(status: int, code: str = "") -> CredtrayError:
    return error_for(Refusal(Service.OIDC, status, code, "no", {}), None, NOON)


OTHERS = [
    pytest.param(refused(400, "SomethingNewException"), id="unknown code"),
    pytest.param(refused(400), id="400 without a code"),
    pytest.param(refused(401), id="401 without a code"),
    pytest.param(refused(403), id="403 without a code"),
    pytest.param(refused(404), id="404"),
    pytest.param(refused(409, "ConflictException"), id="409"),
    pytest.param(refused(413), id="413"),
    pytest.param(refused(418), id="418"),
    pytest.param(refused(429), id="429"),
    pytest.param(refused(500), id="500"),
    pytest.param(refused(503, "ServiceUnavailable"), id="503"),
    pytest.param(UnexpectedReply("CreateToken: not JSON"), id="malformed 200"),
    pytest.param(CaptivePortal("it answered HTTP 302"), id="a page in between"),
    pytest.param(ProxyRefused("HTTP 407"), id="a proxy"),
    pytest.param(CertificateRefused("self signed"), id="a certificate"),
    pytest.param(CredtrayError("KeyError"), id="a fault of our own"),
]


@dataclass
class Agent:
    """The core in virtual time, with a token service that answers a refresh as it is told."""

    state: State
    answer: Problem | None
    """None: it grants a token of the same life."""
    fetch: Problem | None = None
    now: datetime = NOON
    told: list[Notice] = field(default_factory=list)
    refreshes: list[datetime] = field(default_factory=list)
    written: list[str] = field(default_factory=list)

    def live(self, until: datetime) -> Iterator[datetime]:
        """Live until then, stopping at least every few seconds to be looked at."""
        while self.now < until:
            self._act()
            yield self.now
            due = next_look(self.state, self.now) or until
            self.now = max(self.now + SECOND, min(due, self.now + STEP, until))
        self._act()

    def _act(self) -> None:
        for action in decide(self.state, self.now):
            self._take(Begun(action))
            match action:
                case RefreshToken(session):
                    self.refreshes.append(self.now)
                    granted = Refreshed(session, token(self.now, LIFE, name=f"t{len(self.refreshes)}"))
                    self._take(RefreshFailed(session, self.answer) if self.answer else granted)
                case FetchRoleCredentials(name):
                    fetched = Fetched(name, keys(self.now))
                    self._take(FetchFailed(name, self.fetch) if self.fetch else fetched)
                case ShowNotice(notice):
                    self.told.append(notice)
                case SyncCredentialsFile(wanted, removed):
                    marks = {each.section: each for each in self.state.file.marks.values()}
                    for section in removed:
                        del marks[section]
                    for each in wanted:
                        held = each.credentials
                        digest = key_digest(held.access_key_id)
                        marks[each.section] = Mark(each.section, each.profile, held.expires_at, digest)
                    self.written += [each.section for each in wanted]
                    self._take(Synced(tuple(marks.values())))

    def _take(self, event: Any) -> None:
        self.state = apply(self.state, event, self.now)

    @property
    def session(self) -> SessionStatus:
        return status_document(self.state, FACTS, self.now).sessions[0]

    def words(self) -> str:
        """Everything a person can read of the session just now."""
        item, reader = self.session, Reader(self.now)
        seen = summary(self.state, self.now)
        spoken = (
            session_words(item, reader),
            token_words(item, reader, agent_running=True),
            details(seen, seen.sessions["corp"]),
            tooltip(seen),
            look(seen).shape.value,
        )
        return "\n".join(spoken)

    def lasts(self) -> bool:
        found = outlook(self.state, self.state.profiles["p1"], 2 * HOUR, self.now, keys=False)
        return isinstance(found, ValidUntil)


def home(*, active: bool = False, **more: Any) -> Agent:
    state = signed_in("p1", life=LIFE)
    return Agent(state if active else after(state, Deactivated(("p1",))), **more)


# --- every answer to a refresh -----------------------------------------------------------------------


@pytest.mark.met("F1")
@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("error", [*modelled("sso-oidc", "CreateToken", Service.OIDC), *OTHERS])
def test_no_answer_lets_a_session_look_fresh_once_its_token_is_over(
    error: CredtrayError, *, active: bool
) -> None:
    agent = home(active=active, answer=error.problem)
    for now in agent.live(NOON + 40 * MINUTE):
        if now < NOON + LIFE:
            continue
        assert agent.session.state not in {"fresh", "advisory"}
        assert "renews automatically" not in agent.words()
        assert "fresh" not in agent.words()
        assert not agent.lasts()
    over = [each for each in agent.told if each.subject in {Subject.ENDED, Subject.CANNOT_REFRESH}]

    assert over, "nobody was told"
    assert agent.session.error is not None or agent.session.state == "expired"


@pytest.mark.met("F1")
@pytest.mark.parametrize("error", [*modelled("sso-oidc", "CreateToken", Service.OIDC), *OTHERS])
def test_token_service_is_asked_again_now_and_then_and_no_more(error: CredtrayError) -> None:
    agent = home(answer=error.problem)
    tried = [0 for _ in agent.live(NOON + 2 * HOUR)]
    late = [each for each in agent.refreshes if each > NOON + HOUR]
    definite = error.problem.code == TokenRefused.code

    assert tried
    assert bool(late) is not definite
    if error.problem.code != CertificateRefused.code:  # that one never reaches anybody
        assert len([each for each in agent.refreshes if each < NOON + HOUR]) <= 12


@pytest.mark.met("F1")
def test_permanent_invalid_request_is_said_before_the_end_and_ends_it_then() -> None:
    error = refused(400, "InvalidRequestException")
    agent = home(active=True, answer=error.problem)
    for now in agent.live(NOON + 50 * MINUTE):
        if agent.refreshes and now < NOON + LIFE:
            told = agent.session.renewal_refused
            assert told is not None
            assert told.text.startswith("Refresh refused. ")
            assert "AWS refuses to renew it" in agent.words()
    assert agent.session.state == "expired"
    assert agent.session.signed_in_until == datetime.fromisoformat("2026-11-22T12:01:05+00:00")
    assert [each.subject for each in agent.told if each.subject is not Subject.SIGNED_IN] == [Subject.ENDED]
    assert _clicks(agent.told[-1]) == [Login("corp")]
    assert set(agent.state.file.marks) == {"p1"}, "keys stay until their own end"

    agent.answer = error.problem
    list(agent.live(NOON + 61 * MINUTE + LIFE))

    assert agent.state.file.marks == {}
    found = outlook(agent.state, agent.state.profiles["p1"], 2 * HOUR, agent.now, keys=False)
    assert found == SignInNeeded("corp", None)


def _clicks(notice: Notice) -> list[Click]:
    return [button.click for button in notice_words(notice, NOON, None).buttons]


@pytest.mark.met("F1")
def test_refusal_that_passes_leaves_the_sign_in_as_it_was_expected() -> None:
    agent = home(answer=refused(400, "InvalidRequestException").problem)
    before = agent.state.sessions["corp"].sign_in
    list(agent.live(NOON + 5 * MINUTE))
    assert agent.session.state == "expired"

    agent.answer = None
    list(agent.live(NOON + 40 * MINUTE))

    assert agent.session.state == "fresh"
    assert agent.session.renewal_refused is None
    assert agent.state.sessions["corp"].sign_in == before


@pytest.mark.met("F1")
def test_refusal_teaches_nothing_about_the_length_of_a_sign_in() -> None:
    agent = Agent(after(signed_in("p1", life=20 * MINUTE), Deactivated(("p1",))), refused(401).problem)
    list(agent.live(NOON + HOUR))

    assert agent.session.state == "expired"
    assert agent.state.sessions["corp"].memory.length is None


@pytest.mark.met("F1")
@pytest.mark.parametrize("life", [timedelta(), SECOND, 3 * SECOND])
def test_tokens_that_are_over_at_once_are_not_renewed_in_a_loop(life: timedelta) -> None:
    agent = home(answer=None)
    state = agent.state
    for second in range(600):
        now = NOON + LIFE + second * SECOND
        for action in decide(state, now):
            state = apply(state, Begun(action), now)
            if isinstance(action, RefreshToken):
                agent.refreshes.append(now)
                state = apply(state, Refreshed("corp", token(now, life, name=str(second))), now)

    assert 1 < len(agent.refreshes) <= 300
    assert life or len(agent.refreshes) <= 6


# --- what can never be renewed -----------------------------------------------------------------------


def found(*, refresh: bool = True, registered: timedelta | None = 90 * timedelta(days=1)) -> Agent:
    """Another program's token, good for another hour; with a client registration that ends then."""
    held = token(NOON, HOUR, refreshable=refresh)
    client = held.registration
    assert client is not None
    client = None if registered is None else replace(client, expires_at=NOON + registered)
    agent = Agent(after(signed_in("p1"), Deactivated(("p1",))), refused(400).problem)
    fresh = replace(held, registration=client, value=token(name="found").value)
    agent.state = after(agent.state, TokenFound("corp", fresh))
    return agent


@pytest.mark.met("F1")
@pytest.mark.parametrize(
    "agent",
    [
        pytest.param(lambda: found(refresh=False), id="no refresh token"),
        pytest.param(lambda: found(registered=None), id="no clientSecret"),
        pytest.param(lambda: found(registered=timedelta()), id="registration over"),
        pytest.param(lambda: found(registered=30 * MINUTE), id="registration ends first"),
    ],
)
def test_what_cannot_be_renewed_is_known_before_its_end(agent: Any) -> None:
    agent = agent()
    assert agent.session.signed_in_until == datetime.fromisoformat("2026-11-22T13:00:00+00:00")
    assert agent.session.end_known_by is EndProof.UNRENEWED
    assert agent.session.end_is_estimate is False
    assert not agent.lasts()

    for now in agent.live(NOON + 2 * HOUR):
        if now >= NOON + HOUR:
            assert agent.session.state == "expired"
    assert agent.refreshes == []
    assert {each.subject for each in agent.told} >= {Subject.ENDS_SOON, Subject.ENDED}


@pytest.mark.met("F1")
def test_client_registration_that_ends_within_the_sign_in_is_its_end() -> None:
    agent = found(registered=3 * HOUR)

    assert agent.session.signed_in_until == datetime.fromisoformat("2026-11-22T15:00:00+00:00")
    assert agent.session.end_known_by is EndProof.UNRENEWED
    assert "renews automatically" in agent.words()


# --- every answer to a fetch -------------------------------------------------------------------------

FETCHES = [
    *modelled("sso", "GetRoleCredentials", Service.PORTAL),
    *modelled("sts", "AssumeRole", Service.STS),
    *(
        pytest.param(
            error_for(Refusal(service, status, code, "no", {}), None, NOON), id=f"{service} {status}"
        )
        for service in (Service.PORTAL, Service.STS)
        for status, code in ((400, "Unheard"), (400, ""), (403, ""), (404, ""), (429, ""), (500, ""))
    ),
    pytest.param(UnexpectedReply("GetRoleCredentials: not JSON"), id="malformed 200"),
]


@pytest.mark.met("F1")
@pytest.mark.parametrize("error", FETCHES)
def test_profile_whose_keys_cannot_be_had_is_never_fresh_nor_silent(error: CredtrayError) -> None:
    agent = Agent(signed_in("p1"), None, fetch=error.problem)
    list(agent.live(NOON + 2 * MINUTE))
    told = as_json(status_document(agent.state, FACTS, agent.now))
    assert told["profiles"][0]["state"] not in {"fresh", "advisory"} or told["sessions"][0]["error"]

    list(agent.live(NOON + 30 * MINUTE))
    assert [each for each in agent.told if each.subject is not Subject.SIGNED_IN], "nobody was told"


# --- a guess is called one ---------------------------------------------------------------------------


@pytest.mark.met("M9")
def test_first_sign_in_of_four_minutes_left_is_no_promise_of_two_hours() -> None:
    agent = Agent(after(signed_in("p1"), Fetched("p1", keys())), None)
    found = outlook(agent.state, agent.state.profiles["p1"], 2 * HOUR, NOON, keys=False)

    assert isinstance(found, ValidUntil)
    assert found.guessed
    assert found.known_by is EndProof.SETTING
    assert found.sure_until == NOON + HOUR


@pytest.mark.met("M9")
@pytest.mark.parametrize(
    ("proof", "wanted", "guessed"),
    [
        (EndProof.SETTING, 61 * MINUTE, True),
        (EndProof.LAST_LENGTH, 61 * MINUTE, True),
        (EndProof.SETTING, 59 * MINUTE, False),
        (EndProof.LAST_LENGTH, 59 * MINUTE, False),
        (EndProof.CUT, 7 * HOUR, False),
        (EndProof.REFUSED, 7 * HOUR, False),
    ],
)
def test_only_what_the_token_held_does_not_cover_is_a_guess(
    proof: EndProof, wanted: timedelta, *, guessed: bool
) -> None:
    state = after(signed_in("p1"), Fetched("p1", keys()))
    session = state.sessions["corp"]
    assert session.sign_in is not None
    state = state.with_session(replace(session, sign_in=replace(session.sign_in, proof=proof)))
    found = outlook(state, state.profiles["p1"], wanted, NOON, keys=False)

    assert isinstance(found, ValidUntil)
    assert found.guessed is guessed


@pytest.mark.met("M9")
def test_token_of_another_program_ends_nobody_knows_when() -> None:
    state = after(signed_in("p1"), TokenFound("corp", token(NOON, HOUR, name="cli")), Fetched("p1", keys()))
    found = outlook(state, state.profiles["p1"], 2 * HOUR, NOON, keys=False)

    assert isinstance(found, ValidUntil)
    assert found.guessed


@pytest.mark.met("M9")
@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        (EndProof.SETTING, "this end is expected from the settings, not confirmed"),
        (EndProof.LAST_LENGTH, "this end is expected from the last sign-in, not confirmed"),
        (EndProof.CUT, ""),
    ],
)
def test_status_says_how_the_end_is_known(proof: EndProof, expected: str) -> None:
    state = signed_in("p1")
    session = state.sessions["corp"]
    assert session.sign_in is not None
    state = state.with_session(replace(session, sign_in=replace(session.sign_in, proof=proof)))
    item = status_document(state, FACTS, NOON).sessions[0]

    assert item.end_known_by is proof
    assert end_words(item) == expected
