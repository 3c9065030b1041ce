from __future__ import annotations

import os
from pathlib import Path

import pytest

from credtray import __version__
from credtray.core.errors import AgentRefused
from credtray.desktop import paths
from credtray.desktop.socket_path import socket_paths
from tests.systems import is_root


@pytest.mark.posix("XDG variables and paths of sockets")
def test_socket_lies_in_the_runtime_directory(home: Path) -> None:
    expected = home / "run" / "credtray" / "agent.sock"

    assert expected == paths.listening_path()
    assert expected.parent == paths.runtime_directory()


@pytest.mark.posix("XDG variables and paths of sockets")
@pytest.mark.parametrize("value", [None, "", "relative/run"])
def test_without_a_usable_runtime_directory_it_lies_in_the_home(
    monkeypatch: pytest.MonkeyPatch, home: Path, value: str | None
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    if value is not None:
        monkeypatch.setenv("XDG_RUNTIME_DIR", value)

    assert [str(home / ".cache/credtray/run/agent.sock")] == socket_paths()
    assert home / ".cache/credtray/run/agent.sock" == paths.listening_path()


@pytest.mark.posix("XDG variables and paths of sockets")
@pytest.mark.parametrize("value", ["/nowhere/at/all", "/" + "x" * 200])
def test_runtime_directory_that_is_missing_or_too_long_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, home: Path, value: str
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", value)

    assert home / ".cache/credtray/run/agent.sock" == paths.listening_path()


@pytest.mark.posix("owners")
@pytest.mark.skipif(not is_root(), reason="only root can give a directory away")
def test_runtime_directory_of_another_user_is_passed_over(home: Path) -> None:
    os.chown(home / "run", 65534, 65534)

    assert home / ".cache/credtray/run/agent.sock" == paths.listening_path()


@pytest.mark.posix("XDG variables and paths of sockets")
def test_nowhere_short_enough_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/" + "x" * 200)
    monkeypatch.setenv("HOME", "/" + "y" * 200)
    with pytest.raises(AgentRefused, match="100 bytes"):
        paths.listening_path()


@pytest.mark.posix("XDG variables and paths of sockets")
def test_length_is_counted_in_bytes(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    (home / ("é" * 60)).mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / ("é" * 60)))

    assert home / ".cache/credtray/run/agent.sock" == paths.listening_path()


@pytest.mark.posix("XDG variables and paths of sockets")
def test_own_files_follow_the_basedir_specification(home: Path) -> None:
    assert home / ".config/credtray/settings.toml" == paths.settings_file()
    assert home / ".local/state/credtray" == paths.state_directory()
    assert paths.log_file().is_relative_to(home / ".local/state/credtray")
    assert not (home / ".config").exists()


def installed(package: Path, monkeypatch: pytest.MonkeyPatch, text: str | None) -> str | None:
    """Return the version that a package with this text in its ``__init__`` is taken for."""
    module = package / "desktop" / "paths.py"
    module.parent.mkdir(parents=True)
    if text is not None:
        (package / "__init__.py").write_text(text)
    monkeypatch.setattr(paths, "__file__", str(module))
    return paths.installed_version()


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('"""Words."""\n\n__version__ = "0.2.0"\n', "0.2.0"),
        ('__version__ = "1.0rc1+local.2"\n', "1.0rc1+local.2"),
        ('__version__ = "\x1b[2J"\n', None),
        ("half of a fi", None),
        (None, None),
    ],
)
def test_version_on_the_disk_is_that_of_an_upgrade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, version: str | None
) -> None:
    assert installed(tmp_path / "credtray", monkeypatch, text) == version


def test_version_on_the_disk_is_ours_before_an_upgrade() -> None:
    assert paths.installed_version() == __version__
