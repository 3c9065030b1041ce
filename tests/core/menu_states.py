"""The typical moments that icon, tooltip and menu are shown for, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credtray.core.errors import (
    ConfigInvalid,
    FileUnparsable,
    Offline,
    PortalFailed,
    RoleRefused,
    SectionNotOurs,
    SignInDenied,
    TokenRefused,
    TokenUnreadable,
)
from credtray.core.events import (
    Activated,
    ConfigBroken,
    ConfigLoaded,
    Event,
    Fetched,
    FetchFailed,
    MarksRead,
    NoticesPaused,
    PersonKnown,
    Refreshed,
    RefreshFailed,
    SignedIn,
    SignInAddressKnown,
    SignInFailed,
    SignInStarted,
    Switched,
    TokenDoubtful,
    TokenFound,
)
from credtray.core.models import AssumedRole, ConfigWarning, Delivery, Profile
from credtray.core.ports import DesktopPart, Mark, Part
from credtray.core.settings import ProfileSettings, Settings
from credtray.core.state import FileState, State, Trouble, frozen
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    after,
    config,
    fetching,
    keys,
    profile,
    refreshing,
    session,
    token,
)

NAMES = ("dev", "ro", "prod")
PRODUCTION = Settings(profiles=frozen({"prod": ProfileSettings(production=True)}))


@dataclass(frozen=True, slots=True)
class Moment:
    state: State
    now: datetime = NOON


def fetched(state: State, *names: str, now: datetime = NOON, life: timedelta = HOUR) -> State:
    starts = (fetching(name) for name in names)
    return after(state, *starts, *(Fetched(name, keys(now, life, name=name)) for name in names), now=now)


def started(*names: str, settings: Settings = Settings()) -> State:
    """An agent that has read its files, and knows no account by name."""
    read = ConfigLoaded(config(*(profile(name) for name in names)))
    return after(State(settings=settings, seed="s"), read, MarksRead(()))


def working() -> State:
    """Signed in; two profiles active with keys, one of them the default; production is only there."""
    state = after(started(*NAMES, settings=PRODUCTION), SignedIn("corp", token()), Activated(("dev", "ro")))
    state = after(state, Switched("dev"))
    return replace(fetched(state, "dev", "ro"), accounts=frozen({"111100000000": "Payments"}))


def at(state: State, minutes: float, *events: Event) -> Moment:
    now = NOON + minutes * MINUTE
    return Moment(after(state, *events, now=now), now)


def cut_at(minutes: float) -> State:
    """Signed in at noon, and a refresh proved that it ends after so many minutes."""
    state, early = working(), NOON + (minutes - 50) * MINUTE
    return after(
        state,
        refreshing("corp"),
        Refreshed("corp", token(early, 50 * MINUTE)),
        now=early,
    )


def refused_at(minutes: float) -> Moment:
    return at(cut_at(180), minutes, refreshing("corp"), RefreshFailed("corp", TokenRefused().problem))


def two_sessions(*events: Event) -> State:
    profiles = (profile("dev"), profile("lab-ro", of="lab"))
    both = config(*profiles, sessions=(session("corp"), session("lab")))
    return after(State(seed="s"), ConfigLoaded(both), MarksRead(()), *events)


def crowd(count: int = 60, accounts: int = 6) -> State:
    profiles = tuple(
        Profile(f"p{index:03}", "corp", f"{111100000000 + index % accounts}", f"Role{index // accounts}")
        for index in range(count)
    )
    state = after(State(seed="s"), ConfigLoaded(config(*profiles)), MarksRead(()), SignedIn("corp", token()))
    names = {"111100000000": "Payments", "111100000001": "Shop", "111100000002": "Shop"}
    return replace(state, accounts=frozen(names))


def signed_in_as(*persons: str) -> State:
    """Signed in by one person after the other, each time with keys for what is in use."""
    state = replace(working(), asks_person=True)
    for number, person in enumerate(persons):
        now = NOON + number * MINUTE
        state = after(state, SignedIn("corp", token(now, name=f"of-{number}")), now=now)
        state = after(fetched(state, "dev", now=now), PersonKnown("corp", person, now), now=now)
    return state


def session_moments() -> Iterator[tuple[str, Moment]]:
    yield "nothing is set up", Moment(State())
    yield "signed out, nothing chosen", Moment(started("dev"))
    yield "signed in, estimated", at(working(), 18)
    yield "signed in, proven", at(cut_at(240), 195)
    yield "ends soon", at(cut_at(240), 231)
    yield "ended", refused_at(200)
    renewed = after(working(), TokenFound("corp", token(NOON + 9 * HOUR)))
    yield "longer than expected", Moment(renewed, NOON + 8 * HOUR + MINUTE)
    yield "offline", at(working(), 30, refreshing("corp"), RefreshFailed("corp", Offline().problem))
    yield "clock off", Moment(replace(working(), clock_error=timedelta(minutes=7)))
    pending = after(started("dev"), SignInStarted("corp"))
    yield "signing in, the address is not known yet", Moment(pending)
    known = SignInAddressKnown("corp", "https://device.sso.us-east-1.amazonaws.com/", "ABCD-EFGH")
    yield "signing in again on another device", Moment(after(working(), SignInStarted("corp"), known))
    denied = after(pending, SignInFailed("corp", SignInDenied().problem))
    yield "sign-in denied", Moment(denied)
    corp, lab = SignedIn("corp", token()), SignedIn("lab", token())
    yield "two sessions, both signed in", Moment(two_sessions(corp, lab))
    yield "two sessions, one in use signed out", Moment(two_sessions(corp, Activated(("lab-ro",))))
    yield "it is known who is signed in", Moment(signed_in_as("alice@synderys.com"))
    yield "another person is signed in", Moment(signed_in_as("alice@synderys.com", "bob@synderys.com"))
    both = two_sessions(corp, lab)
    persons = after(replace(both, asks_person=True), corp, PersonKnown("corp", "alice@synderys.com", NOON))
    persons = after(persons, corp, PersonKnown("corp", "bob@synderys.com", NOON))
    yield "two sessions, one with another person", Moment(persons)


def trouble_moments() -> Iterator[tuple[str, Moment]]:
    yield "role refused", Moment(after(working(), FetchFailed("ro", RoleRefused("HTTP 403").problem)))
    refused = replace(working().file, refused=frozen({"dev": SectionNotOurs("[dev]").problem}))
    yield "section not ours", Moment(replace(working(), file=refused))
    lasting = Trouble(FileUnparsable("line 3").problem, NOON, 1, NOON + MINUTE)
    yield "credentials file broken", Moment(replace(working(), file=FileState(trouble=lasting)))
    yield (
        "config file broken at the start",
        Moment(after(State(), ConfigBroken(ConfigInvalid("line 7").problem))),
    )
    unread = after(started("dev"), TokenDoubtful("corp", TokenUnreadable().problem))
    yield "token file unreadable", Moment(unread)
    failing = after(working(), refreshing("corp"), RefreshFailed("corp", PortalFailed().problem))
    yield "portal failing for ten minutes", Moment(failing, NOON + 10 * MINUTE)
    quiet = replace(
        working(), desktop=frozen({"notifications": DesktopPart(Part.NOTIFICATIONS, None, "no D-Bus")})
    )
    yield "no notifications, paused ones", Moment(after(quiet, NoticesPaused(NOON + HOUR)))
    warned = replace(working().config, warnings=(ConfigWarning("x", 3, "it lacks sso_region", ""),) * 2)
    yield "config file with warnings", Moment(replace(working(), config=warned))


def written_down() -> Settings:
    """The settings of somebody who keeps notes."""
    return Settings(
        confirm_production=True,
        profiles=frozen(
            {
                "ro": ProfileSettings(description="Looks, touches nothing", favourite=True),
                "dev": ProfileSettings(delivery=Delivery.ENDPOINT),
                "prod": ProfileSettings(
                    description="Everything of the shop. " * 5, notes="Ask Kim before Friday", production=True
                ),
            }
        ),
    )


def profile_moments() -> Iterator[tuple[str, Moment]]:
    asking = replace(PRODUCTION, confirm_production=True)
    yield "production is asked twice", Moment(replace(working(), settings=asking))
    chosen = after(replace(working(), settings=asking), Activated(("prod",)), Switched("prod"))
    yield "production was chosen", Moment(chosen)
    steps = (AssumedRole("arn:aws:iam::222200000000:role/ops/Deploy"),)
    chained = config(profile("dev"), replace(profile("deploy"), chain=steps))
    yield "a chained profile", Moment(after(State(seed="s"), ConfigLoaded(chained), MarksRead(())))
    mark = Mark("dev", "dev", NOON + 40 * MINUTE, "0123456789abcdef")
    kept = after(started("dev"), SignedIn("corp", token()), Activated(("dev",)), MarksRead((mark,)))
    yield "keys of the agent before", Moment(kept)
    many = after(crowd(), Activated(("p007", "p003")))
    yield "a crowd", Moment(replace(many, default="p050", recent=("p011", "p007")))
    yield "a crowd in one account", Moment(crowd(95, 1))
    yield "what a person has written down", Moment(replace(working(), settings=written_down()))


def moments() -> dict[str, Moment]:
    return dict([*session_moments(), *trouble_moments(), *profile_moments()])
