"""What commands print with ``--json`` and for shells, where an agent answers and where there is none."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from credtray.core.notice_texts import notification
from credtray.core.notices import due
from credtray.core.ports import Notification
from credtray.core.protocol import ListUndo, Request, Undo, decode_reply, decode_request
from credtray.desktop.clock_watch import SystemClock
from credtray.doctor.evidence import Facts
from tests.cli.doctor_homes import CANARY, CONFIG, lay, token
from tests.cli.fake_backend import FakeBackend, Outcome, credtray
from tests.cli.test_doctor import seen
from tests.core.diagnosis_facts import WRONG
from tests.core.error_texts import ERROR_TEXTS
from tests.core.menu_states import Moment, moments
from tests.core.menu_text import every
from tests.core.test_menu import at
from tests.golden.golden import FOLDER, holds, readable, steady

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
OURS = {"TZ", "HOME", "USERPROFILE", "DBUS_SYSTEM_BUS_ADDRESS", "UPDATE_SNAPSHOTS"}
"""Variables that a test has set or wants, besides those by their beginning."""
VALID = token(expiresAt="2026-11-22T12:40:00Z")
KEYS = (
    "aws_access_key_id = {0}\naws_secret_access_key = canary-7c41d09e\naws_session_token = canary-7c41d09e\n"
)
SHELLS = ("bash", "fish", "powershell", "cmd", "dotenv", "json")
ANSWERED = (
    *("status", "profiles", "login", "logout", "activate dev ro", "deactivate ro", "switch ro"),
    *("undo --list", "wait dev --for 45m", "endpoint dev", "snooze corp 10m", "pause 6h"),
    *("copy dev --shell bash", "notify-test", "stop"),
)
HOMES: dict[str, Callable[[Path], object]] = {
    "empty": lambda _home: None,
    "sound": lambda home: lay(home, cached=VALID),
    "signed out": lay,
    "sign-in ended": lambda home: lay(
        home, cached=token(expiresAt="2026-11-22T11:00:00Z", refreshToken=None)
    ),
    "foreign keys before the sign-in": lambda home: lay(
        home,
        CONFIG
        + "[profile old]\nsso_session = gone\n[preview]\nx = 1\n[profile tool]\ncredential_process = /no x\n",
        f"[dev]\n{KEYS.format('ASIAFOREIGN')}[default]\naws_access_key_id = AKIAX\n",
        token(expiresAt="2026-11-22T12:40:00Z", region="eu-west-1"),
    ),
    "sections twice": lambda home: lay(home, CONFIG + "[profile dev]\nregion = x\n", "[a]\n[a]\n", VALID),
    "a config file that cannot be read": lambda home: lay(home, CONFIG + "nonsense\n[profile", "[x\n"),
    "settings that are broken": lambda home: settings(home, 'icon = "auto"\nwarn_befor = []\n'),
}
LOOKS = (
    *("status", "profiles", "settings", "undo --list", "repair --dry-run", "autostart status"),
    "version",
)


def move_to(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder the home, as tests/conftest.py does."""
    places = {"HOME": "", "XDG_CONFIG_HOME": ".config", "XDG_STATE_HOME": ".local/state"}
    for name, place in places.items():
        monkeypatch.setenv(name, str(home / place))


def settings(home: Path, text: str) -> None:
    file = home / ".config" / "credtray" / "settings.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture(autouse=True)
