"""A fresh sign-in while one is active, and sign-ins that other programs finish."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credtray.core.errors import (
    CaptivePortal,
    CredtrayError,
    FileUnwritable,
    Offline,
    PortalFailed,
    SignInCancelled,
    Throttled,
)
from credtray.core.models import AccessToken
from credtray.core.secret import Secret
from credtray.daemon.sign_in import SignInRequest, SignInResult
from tests.fakes_identity_center import (
    CORP,
    NOON,
    longer,
)
from tests.sign_in_world import World


@pytest.fixture
def world() -> World:
    return World()


# --- a fresh sign-in -------------------------------------------------------------------------------------


def test_fresh_sign_in_ends_the_old_one_before_the_browser_opens(world: World) -> None:
    old = world.signed_in()
    result = world.run(SignInRequest(fresh=True), current=old)

    assert world.identity_center.calls == ["resolve_start_url", "register", "logout", "exchange_code"]
    assert world.token_cache.events == ["drop", "lock", "write us-east-1", "unlock"]
    assert result.ended
    assert old.value != result.token.value


def test_fresh_sign_in_refreshes_an_expired_token_to_be_able_to_log_out(world: World) -> None:
    old = world.signed_in()
    world.clock.time += timedelta(hours=2)
    result = world.run(SignInRequest(fresh=True), current=old)

    expected = ["resolve_start_url", "register", "refresh", "logout", "exchange_code"]
    assert expected == world.identity_center.calls
    assert result.ended


def test_fresh_sign_in_uses_the_token_on_the_disk_when_the_asker_knows_none(world: World) -> None:
    world.signed_in()

    assert world.run(SignInRequest(fresh=True)).ended


def test_sign_in_that_is_not_fresh_ends_nothing(world: World) -> None:
    old = world.signed_in()
    result = world.run(current=old)

    assert not result.ended
    assert "logout" not in world.identity_center.calls


def test_token_the_portal_knows_no_more_is_dropped_without_ado(world: World) -> None:
    old = world.signed_in()
    world.identity_center.revoke()
    result = world.run(SignInRequest(fresh=True), current=old)

    assert not result.ended
    assert "drop" in world.token_cache.events


@pytest.mark.parametrize("fault", [PortalFailed("HTTP 500"), Throttled("HTTP 429")])
def test_failing_logout_does_not_stop_a_fresh_sign_in_and_drops_nothing(
    world: World, fault: CredtrayError
) -> None:
    old = world.signed_in()
    world.identity_center.fail("logout", fault)
    result = world.run(SignInRequest(fresh=True), current=old)

    assert not result.ended
    assert "drop" not in world.token_cache.events


@pytest.mark.parametrize("operation", ["resolve_start_url", "register", "logout"])
@pytest.mark.parametrize("fault", [Offline("no network"), CaptivePortal("hotel")])
def test_network_trouble_before_the_browser_costs_nothing(
    world: World, operation: str, fault: CredtrayError
) -> None:
    old = world.signed_in()
    world.token_cache.registrations.clear()
    world.identity_center.fail(operation, fault)
    with pytest.raises(type(fault)):
        world.run(SignInRequest(fresh=True), current=old)

    assert world.token_cache.token == old
    assert world.identity_center.sign_in_active


def test_refused_refresh_before_a_fresh_sign_in_is_no_obstacle(world: World) -> None:
    old = world.signed_in()
    world.identity_center.revoke()
    world.clock.time += timedelta(hours=2)

    assert not world.run(SignInRequest(fresh=True), current=old).ended


def test_cancelled_fresh_sign_in_leaves_no_dead_token_behind(world: World) -> None:
    old = world.signed_in()
    world.browser.visit = lambda _url: setattr(world, "cancelled", True)
    with pytest.raises(SignInCancelled):
        world.run(SignInRequest(fresh=True), current=old)

    assert world.token_cache.token is None


# --- other programs --------------------------------------------------------------------------------------


def someone_elses(world: World) -> AccessToken:
    now = world.clock.now()
    return AccessToken(Secret("CANARY-of-another-program"), now + timedelta(hours=1), None, None, now)


def test_sign_in_another_process_finished_while_we_waited_for_the_lock_is_taken_over(world: World) -> None:
    theirs = someone_elses(world)
    world.token_cache.before_sign_in = lambda: world.token_cache.put(theirs)
    result = world.run()

    assert SignInResult(theirs, joined=True) == result
    assert world.identity_center.calls == []


def test_cancelled_sign_in_does_not_wait_for_another_process_to_finish_its_own(world: World) -> None:
    world.cancelled = True
    with world.token_cache.sign_in_lock(CORP, lambda: False), pytest.raises(SignInCancelled):
        world.run()

    assert world.identity_center.calls == []


def test_token_brought_while_another_process_holds_the_lock_ends_the_wait(world: World) -> None:
    theirs = someone_elses(world)
    world.token_cache.before_sign_in = lambda: world.token_cache.put(theirs)
    with world.token_cache.sign_in_lock(CORP, lambda: False):
        result = world.run()

    assert SignInResult(theirs, joined=True) == result


@pytest.mark.parametrize("device", [False, True])
def test_another_programs_sign_in_is_noticed_within_five_seconds(world: World, *, device: bool) -> None:
    theirs = someone_elses(world)

    def login_elsewhere() -> None:
        if len(world.clock.waits) == 3:
            world.token_cache.put(theirs)

    world.browser.visit = lambda _url: None
    world.clock.on_wait = login_elsewhere
    result = world.run(SignInRequest(device=device))

    assert SignInResult(theirs, joined=True) == result
    assert world.clock.now() - NOON <= timedelta(seconds=3 + 5)
    assert world.token_cache.events == []


def test_torn_token_file_is_read_again(world: World) -> None:
    theirs = someone_elses(world)

    def write_slowly() -> None:
        world.token_cache.unreadable = len(world.clock.waits) < 3
        if len(world.clock.waits) == 2:
            world.token_cache.put(theirs)

    world.browser.visit = lambda _url: None
    world.clock.on_wait = write_slowly

    assert world.run().joined


def test_unreadable_token_file_does_not_stop_a_sign_in(world: World) -> None:
    world.token_cache.unreadable = True

    assert not world.run().joined


def test_token_the_asker_knows_to_be_useless_is_not_news(world: World) -> None:
    old = world.signed_in()
    result = world.run(current=old)

    assert not result.joined
    assert old.value != result.token.value


def test_expired_token_of_another_program_is_not_news(world: World) -> None:
    theirs = longer(someone_elses(world), hours=-1)
    world.token_cache.before_sign_in = lambda: world.token_cache.put(theirs)

    assert not world.run().joined


def test_token_that_lay_there_before_a_fresh_sign_in_is_not_news(world: World) -> None:
    world.token_cache.put(someone_elses(world))

    assert not world.run(SignInRequest(fresh=True)).joined


def test_fresh_sign_in_on_a_full_disk_leaves_the_old_one_alone(world: World) -> None:
    old = world.signed_in()
    world.token_cache.unwritable = True
    with pytest.raises(FileUnwritable):
        world.run(SignInRequest(fresh=True), current=old)

    assert world.identity_center.calls == []
    assert world.token_cache.events == []
    assert world.browser.opened == []
    assert world.token_cache.token == old
