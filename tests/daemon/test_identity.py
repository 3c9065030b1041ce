"""Who is signed in: the same person costs one question, another one gets no keys until somebody decides."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.core import clicks, protocol, state_document
from credtray.core.errors import CredtrayError, Offline, OtherPerson, UsageError
from credtray.core.events import ClockChanged, ConfigLoaded, Deactivated, FilesChanged
from credtray.core.models import CredentialStatus
from credtray.core.ports import Notification
from credtray.core.protocol.results import KeepResult, LoginResult, SessionStatus, StatusDocument
from credtray.core.state import State
from credtray.daemon.requests import Recipient
from tests.core.making import HOUR, MINUTE, SECOND, config, profile, registration
from tests.core.making import session as corp
from tests.daemon.fakes import Daemon, run

ALICE, BOB = "alice@synderys.com", "bob@synderys.com"
ALARM = ", not as "
WATCHING = State(seed="s", asks_person=True)


async def working(state: State = WATCHING) -> Daemon:
    """Alice is signed in, one profile is active, its keys are in the file."""
    daemon = await Daemon("dev", "ops", state=state).signed_in("dev")
    await passed(daemon)
    return daemon


async def passed(daemon: Daemon, time: timedelta = 5 * SECOND) -> None:
    """Let so much time pass."""
    await asyncio.sleep(time.total_seconds())
    assert await daemon.loop.everything_settled(60)


async def signed_in_as(daemon: Daemon, person: str) -> LoginResult:
    daemon.portal.in_browser = person
    done = await daemon.ask(protocol.Login("corp", fresh=True, agreed=True))
    await passed(daemon)
    assert isinstance(done, protocol.Done)
    assert isinstance(done.result, LoginResult)
    return done.result


async def status(daemon: Daemon) -> SessionStatus:
    done = await daemon.ask(protocol.Status())
    assert isinstance(done, protocol.Done)
    assert isinstance(done.result, StatusDocument)
    return done.result.sessions[0]


def persons(daemon: Daemon) -> set[str]:
    """Return whose keys are in the credentials file."""
    return {
        daemon.portal.persons[keys.credentials.access_key_id] for keys in daemon.credentials.keys.values()
    }


async def person_answered(daemon: Daemon, name: str) -> str:
    keys = await daemon.requests.issued(name, Recipient(None))
    return daemon.portal.persons[keys.access_key_id]


async def token_read(daemon: Daemon) -> None:
    """Wait until the token of another program is known, and not yet whose it is."""
    async with daemon.loop.watching() as changed:
        while daemon.state.sessions["corp"].identity.told:
            changed.clear()
            await changed.wait()


def alarm(daemon: Daemon) -> Notification | None:
    return daemon.notifier.there.get("corp:person")


def test_who_is_signed_in_is_known_after_one_question() -> None:
    async def drive() -> None:
        daemon = await working()

        assert (await status(daemon)).person == ALICE
        assert (await status(daemon)).expected_person is None
        assert daemon.portal.counted["person"] == 1

    run(drive())


def test_renewals_ask_nothing_more() -> None:
    async def drive() -> None:
        daemon = await working()
        await passed(daemon, 7 * HOUR)

        assert daemon.portal.counted["refresh"] >= 7
        assert daemon.portal.counted["person"] == 1

    run(drive())


def test_signing_in_again_as_the_same_person_costs_one_fetch_and_one_question() -> None:
    async def drive() -> None:
        daemon = await working()
        fetched = daemon.portal.counted["fetch"]
        result = await signed_in_as(daemon, ALICE)

        assert result.person == ALICE
        assert not result.other_person
        assert daemon.portal.counted["person"] == 2
        assert daemon.portal.counted["fetch"] == fetched + 1
        assert alarm(daemon) is None

    run(drive())


def test_keys_of_another_person_are_neither_written_nor_answered() -> None:
    async def drive() -> None:
        daemon = await working()
        result = await signed_in_as(daemon, BOB)
        await passed(daemon, 61 * MINUTE)

        assert result.other_person
        assert BOB not in persons(daemon)
        for name in ("dev", "ops"):
            with pytest.raises(OtherPerson, match=f"{BOB} signed in to corp, but last time it was {ALICE}"):
                await person_answered(daemon, name)

    run(drive())


def test_keys_of_the_former_person_stay_until_they_end() -> None:
    async def drive() -> None:
        daemon = await working()
        await signed_in_as(daemon, BOB)

        assert persons(daemon) == {ALICE}
        assert await person_answered(daemon, "dev") == ALICE

        await passed(daemon, 61 * MINUTE)

        assert persons(daemon) == set()

    run(drive())


def test_one_notice_says_whose_sign_in_it_is_and_offers_each_way_out() -> None:
    async def drive() -> None:
        daemon = await working()
        await signed_in_as(daemon, BOB)
        shown = alarm(daemon)

        assert shown is not None
        assert shown.title == f"corp: signed in as {BOB}, not as {ALICE}"
        assert shown.on_body.click == clicks.ShowPage()
        assert [(button.label, button.click) for button in shown.buttons] == [
            (f"Sign in as {ALICE}", protocol.Login("corp", fresh=True)),
            (f"Keep {BOB}", protocol.KeepPerson("corp", BOB)),
            ("Use a clean browser", protocol.Login("corp", fresh=True, clean=True)),
        ]

        told = len(daemon.notifier.shown)
        await passed(daemon, 5 * HOUR)

        assert sum(ALARM in each for each in daemon.notifier.shown) == 1
        assert all(ALARM not in each for each in daemon.notifier.shown[told:])

    run(drive())


def test_status_says_whose_sign_in_it_is_and_what_to_do() -> None:
    async def drive() -> None:
        daemon = await working()
        await signed_in_as(daemon, BOB)
        told = await status(daemon)

        assert told.state is CredentialStatus.REFUSED
        assert (told.person, told.expected_person) == (BOB, ALICE)
        assert told.error is not None
        assert told.error.code == OtherPerson.code
        assert "credtray login corp --keep" in told.error.hint

    run(drive())


@pytest.mark.parametrize("times", [1, 2])
def test_who_is_kept_gets_keys_at_once_and_is_the_one_from_then_on(times: int) -> None:
    async def drive() -> None:
        daemon = await working()
        await signed_in_as(daemon, BOB)
        fetched = daemon.portal.counted["fetch"]
        for number in range(times):
            done = await daemon.ask(protocol.KeepPerson("corp", BOB))
            assert isinstance(done, protocol.Done)
            assert done.result == KeepResult("corp", BOB, number > 0)
        await passed(daemon)

        assert persons(daemon) == {BOB}
        assert daemon.portal.counted["fetch"] == fetched
        assert alarm(daemon) is None
        assert not (await signed_in_as(daemon, BOB)).other_person
        assert (await signed_in_as(daemon, ALICE)).other_person

    run(drive())


def test_only_the_person_that_was_meant_is_kept() -> None:
    async def drive() -> None:
        daemon = await working()
        await signed_in_as(daemon, BOB)
        await signed_in_as(daemon, "carol@synderys.com")
        with pytest.raises(UsageError, match="no longer signed in"):
            await daemon.ask(protocol.KeepPerson("corp", BOB))

        assert (await status(daemon)).expected_person == ALICE

    run(drive())


def test_a_plain_login_starts_over_where_another_person_is_signed_in() -> None:
    async def drive() -> None:
        daemon = await working()
        await signed_in_as(daemon, BOB)
        daemon.portal.in_browser = ALICE
        await daemon.ask(protocol.Login("corp"))
        await passed(daemon)

        assert persons(daemon) == {ALICE}
        assert (await status(daemon)).person == ALICE
        assert alarm(daemon) is None

    run(drive())


def test_the_clean_browser_is_one_with_an_empty_profile() -> None:
    async def drive() -> None:
        daemon = await working()
        await signed_in_as(daemon, BOB)
        daemon.portal.in_browser = ALICE
        await daemon.ask(protocol.Login("corp", fresh=True, clean=True))

        assert len(daemon.browser.clean) == 1

    run(drive())


def test_another_program_that_signs_in_as_somebody_else_is_noticed() -> None:
    async def drive() -> None:
        daemon = await working()
        daemon.token_cache.put(
            replace(daemon.portal.signed_in_elsewhere(BOB, registration(daemon.clock.now())), found=True)
        )
        daemon.loop.take(FilesChanged())
        await passed(daemon, 2 * MINUTE)

        assert alarm(daemon) is not None
        assert persons(daemon) == {ALICE}
        assert (await status(daemon)).person == BOB

    run(drive())


@pytest.mark.parametrize(("back", "whose"), [(ALICE, ALICE), (BOB, None)])
def test_first_request_after_another_person_waits_until_it_is_known_who_came_by_another_program(
    back: str, whose: str | None
) -> None:
    async def drive() -> None:
        daemon = await working()
        await signed_in_as(daemon, BOB)
        daemon.loop.take(Deactivated(("dev",)))
        daemon.token_cache.put(
            replace(daemon.portal.signed_in_elsewhere(back, registration(daemon.clock.now())), found=True)
        )
        daemon.loop.take(FilesChanged())
        await token_read(daemon)

        if whose is not None:
            assert await person_answered(daemon, "ops") == whose
        else:
            with pytest.raises(OtherPerson):
                await daemon.requests.issued("ops", Recipient(None))

    run(drive())


def test_while_sts_is_silent_the_wrong_persons_request_is_refused_after_a_while() -> None:
    async def drive() -> None:
        daemon = await working()
        await signed_in_as(daemon, BOB)
        daemon.portal.sts_fault = Offline("STS")
        daemon.token_cache.put(
            replace(daemon.portal.signed_in_elsewhere(BOB, registration(daemon.clock.now())), found=True)
        )
        daemon.loop.take(FilesChanged())
        await token_read(daemon)
        asked = daemon.clock.now()

        with pytest.raises(OtherPerson):
            await daemon.requests.issued("ops", Recipient(None))
        assert daemon.clock.now() - asked < 15 * SECOND

    run(drive())


def test_another_program_that_renews_the_token_is_no_other_person() -> None:
    async def drive() -> None:
        daemon = await working()
        for _ in range(5):
            daemon.token_cache.put(
                replace(
                    daemon.portal.signed_in_elsewhere(ALICE, registration(daemon.clock.now())), found=True
                )
            )
            await passed(daemon, 2 * MINUTE)

        assert alarm(daemon) is None
        assert (await status(daemon)).person == ALICE

    run(drive())


def test_signing_out_first_is_no_agreement() -> None:
    async def drive() -> None:
        daemon = await working()
        await daemon.ask(protocol.Logout("corp"))
        assert (await status(daemon)).person is None
        await signed_in_as(daemon, BOB)

        assert alarm(daemon) is not None
        assert persons(daemon) == set()

    run(drive())


def test_where_nobody_was_known_nobody_is_refused() -> None:
    async def drive() -> None:
        daemon = Daemon("dev", state=WATCHING)
        daemon.portal.sts_fault = Offline("STS is not to be reached from here")
        await daemon.signed_in("dev")
        await signed_in_as(daemon, BOB)

        assert persons(daemon) == {ALICE}  # hers are good for an hour
        await passed(daemon, HOUR)

        assert persons(daemon) == {BOB}
        assert alarm(daemon) is None
        assert daemon.portal.counted["person"] <= 12

    run(drive())


def test_keys_are_given_where_sts_does_not_answer_and_taken_back_when_it_names_another() -> None:
    async def drive() -> None:
        daemon = await working()
        daemon.portal.sts_fault = Offline("no way to STS")
        await signed_in_as(daemon, BOB)
        await passed(daemon, HOUR)

        assert persons(daemon) == {BOB}

        daemon.portal.sts_fault = None
        await passed(daemon, 40 * MINUTE)

        assert persons(daemon) == set()
        assert alarm(daemon) is not None

    run(drive())


@pytest.mark.parametrize("unchecked", [False, True])
def test_a_restart_forgets_neither_the_person_nor_the_question(*, unchecked: bool) -> None:
    async def drive() -> None:
        daemon = await working()
        if unchecked:
            daemon.portal.sts_fault = Offline("no way to STS")
        await signed_in_as(daemon, BOB)
        if unchecked:
            await passed(daemon, HOUR)
            assert persons(daemon) == {BOB}
        daemon.portal.sts_fault = None
        daemon.killed()
        again = Daemon("dev", "ops", state=replace(remembered(daemon), asks_person=True), before=daemon)
        await again.started()
        await passed(again, 2 * MINUTE)

        assert alarm(again) is not None if unchecked else ALARM not in " ".join(again.notifier.shown)
        assert persons(again) == (set() if unchecked else {ALICE})
        with pytest.raises(OtherPerson):
            await person_answered(again, "ops")

    run(drive())


def remembered(daemon: Daemon) -> State:
    return state_document.decode(daemon.state_file.document)


def test_setting_the_clock_changes_nobody() -> None:
    async def drive() -> None:
        daemon = await working()
        for by in (3 * HOUR, -5 * HOUR, HOUR):
            daemon.clock.shift += by
            daemon.loop.take(ClockChanged(by))
            await passed(daemon)
            await signed_in_as(daemon, ALICE)

        assert all(ALARM not in each for each in daemon.notifier.shown)

    run(drive())


def test_a_second_session_is_nobody_elses_matter() -> None:
    async def drive() -> None:
        daemon = await working()
        both = config(profile("dev"), profile("far", of="other"), sessions=(corp(), corp("other")))
        daemon.loop.take(ConfigLoaded(both))
        await signed_in_as(daemon, BOB)

        assert [item.name for item in daemon.state.sessions.values() if item.identity.person] == ["corp"]

    run(drive())


def test_one_hundred_renewals_and_sign_ins_raise_no_false_alarm() -> None:
    async def drive() -> None:
        daemon = await working()
        for number in range(100):
            if number % 3 == 0:
                await signed_in_as(daemon, ALICE if number % 2 else ALICE.upper())
            elif number % 7 == 0:
                await daemon.ask(protocol.Logout("corp"))
                await signed_in_as(daemon, ALICE)
            await passed(daemon, 50 * MINUTE)

        assert all(ALARM not in each for each in daemon.notifier.shown)
        assert daemon.portal.counted["refresh"] > 30

    run(drive())


def test_keeping_nobody_is_refused_with_what_to_do() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", state=WATCHING).started()
        with pytest.raises(CredtrayError, match="not known who is signed in"):
            await daemon.ask(protocol.KeepPerson("corp"))

    run(drive())
