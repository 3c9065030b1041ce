"""A fresh sign-in while one is active, and sign-ins that other programs finish."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from credtray.core.errors import (
    CaptivePortal,
    CredtrayError,
    FileUnwritable,
    ListenerUnavailable,
    Offline,
    PortalFailed,
    RequestRefused,
    SignInCancelled,
    SignInDenied,
    SignInTimedOut,
    SignInUnconfirmed,
    Throttled,
)
from credtray.core.models import AccessToken, Secret, SsoSession
from credtray.daemon.sign_in import SignInRequest, SignInResult, Step
from tests.fakes_identity_center import (
    CORP,
    DOOR,
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
    world.identity_center.fail(operation, fault, fault)  # the logout is tried twice
    with pytest.raises(type(fault)):
        world.run(SignInRequest(fresh=True), current=old)

    assert world.token_cache.token == old
    assert world.identity_center.sign_in_active


def test_refused_refresh_before_a_fresh_sign_in_is_no_obstacle(world: World) -> None:
    old = world.signed_in()
    world.identity_center.revoke()
    world.clock.time += timedelta(hours=2)

    assert not world.run(SignInRequest(fresh=True), current=old).ended


def test_fresh_sign_in_cancelled_at_aws_leaves_no_dead_token_behind(
    world: World,
) -> None:
    old = world.signed_in()
    world.callback_listener.visit = lambda _url: setattr(world, "cancelled", True)
    with pytest.raises(SignInCancelled):
        world.run(SignInRequest(fresh=True), current=old)

    assert world.token_cache.token is None


# --- nothing is lost before a person is there -------------------------------------------------------------

PRICE = "This ends your current sign-in, 7 h 58 min left."


def asking(**parts: Any) -> SignInRequest:
    """A fresh sign-in while much is left of the present one."""
    return SignInRequest(fresh=True, question=lambda: PRICE, **parts)


def untouched(world: World, old: AccessToken) -> bool:
    return world.token_cache.token == old and world.identity_center.sign_in_active


@pytest.mark.met("H1")
@pytest.mark.parametrize(
    "how", ["the browser never opens", "the tab is closed at our page", "cancelled there"]
)
def test_nobody_comes_so_the_present_sign_in_is_untouched(world: World, how: str) -> None:
    old = world.signed_in()
    world.callback_listener.answer = ""
    if how == "no browser opens":
        world.browser.opens = False
    elif how == "cancelled there":
        world.clock.on_wait = lambda: setattr(world, "cancelled", True)
    with pytest.raises(SignInCancelled if how == "cancelled there" else SignInTimedOut):
        world.run(asking(), current=old)

    assert untouched(world, old)
    assert "logout" not in world.identity_center.calls


@pytest.mark.met("H1")
def test_person_who_keeps_the_present_sign_in_keeps_it(world: World) -> None:
    old = world.signed_in()
    world.callback_listener.answer = "keep"
    with pytest.raises(SignInCancelled, match="you kept your current sign-in"):
        world.run(asking(), current=old)

    assert world.callback_listener.asked == [PRICE]
    assert untouched(world, old)


@pytest.mark.met("H1")
def test_person_who_presses_the_button_ends_it_then_and_not_before(world: World) -> None:
    old = world.signed_in()
    steps: list[list[Step]] = []

    def allow(url: str) -> None:
        steps.append(world.kinds())
        world.allow(url)

    world.callback_listener.visit = allow
    world.callback_listener.told.clear()
    result = world.run(asking(), current=old)

    assert steps == [[Step.PREPARING, Step.BROWSER, Step.ENDED]]
    assert world.kinds()[-1] is Step.FINISHING
    assert result.ended
    assert world.callback_listener.told == [None]


def test_first_sign_in_goes_straight_to_aws(world: World) -> None:
    world.run()

    assert [urlsplit(url).netloc for url in world.browser.opened] == ["oidc.us-east-1.amazonaws.com"]
    assert world.callback_listener.door is None


def test_address_that_is_only_told_is_that_of_our_page_while_one_is_active(world: World) -> None:
    old = world.signed_in()
    world.clock.on_wait = lambda: world.callback_listener.come(world.steps[-1].url or "")
    world.run(asking(browser=False), current=old)

    assert DOOR in [step.url for step in world.steps if step.kind is Step.ADDRESS]
    assert world.browser.opened == []


def test_sign_in_somebody_else_finished_before_the_button_was_pressed_is_not_ended(world: World) -> None:
    old = world.signed_in()
    theirs = someone_elses(world)

    def meanwhile(url: str) -> None:
        world.token_cache.put(theirs)
        world.callback_listener.come(url)

    world.browser.visit = meanwhile
    result = world.run(asking(), current=old)

    assert SignInResult(theirs, joined=True) == result
    assert "logout" not in world.identity_center.calls
    assert world.token_cache.token == theirs


@pytest.mark.met("H1")
def test_logout_whose_answer_is_lost_is_no_sign_in_that_still_lasts(world: World) -> None:
    old = world.signed_in()
    logout = world.identity_center.logout

    def lost(session: SsoSession, token: AccessToken) -> None:
        first = "logout" not in world.identity_center.calls
        logout(session, token)
        if first:
            raise Offline("the answer was lost")

    world.identity_center.logout = lost  # type: ignore[method-assign]  # one answer that never arrives

    result = world.run(asking(), current=old)

    assert result.ended
    assert old.value != result.token.value


def test_token_file_of_somebody_else_is_not_dropped_with_ours(world: World) -> None:
    old = world.signed_in()
    theirs = someone_elses(world)
    logout = world.identity_center.logout

    def meanwhile(session: SsoSession, token: AccessToken) -> None:
        logout(session, token)
        world.token_cache.put(theirs)

    world.identity_center.logout = meanwhile  # type: ignore[method-assign]  # a race, played once
    world.run(asking(), current=old)

    assert "drop" not in world.token_cache.events


@pytest.mark.met("M5")
@pytest.mark.parametrize(
    "fault",
    [SignInDenied("HTTP 400"), RequestRefused("HTTP 400"), PortalFailed("HTTP 500"), Offline("dropped")],
)
def test_browser_hears_why_there_is_no_token(world: World, fault: CredtrayError) -> None:
    world.identity_center.fail("exchange_code", *[fault] * 4)
    with pytest.raises(type(fault)):
        world.run()

    assert world.callback_listener.told == [fault.title]


@pytest.mark.met("M5")
def test_token_that_cannot_be_written_is_no_sign_in_for_the_browser_either(world: World) -> None:
    def full(_session: SsoSession, _token: AccessToken) -> None:
        raise FileUnwritable("the disk is full")

    world.token_cache.write = full  # type: ignore[method-assign, assignment]  # it was writable when it was tried
    with pytest.raises(FileUnwritable):
        world.run()

    assert world.callback_listener.told == [FileUnwritable.title]


# --- a code on another device -----------------------------------------------------------------------------


@pytest.mark.met("H1")
def test_code_on_another_device_ends_nothing_that_nobody_agreed_to_end(world: World) -> None:
    old = world.signed_in()
    with pytest.raises(SignInUnconfirmed, match="7 h 58 min left"):
        world.run(asking(device=True), current=old)

    assert untouched(world, old)
    assert world.identity_center.calls == ["resolve_start_url"]


@pytest.mark.parametrize("operation", ["register", "start_device"])
@pytest.mark.parametrize(
    "fault", [Offline("no network"), PortalFailed("HTTP 500"), RequestRefused("HTTP 400")]
)
def test_dead_portal_costs_nothing(world: World, operation: str, fault: CredtrayError) -> None:
    old = world.signed_in()
    world.token_cache.registrations.clear()
    world.identity_center.fail(operation, *[fault] * 3)
    with pytest.raises(CredtrayError):
        world.run(asking(device=True, agreed=True), current=old)

    assert untouched(world, old)
    assert "logout" not in world.identity_center.calls


def test_agreed_sign_in_with_a_code_ends_the_old_one_once_there_is_a_code(world: World) -> None:
    old = world.signed_in()
    world.clock.on_wait = world.allow_device
    result = world.run(asking(device=True, agreed=True), current=old)

    assert result.ended
    assert world.kinds() == [Step.PREPARING, Step.ENDED, Step.CODE]


def test_without_a_loopback_port_a_code_takes_its_place_only_with_consent(world: World) -> None:
    old = world.signed_in()
    world.callback_listener.failure = ListenerUnavailable("no port")
    with pytest.raises(SignInUnconfirmed):
        world.run(asking(), current=old)

    assert untouched(world, old)


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
