from __future__ import annotations

from datetime import timedelta

import pytest

from credtray.demo.identity_center import IdentityCenter
from credtray.demo.identity_center.exchange import CANARY
from tests.demo.program import REDIRECT, Browser, Program, answer_of, code_of, error_type
from tests.portal import HandClock, ask, form


def _approved(portal: IdentityCenter, program: Program) -> str:
    portal.auto_approve()
    program.register()
    return code_of(ask(program.authorize_url()))


def test_person_signs_in_consents_and_the_program_gets_tokens(program: Program, browser: Browser) -> None:
    program.register()
    browser.open(program.authorize_url())
    browser.sign_in()

    assert "Allow access" in browser.text
    assert "botocore-client-test" in browser.text

    back = browser.submit(decision="allow")

    assert back.location.startswith(f"{REDIRECT}?")
    assert answer_of(back)["state"] == "state-of-a-test"

    tokens = program.redeem(code_of(back)).json()

    assert tokens["tokenType"] == "Bearer"
    assert tokens["expiresIn"] == 3600
    assert CANARY in tokens["accessToken"]
    assert CANARY in tokens["refreshToken"]
    assert CANARY in code_of(back)


def test_answer_has_the_live_services_members_nulls_included(
    hand_portal: IdentityCenter, program: Program
) -> None:
    code = _approved(hand_portal, program)
    answer = program.redeem(code)

    content = answer.json()
    assert content.keys() == {
        "accessToken",
        "aws_sso_app_session_id",
        "expiresIn",
        "idToken",
        "issuedTokenType",
        "originSessionId",
        "refreshToken",
        "tokenType",
    }
    assert content["idToken"] is None
    assert answer.headers["cache-control"] == "no-store"


def test_wrong_password_is_asked_again(program: Program, browser: Browser) -> None:
    program.register()
    browser.open(program.authorize_url())
    answer = browser.sign_in(password="wrong")

    assert answer.status == 401
    assert "not right" in browser.text
    assert browser.cookie == ""

    browser.sign_in()

    assert "Allow access" in browser.text


def test_denied_consent_comes_back_as_access_denied(program: Program, browser: Browser) -> None:
    program.register()
    browser.open(program.authorize_url())
    browser.sign_in()
    back = answer_of(browser.submit(decision="deny"))

    assert (back["error"], back["state"]) == ("access_denied", "state-of-a-test")
    assert "code" not in back


def test_consent_works_once(program: Program, browser: Browser) -> None:
    program.register()
    browser.open(program.authorize_url())
    browser.sign_in()
    page = browser.page
    browser.submit(decision="allow")
    browser.page = page

    assert "page has ended" in browser.submit(decision="allow").body.decode()


def test_consent_needs_the_browser_that_signed_in(
    hand_portal: IdentityCenter, program: Program, browser: Browser
) -> None:
    program.register()
    browser.open(program.authorize_url())
    browser.sign_in()
    stranger = Browser(hand_portal.url, page=browser.page)

    assert stranger.submit(decision="allow").status == 400


def test_second_authorization_joins_the_sign_in_and_inherits_its_end(
    program: Program, browser: Browser, hand_clock: HandClock
) -> None:
    program.register()
    browser.open(program.authorize_url())
    browser.sign_in()
    browser.submit(decision="allow")
    hand_clock.advance(hours=3, minutes=30)
    back = browser.open(program.authorize_url())

    assert back.location.startswith(REDIRECT)
    assert program.redeem(code_of(back)).json()["expiresIn"] == 30 * 60


def test_after_the_sign_ins_end_the_password_is_asked_again(
    program: Program, browser: Browser, hand_clock: HandClock
) -> None:
    program.register()
    browser.open(program.authorize_url())
    browser.sign_in()
    browser.submit(decision="allow")
    hand_clock.advance(hours=4)
    browser.open(program.authorize_url())

    assert "Password" in browser.text


def test_code_works_once(hand_portal: IdentityCenter, program: Program) -> None:
    code = _approved(hand_portal, program)

    assert program.redeem(code).status == 200

    again = program.redeem(code)

    assert (again.status, error_type(again)) == (400, "InvalidGrantException")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"codeVerifier": "x" * 64}, "InvalidGrantException"),
        ({"codeVerifier": None}, "InvalidRequestException"),
        ({"redirectUri": "http://127.0.0.1:1/oauth/callback"}, "InvalidGrantException"),
        ({"redirectUri": "http://127.0.0.1/oauth/callback"}, "InvalidGrantException"),
        ({"redirectUri": None}, "InvalidRequestException"),
        ({"code": "unknown"}, "InvalidGrantException"),
        ({"code": None}, "InvalidRequestException"),
    ],
)
def test_code_with_a_wrong_part_is_refused(
    hand_portal: IdentityCenter, program: Program, members: dict[str, str], expected: str
) -> None:
    code = _approved(hand_portal, program)

    assert error_type(program.redeem(code, **members)) == expected


