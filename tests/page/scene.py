"""One moment of an eventful day, for pictures of the page and for what judges them: state and history.

Two sessions, one of which ends soon; a role that was taken away; a night asleep, and a train without network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from credtray.core.errors import RoleRefused
from credtray.core.events import (
    Activated,
    ConfigLoaded,
    Event,
    Fetched,
    FetchFailed,
    MarksRead,
    SignedIn,
    Switched,
)
from credtray.core.models import AccessToken, AwsConfig, Profile, RoleCredentials, Secret, SsoSession, Way
from credtray.core.notices import Subject
from credtray.core.settings import ProfileSettings, SessionSettings, Settings
from credtray.core.state import Identity, State
from credtray.history.entries import Entry, Kind
from tests.core.making import HOUR, MINUTE, after, fetching, registration

NOW = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
"""A Tuesday, five past two."""
START_URL = "https://d-9067000001.awsapps.com/start"
_DAY = timedelta(days=1)
_COMPANY, _LAB = "synderys", "lab"
_PERSON = "alice@synderys.example"
_ACCOUNTS = {
    "111100000001": "Synderys Platform",
    "111100000002": "Synderys Network",
    "111100000003": "Synderys Security",
    "111100000004": "Synderys Billing",
    "222200000001": "Lab Sandbox",
}
_PROFILES = (
    Profile("synderys-readonly", _COMPANY, "111100000001", "ReadOnly", region="eu-west-1"),
    Profile("synderys-dns", _COMPANY, "111100000002", "DNS", region="eu-west-1"),
    Profile("synderys-security", _COMPANY, "111100000003", "SecurityAudit", region="eu-west-1"),
    Profile("synderys-billing", _COMPANY, "111100000004", "Billing", region="us-east-1"),
    Profile("synderys-platform-admin", _COMPANY, "111100000001", "AdministratorAccess", region="eu-west-1"),
    Profile("lab-sandbox", _LAB, "222200000001", "PowerUser", region="eu-central-1"),
    Profile("lab-training-environment-of-the-data-platform-team", _LAB, "222200000002", "ReadOnly"),
)
_SETTINGS = Settings(
    sessions={_COMPANY: SessionSettings(duration=8 * HOUR), _LAB: SessionSettings(duration=4 * HOUR)},
    profiles={
        "synderys-readonly": ProfileSettings(description="Look, do not touch", favourite=True),
        "synderys-dns": ProfileSettings(tags=("network", "weekly")),
        "synderys-billing": ProfileSettings(tags=("billing",)),
        "synderys-platform-admin": ProfileSettings(production=True, notes="Ask Kim before Friday."),
    },
)  # fmt: skip


def at(clock: str, *, yesterday: bool = False) -> datetime:
    """Return an instant of that day, or of the one before."""
    hours, _, minutes = clock.partition(":")
    day = NOW.replace(hour=int(hours), minute=int(minutes))
    return day - _DAY if yesterday else day


def state() -> State:
    """Return how everything stands at that moment."""
    sessions = {
        name: SsoSession(name, f"https://d-{number}.awsapps.com/start", "eu-west-1")
        for name, number in ((_COMPANY, "9067000001"), (_LAB, "9067000002"))
    }
    config = AwsConfig(sessions, {each.name: each for each in _PROFILES})
    fresh = replace(State(seed="scene"), settings=_SETTINGS, accounts=_ACCOUNTS)
    steps: tuple[tuple[datetime, tuple[Event, ...]], ...] = (
        (at("09:20"), (ConfigLoaded(config), MarksRead(()), SignedIn(_COMPANY, _token("09:20")))),
        (at("10:25"), (SignedIn(_LAB, _token("10:25")),)),
        (at("10:26"), (Activated(("synderys-readonly", "synderys-dns", "synderys-billing", "lab-sandbox")),)),
        (at("10:27"), (Switched("synderys-readonly"),)),
        (at("13:40"), (*_fetched("synderys-readonly", "13:40"), *_fetched("synderys-dns", "13:40"))),
        (at("13:45"), _fetched("lab-sandbox", "13:45")),
        (at("13:58"), (fetching("synderys-billing"), FetchFailed("synderys-billing", _REFUSED))),
    )
    found = fresh
    for now, events in steps:
        found = after(found, *events, now=now)
    return _with_tokens_of(found, "13:40")


def another_person() -> State:
    """Return the same, but that somebody else has signed in to one of the sessions."""
    found = state()
    lab = found.sessions[_LAB]
    whose = replace(lab.identity, person="bob@synderys.example")
    return replace(found, sessions={**found.sessions, _LAB: replace(lab, identity=whose)})


_REFUSED = RoleRefused("synderys-billing").problem


def _token(clock: str) -> AccessToken:
    began = at(clock)
    return AccessToken(Secret(f"a-{clock}"), began + HOUR, Secret("r"), registration(began), issued_at=began)


def _fetched(profile: str, clock: str) -> tuple[Event, ...]:
    began = at(clock)
    keys = RoleCredentials("ASIASCENE", Secret("secret"), Secret("session"), began + HOUR, began)
    return fetching(profile), Fetched(profile, keys)


def _with_tokens_of(found: State, clock: str) -> State:
    """Return the state with a person's tokens that were renewed then: the sign-in is as old as it was."""
    token = _token(clock)
    whose = Identity(expected=_PERSON, person=_PERSON, told=True)
    sessions = {name: replace(each, token=token, identity=whose) for name, each in found.sessions.items()}
    return replace(found, sessions=sessions)


