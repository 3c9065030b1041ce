from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.exchange import CANARY
from tests.demo.program import SCOPES, Browser, Program, error_type
from tests.portal import HandClock, ask


def _start(program: Program) -> dict[str, Any]:
    program.register_for_device()
    started: dict[str, Any] = program.start_device().json()
    return started


def _outcome(program: Program, started: dict[str, Any]) -> str:
    return error_type(program.poll(started["deviceCode"]))


def test_start_has_the_services_members(hand_portal: IdentityCenter, program: Program) -> None:
    started = _start(program)

    code = started["userCode"]
    assert started.keys() == {
        "deviceCode",
        "expiresIn",
        "interval",
        "userCode",
        "verificationUri",
        "verificationUriComplete",
    }
    assert (started["expiresIn"], started["interval"]) == (600, 5)
    assert (len(code), code[4]) == (9, "-")
    assert started["verificationUri"] == f"{hand_portal.url}/device"
    assert started["verificationUriComplete"] == f"{hand_portal.url}/device?user_code={code}"
    assert CANARY in started["deviceCode"]


def test_under_its_aws_name_the_page_is_on_awss_own_host(
    hand_portal: IdentityCenter, program: Program
) -> None:
    program.register_for_device()
    started = ask(
        f"{hand_portal.url}/device_authorization",
        method="POST",
        body={**program.identity, "startUrl": "https://d-9067000001.awsapps.com/start"},
        headers={"Host": "oidc.us-east-1.amazonaws.com"},
    ).json()

    assert started["verificationUri"] == "https://device.sso.us-east-1.amazonaws.com/"


def test_person_compares_the_code_and_the_program_gets_tokens(program: Program, browser: Browser) -> None:
    started = _start(program)

    assert _outcome(program, started) == "AuthorizationPendingException"

    browser.open(started["verificationUri"])
    browser.page = browser.open(started["verificationUriComplete"])
    browser.sign_in()

    assert started["userCode"] in browser.text

    browser.submit(decision="allow")

    assert "Request approved" in browser.text
    tokens = program.poll(started["deviceCode"]).json()
    assert (tokens["expiresIn"], CANARY in tokens["refreshToken"]) == (3600, True)


def test_code_can_be_typed_in_any_case_and_without_its_hyphen(
    hand_portal: IdentityCenter, program: Program, browser: Browser
) -> None:
    started = _start(program)
    typed = started["userCode"].replace("-", "").lower()
    browser.open(f"{hand_portal.url}/device?user_code={typed}")

    assert "Password" in browser.text


def test_active_sign_in_skips_the_password_but_still_asks_to_compare(
    program: Program, browser: Browser, hand_clock: HandClock
) -> None:
    first = _start(program)
    browser.open(first["verificationUriComplete"])
    browser.sign_in()
    browser.submit(decision="allow")
    hand_clock.advance(hours=3, minutes=45)
    second = program.start_device().json()
    browser.open(second["verificationUriComplete"])

    assert second["userCode"] in browser.text

    browser.submit(decision="allow")

    assert program.poll(second["deviceCode"]).json()["expiresIn"] == 15 * 60


def test_denied_code_is_access_denied(program: Program, browser: Browser) -> None:
    started = _start(program)
    browser.open(started["verificationUriComplete"])
    browser.sign_in()
    browser.submit(decision="deny")

    assert "Nothing was allowed" in browser.text
    assert _outcome(program, started) == "AccessDeniedException"


@pytest.mark.parametrize("code", ["BCDF-BCDF", "x", "<script>"])
def test_unknown_user_code_is_asked_again(hand_portal: IdentityCenter, browser: Browser, code: str) -> None:
    answer = browser.open(f"{hand_portal.url}/device?user_code={code}")

    assert answer.status == 400
    assert "not known" in browser.text


def test_user_code_works_once(hand_portal: IdentityCenter, program: Program) -> None:
    hand_portal.auto_approve()
    started = _start(program)

    assert ask(started["verificationUriComplete"]).status == 200
    assert ask(started["verificationUriComplete"]).status == 400


def test_device_code_works_once(hand_portal: IdentityCenter, program: Program) -> None:
    hand_portal.auto_approve()
    started = _start(program)
    ask(started["verificationUriComplete"])

    assert program.poll(started["deviceCode"]).status == 200
    assert _outcome(program, started) == "InvalidGrantException"


def test_device_code_of_another_client_is_refused(hand_portal: IdentityCenter, program: Program) -> None:
    started = _start(program)
    other = Program(hand_portal.url)
    other.register_for_device()

    assert error_type(other.poll(started["deviceCode"])) == "InvalidGrantException"


