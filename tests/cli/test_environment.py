"""`credtray env` and `credtray copy`: what they print, ask and say."""

from __future__ import annotations

import io
import json
import sys
from datetime import timedelta
from typing import Any

import pytest
from msgspec import UNSET, UnsetType

from credtray.cli import backend as seam
from credtray.cli import environment
from credtray.cli.main import main
from credtray.core.errors import AgentNotRunning, SignInRequired, UnknownProfile
from credtray.core.forms import Form
from credtray.core.models import Secret, Way
from credtray.core.protocol import Copy, Credentials, ProcessCredentials, Status
from tests.as_json import iso
from tests.cli.fake_backend import NOW, FakeBackend, Outcome, credtray, document, profile

PROFILE = "synderys-readonly"
EXPIRATION = "2026-11-22T14:05:00Z"


class Stream(io.TextIOWrapper):
    """Standard output or error, which may be a terminal; text gets the line ends of Windows."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.bytes = io.BytesIO()
        self.terminal = terminal
        super().__init__(self.bytes, encoding="utf-8", newline="\r\n")

    def isatty(self) -> bool:
        return self.terminal

    def text(self) -> str:
        self.flush()
        return self.bytes.getvalue().decode()


def keys(
    text: str = "CANARY/+=", account: str | UnsetType = "111100000001"
) -> dict[type, ProcessCredentials]:
    found = ProcessCredentials(1, "ASIA0", Secret(text), Secret("CANARY-token"), EXPIRATION, account)
    return {Credentials: found}


def answers(**parts: Any) -> FakeBackend:
    return FakeBackend({**keys(**parts), Status: document(profiles=[profile(PROFILE)])})


def ran(
    *words: str,
    backend: FakeBackend,
    monkeypatch: pytest.MonkeyPatch,
    looked_at: tuple[bool, bool] = (False, False),
) -> Outcome:
    """Run `credtray env` with streams that take bytes; *looked_at*: whether stdout, stderr are terminals."""
    out, err = Stream(terminal=looked_at[0]), Stream(terminal=looked_at[1])
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.setenv("NO_COLOR", "1")
        patch.setattr(seam, "current", lambda: backend)
        code = main(["env", *words])
    return Outcome(code, out.text(), err.text().replace("\r\n", "\n"))


# --- env ---------------------------------------------------------------------------------------------


def test_keys_are_printed_for_the_shell_with_the_profiles_region(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = ran(PROFILE, "--shell", "bash", backend=answers(), monkeypatch=monkeypatch)

    assert outcome == Outcome(
        0,
        "unset AWS_SECURITY_TOKEN\n"
        "unset AWS_PROFILE\n"
        "unset AWS_DEFAULT_PROFILE\n"
        "export AWS_ACCESS_KEY_ID='ASIA0'\n"
        "export AWS_SECRET_ACCESS_KEY='CANARY/+='\n"
        "export AWS_SESSION_TOKEN='CANARY-token'\n"
        f"export AWS_CREDENTIAL_EXPIRATION='{EXPIRATION}'\n"
        "export AWS_REGION='eu-central-1'\n"
        "export AWS_DEFAULT_REGION='eu-central-1'\n",
        "",
    )


def test_region_of_the_command_line_wins_and_asks_for_no_status(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = answers()
    outcome = ran(
        PROFILE, "--region", "us-west-2", "--shell", "json", backend=backend, monkeypatch=monkeypatch
    )

    assert json.loads(outcome.out)["AWS_REGION"] == "us-west-2"
    assert backend.asked == [Credentials(PROFILE, Way.SHELL)]


def test_profile_without_a_region_sets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = FakeBackend({**keys(), Status: document(profiles=[profile(PROFILE, region=None)])})
    outcome = ran(PROFILE, "--shell", "dotenv", backend=backend, monkeypatch=monkeypatch)

    assert [line.partition("=")[0] for line in outcome.out.splitlines()] == [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CREDENTIAL_EXPIRATION",
    ]


@pytest.mark.parametrize(
    ("account", "line"),
    [("111100000001", "export AWS_ACCOUNT_ID='111100000001'"), (UNSET, "unset AWS_ACCOUNT_ID")],
)
def test_account_of_older_keys_does_not_stay(
    account: str | UnsetType, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = ran(
        PROFILE, "--shell", "sh", backend=answers(account=account), monkeypatch=monkeypatch
    ).out.splitlines()
    monkeypatch.setenv("AWS_ACCOUNT_ID", "999900000009")
    outcome = ran(PROFILE, "--shell", "sh", backend=answers(account=account), monkeypatch=monkeypatch)

    assert set(outcome.out.splitlines()) - set(without) == {line}


def test_line_ends_are_those_of_the_shell_whatever_the_stream_makes_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for shell, ending in (("bash", "\n"), ("powershell", "\r\n"), ("cmd", "\r\n")):
        out = ran(PROFILE, "--shell", shell, backend=answers(), monkeypatch=monkeypatch).out

        assert [line for line in out.splitlines(keepends=True) if not line.endswith(f"{ending}")] == []
        assert "\r\r" not in out
        assert ("\r" in out) == ("\r" in ending)


def test_keys_on_a_terminal_are_warned_about_and_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = ran(
        "it's", "--shell", "fish", "--region", "us-east-1", backend=answers(), monkeypatch=monkeypatch,
        looked_at=(True, True),
    )  # fmt: skip

    assert "CANARY" in outcome.out
    assert "warning: the keys are on your screen\n" in outcome.err
    assert "credtray env 'it\\'s' | source\n" in outcome.err
    assert "They do not renew" in outcome.err
    assert "CANARY" not in outcome.err


@pytest.mark.parametrize(
    ("shell", "hint"),
    [
        ("bash", 'eval "$(credtray env synderys-readonly)"'),
        ("powershell", "credtray env synderys-readonly | Out-String | Invoke-Expression"),
        ("cmd", "FOR /F \"delims=\" %i IN ('credtray env synderys-readonly') DO @%i"),
    ],
)
def test_warning_tells_the_line_of_that_shell(shell: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = ran(
        PROFILE, "--shell", shell, backend=answers(), monkeypatch=monkeypatch, looked_at=(True, False)
    )

    assert hint in outcome.err
    assert "renew" not in outcome.err


def test_unset_takes_away_what_env_has_set_and_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = FakeBackend()
    outcome = ran("--unset", "--shell", "zsh", backend=backend, monkeypatch=monkeypatch)
    names = {line.removeprefix("unset ") for line in outcome.out.splitlines()}
    shown = ran(PROFILE, "--shell", "json", backend=answers(), monkeypatch=monkeypatch).out

    assert names == {*json.loads(shown), "AWS_ACCOUNT_ID"}  # set where the shell had one before
    assert backend.asked == []


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ((), 2, "Name a profile"),
        ((PROFILE, "--shell", "fishy"), 2, "Did you mean fish?"),
        ((PROFILE, "--region", "nowhere; rm"), 1, "is not a region name"),
        (("--unset", "--shell", "dotenv"), 1, "cannot be written in that form"),
    ],
)
def test_words_that_do_not_fit_are_explained_and_nothing_is_printed(
    words: tuple[str, ...], code: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = answers()
    outcome = ran(*words, backend=backend, monkeypatch=monkeypatch)

    assert (outcome.code, outcome.out) == (code, "")
    assert text in outcome.err
    assert backend.asked == []


@pytest.mark.parametrize("error", [UnknownProfile("'x'."), SignInRequired("synderys")])
def test_without_keys_nothing_is_printed(
    error: UnknownProfile | SignInRequired, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = ran("x", "--shell", "bash", backend=FakeBackend({Credentials: error}), monkeypatch=monkeypatch)

    assert (outcome.code, outcome.out) == (error.exit_code, "")
    assert str(error) in outcome.err


def test_key_that_no_env_file_can_hold_is_refused_without_being_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    backend = answers(text="CANARY with a space")
    outcome = ran(PROFILE, "--shell", "dotenv", backend=backend, monkeypatch=monkeypatch)

    assert (outcome.code, outcome.out) == (1, "")
    assert "AWS_SECRET_ACCESS_KEY" in outcome.err
    assert "CANARY" not in outcome.err


# --- copy --------------------------------------------------------------------------------------------


def copied() -> FakeBackend:
    until = iso(NOW + timedelta(minutes=37))
    return FakeBackend({Copy: {"profile": PROFILE, "seconds": 45.0, "keys_until": until}})


@pytest.mark.parametrize(
    ("words", "form", "text"),
    [
        (("--shell", "fish"), Form.FISH, "for fish"),
        (("--shell", "json"), Form.JSON, "as JSON"),
        (("--section",), Form.SECTION, "as a section of the credentials file"),
    ],
)
def test_agent_copies_and_it_is_said_for_how_long(words: tuple[str, ...], form: Form, text: str) -> None:
    backend = copied()
    outcome = credtray("copy", PROFILE, *words, backend=backend)

    assert backend.asked == [Copy(PROFILE, form)]
    assert outcome.code == 0
    assert outcome.out.startswith(f"Keys for {PROFILE} are on the clipboard for 45 s, {text}. ")


def test_shell_of_a_copy_is_the_one_it_is_typed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = copied()
    monkeypatch.setattr(environment, "ancestors", lambda: iter(["/usr/bin/fish"]))
    outcome = credtray("copy", PROFILE, "--json", backend=backend)

    assert backend.asked == [Copy(PROFILE, Form.FISH)]
    assert json.loads(outcome.out)["seconds"] == 45.0


def test_copy_without_an_agent_names_the_other_way() -> None:
    backend = FakeBackend({Copy: AgentNotRunning("nobody listens")})
    outcome = credtray("copy", PROFILE, "--shell", "sh", backend=backend)

    assert outcome.code == 3
    assert "nobody listens\nhint: Start it: credtray start. `credtray env` works" in outcome.err


def test_two_forms_at_once_are_refused() -> None:
    backend = copied()
    outcome = credtray("copy", PROFILE, "--shell", "sh", "--section", backend=backend)

    assert (outcome.code, backend.asked) == (2, [])
