"""The one sign-in path with stand-ins for all its ports: what happens in which order, and what on faults."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from agent.core import oauth
from agent.core.errors import (
    AddressRefused,
    CaptivePortal,
    CredtrayError,
    FileUnwritable,
    ListenerUnavailable,
    Offline,
    PortalFailed,
    PortalUnauthorized,
    RegionRefused,
    SignInCancelled,
    SignInDenied,
    SignInTimedOut,
    Throttled,
)
from agent.core.models import AccessToken, Endpoints, SsoSession
from agent.core.secret import Secret
from agent.daemon.sign_in import SignInProgress, SignInRequest, SignInResult, Step, run_sign_in
from tests.fakes_identity_center import (
    CORP,
    NOON,
    FakeBrowser,
    FakeCallbackListener,
    FakeClock,
    FakeIdentityCenter,
    FakeTokenRefresh,
    MemoryTokenCache,
    longer,
)

LEGACY = SsoSession(CORP.start_url, CORP.start_url, "us-east-1", legacy=True)


@dataclass
class World:
    """Every port of a sign-in, and a person who allows as soon as a browser opens."""

    clock: FakeClock = field(default_factory=FakeClock)
    token_cache: MemoryTokenCache = field(default_factory=MemoryTokenCache)
    browser: FakeBrowser = field(default_factory=FakeBrowser)
    steps: list[SignInProgress] = field(default_factory=list)
    cancelled: bool = False

    def __post_init__(self) -> None:
        self.identity_center = FakeIdentityCenter(self.clock)
        self.token_refresh = FakeTokenRefresh(self.identity_center, self.token_cache)
        self.callback_listener = FakeCallbackListener(self.clock)
        self.browser.visit = self.allow

    def allow(self, url: str) -> None:
        self.callback_listener.arrived = self.identity_center.visit(url)

    def allow_device(self) -> None:
        for step in self.steps:
            if step.user_code:
                self.identity_center.confirm_device(step.user_code)

    def run(
        self,
        request: SignInRequest | None = None,
        *,
        session: SsoSession = CORP,
        current: AccessToken | None = None,
    ) -> SignInResult:
        return run_sign_in(
            self,
            session,
            request or SignInRequest(),
            current,
            self.steps.append,
            lambda: self.cancelled,
            _entropy,
        )

    def kinds(self) -> list[Step]:
        return [step.kind for step in self.steps]

    def signed_in(self) -> AccessToken:
        """Sign in, forget how, and return the token."""
        token = self.run().token
        self.steps.clear()
        self.identity_center.calls.clear()
        self.token_cache.events.clear()
        self.browser.opened.clear()
        return token


def _entropy(count: int) -> bytes:
    return bytes(range(count))


@pytest.fixture
def world() -> World:
    return World()


# --- the usual way ------------------------------------------------------------------------------------


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


def test_registration_is_reused_by_the_next_sign_in(world: World) -> None:
    world.run()
    world.run(SignInRequest(fresh=True), current=world.token_cache.token)

    assert world.identity_center.calls.count("register") == 1


def test_registration_that_cannot_be_kept_does_not_stop_the_sign_in(world: World) -> None:
    world.token_cache.refuse_registration = FileUnwritable("disk full")

    result = world.run()

    assert world.token_cache.token == result.token


def test_forgotten_registration_is_made_anew_once(world: World) -> None:
    world.run()
    world.identity_center.forget_registrations()
    world.token_cache.put(None)
    world.run()

    assert world.identity_center.calls.count("register") == 2
    assert len(world.browser.opened) == 3


def test_without_browser_the_address_is_told_and_nothing_opened(world: World) -> None:
    def open_by_hand() -> None:
        if world.steps and world.steps[-1].kind is Step.ADDRESS:
            world.allow(world.steps[-1].url or "")

    world.clock.on_wait = open_by_hand
    world.run(SignInRequest(browser=False))

    assert world.kinds() == [Step.PREPARING, Step.ADDRESS, Step.FINISHING]
    assert world.browser.opened == []


def test_browser_that_does_not_open_leaves_the_address(world: World) -> None:
    world.browser.opens = False
    world.clock.on_wait = lambda: world.allow(world.steps[-1].url or "")
    world.run()

    assert world.kinds() == [Step.PREPARING, Step.ADDRESS, Step.FINISHING]
    assert world.steps[1].text is not None


# --- ends without a token -------------------------------------------------------------------------------


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


# --- faults while the code is redeemed ------------------------------------------------------------------


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


# --- a fresh sign-in -------------------------------------------------------------------------------------


def test_fresh_sign_in_ends_the_old_one_before_the_browser_opens(world: World) -> None:
    old = world.signed_in()
    result = world.run(SignInRequest(fresh=True), current=old)

    assert world.identity_center.calls == ["resolve_start_url", "logout", "exchange_code"]
    assert world.token_cache.events == ["drop", "lock", "write us-east-1", "unlock"]
    assert result.ended
    assert old.value != result.token.value


def test_fresh_sign_in_refreshes_an_expired_token_to_be_able_to_log_out(world: World) -> None:
    old = world.signed_in()
    world.clock.time += timedelta(hours=2)
    result = world.run(SignInRequest(fresh=True), current=old)

    assert world.identity_center.calls == ["resolve_start_url", "refresh", "logout", "exchange_code"]
    assert result.ended


def test_fresh_sign_in_uses_the_token_on_the_disk_when_the_asker_knows_none(world: World) -> None:
    world.signed_in()

    assert world.run(SignInRequest(fresh=True)).ended


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


# --- other programs -------------------------------------------------------------------------------------


def someone_elses(world: World) -> AccessToken:
    now = world.clock.now()
    return AccessToken(Secret("CANARY-of-another-program"), now + timedelta(hours=1), None, None, now)


def test_sign_in_another_process_finished_while_we_waited_for_the_lock_is_taken_over(world: World) -> None:
    theirs = someone_elses(world)
    world.token_cache.before_sign_in = lambda: world.token_cache.put(theirs)
    result = world.run()

    assert SignInResult(theirs, joined=True) == result
    assert world.identity_center.calls == []


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


def test_forgotten_registration_of_the_device_flow_is_made_anew(world: World) -> None:
    world.clock.on_wait = world.allow_device
    world.run(SignInRequest(device=True))
    world.identity_center.forget_registrations()
    world.steps.clear()
    world.run(SignInRequest(device=True, fresh=True))

    assert world.identity_center.calls.count("register") == 2


# --- secrets --------------------------------------------------------------------------------------------


def test_nothing_secret_is_told_or_logged(world: World) -> None:
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        old = world.signed_in()
        world.identity_center.fail("logout", PortalUnauthorized("HTTP 401"))
        world.run(SignInRequest(fresh=True), current=old)
        world.clock.on_wait = world.allow_device
        world.run(SignInRequest(device=True, fresh=True))
    finally:
        logging.getLogger().removeHandler(handler)

    verifier = oauth.pkce_pair(bytes(range(48))).verifier.reveal()
    told = f"{world.steps!r} {log.getvalue()} {world.browser.opened}"
    assert verifier not in told
    assert "CANARY" not in told
