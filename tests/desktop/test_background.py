"""Which unit an agent is in, and what systemd is asked when it is to be restarted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from credtray.core.errors import AgentNotStarted
from credtray.desktop.background import restart_unit, unit_in, unit_of

pytestmark = pytest.mark.posix("systemd is on Linux only, and a script here")

_USER = "0::/user.slice/user-1000.slice/user@1000.service"


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        (f"{_USER}/app.slice/credtray.service\n", "credtray.service"),
        (f"{_USER}/app.slice/app-credtray@autostart.service\n", "app-credtray@autostart.service"),
        (f"{_USER}/app.slice/app-org.kde.konsole@0b7c.service\n", None),
        (f"{_USER}/app.slice/app-gnome-credtray-4711.scope\n", None),
        (f"{_USER}/app.slice/credtray.service/below\n", None),
        ("0::/\n", None),
        ("", None),
    ],
)
def test_only_a_unit_of_ours_counts(cgroup: str, unit: str | None) -> None:
    assert unit_in(cgroup) == unit


def test_process_that_has_gone_is_in_none() -> None:
    assert unit_of(0) is None


def _systemctl(folder: Path, script: str) -> str:
    path = folder / "systemctl"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_systemd_is_asked_for_both_at_once(tmp_path: Path) -> None:
    restart_unit("credtray.service", _systemctl(tmp_path, 'echo "$*" >"$(dirname "$0")/asked"'))

    assert (tmp_path / "asked").read_text() == "--user restart credtray.service\n"


@pytest.mark.parametrize(
    ("script", "told"),
    [("echo 'Failed to connect to bus' >&2; exit 1", "Failed to connect to bus"), ("exit 3", "exit code 3")],
)
def test_what_systemd_refuses_is_told(tmp_path: Path, script: str, told: str) -> None:
    with pytest.raises(AgentNotStarted, match=told):
        restart_unit("credtray.service", _systemctl(tmp_path, script))


def test_without_systemd_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(AgentNotStarted, match=f"No such file.*{os.sep}none"):
        restart_unit("credtray.service", str(tmp_path / "none"))
