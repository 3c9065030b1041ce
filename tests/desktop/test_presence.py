"""Who is away, as screen savers, session and logind tell it; who cannot be asked keeps nobody away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dbus_fast import Variant

from credtray.core.errors import BusCallFailed
from credtray.core.ports import Presence
from credtray.desktop import presence
from credtray.desktop.bus import session
from credtray.desktop.presence import linux as presence_logind
from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.presence_fakes import (
    LOGIN,
    LOGIN_PATH,
    OURS,
    PROPERTIES,
    THEIRS,
    FakeGnomeSession,
    FakeLogind,
    FakeSaver,
    FakeService,
    watched,
)

pytestmark = pytest.mark.linux_desktop("logind on D-Bus")

FREEDESKTOP = "org.freedesktop.ScreenSaver"
NOWHERE = "unix:path=/nowhere"


def saver(address: str, *, active: bool = False) -> FakeSaver:
    return FakeSaver(address, FREEDESKTOP, "/org/freedesktop/ScreenSaver", active=active)


# --- the screen ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path", "interface"),
    [
        (FREEDESKTOP, "/org/freedesktop/ScreenSaver", ""),
        (FREEDESKTOP, "/ScreenSaver", ""),
        ("org.kde.screensaver", "/ScreenSaver", FREEDESKTOP),
        ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver", ""),
        ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver", ""),
        ("org.xfce.ScreenSaver", "/", ""),
        ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver", ""),
        ("org.mate.ScreenSaver", "/org/mate/ScreenSaver", ""),
    ],
)
def test_every_desktops_screen_saver_is_heard(bus: DbusDaemon, name: str, path: str, interface: str) -> None:
    async def drive() -> None:
        screen = FakeSaver(bus.address, name, path, interface=interface)
        async with watched(bus.address, screen, system=NOWHERE) as seen:
            await seen.uses(name)
            screen.say(active=True)
            await seen.becomes(locked=True)
            screen.say(active=False)
            await seen.becomes()

            assert seen.told == [Presence(locked=True), Presence()]

    asyncio.run(drive())


def test_a_screen_locked_before_the_agent_began_is_seen(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with watched(bus.address, saver(bus.address, active=True)) as seen:
            await seen.becomes(locked=True)

    asyncio.run(drive())


def test_a_screen_saver_that_dies_while_locked_keeps_nobody_away(bus: DbusDaemon) -> None:
    async def drive() -> None:
        screen = saver(bus.address, active=True)
        async with watched(bus.address, screen) as seen:
            await seen.becomes(locked=True)
            await screen.die()
            await seen.becomes()
            await screen.start()
            await seen.becomes(locked=True)

    asyncio.run(drive())


def test_a_screen_saver_that_begins_after_the_agent_is_heard(bus: DbusDaemon) -> None:
    async def drive() -> None:
        async with watched(bus.address) as seen:
            screen = saver(bus.address, active=True)
            await screen.start()
            try:
                await seen.becomes(locked=True)
            finally:
                await screen.die()

    asyncio.run(drive())


@pytest.mark.parametrize("answer", [("s", ["yes"]), ("u", [1]), ("", []), ("ab", [[True]])])
def test_a_screen_saver_that_talks_rubbish_is_not_used(
    bus: DbusDaemon, answer: tuple[str, list[Any]]
) -> None:
    async def drive() -> None:
        screen, gnome = saver(bus.address), FakeGnomeSession(bus.address, 3)
        screen.answers[screen.path, "GetActive"] = answer
        async with watched(bus.address, screen, gnome, system=NOWHERE) as seen:
            await seen.uses("org.gnome.SessionManager")
            screen.emit(screen.path, screen.interface, "ActiveChanged", *answer)
            gnome.say(0)
            await seen.becomes()

            assert seen.told == [Presence(idle=True), Presence()]

    asyncio.run(drive())


def test_a_screen_saver_that_hangs_holds_up_nobody_and_is_heard_later(
    bus: DbusDaemon,
) -> None:
    async def drive() -> None:
        screen, gnome = saver(bus.address), FakeGnomeSession(bus.address, 3)
        screen.hangs = True
        async with watched(bus.address, screen, gnome, system=NOWHERE) as seen:
            await seen.becomes(idle=True)
            screen.say(active=True)
            await seen.becomes(idle=True, locked=True)

    asyncio.run(drive())


def test_an_idle_gnome_session_is_away(bus: DbusDaemon) -> None:
    async def drive() -> None:
        gnome = FakeGnomeSession(bus.address)
        async with watched(bus.address, gnome, system=NOWHERE) as seen:
            await seen.uses("org.gnome.SessionManager")
            gnome.say(2)  # busy: a person who is there and wants no chat
            gnome.say(3)
            await seen.becomes(idle=True)
            gnome.say(0)
            await seen.becomes()

            assert seen.told == [Presence(idle=True), Presence()]

    asyncio.run(drive())


# --- logind -------------------------------------------------------------------------------------------


def test_logind_tells_locked_and_idle(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.uses("logind")
            logind.hint(LockedHint=True)
            await seen.becomes(locked=True)
            logind.hint(IdleHint=True)
            await seen.becomes(locked=True, idle=True)
            logind.hint(LockedHint=False, IdleHint=False)
            await seen.becomes()

    asyncio.run(drive())


def test_a_change_whose_value_is_not_told_is_asked_for(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.uses("logind")
            logind.hints["LockedHint"] = True
            logind.found()
            logind.stir(OURS, {}, ["LockedHint"])
            await seen.becomes(locked=True)

    asyncio.run(drive())


def test_being_asked_to_lock_is_not_being_locked(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.uses("logind")
            logind.emit(OURS, f"{LOGIN}.Session", "Lock", "", [])
            logind.hint(IdleHint=True)
            await seen.becomes(idle=True)

            assert seen.told == [Presence(idle=True)]

    asyncio.run(drive())


def test_an_unlock_makes_it_look_again(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        logind.hints["LockedHint"] = True
        logind.found()
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.becomes(locked=True)
            logind.hints["LockedHint"] = False
            logind.found()
            logind.emit(OURS, f"{LOGIN}.Session", "Unlock", "", [])
            await seen.becomes()

    asyncio.run(drive())


def test_a_text_sessions_idle_terminal_says_nothing_about_the_person(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address, "tty")
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.uses("logind")
            logind.hint(IdleHint=True)
            logind.hint(LockedHint=True)
            await seen.becomes(locked=True)

            assert seen.told == [Presence(locked=True)]

    asyncio.run(drive())


def test_sleep_and_wake(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.uses("logind")
            logind.sleep(begins=True)
            await seen.becomes(asleep=True)
            logind.hint(LockedHint=True)
            await seen.becomes(asleep=True, locked=True)
            logind.sleep(begins=False)
            await seen.becomes(locked=True)

    asyncio.run(drive())


def test_logind_that_dies_during_sleep_leaves_nobody_asleep(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.uses("logind")
            logind.sleep(begins=True)
            await seen.becomes(asleep=True)
            await logind.die()
            await seen.becomes()
            await seen.uses(None)
            await logind.start()
            await seen.uses("logind")

    asyncio.run(drive())


def test_somebody_elses_session_is_not_ours(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.uses("logind")
            logind.stir(THEIRS, {}, ["LockedHint"])
            logind.emit(THEIRS, f"{LOGIN}.Session", "Lock", "", [])
            for begins in (True, False):  # these change nothing about the session
                logind.sleep(begins=begins)
                await seen.becomes(asleep=begins)
            logind.hint(LockedHint=True)
            await seen.becomes(locked=True)

            assert logind.asked.count((OURS, "GetAll")) == 2
            assert (THEIRS, "GetAll") not in logind.asked

    asyncio.run(drive())


def test_a_user_service_finds_the_session_of_its_users_desktop(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        del logind.answers[LOGIN_PATH, "GetSessionByPID"]
        user = f"{LOGIN_PATH}/user/_1000"
        logind.answers[LOGIN_PATH, "GetUser"] = ("o", [user])
        logind.answers[user, "Get"] = ("v", [_display("2", OURS)])
        logind.hints["LockedHint"] = True
        logind.answer_hints()
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.becomes(locked=True)

    asyncio.run(drive())


def test_a_session_that_begins_after_the_agent_is_found(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        del logind.answers[LOGIN_PATH, "GetSessionByPID"]
        user = f"{LOGIN_PATH}/user/_1000"
        logind.answers[LOGIN_PATH, "GetUser"] = ("o", [user])
        logind.answers[user, "Get"] = ("v", [_display("", "/")])
        logind.hints["LockedHint"] = True
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.uses("logind")
            assert seen.told == []
            logind.found()
            logind.emit(LOGIN_PATH, f"{LOGIN}.Manager", "SessionNew", "so", ["2", OURS])
            await seen.becomes(locked=True)

    asyncio.run(drive())


def test_a_locked_session_that_ends_keeps_nobody_away_and_the_next_is_found(bus: DbusDaemon) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        logind.hints["LockedHint"] = True
        logind.found()
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.becomes(locked=True)
            logind.answers.clear()
            logind.emit(LOGIN_PATH, f"{LOGIN}.Manager", "SessionRemoved", "so", ["2", OURS])
            await seen.becomes()
            logind.found(THEIRS)
            logind.emit(LOGIN_PATH, f"{LOGIN}.Manager", "SessionNew", "so", ["3", THEIRS])
            await seen.becomes(locked=True)

    asyncio.run(drive())


def test_the_session_named_by_the_environment_counts(
    bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_SESSION_ID", "2")

    async def drive() -> None:
        logind = FakeLogind(bus.address)
        logind.answers[LOGIN_PATH, "GetSession"] = ("o", [OURS])
        logind.answers[LOGIN_PATH, "GetSessionByPID"] = ("o", [THEIRS])
        logind.hints["LockedHint"] = True
        logind.answer_hints()
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.becomes(locked=True)

    asyncio.run(drive())


@pytest.mark.parametrize(
    ("member", "signature", "body"),
    [
        ("PrepareForSleep", "s", ["true"]),
        ("PrepareForSleep", "", []),
        ("SessionRemoved", "s", ["2"]),
        ("Unheard", "b", [True]),
    ],
)
def test_rubbish_of_the_system_means_nothing(
    bus: DbusDaemon, member: str, signature: str, body: list[Any]
) -> None:
    async def drive() -> None:
        logind = FakeLogind(bus.address)
        async with watched(NOWHERE, logind, system=bus.address) as seen:
            await seen.uses("logind")
            logind.emit(LOGIN_PATH, f"{LOGIN}.Manager", member, signature, body)
            logind.emit(OURS, PROPERTIES, "PropertiesChanged", "s", [f"{LOGIN}.Session"])
            logind.hint(LockedHint=True)
            await seen.becomes(locked=True)

            assert seen.told == [Presence(locked=True)]

    asyncio.run(drive())


# --- together -----------------------------------------------------------------------------------------


def test_who_is_away_for_one_source_is_away(bus: DbusDaemon) -> None:
    async def drive() -> None:
        screen, logind = saver(bus.address, active=True), FakeLogind(bus.address)
        async with watched(bus.address, screen, logind) as seen:
            await seen.uses("logind, org.freedesktop.ScreenSaver")
            await seen.becomes(locked=True)
            logind.hint(LockedHint=True, IdleHint=True)
            await seen.becomes(locked=True, idle=True)
            screen.say(active=False)
            logind.hint(LockedHint=False)
            await seen.becomes(idle=True)

            assert seen.told == [Presence(locked=True), Presence(locked=True, idle=True), Presence(idle=True)]

    asyncio.run(drive())


def test_a_lost_bus_keeps_nobody_away_and_is_found_again(
    bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "RECONNECT_SECONDS", (0.05,))

    async def drive() -> None:
        screen = saver(bus.address, active=True)
        async with watched(bus.address, screen, system=NOWHERE) as seen:
            await seen.becomes(locked=True)
            bus.kill()
            await seen.becomes()
            await seen.uses(None)
            bus.start()
            await screen.die()
            await screen.start()
            await seen.becomes(locked=True)

    asyncio.run(drive())


def test_without_any_source_everybody_counts_as_present_and_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence, "SETTLE_SECONDS", 0.05)

    async def drive() -> None:
        async with watched(NOWHERE) as seen:
            await seen.uses(None)

            assert seen.told == []
            assert seen.parts[-1].name == "presence"
            assert "notices are always shown" in (seen.parts[-1].reason or "")

    asyncio.run(drive())


def test_nothing_is_started_only_to_be_asked(bus: DbusDaemon) -> None:
    """A call by well-known name would start a service that is not running."""
    asked: list[str] = []

    class Listening(FakeService):
        def _received(self, message: Any) -> Any:
            asked.append(message.destination)
            return super()._received(message)

    async def drive() -> None:
        screen = Listening(bus.address, FREEDESKTOP)
        screen.answers["/org/freedesktop/ScreenSaver", "GetActive"] = ("b", [True])
        async with watched(bus.address, screen) as seen:
            await seen.becomes(locked=True)

        assert {name[0] for name in asked} == {":"}

    asyncio.run(drive())


def _display(number: str, path: str) -> Variant:
    return Variant("(so)", (number, path))


@pytest.mark.parametrize("hints", [None, [], {"Type": ["x11"], "IdleHint": True}, {"LockedHint": "yes"}])
def test_hints_of_the_wrong_kind_count_as_present(hints: object) -> None:
    assert presence_logind._presence(hints) == Presence()


@pytest.mark.parametrize("answer", [[], [7], [["/a", "/b"]], ["/a", "/b"]])
def test_logind_that_answers_with_no_path_is_a_failed_call(answer: list[object]) -> None:
    with pytest.raises(BusCallFailed):
        presence_logind._path(answer)
