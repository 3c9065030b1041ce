"""A new sign-in while one is active, as people meet it: notice, status and keys, however it goes."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    CredtrayError,
    ListenerUnavailable,
    Offline,
    PortalFailed,
    RequestRefused,
    SignInCancelled,
    SignInDenied,
    SignInTimedOut,
    SignInUnconfirmed,
)
from credtray.core.events import ConfigLoaded
from credtray.core.models import AccessToken, AwsConfig, SsoSession
from credtray.core.ports import Notification
from credtray.core.settings import SessionSettings, Settings
from credtray.daemon.sign_in_grants import BY_CODE
from tests.as_json import result
from tests.core.making import HOUR, MINUTE, config, profile, token
from tests.core.making import session as corp
from tests.daemon.fakes import Daemon, run
from tests.daemon.person import login, real, until, world

ANOTHER = "https://d-9067000002.awsapps.com/start"
STILL = r"You are still signed in until about \d\d:\d\d\."
ENDED = r"Your earlier sign-in was ended at \d\d:\d\d; keys in use work until \d\d:\d\d\."


async def working() -> Daemon:
    """Signed in just now for eight hours, one profile active, its keys in the file."""
    daemon = await Daemon().started()
    await daemon.ask(protocol.Login("corp"))
    await daemon.ask(protocol.Activate(("dev",)))
    return daemon


async def session(daemon: Daemon) -> dict[str, Any]:
    reply = await daemon.ask(protocol.Status())
    found: dict[str, Any] = result(reply)["sessions"][0]
    return found


def notice(daemon: Daemon) -> Notification:
    return daemon.notifier.there["corp:end"]


async def failing(daemon: Daemon, **words: Any) -> CredtrayError:
    with pytest.raises(CredtrayError) as caught:
        await daemon.ask(protocol.Login("corp", fresh=True, **words))
    await daemon.loop.everything_settled(60)
    return caught.value


@pytest.mark.parametrize(
    ("answer", "kind", "title"),
    [
        pytest.param("", SignInTimedOut, "corp: sign-in timed out", marks=pytest.mark.met("H1")),
        pytest.param("keep", SignInCancelled, "corp: sign-in cancelled", marks=pytest.mark.met("H1")),
    ],
)
def test_who_never_comes_or_keeps_it_loses_nothing_and_is_told(
    answer: str, kind: type[CredtrayError], title: str
) -> None:
    async def drive() -> None:
        daemon = await working()
        daemon.listener.answer = answer
        error = await failing(daemon)

        assert isinstance(error, kind)
        assert re.match(STILL, error.advice)
        assert notice(daemon).title == title
        assert re.fullmatch(STILL, notice(daemon).body)
        assert notice(daemon).buttons[0].click == protocol.Login("corp", fresh=True)
        assert (await session(daemon))["state"] == "fresh"
        assert daemon.portal.sign_in_active
        assert "dev" in daemon.credentials.sections

    run(drive())


def _nothing(_daemon: Daemon) -> None:
    """The person closes the tab at AWS."""


def _deny(daemon: Daemon) -> None:
    daemon.listener.visit = lambda url: setattr(
        daemon.listener, "arrived", {**daemon.portal.visit(url), "error": "access_denied"}
    )


def _refuse(*errors: CredtrayError) -> Any:
    def do(daemon: Daemon) -> None:
        daemon.listener.visit = daemon.allow
        daemon.portal.fail("exchange_code", *errors)

    return do


@pytest.mark.parametrize(
    ("what", "kind", "title"),
    [
        pytest.param(_nothing, SignInTimedOut, "corp: sign-in timed out", marks=pytest.mark.met("H1")),
        pytest.param(_deny, SignInDenied, "corp: sign-in denied", marks=pytest.mark.met("H1")),
        pytest.param(
            _refuse(RequestRefused("HTTP 400")),
            RequestRefused,
            "corp: sign-in failed",
            marks=pytest.mark.met("M5"),
        ),
        (_refuse(*[PortalFailed("HTTP 500")] * 4), PortalFailed, "corp: sign-in failed"),
        (_refuse(*[Offline("reset")] * 4), Offline, "corp: sign-in failed"),
    ],
)
def test_what_goes_wrong_at_aws_is_told_with_what_is_still_valid(
    what: Any, kind: type[CredtrayError], title: str
) -> None:
    async def drive() -> None:
        daemon = await working()
        daemon.listener.visit = lambda _url: None
        what(daemon)
        error = await failing(daemon)

        assert isinstance(error, kind)
        assert re.match(ENDED, error.advice)
        assert notice(daemon).title == title
        assert re.search(ENDED, notice(daemon).body)
        assert [button.label for button in notice(daemon).buttons] == ["Sign in"]
        found = await session(daemon)
        assert (found["state"], found["access_token_expires_at"]) == ("expired", None)
        assert "dev" in daemon.credentials.sections
        assert isinstance(await daemon.ask(protocol.Credentials("dev")), protocol.CredentialsIssued)

    run(drive())


@pytest.mark.met("H1")
def test_while_it_waits_status_says_whether_the_present_one_is_untouched() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            first, _ = login(daemon)
            await until(lambda: bool(person.urls))
            person.allow()
            await first
            await daemon.ask(protocol.Activate(("dev",)))
            daemon.browser.visit = lambda _url: None
            daemon.listener.visit = lambda _url: None
            second, sink = login(daemon, fresh=True)
            await until(lambda: daemon.listener.door is not None and len(daemon.browser.opened) == 2)
            before = await session(daemon)
            daemon.listener.come(daemon.browser.opened[-1])
            await until(lambda: any(each.kind == "ended" for each in sink.progress))
            after = await session(daemon)

            assert (before["state"], before["pending"]["earlier_ended_at"]) == ("signing_in", None)
            assert before["pending"]["present_until"] == before["signed_in_until"]
            assert before["access_token_expires_at"] is not None
            assert (after["state"], after["pending"]["present_until"]) == ("signing_in", None)
            assert after["pending"]["earlier_ended_at"] is not None
            assert after["pending"]["keys_until"] is not None
            assert after["access_token_expires_at"] is None
            assert re.fullmatch(
                ENDED, next(each.text or "" for each in sink.progress if each.kind == "ended")
            )
            await daemon.ask(protocol.CancelLogin("corp"))
            await asyncio.gather(second, return_exceptions=True)

    real(drive())


@pytest.mark.met("H1")
@pytest.mark.parametrize(
    "content",
    [AwsConfig(), config(profile("dev"), sessions=(replace(corp(), start_url=ANOTHER),))],
    ids=["no session", "another portal"],
)
def test_page_asks_although_the_config_file_changed_meanwhile(content: AwsConfig) -> None:
    async def drive() -> None:
        daemon = await working()

        def visit(url: str) -> None:
            daemon.config.put(content)
            daemon.loop.take(ConfigLoaded(content))
            daemon.listener.come(url)

        daemon.browser.visit = visit
        daemon.listener.answer = "keep"
        await failing(daemon)

        assert len(daemon.listener.asked) == 1
        assert daemon.portal.sign_in_active

    run(drive())


@pytest.mark.met("H1")
def test_token_goes_only_when_it_is_written_down_that_we_ended_the_sign_in() -> None:
    """Else an agent killed in between takes the keys in use for those of somebody who signed out."""

    async def drive() -> None:
        async with world() as (daemon, person):
            first, _ = login(daemon)
            await until(lambda: bool(person.urls))
            person.allow()
            await first
            written: list[bytes] = []
            drop = daemon.token_cache.drop

            def watched(session: SsoSession, token: AccessToken) -> None:
                written.append(daemon.state_file.document)
                drop(session, token)

            daemon.token_cache.drop = watched  # type: ignore[method-assign]  # looks at the disk at this moment
            daemon.browser.visit = daemon.listener.come
            daemon.listener.visit = daemon.allow
            second, _ = login(daemon, fresh=True)
            await second

            assert [json.loads(each)["sessions"]["corp"]["sign_in"]["given_up"] for each in written] == [True]

    real(drive())


def test_program_that_asks_while_the_page_waits_gets_its_keys() -> None:
    async def drive() -> None:
        async with world() as (daemon, person):
            first, _ = login(daemon)
            await until(lambda: bool(person.urls))
            person.allow()
            await first
            second, _ = login(daemon, fresh=True)
            await until(lambda: len(daemon.browser.opened) == 2)

            assert isinstance(await daemon.ask(protocol.Credentials("dev")), protocol.CredentialsIssued)
            await daemon.ask(protocol.CancelLogin("corp"))
            await asyncio.gather(second, return_exceptions=True)

    real(drive())


def test_little_is_left_so_nobody_is_asked() -> None:
    async def drive() -> None:
        daemon = await working()
        await asyncio.sleep(7.6 * 3600)
        await daemon.ask(protocol.Login("corp"))

        assert daemon.listener.asked == []
        assert daemon.portal.ends_at - daemon.clock.now() > 7 * HOUR

    run(drive())


def test_logout_that_fails_is_no_obstacle_and_drops_nothing() -> None:
    async def drive() -> None:
        daemon = await working()
        daemon.portal.fail("logout", PortalFailed("HTTP 500"))
        reply = await daemon.ask(protocol.Login("corp", fresh=True))

        assert result(reply)["moved"] in {"same", "unknown"}

    run(drive())


@pytest.mark.met("H1")
def test_logout_that_is_not_answered_ends_nothing_and_is_told() -> None:
    async def drive() -> None:
        daemon = await working()
        daemon.portal.fail("logout", *[Offline("no answer within 10 s")] * 2)
        error = await failing(daemon)

        assert isinstance(error, Offline)
        assert re.search(STILL, notice(daemon).body)
        assert daemon.token_cache.token is not None

    run(drive())


def test_sign_in_by_another_program_meanwhile_is_taken_over_and_nothing_of_it_is_dropped() -> None:
    async def drive() -> None:
        daemon = await working()
        theirs = token(daemon.clock.now(), name="theirs")
        daemon.browser.visit = lambda _url: daemon.token_cache.put(theirs)
        reply = await daemon.ask(protocol.Login("corp", fresh=True))

        assert result(reply)["joined"] is True
        assert daemon.token_cache.token == theirs

    run(drive())


# --- codes -----------------------------------------------------------------------------------------------


@pytest.mark.met("H1")
@pytest.mark.parametrize("words", [{"device": True}, {"remote": True}, {"device": True, "browser": False}])
def test_code_ends_a_long_sign_in_only_with_consent(words: dict[str, bool]) -> None:
    async def drive() -> None:
        daemon = await working()
        error = await failing(daemon, **words)

        assert isinstance(error, SignInUnconfirmed)
        assert "about 7 h 59 min left" in str(error) or "about 8 h left" in str(error)
        assert error.advice.startswith("Run: credtray login corp --fresh")
        assert daemon.portal.sign_in_active
        assert daemon.state.sessions["corp"].pending is None
        assert "corp:end" not in daemon.notifier.there or notice(daemon).title == "corp: signed in"

    run(drive())


def test_session_that_always_uses_codes_needs_consent_too() -> None:
    async def drive() -> None:
        daemon = await working()
        daemon.settings.content = Settings(sessions={"corp": SessionSettings(device_flow=True)})
        daemon.settings.touch()
        await asyncio.sleep(400)

        assert isinstance(await failing(daemon), SignInUnconfirmed)
        assert daemon.portal.sign_in_active

    run(drive())


@pytest.mark.parametrize(
    ("browser", "code"),
    [
        pytest.param(None, True, marks=pytest.mark.met("M13")),
        pytest.param("firefox %s", False, marks=pytest.mark.met("M13")),
    ],
)
def test_over_ssh_a_code_is_used_unless_a_browser_is_set(browser: str | None, *, code: bool) -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.settings.content = Settings(sessions={"corp": SessionSettings(browser=browser)})
        daemon.settings.touch()
        await asyncio.sleep(400)
        task, sink = login(daemon, remote=True)
        await asyncio.sleep(60)
        kinds = {each.kind: each.text for each in sink.progress}

        assert ("code" in kinds) is code
        assert kinds.get("code") == (BY_CODE if code else None)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(drive())


@pytest.mark.parametrize("device_flow", [False, True])
def test_a_port_that_leads_here_needs_no_code_and_opens_nothing_here(*, device_flow: bool) -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.settings.content = Settings(sessions={"corp": SessionSettings(device_flow=device_flow)})
        daemon.settings.touch()
        await asyncio.sleep(400)
        task, sink = login(daemon, remote=True, callback_port=8400)
        await asyncio.sleep(60)
        steps = {each.kind: each for each in sink.progress}

        assert "code" not in steps
        assert "ssh -L 8400:127.0.0.1:8400" in (steps["forwarded"].text or "")
        assert steps["forwarded"].url
        assert daemon.listener.ports == [8400]
        assert daemon.browser.opened == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(drive())


def test_a_port_that_is_taken_is_an_error_and_not_another_way_to_sign_in() -> None:
    async def drive() -> None:
        daemon = await Daemon().started()
        daemon.listener.failure = ListenerUnavailable("port 8400: Address already in use")
        error = await failing(daemon, remote=True, callback_port=8400)

        assert isinstance(error, ListenerUnavailable)
        assert "8400" in str(error)

    run(drive())


def test_agreed_code_keeps_keys_until_their_end_when_nobody_enters_it() -> None:
    async def drive() -> None:
        daemon = await working()
        began = daemon.clock.now()
        error = await failing(daemon, device=True, agreed=True)

        assert isinstance(error, SignInTimedOut)
        assert re.search(ENDED, notice(daemon).body)
        assert daemon.clock.now() - began < 11 * MINUTE
        assert "dev" in daemon.credentials.sections
        await asyncio.sleep(timedelta(hours=1).total_seconds())
        assert daemon.credentials.sections == {}

    run(drive())
