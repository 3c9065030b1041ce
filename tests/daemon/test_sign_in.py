"""The one sign-in path: what happens in which order, and what on faults."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from credtray.core import oauth
from credtray.core.errors import (
    AddressRefused,
    CredtrayError,
    Offline,
    PortalFailed,
    PortalUnauthorized,
    RegionRefused,
    RegistrationRefused,
    RequestRefused,
    SignInCancelled,
    SignInDenied,
    SignInTimedOut,
    Throttled,
)
from credtray.core.models import Endpoints
from credtray.daemon.sign_in import SignInRequest, Step
from credtray.daemon.sign_in_grants import BROKEN_COMMAND
from tests.fakes_identity_center import (
    CORP,
    NOON,
)
from tests.sign_in_world import World


@pytest.fixture
def world() -> World:
    return World()


# --- the usual way ---------------------------------------------------------------------------------------


def test_sign_in_by_browser_ends_with_the_token_in_the_cache(world: World) -> None:
    result = world.run()

    assert world.token_cache.token == result.token
    assert not result.joined
    assert world.token_cache.events == ["lock", "write us-east-1", "unlock"]
    assert world.kinds() == [Step.PREPARING, Step.BROWSER, Step.FINISHING]
    assert world.callback_listener.open == 0


def test_browser_is_sent_to_authorize_with_challenge_and_state(world: World) -> None:
    world.run()

    query = parse_qs(urlsplit(world.browser.opened[0]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert [oauth.pkce_pair(bytes(range(48))).challenge] == query["code_challenge"]
    assert [oauth.new_state(bytes(range(32))).reveal()] == query["state"]


@pytest.mark.met("F6")
def test_client_of_a_browser_sign_in_stays_out_of_the_shared_cache(world: World) -> None:
    for_devices = world.identity_center.register(CORP, CORP.start_url, oauth.DEVICE_CODE)
    world.token_cache.save_registration(CORP, for_devices)
    result = world.run()

    assert world.token_cache.registrations == {oauth.DEVICE_CODE: for_devices}
    assert result.token.registration is not None  # what refreshes it lies with the token
    assert result.token.registration.client_id != for_devices.client_id


@pytest.mark.met("F6")
def test_browser_is_sent_there_with_a_client_that_cannot_have_been_forgotten(world: World) -> None:
    world.run()
    world.identity_center.forget_registrations()
    world.token_cache.put(None)
    world.run()

    assert world.identity_center.calls.count("register") == 2
    assert len(world.browser.opened) == 2


def test_client_that_is_refused_right_after_it_was_registered_is_no_loop(world: World) -> None:
    world.identity_center.fail("exchange_code", RegistrationRefused("HTTP 400: UnauthorizedClientException"))
    with pytest.raises(RequestRefused, match=r"also with a new client registration .*UnauthorizedClient"):
        world.run()

    assert world.identity_center.calls.count("register") == 1


def test_without_browser_the_address_is_told_and_nothing_opened(world: World) -> None:
    def open_by_hand() -> None:
        if world.steps and world.steps[-1].kind is Step.ADDRESS:
            world.allow(world.steps[-1].url or "")

    world.clock.on_wait = open_by_hand
    world.run(SignInRequest(browser=False))

    assert world.kinds() == [Step.PREPARING, Step.ADDRESS, Step.FINISHING]
    assert world.browser.opened == []


def test_command_of_the_session_opens_the_page(world: World) -> None:
    world.run(SignInRequest(command="firefox -P work %s"))

    assert world.browser.commands == ["firefox -P work %s"]
    assert Step.BROWSER in [step.kind for step in world.steps]
    assert not any(step.text for step in world.steps)


def test_broken_command_of_the_session_falls_back_and_says_so(world: World) -> None:
    world.run(SignInRequest(command="broken"))
    [step] = [step for step in world.steps if step.kind is Step.BROWSER]

    assert len(world.browser.opened) == 1
    assert step.text == BROKEN_COMMAND


def test_browser_that_does_not_open_leaves_the_address(world: World) -> None:
    world.browser.opens = False
    world.clock.on_wait = lambda: world.allow(world.steps[-1].url or "")
    world.run()

    assert world.kinds() == [Step.PREPARING, Step.ADDRESS, Step.FINISHING]
    assert world.steps[1].text is not None


# --- ends without a token --------------------------------------------------------------------------------


def test_denial_in_the_browser_is_told(world: World) -> None:
    def deny(url: str) -> None:
        state = parse_qs(urlsplit(url).query)["state"][0]
        world.callback_listener.arrived = {"error": "access_denied", "state": state}

    world.browser.visit = deny
    with pytest.raises(SignInDenied, match="access_denied"):
        world.run()

    assert world.token_cache.token is None
    assert "exchange_code" not in world.identity_center.calls


def test_nobody_finishing_ends_after_ten_minutes(world: World) -> None:
    world.browser.visit = lambda _url: None
    with pytest.raises(SignInTimedOut, match="10 minutes"):
        world.run()

    assert timedelta(minutes=10) == world.clock.now() - NOON
    assert world.callback_listener.open == 0
    assert world.identity_center.calls.count("register") == 1


def test_clock_set_back_does_not_prolong_the_wait(world: World) -> None:
    def jump() -> None:
        world.clock.time -= timedelta(minutes=1)

    world.browser.visit = lambda _url: None
    world.clock.on_wait = jump
    with pytest.raises(SignInTimedOut):
        world.run()

    assert len(world.clock.waits) == 600


def test_sleep_in_the_middle_ends_the_sign_in_cleanly(world: World) -> None:
    def sleep() -> None:
        world.clock.time += timedelta(hours=12)

    world.browser.visit = lambda _url: None
    world.clock.on_wait = sleep
    with pytest.raises(SignInTimedOut):
        world.run()

    assert len(world.clock.waits) == 1


@pytest.mark.parametrize("device", [False, True])
def test_cancelling_ends_the_sign_in(world: World, *, device: bool) -> None:
    def cancel() -> None:
        world.cancelled = True

    world.browser.visit = lambda _url: None
    world.clock.on_wait = cancel
    with pytest.raises(SignInCancelled):
        world.run(SignInRequest(device=device))

    assert len(world.clock.waits) == 1


def test_authorize_address_outside_aws_is_refused_before_a_browser_opens(world: World) -> None:
    world.identity_center.endpoint = "https://evil.example"
    with pytest.raises(AddressRefused, match="evil"):
        world.run()

    assert world.browser.opened == []
    assert world.kinds() == [Step.PREPARING]


def test_endpoint_the_user_configured_is_opened(world: World) -> None:
    session = replace(CORP, endpoints=Endpoints(oidc="http://127.0.0.1:8080"))
    world.run(session=session)

    assert world.browser.opened[0].startswith("http://127.0.0.1:8080/authorize?")


def test_vanity_url_is_resolved_before_anything_is_registered(world: World) -> None:
    world.identity_center.resolved = ("https://d-9067000002.awsapps.com/start", "us-east-1")
    world.run(session=replace(CORP, start_url="https://aws.synderys.com"))

    expected = [("https://d-9067000002.awsapps.com/start", oauth.AUTHORIZATION_CODE)]
    assert expected == world.identity_center.registered


def test_portal_of_another_region_is_refused_with_the_line_to_write(world: World) -> None:
    world.identity_center.resolved = ("https://x.portal.eu-west-1.app.aws", "eu-west-1")
    with pytest.raises(RegionRefused, match="leads to eu-west-1") as caught:
        world.run()

    assert "sso_region = eu-west-1" in caught.value.advice
    assert world.identity_center.calls == ["resolve_start_url"]


# --- faults while the code is redeemed -------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Offline("x"), PortalFailed("x"), Throttled("x")])
def test_passing_fault_while_redeeming_is_waited_out(world: World, fault: CredtrayError) -> None:
    world.identity_center.fail("exchange_code", fault, fault, fault)
    world.run()

    assert len(world.browser.opened) == 1
    assert timedelta(seconds=7) == world.clock.now() - NOON


def test_lasting_fault_while_redeeming_is_told(world: World) -> None:
    world.identity_center.fail("exchange_code", *[PortalFailed("HTTP 500")] * 4)
    with pytest.raises(PortalFailed):
        world.run()

    assert world.token_cache.token is None


# --- secrets ---------------------------------------------------------------------------------------------


def test_nothing_secret_is_told_or_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    old = world.signed_in()
    world.identity_center.fail("logout", PortalUnauthorized("HTTP 401"))
    world.run(SignInRequest(fresh=True), current=old)
    world.clock.on_wait = world.allow_device
    world.run(SignInRequest(device=True, fresh=True))

    verifier = oauth.pkce_pair(bytes(range(48))).verifier.reveal()
    told = f"{world.steps!r} {caplog.text} {world.browser.opened}"
    assert verifier not in told
    assert "CANARY" not in told
