"""What the forms of the page ask for, and how the answer is put into words."""

from __future__ import annotations

import inspect
import re

import pytest

from credtray.core import protocol
from credtray.core.errors import RoleRefused, UsageError
from credtray.core.forms import Form
from credtray.core.protocol.results import (
    CancelResult,
    ChoiceResult,
    CopyResult,
    ErrorEntry,
    LoginResult,
    LogoutResult,
    PauseResult,
    RestoredSections,
    UndoResult,
)
from credtray.page import actions
from credtray.page.actions import COPIES, Message, outcome, request_of
from tests.core.making import HOUR, NOON

SESSION = {"session": ("corp",)}
PROFILE = {"profile": ("dev",)}
CHOSEN = ChoiceResult((), {}, None)


@pytest.mark.parametrize(
    ("action", "fields", "expected"),
    [
        ("sign-in", SESSION, protocol.Login("corp")),
        (
            "sign-in",
            SESSION | {"fresh": ("yes",), "agreed": ("yes",)},
            protocol.Login("corp", fresh=True, agreed=True),
        ),
        ("sign-in", SESSION | {"device": ("yes",)}, protocol.Login("corp", device=True)),
        ("sign-in", SESSION | {"clean": ("yes",)}, protocol.Login("corp", clean=True)),
        ("keep-person", SESSION | {"person": ("bob",)}, protocol.KeepPerson("corp", "bob")),
        ("cancel-sign-in", SESSION, protocol.CancelLogin("corp")),
        ("sign-out", SESSION, protocol.Logout("corp")),
        ("switch", PROFILE, protocol.Switch("dev")),
        ("no-default", {}, protocol.Switch(None)),
        ("activate", PROFILE, protocol.Activate(("dev",))),
        ("deactivate", PROFILE, protocol.Deactivate(("dev",))),
        ("copy-posix", PROFILE, protocol.Copy("dev", Form.POSIX)),
        ("pause-notices", {}, protocol.PauseNotices(NOON + HOUR)),
        ("resume-notices", {}, protocol.PauseNotices(None)),
        ("undo", {}, protocol.Undo()),
    ],
)
def test_form_asks_for_what_a_command_asks_for(
    action: str, fields: dict[str, tuple[str, ...]], expected: object
) -> None:
    assert request_of(action, fields, NOON) == expected


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("stop", {}),
        ("none", {}),
        ("copy-pickle", PROFILE),
        ("switch", {}),
        ("switch", {"profile": ("a", "b")}),
        ("switch", {"profile": ("",)}),
        ("sign-in", PROFILE),
        ("answer-agent", PROFILE),
        ("answer-agent", PROFILE | {"pid": ("x",), "allow": ("yes",)}),
        ("answer-agent", PROFILE | {"pid": ("²",), "allow": ("yes",)}),
    ],
)
def test_form_that_is_none_of_ours_asks_for_nothing(action: str, fields: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(UsageError):
        request_of(action, fields, NOON)


def test_no_form_takes_keys_out_of_the_agent() -> None:
    """Keys go to the clipboard and to files: no request that answers with them is named."""
    named = set(re.findall(r"protocol\.([A-Z]\w+)\(", inspect.getsource(actions)))

    assert not named & {"Credentials", "ImportKeys", "Endpoint", "OpenPage"}
    assert len(COPIES) == 5


REFUSED = ErrorEntry("role_refused", "AWS refuses this role", "Ask your administrator.")


@pytest.mark.parametrize(
    ("request_", "result", "expected"),
    [
        (protocol.Switch("dev"), CHOSEN, Message("Default profile: dev")),
        (protocol.Switch(None), CHOSEN, Message("There is no longer a default profile")),
        (protocol.Activate(("a", "b")), CHOSEN, Message("Keys for a, b are kept fresh")),
        (protocol.Deactivate(("a",)), CHOSEN, Message("Keys for a are no longer kept fresh")),
        (
            protocol.Activate(("a",)),
            ChoiceResult((), {"a": REFUSED}, None),
            Message("a: AWS refuses this role", "Ask your administrator.", good=False),
        ),
        (
            protocol.Activate(("a",)),
            ChoiceResult((), {}, REFUSED),
            Message("AWS refuses this role", "Ask your administrator.", good=False),
        ),
        (
            protocol.Switch("a"),
            ChoiceResult((), {}, None, "the file says so"),
            Message("Default profile: a", "But not for every program: the file says so.", good=False),
        ),
        (protocol.Logout("corp"), LogoutResult("corp", told_portal=True), Message("Signed out of corp")),
        (
            protocol.CancelLogin("corp"),
            CancelResult(cancelled=False, still_valid=""),
            Message("There was no sign-in to cancel"),
        ),
        (
            protocol.Copy("dev", Form.POSIX),
            CopyResult("dev", 45.0, NOON),
            Message("Keys for dev copied", "The clipboard is cleared in 45 s."),
        ),
        (protocol.PauseNotices(None), PauseResult(None), Message("Notices are shown again")),
        (
            protocol.Login("corp"),
            LoginResult(session="corp", signed_in_until=None, end_is_estimate=None, already=True),
            Message("corp: you are signed in already"),
        ),
        (
            protocol.Undo(),
            UndoResult(RestoredSections(("dev",), {}), RestoredSections((), {"x": "it was changed since"})),
            Message("Restored: dev", "Left as it is: x: it was changed since", good=False),
        ),
    ],
)
def test_what_came_of_it_is_said(request_: protocol.Asks[object], result: object, expected: Message) -> None:
    assert outcome(request_, result) == expected


def test_failure_is_said_with_what_to_do() -> None:
    problem = RoleRefused("dev").problem

    assert Message.of(problem) == Message(problem.title, problem.hint, good=False)
