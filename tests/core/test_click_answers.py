"""What a click that failed is answered with: no codes, no commands, always a button for the next step."""

from __future__ import annotations

import re

import pytest

from credtray.core import protocol
from credtray.core.clicks import (
    Click,
    CopyConsoleLink,
    CopyCredentials,
    OpenConfig,
    OpenConsole,
    OpenCredentials,
    OpenLog,
    OpenSettings,
    SetAutostart,
    ShowSession,
)
from credtray.core.errors import (
    BrowserUnopened,
    ConfigInvalid,
    CredtrayError,
    FileUnparsable,
    FileUnwritable,
    ListenerUnavailable,
    Offline,
    PortalFailed,
    RoleRefused,
    SectionNotOurs,
    SettingsInvalid,
    SignInDenied,
    SignInRequired,
    TokenRefused,
    UnknownProfile,
    every_error,
)
from credtray.core.forms import Form
from credtray.core.ports import Button, Notification
from credtray.core.problem_words import MOST, answer, details, line, session_of, title
from tests.core.making import signed_in

CLICKS: tuple[Click, ...] = (
    protocol.Login("corp"),
    protocol.Activate(("dev",)),
    protocol.Switch(None),
    CopyCredentials("dev", Form.FISH),
    OpenConsole("dev"),
    SetAutostart(enabled=True),
    OpenLog(),
)
FOR_PROGRAMMERS = (
    "",
    "access_denied",
    "HTTP 403 ForbiddenException",
    "the portal answered 401",
    "InvalidGrantException: invalid_grant",
    "run `credtray login corp`",
    "Run: credtray login",
    "use --fresh, or AWS_CA_BUNDLE",
    "KeyError",
    '{"error": "slow_down"}',
)
COMMANDS = "activate|console|doctor|endpoint|env|exec|import|login|logout|profiles|run|setup|status|stop|wait"
CODE = re.compile(
    rf"`|credtray ({COMMANDS})|--[a-z]|\bRun\b|HTTP|\b\d{{3}}\b|\w_\w|[a-z][A-Z]|Exception|Error|[{{}}<>\\]",
    re.ASCII,
)


def told(problem: CredtrayError, click: Click = protocol.Login("corp")) -> Notification:
    return answer("key", click, problem.problem, signed_in("dev", "ro"))


def labels(notification: Notification) -> list[str]:
    return [button.label for button in notification.buttons]


@pytest.mark.met("M6")
@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_no_error_answers_a_click_with_codes_or_commands(kind: type[CredtrayError]) -> None:
    for detail, click in [(detail, click) for detail in FOR_PROGRAMMERS for click in CLICKS]:
        shown = told(kind(detail), click)
        words = f"{shown.title} {shown.body} {' '.join(labels(shown))}"

        assert not CODE.search(words), (detail, click)
        assert shown.title
        assert 1 <= len(shown.buttons) <= MOST


@pytest.mark.met("M6")
@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_a_line_of_the_menu_has_no_codes_either(kind: type[CredtrayError]) -> None:
    for detail in FOR_PROGRAMMERS:
        assert not CODE.search(line(kind(detail).problem)), detail