def here_and_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Noon, over SSH, whatever machine this is, and none of its programs and variables."""
    monkeypatch.setattr(SystemClock, "now", lambda _self: NOW)
    for name in os.environ.keys() - OURS:
        if not name.startswith(("XDG_", "AWS_", "PYTEST_")):
            monkeypatch.delenv(name)
    here = {"PATH": "/nonexistent", "COLUMNS": "80", "SSH_TTY": "/dev/pts/1"}
    for name, value in here.items():
        monkeypatch.setenv(name, value)


def recorded() -> FakeBackend:
    """Answers each kind of request as the agent does in conversations.txt where it has most to say."""
    best: dict[type, Any] = {}
    asked: Request | None = None
    for line in (FOLDER / "conversations.txt").read_text("utf-8").splitlines():
        if line == "# what is no request":
            break
        frame = line[2:].encode()
        if line.startswith("> "):
            asked = decode_request(frame)
            asked = ListUndo() if asked == Undo("list") else asked  # the client's own class for that result
        elif line.startswith("< ") and asked is not None:
            answer = json.loads(frame).get("result")
            if b'"reply":"credentials"' in frame:
                answer = getattr(decode_reply(frame, asked), "credentials", None)
            if len(str(answer)) > len(str(best.get(type(asked)))):
                best[type(asked)] = answer
    return FakeBackend(best)


def told(done: Outcome, home: Path) -> str:
    """Return what was printed, JSON field by field, and how it ended."""
    out = steady(done.out, home).replace(sys.executable, "PYTHON")
    try:
        document = json.loads(out)
    except ValueError:
        out = out.replace("\r", "\\r")
    else:
        indented = out == json.dumps(document, indent=2) + "\n"
        out = readable(document) if indented else f"(on one line)\n{readable(document)}"
    return "\n".join(filter(None, (out.rstrip(), steady(done.err, home).rstrip(), f"exit code {done.code}")))


def test_json_of_commands_that_an_agent_answers(home: Path) -> None:
    lay(home)

    def printed(words: str) -> str:
        return told(credtray(*words.split(), "--json", backend=recorded()), home)

    parts = [(words, printed(words)) for words in ANSWERED]

    assert CANARY not in str(parts)
    assert "CANARY" not in str(parts)
    assert holds("answers", parts)


def test_what_shells_and_programs_take_in(home: Path) -> None:
    lay(home)
    commands = [
        "credentials dev",
        *(f"{name} dev --shell {shell}" for shell in SHELLS for name in ("env", "endpoint")),
    ]

    assert holds(
        "shells", [(words, told(credtray(*words.split(), backend=recorded()), home)) for words in commands]
    )


@pytest.mark.posix("the paths and words of Unix")
def test_documents_of_a_home_without_an_agent(home: Path) -> None:
    HOMES["sound"](home)
    settings(home, 'warn_before = ["1h"]\n[profiles.dev]\ndescription = "Looks"\ntags = ["x"]\n')
    parts = [(words, told(credtray(*words.split(), "--json"), home)) for words in LOOKS]

    assert CANARY not in str(parts)
    assert holds("home", parts)


@pytest.mark.posix("the paths and words of Unix")
def test_doctor_in_many_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: list[tuple[str, str]] = []
    for number, (name, build) in enumerate(HOMES.items()):
        home = tmp_path / str(number)
        home.mkdir()
        build(home)
        move_to(home, monkeypatch)
        parts.append((name, told(credtray("doctor", "--all", "--json"), home)))

    assert CANARY not in str(parts)
    assert holds("doctor", parts)


@pytest.mark.posix("the paths and words of Unix")
def test_each_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(code: str, facts: Facts) -> str:
        seen(monkeypatch, facts)
        document = json.loads(credtray("doctor", "--all", "--json").out)
        return "\n\n".join(readable(item) for item in document["findings"] if item["code"] == code)

    assert holds("findings", [(code, found(code, make())) for code, make in WRONG.items()])


def test_what_a_click_in_the_menu_means() -> None:
    def clicks(name: str) -> str:
        items = (item for item in every(at(name).menu) if item.click is not None)
        return "\n".join(f"{item.key} -> {item.click}" for item in items)

    names = ("signed in, estimated", "a chained profile", "what a person has written down")

    assert holds("clicks", [(name, clicks(name)) for name in names])


def test_notices_of_each_moment() -> None:
    def shown(moment: Moment) -> str:
        sessions = moment.state.sessions.values()
        told = [each for session in sessions for each in due(moment.state, session, moment.now)]
        return "\n".join(noted(notification(each, moment.now, UTC)) for each in told) or "(none)"

    def noted(one: Notification) -> str:
        stays = ", stays" if one.stays else ""
        buttons = (f"  [{button.label}] -> {button.click}" for button in one.buttons)
        head = f"{one.key} ({one.urgency.value}, {one.picture.shape.value}{stays}): {one.title}"
        return "\n".join((head, f"  {one.body}", *buttons))

    assert holds("notices", [(name, shown(moment)) for name, moment in moments().items()])


def test_explanations(home: Path) -> None:
    HOMES["sign-in ended"](home)
    texts = {item.cause: item.text for item in ERROR_TEXTS}
    parts = [(text, causes(credtray("explain", text, "--json"))) for text in (*texts.values(), "zork")]

    assert holds("explanations", parts)


def causes(done: Outcome) -> str:
    """Write a line for each cause, then the rest; their words stand in docs/reference/findings.md."""
    document = json.loads(done.out)
    rows = [" ".join(str(value) for value in (item["standing"], item["code"])) for item in document["causes"]]
    return "\n".join((*rows, *(f"{name}: {document[name]}" for name in document if name != "causes")))
