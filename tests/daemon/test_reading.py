"""Files that others change: nothing is missed or read for nothing, nothing old wins over something new."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from credtray.core import protocol
from credtray.core.errors import ConfigInvalid, FileUnwritable, SettingsInvalid
from credtray.core.events import FilesChanged, Tick
from credtray.core.models import AccessToken, SsoSession
from credtray.core.settings import Settings
from tests.core.making import HOUR, MINUTE, config, profile, session, token
from tests.daemon.fakes import Daemon, run
from tests.fakes_identity_center import NOON

ELSEWHERE = replace(session(), start_url="https://d-9067000009.awsapps.com/start")


def troubles(daemon: Daemon) -> list[str]:
    """What is wrong with the files just now."""
    state = daemon.state
    file = state.file.trouble.problem if state.file.trouble else None
    found = (state.settings_problem, state.config_problem, file, state.sessions["corp"].problem)
    return [problem.code for problem in found if problem is not None]


def held(daemon: Daemon) -> AccessToken | None:
    return daemon.state.sessions["corp"].token


async def soon(daemon: Daemon) -> None:
    """As long as a change by anybody may take to be taken over."""
    await asyncio.sleep(5)


def test_what_another_program_signs_in_or_out_is_taken_over_within_five_seconds() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.token_cache.put(token(name="cli"))
        daemon.loop.take(FilesChanged())
        await soon(daemon)

        assert held(daemon) == token(name="cli")
        daemon.token_cache.put(None)
        daemon.loop.take(FilesChanged())
        await soon(daemon)
        assert held(daemon) is None

    run(drive())


def test_change_while_a_file_is_being_read_is_not_missed() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.token_cache.put(token(name="first"))
        read = daemon.token_cache.read

        def slowly(session: SsoSession) -> AccessToken | None:
            found = read(session)
            if found == token(name="first"):
                daemon.token_cache.put(token(name="second"))
                daemon.loop.take(FilesChanged())  # told while the read is still under way
            return found

        daemon.token_cache.read = slowly  # type: ignore[method-assign]  # one slow disk
        daemon.loop.take(FilesChanged())
        await soon(daemon)

        assert held(daemon) == token(name="second")

    run(drive())


def test_file_that_was_missing_when_a_sign_in_finished_does_not_sign_out() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        login = asyncio.create_task(daemon.ask(protocol.Login("corp")))
        for _ in range(40):
            daemon.loop.take(FilesChanged())
            await asyncio.sleep(0.05)
        await login

        assert held(daemon) == daemon.token_cache.token
        assert held(daemon) is not None
        assert daemon.state.sessions["corp"].sign_in.observed  # type: ignore[union-attr]  # signed in

    run(drive())


def test_unchanged_files_are_not_read_again() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        before = daemon.config.loads, daemon.settings.loads, daemon.credentials.loads
        for _ in range(5):
            daemon.loop.take(FilesChanged())
            await soon(daemon)

        assert (daemon.config.loads, daemon.settings.loads, daemon.credentials.loads) == before

    run(drive())


def test_files_are_looked_at_every_few_minutes_though_nobody_tells_of_a_change() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.config.put(config(profile("dev"), profile("new")))
        for _ in range(12):
            await asyncio.sleep(30)
            daemon.loop.take(Tick())

        assert "new" in daemon.state.profiles

    run(drive())


def test_broken_settings_keep_the_last_good_ones_until_they_are_mended() -> None:
    async def drive() -> None:
        daemon = Daemon()
        daemon.settings.content = Settings(warn_before=(HOUR,))
        await daemon.started()
        daemon.settings.problem = SettingsInvalid("line 3")
        daemon.settings.touch()
        daemon.loop.take(FilesChanged())
        await soon(daemon)

        assert troubles(daemon) == ["settings_invalid"]
        assert daemon.state.settings.warn_before == (HOUR,)
        daemon.settings.problem, daemon.settings.content = None, Settings(warn_before=(MINUTE,))
        daemon.loop.take(Tick())  # not even a change is told
        await soon(daemon)
        assert troubles(daemon) == []
        assert daemon.state.settings.warn_before == (MINUTE,)

    run(drive())


def test_broken_config_file_keeps_the_profiles_until_it_is_mended() -> None:
    async def drive() -> None:
        daemon = await Daemon("dev", "ro").started()
        daemon.config.problem = ConfigInvalid("line 7")
        daemon.config.touch()
        daemon.loop.take(FilesChanged())
        await soon(daemon)

        assert troubles(daemon) == ["config_invalid"]
        assert list(daemon.state.profiles) == ["dev", "ro"]
        daemon.config.problem = None
        daemon.config.put(config(profile("dev")))
        daemon.loop.take(FilesChanged())
        await soon(daemon)
        assert troubles(daemon) == []
        assert list(daemon.state.profiles) == ["dev"]

    run(drive())


def test_torn_token_file_is_never_signed_out_and_read_again() -> None:
    async def drive() -> None:
        daemon = Daemon()
        daemon.token_cache.put(token())
        await daemon.started()
        daemon.token_cache.unreadable = True
        daemon.token_cache.put(token(name="new"))
        daemon.loop.take(FilesChanged())
        await soon(daemon)

        assert held(daemon) == token()
        assert troubles(daemon) == ["token_unreadable"]
        daemon.token_cache.unreadable = False
        daemon.loop.take(Tick())
        await soon(daemon)
        assert held(daemon) == token(name="new")
        assert troubles(daemon) == []

    run(drive())


def test_sign_in_is_found_again_when_the_start_url_is_changed_and_changed_back() -> None:
    async def drive() -> None:
        daemon = Daemon()
        daemon.token_cache.put(token())
        await daemon.started()
        good = daemon.config.content
        daemon.config.put(config(profile("dev"), sessions=(ELSEWHERE,)))
        daemon.loop.take(FilesChanged())
        await soon(daemon)
        daemon.config.put(good)
        daemon.loop.take(FilesChanged())
        await soon(daemon)

        assert held(daemon) == token()

    run(drive())


def test_credentials_file_that_can_be_read_again_is_no_trouble_any_more() -> None:
    async def drive() -> None:
        daemon = Daemon()
        daemon.credentials.problem = FileUnwritable("I/O error")
        await daemon.started()

        assert troubles(daemon) == ["file_unwritable"]
        daemon.credentials.problem = None
        daemon.loop.take(Tick())
        await soon(daemon)
        assert troubles(daemon) == []
        assert daemon.state.file.known

    run(drive())


def test_refreshed_token_that_could_not_be_written_gets_its_chance_at_each_look() -> None:
    async def drive() -> int:
        chances = 0

        def save(session: SsoSession) -> bool:
            nonlocal chances
            chances += 1
            return False

        daemon = Daemon()
        daemon.token_refresh.save_unsaved = save  # type: ignore[method-assign]  # counts
        await daemon.started()
        first = chances
        daemon.loop.take(FilesChanged())
        await soon(daemon)
        return chances - first

    assert run(drive()) == 1


def test_clock_set_back_does_not_stop_the_looking() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.clock.shift -= timedelta(hours=5)
        daemon.config.put(config(profile("dev"), profile("new")))
        daemon.loop.take(Tick())
        await soon(daemon)

        assert daemon.clock.now() < NOON
        assert "new" in daemon.state.profiles

    run(drive())
