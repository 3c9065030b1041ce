"""Files of the user on Windows: open elsewhere, read-only, left in the middle of a replacement, private."""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from credtray.core import ini
from credtray.core.errors import FileContended, FileInUse, FileRefused, FileUnwritable
from credtray.files import on_windows
from credtray.files.atomic_file import read_bounded, write_atomically
from credtray.files.directory_safety import make_directory, private_directory
from credtray.files.file_lock import FileLock
from credtray.files.shared_file import SharedFile
from tests.aws.file_fakes import StandingClock, shared
from tests.systems import on_wine

assert sys.platform == "win32"

pytestmark = pytest.mark.windows

USERS = b"# mine\r\n[work]\r\nregion = eu-west-1\r\n"
BOTH = USERS + b"\r\n[dev]\r\nk = 1\r\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    directory = tmp_path / "Zoë Smith 🙂" / ".aws"
    directory.mkdir(parents=True)
    (directory / "credentials").write_bytes(USERS)
    return directory / "credentials"


def put(data: bytes) -> bytes:
    return ini.set_keys(data, "dev", {"k": "1"})


def names(path: Path) -> list[str]:
    return [entry.name for entry in path.parent.iterdir()]


def access_list(path: Path) -> str:
    """Return the access list in the words of Windows (SDDL)."""
    advapi32 = ctypes.WinDLL("advapi32")
    found, text = ctypes.c_void_p(), ctypes.c_wchar_p()
    assert advapi32.GetNamedSecurityInfoW(str(path), 1, 4, None, None, None, None, ctypes.byref(found)) == 0
    advapi32.ConvertSecurityDescriptorToStringSecurityDescriptorW(found, 1, 4, ctypes.byref(text), None)
    return text.value or ""


def others_in(path: Path) -> set[str]:
    """Return which of Everyone, Users and Authenticated Users the access list lets in."""
    return {name for name in ("WD", "BU", "AU") if f";;;{name})" in access_list(path)}


@contextmanager
def shut(path: Path) -> Iterator[None]:
    """Keep a file open so that nobody else may open it."""
    handle = ctypes.WinDLL("kernel32").CreateFileW(str(path), 0x80000000, 0, None, 3, 0x80, None)
    assert handle != -1
    yield
    ctypes.WinDLL("kernel32").CloseHandle(handle)


def test_edit_keeps_line_ends_and_leaves_one_file(path: Path) -> None:
    outcome = shared(path).edit(put, secret=True)

    assert (path.read_bytes(), names(path)) == (BOTH, ["credentials"])
    assert (outcome.changed, outcome.tightened_from) == (True, None)


def on_a_share(path: Path) -> Path:
    """Return the path as it is without the letter of a drive, as files of a file server are."""
    if not on_wine():
        return Path(rf"\\localhost\{path.drive[0]}$", *path.parts[1:])
    kernel32: Any = ctypes.CDLL("kernel32")
    kernel32.wine_get_unix_file_name.restype = ctypes.c_char_p
    unix: bytes = kernel32.wine_get_unix_file_name(ctypes.c_wchar_p(str(path)))
    return Path(r"\\?\unix" + unix.decode().replace("/", "\\"))


def test_home_on_a_share_is_written_and_locked_like_any_other(path: Path) -> None:
    there = on_a_share(path)
    if not there.exists():  # Windows shows the drives of this computer to its administrators only
        pytest.skip("no share that leads here")
    outcome = shared(there).edit(put, secret=True)
    with FileLock(there.parent / "a.lock"), pytest.raises(FileContended):
        FileLock(path.parent / "a.lock", timeout=0.1).acquire()

    assert there.drive.startswith("\\\\")
    assert (outcome.changed, path.read_bytes()) == (True, BOTH)


def test_file_that_stays_open_elsewhere_is_told_and_written_later(path: Path) -> None:
    file = shared(path)
    with path.open("rb"), pytest.raises(FileInUse) as caught:
        file.edit(put, secret=True)

    assert (path.read_bytes(), names(path)) == (USERS, ["credentials"])
    assert "Close the file" in caught.value.advice
    assert file.edit(put, secret=True).changed
    assert path.read_bytes() == BOTH


def test_our_own_file_that_stays_open_elsewhere_is_told(path: Path) -> None:
    with path.open("rb"), pytest.raises(FileInUse):
        write_atomically(path, b"new", waiter=StandingClock())

    assert path.read_bytes() == USERS


def test_file_that_is_shut_is_told(path: Path) -> None:
    with shut(path), pytest.raises(FileInUse):
        shared(path).read()
    with shut(path), pytest.raises(FileInUse):
        read_bounded(path, 1000)

    assert shared(path).read() == USERS