def test_code_tried_with_a_wrong_verifier_is_spent(hand_portal: IdentityCenter, program: Program) -> None:
    code = _approved(hand_portal, program)
    program.redeem(code, codeVerifier="x" * 64)

    assert error_type(program.redeem(code)) == "InvalidGrantException"


def test_code_of_another_client_is_refused(hand_portal: IdentityCenter, program: Program) -> None:
    code = _approved(hand_portal, program)
    other = Program(hand_portal.url)
    other.register()

    assert error_type(other.redeem(code)) == "InvalidGrantException"
    assert program.redeem(code).status == 200


def test_code_ends_after_ten_minutes(
    hand_portal: IdentityCenter, program: Program, hand_clock: HandClock
) -> None:
    code = _approved(hand_portal, program)
    hand_clock.advance(minutes=10)

    assert error_type(program.redeem(code)) == "ExpiredTokenException"


def test_code_dies_with_the_sign_in(hand_portal: IdentityCenter, program: Program) -> None:
    code = _approved(hand_portal, program)
    hand_portal.revoke_sign_ins()

    assert error_type(program.redeem(code)) == "InvalidGrantException"


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1:53682/other",
        "http://127.0.0.1:53682/oauth/callback?x=1",
        "http://localhost:53682/oauth/callback",
        "https://127.0.0.1:53682/oauth/callback",
        "http://evil.example/oauth/callback",
        "",
    ],
)
def test_unregistered_redirect_is_never_followed(program: Program, redirect_uri: str) -> None:
    program.register()
    answer = ask(program.authorize_url(redirect_uri=redirect_uri))

    assert answer.status == 400
    assert "location" not in answer.headers


def test_any_port_of_the_registered_loopback_address_is_good(
    hand_portal: IdentityCenter, program: Program
) -> None:
    hand_portal.auto_approve()
    program.register()
    for port in (1024, 65535):
        uri = f"http://127.0.0.1:{port}/oauth/callback"

        assert ask(program.authorize_url(redirect_uri=uri)).location.startswith(uri)


def test_unknown_client_stays_on_the_page(program: Program) -> None:
    program.register()

    assert ask(program.authorize_url(client_id="unknown")).status == 400


def test_client_whose_registration_has_ended_stays_on_the_page(
    program: Program, hand_clock: HandClock
) -> None:
    program.register()
    hand_clock.advance(days=90)

    assert ask(program.authorize_url()).status == 400


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"scopes": "codewhisperer:completions"}, "invalid_scope"),
    ],
)
def test_authorize_errors_come_back_with_the_state(
    program: Program, parameters: dict[str, str], expected: str
) -> None:
    program.register()
    back = answer_of(ask(program.authorize_url(**parameters)))

    assert (back["error"], back["state"]) == (expected, "state-of-a-test")


def test_client_without_the_grant_may_not_authorize(program: Program) -> None:
    program.register(grantTypes=["refresh_token"])

    assert answer_of(ask(program.authorize_url()))["error"] == "unauthorized_client"


def test_auto_approved_browser_joins_its_own_sign_in(
    hand_portal: IdentityCenter, program: Program, hand_clock: HandClock
) -> None:
    _approved(hand_portal, program)
    hand_clock.advance(hours=1)
    program.redeem(code_of(ask(program.authorize_url())))

    start = hand_clock() - timedelta(hours=1)
    assert hand_portal.active_sign_ins() == [("alice", start, start + timedelta(hours=4))]


def test_sign_out_in_the_browser_ends_the_tokens(
    hand_portal: IdentityCenter, program: Program, browser: Browser
) -> None:
    program.register()
    browser.open(program.authorize_url())
    browser.sign_in()
    token = program.redeem(code_of(browser.submit(decision="allow"))).json()["accessToken"]
    browser.open(f"{hand_portal.url}/start")

    assert "Synderys Network" in browser.text

    browser.submit()

    assert program.credentials(token).status == 401


def test_broken_cookie_is_no_sign_in(hand_portal: IdentityCenter) -> None:
    answer = ask(f"{hand_portal.url}/start", headers={"Cookie": 'demo_sso_session="\\; ,=;;'})

    assert b"Password" in answer.body


def test_sign_in_with_an_unknown_flow_leads_to_the_accounts(hand_portal: IdentityCenter) -> None:
    answer = form(f"{hand_portal.url}/signin", {"flow": "gone", "user": "bob", "password": "demo"})

    assert answer.location == "/start"


def test_cookie_is_hidden_from_scripts_and_other_sites(hand_portal: IdentityCenter) -> None:
    answer = form(f"{hand_portal.url}/signin", {"user": "alice", "password": "demo"})

    flags = {part.strip() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert flags == {"Path=/", "HttpOnly", "SameSite=Lax"}
