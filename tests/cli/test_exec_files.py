"""The files of a child of `credtray exec`: made once, made anew after a change, one for each profile."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from credtray.cli.exec_files import files_of
from credtray.core.errors import ConfigInvalid
from credtray.desktop.paths import runtime_directory

CONFIG = "[profile dev]\nregion = eu-west-1\naws_secret_access_key = CANARY\n"


@pytest.fixture
def config(home: Path) -> Path:
    path = home / ".aws" / "config"
    path.parent.mkdir()
    path.write_text(CONFIG)
    return path


def test_they_lie_beside_the_socket_for_their_owner_alone(config: Path) -> None:
    made, empty = (Path(path) for path in files_of("dev"))

    assert made.parent == empty.parent == runtime_directory() / "exec"
    if sys.platform != "win32":  # modes
        assert [oct(path.stat().st_mode & 0o777) for path in (made.parent, made, empty)] == [
            "0o700",
            "0o600",
            "0o600",
        ]
    assert empty.read_bytes() == b""
    assert "region = eu-west-1" in made.read_text()
    assert "CANARY" not in made.read_text()


def test_they_are_written_only_when_the_config_file_has_changed(config: Path) -> None:
    made = Path(files_of("dev")[0])
    first = made.stat().st_ino
    again = Path(files_of("dev")[0]).stat().st_ino
    config.write_text(CONFIG.replace("eu-west-1", "eu-west-2"))
    files_of("dev")

    assert again == first
    assert "region = eu-west-2" in made.read_text()


LONG = "x" * 400


@pytest.mark.parametrize(
    "names",
    [
        ("a/b", "a%2fb"),
        ("no-keys", "+no-keys"),
        (LONG, "x" * 401),
        (LONG, sha256(LONG.encode()).hexdigest()),
        ("ä", "a"),
        ("a 13b", "a\u2013b"),
        ("Dev", "dev"),
    ],
)
def test_no_two_profiles_share_a_file(config: Path, names: tuple[str, str]) -> None:
    paths = {path.lower() for name in names for path in files_of(name)}

    assert len(paths) == 3
    assert all(Path(path).is_file() for name in names for path in files_of(name))


def test_inside_of_a_child_the_users_config_file_is_the_source(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, empty = files_of("dev")
    text = Path(made).read_text()
    monkeypatch.setenv("CREDTRAY_PROFILE", "dev")
    monkeypatch.setenv("AWS_CONFIG_FILE", made)
    monkeypatch.setenv("CREDTRAY_OUTER_CONFIG_FILE", "")

    assert files_of("dev") == (made, empty)
    assert Path(made).read_text() == text


def test_broken_config_file_is_told_and_a_missing_one_is_an_empty_one(config: Path) -> None:
    config.write_text("region = x\n")
    with pytest.raises(ConfigInvalid):
        files_of("dev")
    config.unlink()

    assert "credential_process" in Path(files_of("dev")[0]).read_text()
    assert "CREDTRAY_PROFILE" not in os.environ


@pytest.mark.met("F24")
@pytest.mark.parametrize("kind", ["null", "directory", "broken", "missing"])
def test_a_credentials_file_that_says_nothing_stops_no_child(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text("[profile dev]\nregion = eu-west-1\n")
    other = home / "other"
    match kind:
        case "null":
            other = Path("/dev/null")
        case "directory":
            other.mkdir()
        case "broken":
            other.write_text("no header\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(other))
    made, _ = files_of("dev")

    assert "region = eu-west-1" in Path(made).read_text()


@pytest.mark.met("F2")
def test_a_child_has_the_settings_of_both_files(home: Path) -> None:
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text("[profile dev]\nregion = eu-west-1\noutput = text\n")
    (home / ".aws" / "credentials").write_text("[dev]\nregion = eu-central-1\naws_access_key_id = CANARY\n")
    text = Path(files_of("dev")[0]).read_text()

    assert "region = eu-central-1" in text
    assert "output = text" in text
    assert "CANARY" not in text
    (home / ".aws" / "credentials").write_text("[dev]\nregion = eu-north-1\n")
    assert "region = eu-north-1" in Path(files_of("dev")[0]).read_text()