@pytest.mark.parametrize(
    ("problem", "click", "words", "buttons"),
    [
        pytest.param(
            SignInRequired("session corp", hint="Run: credtray login corp"),
            CopyCredentials("dev", Form.CMD),
            "You need to sign in first",
            (Button("Sign in", protocol.Login("corp")),),
            marks=pytest.mark.met("M6"),
        ),
        pytest.param(
            SignInDenied("access_denied"),
            protocol.Login("corp", device=True),
            "The sign-in was denied",
            (Button("Try again", protocol.Login("corp", device=True)),),
            marks=pytest.mark.met("M6"),
        ),
        pytest.param(
            RoleRefused("HTTP 403"),
            protocol.Activate(("ro",)),
            "You have no access to ro",
            (Button("Try again", protocol.Activate(("ro",))),),
            marks=pytest.mark.met("M6"),
        ),
        (
            TokenRefused("InvalidGrantException"),
            protocol.Switch("dev"),
            "Your sign-in has ended",
            (Button("Sign in", protocol.Login("corp")),),
        ),
        (
            PortalFailed("HTTP 500"),
            OpenConsole("dev"),
            "AWS has an internal problem",
            (Button("Try again", OpenConsole("dev")),),
        ),
        (
            UnknownProfile("'gone'."),
            protocol.Switch("gone"),
            "gone is no longer in the config file",
            (Button("Open config file", OpenConfig()), Button("Try again", protocol.Switch("gone"))),
        ),
        (
            BrowserUnopened("the address is https://d-9067000001.awsapps.com/start/#/console?account_id=1"),
            OpenConsole("dev"),
            "No browser could be opened",
            (Button("Copy link", CopyConsoleLink("dev")), Button("Try again", OpenConsole("dev"))),
        ),
        (
            BrowserUnopened(),
            protocol.Login("corp", fresh=True),
            "No browser could be opened",
            (
                Button("Sign in on another device", protocol.Login("corp", fresh=True, device=True)),
                Button("Try again", protocol.Login("corp", fresh=True)),
            ),
        ),
        (
            ListenerUnavailable("port 0"),
            protocol.Login("corp"),
            "Your browser cannot reach credtray on this computer",
            (
                Button("Sign in on another device", protocol.Login("corp", device=True)),
                Button("Try again", protocol.Login("corp")),
            ),
        ),
        (
            SectionNotOurs("[dev]"),
            protocol.Activate(("dev",)),
            "The credentials file has other keys for dev",
            (
                Button("Use section dev-credtray", protocol.Activate(("dev",), "dev-credtray")),
                Button("Open credentials file", OpenCredentials()),
            ),
        ),
        (
            SectionNotOurs("[default]"),
            protocol.Switch("dev"),
            "The credentials file has other keys for dev",
            (Button("Open credentials file", OpenCredentials()),),
        ),
        (
            SettingsInvalid("line 3"),
            protocol.Switch("dev"),
            "The settings cannot be used",
            (Button("Open settings", OpenSettings()), Button("Try again", protocol.Switch("dev"))),
        ),
        (
            CredtrayError("KeyError"),
            ShowSession("corp"),
            "Something went wrong",
            (Button("Try again", ShowSession("corp")), Button("Show log", OpenLog())),
        ),
    ],
)
def test_the_answer_offers_what_helps(
    problem: CredtrayError, click: Click, words: str, buttons: tuple[Button, ...]
) -> None:
    shown = told(problem, click)

    assert (shown.title, shown.buttons) == (words, buttons)


@pytest.mark.parametrize(
    ("problem", "kept"),
    [
        (
            Offline("no route to the portal"),
            "Reason: no route to the portal. Check the network, VPN or proxy.",
        ),
        (ConfigInvalid("line 7"), "Reason: line 7. Fix it, then try again."),
        (FileUnparsable("/home/k_m/.aws/credentials, line 3"), "/home/k_m/.aws/credentials, line 3."),
        (FileUnwritable("/srv/x_y/credentials: disk full"), "/srv/x_y/credentials: disk full."),
        (UnknownProfile("'my_profile'. Did you mean 'my_other'?"), "'my_profile'. Did you mean 'my_other'?"),
    ],
)
def test_what_a_person_can_use_of_the_details_is_told(problem: CredtrayError, kept: str) -> None:
    assert kept in told(problem).body


@pytest.mark.parametrize("detail", [each for each in FOR_PROGRAMMERS if each])
def test_what_was_written_for_programmers_is_left_to_the_log(detail: str) -> None:
    assert details(Offline(detail).problem) == ""
    assert line(Offline(detail).problem) == "AWS cannot be reached"


def test_a_profile_is_named_where_the_words_want_it() -> None:
    assert title(RoleRefused().problem, "dev") == "You have no access to dev"
    assert title(UnknownProfile().problem) == "It is no longer in the config file"


@pytest.mark.parametrize(
    ("click", "session"),
    [
        (protocol.Logout("lab"), "lab"),
        (protocol.Snooze("lab", 5), "lab"),
        (OpenConsole("dev"), "corp"),
        (protocol.Switch(None), "corp"),
        (OpenConsole("gone"), "corp"),
    ],
)
def test_a_click_belongs_to_the_session_it_names_or_to_the_only_one(click: Click, session: str) -> None:
    assert session_of(click, signed_in("dev")) == session


@pytest.mark.met("M6")
def test_an_address_is_copied_with_a_button_and_not_told_as_a_reason() -> None:
    address = "https://d-9067000001.awsapps.com/start/#/console?account_id=1&role_name=Admin"
    shown = told(BrowserUnopened(f"the address is {address}"), OpenConsole("dev"))

    assert shown.body == "Copy the link, and open it yourself."
    assert shown.buttons[0] == Button("Copy link", CopyConsoleLink("dev"))