def test_directory_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="it is a directory"):
        read_bounded(tmp_path, 1000)


def test_scanner_that_takes_each_new_file_for_200_ms_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, create, taken = StandingClock(), on_windows.create_private, []

    def scanned(draft: Path) -> int:
        fd = create(draft)
        scanner = os.open(draft, os.O_RDONLY)
        taken.append(draft)
        clock.at(0.2, lambda: os.close(scanner))
        return fd

    monkeypatch.setattr(on_windows, "create_private", scanned)
    outcome = shared(path, clock).edit(put, secret=True)

    assert (outcome.changed, path.read_bytes(), names(path)) == (True, BOTH, ["credentials"])
    assert taken


@pytest.mark.wine_lacks("attrib.exe that changes attributes")
def test_read_only_file_is_refused_with_a_command_of_windows(path: Path) -> None:
    path.chmod(stat.S_IREAD)
    with pytest.raises(FileRefused) as caught:
        shared(path).edit(put, secret=True)
    command = caught.value.advice.removeprefix("Run: ")
    os.system(command)  # noqa: S605 -- as a person types it

    assert path.stat().st_mode & stat.S_IWRITE
    assert command == f'attrib -r "{path}"'
    assert path.read_bytes() == USERS


def test_new_files_and_directories_let_nobody_else_in(tmp_path: Path) -> None:
    path = tmp_path / "own" / "state.json"
    write_atomically(path, b"1")
    private_directory(tmp_path / "locks")

    assert others_in(path) == others_in(path.parent) == others_in(tmp_path / "locks") == set()
    assert path.read_bytes() == b"1"


_KILLED = """
import ctypes, os, sys
from pathlib import Path
from credtray.core import ini
from credtray.files.on_windows import WindowsCalls
from credtray.files.shared_file import SharedFile

def end(*_):
    ctypes.WinDLL("kernel32").TerminateProcess(ctypes.c_void_p(-1), 9)

def half(self, target, source, aside):
    os.rename(target, aside)
    end()

def whole(self, target, source, aside):
    exchange(self, target, source, aside)
    end()

exchange = WindowsCalls.exchange
step, path = sys.argv[1], Path(sys.argv[2])
setattr(WindowsCalls, *{"hold": ("hold", end), "release": ("release", end), "unlink": ("unlink", end),
                        "half": ("exchange", half), "whole": ("exchange", whole)}[step])
state = path.parent.parent / "credtray-state"
SharedFile(path, state / "locks", backup_directory=state).edit(
    lambda data: ini.set_keys(data, "dev", {"k": "1"}), secret=True)
"""


@pytest.mark.parametrize("step", ["hold", "half", "whole", "release", "unlink"])
def test_process_that_is_killed_at_any_step_loses_nothing(path: Path, step: str) -> None:
    ended = subprocess.run([sys.executable, "-c", _KILLED, step, str(path)], check=False)
    read = shared(path).read()
    shared(path).edit(put, secret=True)

    assert ended.returncode == 9
    assert read in {USERS, BOTH}
    assert path.read_bytes() == BOTH
    assert [name for name in names(path) if not name.startswith(".credtray-")] == ["credentials"]


def test_file_that_somebody_made_while_ours_had_no_name_stays_and_so_does_the_old_one(path: Path) -> None:
    path.rename(f"{path}.credtray-replaced")
    path.write_bytes(b"[theirs]\r\nk = 2\r\n")
    shared(path).edit(put, secret=True)

    assert path.read_bytes() == b"[theirs]\r\nk = 2\r\n\r\n[dev]\r\nk = 1\r\n"
    assert names(path) == ["credentials"]
    assert path.parent.parent.joinpath("credtray-state", "credentials.credtray-rescued").read_bytes() == USERS


@pytest.fixture
def gone() -> Path:
    """Return a path on a drive that is not there, as a network drive may be."""
    letter = next(each for each in "QRSTUVW" if not Path(f"{each}:\\").exists())
    return Path(f"{letter}:\\home\\.aws\\config")


def test_file_on_a_drive_that_is_not_there_is_not_taken_for_missing(gone: Path, tmp_path: Path) -> None:
    lost = SharedFile(gone, tmp_path / "locks", backup_directory=tmp_path)
    for read in (lambda: read_bounded(gone, 100), lost.read):
        with pytest.raises(FileUnwritable, match=r":\\ cannot be reached") as caught:
            read()
        assert "Connect that drive" in caught.value.advice


def test_directory_on_a_drive_that_is_not_there_is_refused_at_once(gone: Path) -> None:
    with pytest.raises(FileUnwritable, match="cannot be reached"):
        make_directory(gone)