def test_approval_is_given_out_even_when_polled_too_early(
    hand_portal: IdentityCenter, program: Program
) -> None:
    hand_portal.auto_approve()
    started = _start(program)
    for _ in range(2):
        _outcome(program, started)
    ask(started["verificationUriComplete"])

    assert program.poll(started["deviceCode"]).status == 200


def test_two_polls_are_free_then_the_interval_holds(program: Program, hand_clock: HandClock) -> None:
    started = _start(program)
    outcomes = [_outcome(program, started) for _ in range(3)]

    pending, slow = "AuthorizationPendingException", "SlowDownException"
    assert outcomes == [pending, pending, slow]

    hand_clock.advance(seconds=9.9)

    assert _outcome(program, started) == slow  # the first slow_down made the interval 10 s

    hand_clock.advance(seconds=15)

    assert _outcome(program, started) == pending


def test_polling_at_the_interval_is_never_slowed_down(program: Program, hand_clock: HandClock) -> None:
    started = _start(program)
    outcomes = set()
    for _ in range(20):
        outcomes.add(_outcome(program, started))
        hand_clock.advance(seconds=5)

    assert outcomes == {"AuthorizationPendingException"}


def test_device_code_ends_after_ten_minutes(
    program: Program, browser: Browser, hand_clock: HandClock
) -> None:
    started = _start(program)
    hand_clock.advance(minutes=10, seconds=-1)

    assert _outcome(program, started) == "AuthorizationPendingException"

    hand_clock.advance(seconds=1)

    assert _outcome(program, started) == "ExpiredTokenException"
    assert browser.open(started["verificationUriComplete"]).status == 400


def test_consent_after_the_devices_end_is_refused(
    program: Program, browser: Browser, hand_clock: HandClock
) -> None:
    started = _start(program)
    browser.open(started["verificationUriComplete"])
    browser.sign_in()
    hand_clock.advance(minutes=10)

    assert browser.submit(decision="allow").status == 400


def test_approved_code_dies_with_the_sign_in(hand_portal: IdentityCenter, program: Program) -> None:
    hand_portal.auto_approve()
    started = _start(program)
    ask(started["verificationUriComplete"])
    hand_portal.revoke_sign_ins()

    assert _outcome(program, started) == "InvalidGrantException"


def test_unknown_start_url_is_an_invalid_request(program: Program) -> None:
    program.register_for_device()
    answer = program.start_device(startUrl="https://d-0000000000.awsapps.com/start")

    assert error_type(answer) == "InvalidRequestException"


def test_client_registered_for_codes_may_not_start_a_device(program: Program) -> None:
    program.register()

    assert error_type(program.start_device()) == "UnauthorizedClientException"


def test_client_registered_for_devices_may_not_use_codes(program: Program) -> None:
    program.register_for_device()

    assert error_type(program.redeem("any")) == "UnauthorizedClientException"


def test_unknown_grant_is_unsupported(program: Program) -> None:
    program.register_for_device()

    assert error_type(program.token(grantType="password")) == "UnsupportedGrantTypeException"


def test_grants_without_their_code_are_invalid_requests(program: Program) -> None:
    program.register_for_device()

    assert error_type(program.poll("")) == "InvalidRequestException"
    assert error_type(program.refresh("")) == "InvalidRequestException"


def test_legacy_client_gets_one_token_for_the_whole_sign_in(
    hand_portal: IdentityCenter, program: Program
) -> None:
    hand_portal.auto_approve()
    program.register_for_device(scopes=None)
    started = program.start_device().json()
    ask(started["verificationUriComplete"])
    tokens = program.poll(started["deviceCode"]).json()

    assert (tokens["expiresIn"], tokens["refreshToken"]) == (4 * 3600, None)


def test_client_that_registered_only_the_device_grant_gets_no_refresh_token(
    hand_portal: IdentityCenter, program: Program
) -> None:
    hand_portal.auto_approve()
    program.register_for_device(scopes=SCOPES, grantTypes=["urn:ietf:params:oauth:grant-type:device_code"])
    started = program.start_device().json()
    ask(started["verificationUriComplete"])
    tokens = program.poll(started["deviceCode"]).json()

    assert (tokens["expiresIn"], tokens["refreshToken"]) == (3600, None)


def test_device_lifetimes_can_be_set(hand_portal: IdentityCenter, program: Program) -> None:
    hand_portal.set_lifetimes(device_code=timedelta(minutes=1), interval=timedelta(seconds=1))
    started = _start(program)

    assert (started["expiresIn"], started["interval"]) == (60, 1)
