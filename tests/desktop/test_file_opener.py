"""Opening our own files: by what the desktop prefers, without secrets, without waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from credtray.core.errors import FileUnopened
from credtray.desktop.browser import open_file


def launcher(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Make an xdg-open that does this, the only program on the path; return the desktop's environment."""
    program = directory / "xdg-open"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    environ = {"PATH": f"{directory}:/usr/bin:/bin", "DISPLAY": ":9", "AWS_SECRET_ACCESS_KEY": "CANARY"}
    monkeypatch.setenv("PATH", environ["PATH"])
    return environ


@pytest.mark.linux_desktop("an opener of a Linux desktop")
def test_file_is_one_argument_and_no_aws_variable_goes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = tmp_path / "heard"
    script = f'printf "%s|%s|%s" "$#" "$1" "$AWS_SECRET_ACCESS_KEY" > {heard}'
    open_file(Path("/some where/$(x).toml"), launcher(tmp_path, script, monkeypatch))

    assert heard.read_text() == "1|/some where/$(x).toml|"


@pytest.mark.linux_desktop("an opener of a Linux desktop")
def test_launcher_that_stays_counts_as_the_editor_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It ends when this test lets it: nothing of it is left behind.
    gate = tmp_path / "gate"
    script = f"while [ ! -e {gate} ]; do /bin/sleep 0.05; done; touch {tmp_path}/ended"
    open_file(tmp_path / "agent.log", launcher(tmp_path, script, monkeypatch), patience=0.2)

    assert not (tmp_path / "ended").exists()
    gate.touch()


@pytest.mark.linux_desktop("an opener of a Linux desktop")
def test_nobody_who_takes_it_is_an_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = launcher(tmp_path, "exit 3", monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(FileUnopened, match=r"agent\.log"):
        open_file(tmp_path / "agent.log", environ)
    with pytest.raises(FileUnopened, match=r"agent\.log"):
        open_file(tmp_path / "agent.log", {"PATH": str(tmp_path)})
