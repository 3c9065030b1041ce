"""The device authorization grant: shown, compared, polled, never opened by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from credtray.core import oauth
from credtray.core.errors import (
    AddressRefused,
    CredtrayError,
    FileUnwritable,
    ListenerUnavailable,
    Offline,
    RegistrationRefused,
    RequestRefused,
    SignInDenied,
    SignInTimedOut,
    Throttled,
)
from credtray.core.models import SsoSession
from credtray.daemon.sign_in import SignInRequest, Step
from tests.fakes_identity_center import (
    CORP,
    NOON,
)
from tests.sign_in_world import World

LEGACY = SsoSession(CORP.start_url, CORP.start_url, "us-east-1", legacy=True)


@pytest.fixture
def world() -> World:
    return World()


# --- device authorization grant --------------------------------------------------------------------------


def confirm_after(world: World, waits: int) -> Callable[[], None]:
    def confirm() -> None:
        if len(world.clock.waits) == waits:
            world.allow_device()

    return confirm


def test_device_flow_shows_code_and_addresses_and_opens_nothing(world: World) -> None:
    world.clock.on_wait = confirm_after(world, 12)
    result = world.run(SignInRequest(device=True))

    step = world.steps[1]
    assert world.kinds() == [Step.PREPARING, Step.CODE]
    assert (step.user_code or "?") in (step.url or "")
    assert step.verification_uri == world.identity_center.verification_uri
    assert world.browser.opened == []
    assert world.token_cache.token == result.token


def test_device_code_is_polled_once_per_interval(world: World) -> None:
    world.clock.on_wait = confirm_after(world, 12)
    world.run(SignInRequest(device=True))

    assert world.identity_center.calls.count("poll_device") == 3
    assert timedelta(seconds=15) == world.clock.now() - NOON


def test_slow_down_and_lost_polls_stretch_the_interval(world: World) -> None:
    world.identity_center.fail("poll_device", Offline("x"), Throttled("x"))
    world.clock.on_wait = confirm_after(world, 1)
    world.run(SignInRequest(device=True))

    assert timedelta(seconds=5 + 10 + 15) == world.clock.now() - NOON


def test_denied_device_code_is_told(world: World) -> None:
    def deny() -> None:
        world.identity_center.confirm_device(world.steps[1].user_code or "", allow=False)

    world.clock.on_wait = deny
    with pytest.raises(SignInDenied):
        world.run(SignInRequest(device=True))


def test_device_code_nobody_confirms_ends_after_ten_minutes(world: World) -> None:
    with pytest.raises(SignInTimedOut):
        world.run(SignInRequest(device=True))

    assert timedelta(minutes=10) == world.clock.now() - NOON


def test_legacy_session_signs_in_by_device_flow_without_refresh_token(world: World) -> None:
    world.clock.on_wait = confirm_after(world, 1)
    result = world.run(session=LEGACY)

    assert [(CORP.start_url, oauth.DEVICE_CODE)] == world.identity_center.registered
    assert result.token.refresh_token is None


def test_machine_without_a_free_port_falls_back_to_the_device_flow(world: World) -> None:
    world.callback_listener.failure = ListenerUnavailable("Cannot assign requested address")
    world.clock.on_wait = confirm_after(world, 1)
    world.run()

    grants = [grant for _, grant in world.identity_center.registered]
    assert grants == [oauth.AUTHORIZATION_CODE, oauth.DEVICE_CODE]
    assert world.kinds() == [Step.PREPARING, Step.CODE]


@pytest.mark.parametrize(
    "address",
    [
        "https://device.sso.us-east-1.amazonaws.com.evil.example/",
        "http://device.sso.us-east-1.amazonaws.com/",
        "javascript:alert(1)",
        "https://device.sso.us-east-1.amazonaws.com@evil.example/",
    ],
)
def test_verification_address_outside_aws_is_refused_and_never_shown(world: World, address: str) -> None:
    world.identity_center.verification_uri = address
    with pytest.raises(AddressRefused):
        world.run(SignInRequest(device=True))

    assert world.kinds() == [Step.PREPARING]


def test_registration_that_cannot_be_kept_does_not_stop_the_sign_in(world: World) -> None:
    world.clock.on_wait = world.allow_device
    world.token_cache.refuse_registration = FileUnwritable("disk full")
    result = world.run(SignInRequest(device=True))

    assert world.token_cache.token == result.token


@pytest.mark.met("F6")
@pytest.mark.parametrize("operation", ["start_device", "poll_device"])
@pytest.mark.parametrize(
    "refusal",
    [
        RegistrationRefused("HTTP 401: InvalidClientException"),
        RegistrationRefused("HTTP 400: UnauthorizedClientException"),
        RequestRefused("HTTP 400: InvalidScopeException"),
        RequestRefused("HTTP 400: InvalidRequestException"),
    ],
)
def test_registration_of_the_cache_is_replaced_once_whatever_it_is_refused_for(
    world: World, operation: str, refusal: CredtrayError
) -> None:
    world.clock.on_wait = world.allow_device
    world.run(SignInRequest(device=True))
    world.token_cache.put(None)
    world.steps.clear()
    world.identity_center.fail(operation, refusal)
    world.run(SignInRequest(device=True))

    assert world.identity_center.calls.count("register") == 2


@pytest.mark.met("F6")
def test_second_refusal_of_a_registration_is_told_with_its_cause(world: World) -> None:
    world.clock.on_wait = world.allow_device
    world.run(SignInRequest(device=True))
    world.token_cache.put(None)
    refusals = [RegistrationRefused(f"HTTP 400: UnauthorizedClientException: {n}") for n in (1, 2)]
    world.identity_center.fail("start_device", *refusals)
    with pytest.raises(RequestRefused, match=r"also with a new client registration .*: 2"):
        world.run(SignInRequest(device=True))

    assert world.identity_center.calls.count("register") == 2


@pytest.mark.met("F6")
def test_forgotten_registration_of_the_device_flow_is_made_anew(world: World) -> None:
    world.clock.on_wait = world.allow_device
    world.run(SignInRequest(device=True))
    world.identity_center.forget_registrations()
    world.steps.clear()
    world.run(SignInRequest(device=True, fresh=True))

    assert world.identity_center.calls.count("register") == 2
