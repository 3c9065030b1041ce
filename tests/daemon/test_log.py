from __future__ import annotations

import io
import logging
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.models import Secret
from credtray.daemon.log import COPIES, FILE_LIMIT, LINE_LIMIT, Console, PrivateLogFile, Redactor, logging_to

CANARY = "canary/secret+token=="
log = logging.getLogger("credtray.test")


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("credtray.test", logging.INFO, __file__, 1, text, None, None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "log" / "agent.log"


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.register(Secret(CANARY))
    return redactor


@pytest.mark.posix("modes")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_log_and_its_rotated_copies_are_private(path: Path, umask: int) -> None:
    before = os.umask(umask)
    handler = PrivateLogFile(path, limit=200, copies=2)
    for number in range(100):
        handler.emit(record(f"line {number}"))
    handler.close()
    os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}

    assert modes == {"agent.log": 0o600, "agent.log.1": 0o600, "agent.log.2": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700 & ~umask


@pytest.mark.posix("modes")
def test_wider_log_of_an_older_version_is_tightened(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.touch()
    path.chmod(0o644)
    handler = PrivateLogFile(path)
    handler.emit(record("hello"))
    handler.close()

    assert path.stat().st_mode & 0o777 == 0o600


def test_rotation_keeps_the_latest_lines_in_order(path: Path) -> None:
    handler = PrivateLogFile(path, limit=100, copies=3)
    for number in range(60):
        handler.emit(record(f"{number:09d}"))
    handler.close()
    names = ["agent.log.3", "agent.log.2", "agent.log.1", "agent.log"]
    texts = [(path.parent / name).read_text() for name in names]

    assert "".join(texts).split() == [f"{number:09d}" for number in range(27, 60)]
    assert all(len(text) <= 100 for text in texts)


def lines_of(path: Path) -> list[str]:
    return [line for file in sorted(path.parent.iterdir(), reverse=True) for line in file.read_text().split()]


def hold_open(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Refuse to rename the file, as Windows does while another program reads it."""
    rename = os.rename

    def refusing(source: str, target: str) -> None:
        if Path(source) == path:
            raise PermissionError(13, "in use", source)
        rename(source, target)

    monkeypatch.setattr(os, "rename", refusing)


@pytest.mark.parametrize(("held", "oldest"), [("agent.log", 10), ("agent.log.1", 18)])
def test_rotation_that_another_program_prevents_loses_no_line(
    path: Path, held: str, oldest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = PrivateLogFile(path, limit=100, copies=3)
    for number in range(40):  # four files, all full
        handler.emit(record(f"{number:09d}"))
    hold_open(monkeypatch, path.parent / held)
    for number in range(40, 46):
        handler.emit(record(f"{number:09d}"))
    handler.close()
    kept = lines_of(path)

    assert sorted(kept)[-(46 - oldest) :] == [f"{number:09d}" for number in range(oldest, 46)]


def test_log_that_another_program_never_lets_go_stays_bounded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = PrivateLogFile(path, limit=100, copies=3)
    handler.emit(record("first"))
    hold_open(monkeypatch, path)
    for number in range(100):
        handler.emit(record(f"{number:09d}"))
        assert path.stat().st_size < 2 * 100 + 10
    handler.close()

    assert lines_of(path)[-1] == f"{99:09d}"


def test_all_files_together_stay_below_twenty_megabytes() -> None:
    longest = LINE_LIMIT * len("\U0001f600".encode())

    assert (COPIES + 2) * (FILE_LIMIT + longest) < 20_000_000


def test_endless_record_is_cut_off(path: Path) -> None:
    with logging_to(path, Redactor()):
        log.info("x" * 10**6)

    assert path.stat().st_size == LINE_LIMIT + len(os.linesep)


def test_times_are_utc(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    with logging_to(path, Redactor()):
        log.info("hello")
    stamp = re.match(r"(\S+)Z INFO credtray\.test: hello\n", path.read_text())
    assert stamp is not None
    written = datetime.fromisoformat(stamp[1]).replace(tzinfo=UTC)

    assert abs(datetime.now(UTC) - written) < timedelta(minutes=1)


class Terminal(io.StringIO):
    """Where somebody looks on."""

    def isatty(self) -> bool:
        return True


@pytest.mark.posix("tzset")
@pytest.mark.met("L")
@pytest.mark.parametrize("looked_at", [True, False])
def test_a_terminal_gets_the_time_of_its_clock_and_the_file_utc(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, looked_at: bool
) -> None:
    screen = Terminal() if looked_at else io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        with logging_to(path, Redactor(), console=Console.LINES):
            log.info("hello")
    finally:
        monkeypatch.undo()
        time.tzset()
    utc = datetime.fromisoformat(path.read_text().split()[0])
    here = f"{utc.astimezone(ZoneInfo('Pacific/Kiritimati')):%H:%M:%S} INFO credtray.test: hello\n"

    assert screen.getvalue() == (here if looked_at else path.read_text())


@pytest.mark.posix("tzset")
def test_a_person_gets_notices_and_warnings_as_sentences_and_the_log_the_rest(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    redactor = Redactor()
    redactor.register(Secret("a secret token"))
    try:
        with logging_to(path, redactor, console=Console.SENTENCES):
            log.info("it starts")
            log.warning("NOTICE [ends synderys] The sign-in ends. See a secret token")
            try:
                int("inside")
            except ValueError:
                log.exception("something failed")
    finally:
        monkeypatch.undo()
        time.tzset()
    utc = datetime.fromisoformat(path.read_text().split()[0])
    here = f"{utc.astimezone(ZoneInfo('Pacific/Kiritimati')):%H:%M}"

    assert screen.getvalue() == (
        f"{here}  The sign-in ends. See ***\n{here}  something failed The log says more.\n"
    )
    assert "ValueError: " in path.read_text()


def test_live_secrets_are_hidden_in_messages_arguments_and_tracebacks(path: Path, redactor: Redactor) -> None:
    with logging_to(path, redactor, level=logging.DEBUG):
        log.info("message %s", {"token": CANARY})
        log.debug("GET /token?refresh=canary%%2Fsecret%%2Btoken%%3D%%3D&x=%s", 1)
        try:
            int(CANARY)
        except ValueError:
            log.exception("failed")
    text = path.read_text()

    assert "canary" not in text
    assert text.count("***") == 3
    assert "ValueError" in text


def test_uncaught_exception_of_a_thread_is_logged_without_secrets(path: Path, redactor: Redactor) -> None:
    def die() -> None:
        raise RuntimeError("died of " + CANARY)

    with logging_to(path, redactor):
        thread = threading.Thread(target=die, name="some worker")
        thread.start()
        thread.join()
    text = path.read_text()

    assert "CRITICAL credtray: some worker died" in text
    assert "canary" not in text


def test_libraries_are_heard_from_warning_on_even_when_we_are_verbose(path: Path) -> None:
    with logging_to(path, Redactor(), level=logging.DEBUG):
        for name in ("botocore.parsers", "urllib3.connectionpool", "watchdog", "asyncio"):
            logging.getLogger(name).debug("token body")
            logging.getLogger(name).info("token body")
            logging.getLogger(name).warning("retrying")
        log.debug("ours")
    text = path.read_text()

    assert "token body" not in text
    assert text.count("retrying") == 4
    assert text.count("ours") == 1


def test_logging_is_as_before_afterwards(path: Path) -> None:
    root = logging.getLogger()
    before = (
        list(root.handlers),
        logging.getLogger("credtray").level,
        threading.excepthook,
        logging.raiseExceptions,
    )
    with logging_to(path, Redactor(), console=Console.LINES):
        pass

    assert before == (
        root.handlers,
        logging.getLogger("credtray").level,
        threading.excepthook,
        logging.raiseExceptions,
    )


@pytest.mark.posix("an open file is removed")
def test_removed_log_and_directory_are_made_again(path: Path) -> None:
    handler = PrivateLogFile(path)
    handler.emit(record("one"))
    path.unlink()
    handler.emit(record("two"))
    first = path.read_text()
    shutil.rmtree(path.parent.parent)
    handler.emit(record("three"))
    handler.close()

    assert (first, path.read_text()) == ("two\n", "three\n")


def occupied(path: Path, by: str) -> None:
    path.parent.mkdir(parents=True)
    match by:
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "link":
            path.symlink_to(path.parent / "target")
        case "dangling parent":
            path.parent.rmdir()
            path.parent.symlink_to("/nowhere")


@pytest.mark.posix("named pipes and modes")
@pytest.mark.parametrize("by", ["directory", "fifo", "link", "dangling parent"])
def test_log_that_cannot_be_opened_costs_lines_and_nothing_else(path: Path, by: str) -> None:
    occupied(path, by)
    handler = PrivateLogFile(path)
    for _ in range(20):
        handler.emit(record("hello"))
    handler.close()

    assert not (path.parent / "target").exists()


def test_record_that_cannot_be_formatted_is_no_error(path: Path) -> None:
    with logging_to(path, Redactor()):
        log.info("%d", "no number")
        # Past pytest's own capture: its report of it could not be sent from one process to another.
        record = log.makeRecord(log.name, logging.INFO, __file__, 1, "next \ud800", (), None)
        logging.getLogger().handlers[-1].handle(record)

    assert "next \\ud800" in path.read_text()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    point = tmp_path / "disk"
    point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(point)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount")
    yield point
    subprocess.run(["umount", str(point)], check=True)


@pytest.mark.posix("mounts")
def test_full_disk_costs_lines_until_there_is_space_again(small_disk: Path) -> None:
    handler = PrivateLogFile(small_disk / "agent.log", limit=8_000, copies=1)
    (small_disk / "ballast").write_bytes(b"x" * 60_000)
    for number in range(500):
        handler.emit(record(f"line {number} " + "x" * 200))
    (small_disk / "ballast").unlink()
    handler.emit(record("recovered"))
    handler.close()

    assert (small_disk / "agent.log").read_text().endswith("recovered\n")


SECRETS = st.text("ab", min_size=8, max_size=12)


@given(st.lists(SECRETS), st.text("ab ", max_size=60))
def test_no_registered_secret_survives(secrets: list[str], text: str) -> None:
    redactor = Redactor()
    for secret in secrets:
        redactor.register(Secret(secret))
    redacted = redactor.redact(text)

    assert [secret for secret in secrets if secret in redacted] == []


def test_only_the_latest_secrets_are_remembered() -> None:
    redactor = Redactor(most=10)
    for number in range(100):
        redactor.register(Secret(f"secret-{number:04d}"))
        redactor.register(Secret("kept-all-along"))

    assert redactor.redact("kept-all-along secret-0099 secret-0000") == "*** *** secret-0000"


def test_short_words_are_not_hidden() -> None:
    redactor = Redactor()
    redactor.register(Secret("session"))
    redactor.register(Secret(""))

    assert redactor.redact("session corp") == "session corp"