# --- what happened ---------------------------------------------------------------------------------------


def history() -> list[Entry]:
    """Return the day that led there, oldest first."""
    return sorted(_happened(), key=lambda entry: entry.at)


def _happened() -> Iterator[Entry]:
    yield from _yesterday()
    yield Entry(at=at("08:50"), kind=Kind.WOKE)
    yield from _signed_in(_COMPANY, at("09:20"), 8 * HOUR)
    yield from _signed_in(_LAB, at("10:25"), 4 * HOUR)
    yield Entry(at=at("10:27"), kind=Kind.SWITCHED, session=_COMPANY, profile="synderys-readonly")
    for clock in ("10:00", "10:40", "11:20", "12:20", "13:00", "13:40"):
        yield _renewed(_COMPANY, at(clock))
        for profile in ("synderys-readonly", "synderys-dns"):
            yield _fetch(_COMPANY, profile, at(clock))
    for clock in ("11:05", "12:25", "13:05", "13:45"):
        yield _renewed(_LAB, at(clock))
        yield _fetch(_LAB, "lab-sandbox", at(clock))
    for session in (_COMPANY, _LAB):
        yield Entry(at=at("11:25"), kind=Kind.OFFLINE, session=session)
        yield Entry(at=at("12:18"), kind=Kind.ONLINE, session=session)
    yield _told(_LAB, at("13:55"), "30 min")
    yield from _asked()


def _yesterday() -> Iterator[Entry]:
    yield Entry(at=at("08:55", yesterday=True), kind=Kind.AGENT_STARTED)
    yield from _signed_in(_COMPANY, at("09:05", yesterday=True), 8 * HOUR)
    for clock in ("14:25", "15:05", "15:45", "16:25"):
        yield _renewed(_COMPANY, at(clock, yesterday=True))
        yield _fetch(_COMPANY, "synderys-readonly", at(clock, yesterday=True))
    yield _told(_COMPANY, at("16:35", yesterday=True), "30 min")
    yield _told(_COMPANY, at("16:55", yesterday=True), "10 min")
    yield Entry(at=at("17:05", yesterday=True), kind=Kind.SIGN_IN_ENDED, session=_COMPANY)
    yield Entry(at=at("18:10", yesterday=True), kind=Kind.SLEPT)


def _asked() -> Iterator[Entry]:
    def given(clock: str, profile: str, way: Way, program: str, pid: int, count: int = 1) -> Entry:
        last = at(clock) + MINUTE if count > 1 else None
        return Entry(
            at=at(clock), kind=Kind.KEYS_GIVEN, session=_COMPANY, profile=profile, way=way, program=program,
            pid=pid, count=count, last=last,
        )  # fmt: skip

    yield given("09:31", "synderys-readonly", Way.PROCESS, "aws", 3127)
    yield given("10:52", "synderys-dns", Way.ENDPOINT, "terraform", 4711, 12)
    yield given("13:41", "synderys-readonly", Way.PROCESS, "python3", 5230)
    yield Entry(
        at=at("13:50"), kind=Kind.KEYS_GIVEN, profile="synderys-dns", session=_COMPANY, way=Way.CLIPBOARD
    )
    yield Entry(
        at=at("13:58"), kind=Kind.KEYS_REFUSED, session=_COMPANY, profile="synderys-billing",
        code=RoleRefused.code, text=_REFUSED.title,
    )  # fmt: skip


def _signed_in(session: str, began: datetime, lasts: timedelta) -> Iterator[Entry]:
    yield Entry(at=began - 2 * MINUTE, kind=Kind.SIGN_IN_BEGUN, session=session)
    yield Entry(at=began, kind=Kind.SIGNED_IN, session=session, until=began + lasts, about=True)


def _told(session: str, now: datetime, left: str) -> Entry:
    text = f"{session}: sign-in ends in about {left}"
    return Entry(at=now, kind=Kind.NOTICED, session=session, code=Subject.ENDS_SOON.value, text=text)


def _renewed(session: str, now: datetime) -> Entry:
    return Entry(at=now, kind=Kind.TOKEN_RENEWED, session=session, until=now + HOUR)


def _fetch(session: str, profile: str, now: datetime) -> Entry:
    return Entry(at=now, kind=Kind.KEYS_FETCHED, session=session, profile=profile, until=now + HOUR)
