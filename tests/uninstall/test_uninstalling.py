"""`credtray uninstall` as a process, in homes in which credtray has been used: nothing foreign is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from credtray.app import build
from credtray.core import ini
from tests.uninstall.homes import differences, environment, lay_traces, snapshot, uninstalled

OLD_KEYS = b"[old-script]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x/y+z\n"
CONFIG = b"# mine\n[default]\nregion = eu-west-1\n\n[profile mine]\nregion=us-east-1 ; kept\n"
PAIRS = {
    "nothing": (None, None),
    "empty": (b"", b""),
    "usual": (CONFIG, OLD_KEYS),
    "of Windows": (CONFIG.replace(b"\n", b"\r\n"), OLD_KEYS.replace(b"\n", b"\r\n")),
    "mixed": (b"\n\n" + CONFIG + b"\n\n\n", OLD_KEYS.replace(b"\n", b"\r\n", 1) + b"# end"),
    "no line end": (CONFIG.rstrip(b"\n"), OLD_KEYS.rstrip(b"\n")),
    "a default": (CONFIG, b"[default]\nregion = eu-central-1\noutput=json\n\n" + OLD_KEYS),
    "comments only": (b"# a\n; b\n\n", b"\n# a\n"),
    "other letters": ("[profile zürich]\nregion = eu-central-2\n".encode(), "# Schlüssel\n".encode()),
}


def furnish(home: Path, config: bytes | None, credentials: bytes | None, mode: int = 0o600) -> None:
    for name, content in (("config", config), ("credentials", credentials)):
        if content is not None:
            path = home / ".aws" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)


@pytest.mark.parametrize("kind", PAIRS)
def test_home_is_byte_for_byte_what_it_was(home: Path, kind: str) -> None:
    furnish(home, *PAIRS[kind])
    before = snapshot(home)
    lay_traces(home)
    done = uninstalled(home)

    assert done.returncode == 0, done.stderr
    assert differences(before, snapshot(home)) == {}


def test_a_coding_agent_does_not_take_its_rules_away(home: Path) -> None:
    settings = build().settings_file
    settings.set(("agents",), "never")
    refused = uninstalled(home, CLAUDECODE="1")

    assert (refused.returncode, "cannot allow itself" in refused.stderr) == (1, True), refused.stderr
    assert settings.load().agents == "never"
    assert uninstalled(home, "--yes", "--keep-settings", CLAUDECODE="1").returncode == 0


@pytest.mark.posix("modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o600, 0o400 | 0o200])
def test_modes_of_files_and_folders_are_what_they_were(home: Path, mode: int) -> None:
    furnish(home, CONFIG, OLD_KEYS, mode)
    for folder in (".aws", ".config", ".local"):
        (home / folder).mkdir(exist_ok=True)
        (home / folder).chmod(0o750)
    before = snapshot(home)
    lay_traces(home)
    between = (home / ".aws" / "credentials").stat().st_mode & 0o777
    uninstalled(home)

    assert between == 0o600
    assert differences(before, snapshot(home)) == {}


@pytest.mark.posix("modes")
def test_file_that_somebody_has_changed_since_stays_private(home: Path) -> None:
    furnish(home, None, OLD_KEYS, 0o644)
    lay_traces(home)
    credentials = home / ".aws" / "credentials"
    credentials.write_bytes(credentials.read_bytes() + b"[new]\naws_access_key_id = AKIA2\n")
    uninstalled(home)

    assert credentials.read_bytes() == OLD_KEYS + b"[new]\naws_access_key_id = AKIA2\n"
    assert credentials.stat().st_mode & 0o777 == 0o600


def test_empty_folders_that_were_there_stay_and_those_that_credtray_made_go(home: Path) -> None:
    for folder in (".aws/sso", ".config/autostart", ".local/share/icons/hicolor"):
        (home / folder).mkdir(parents=True)
    before = snapshot(home)
    lay_traces(home)
    uninstalled(home)

    assert differences(before, snapshot(home)) == {}


def test_where_nothing_is_nothing_is_done(home: Path) -> None:
    before = snapshot(home)
    done = uninstalled(home)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("credtray has left nothing in your home.\n")
    assert snapshot(home) == before


@pytest.mark.parametrize("options", [("--dry-run",), ("--dry-run", "--json"), ()])
def test_looking_changes_nothing(home: Path, options: tuple[str, ...]) -> None:
    furnish(home, CONFIG, OLD_KEYS)
    lay_traces(home)
    before = snapshot(home)
    with_options = uninstalled(home, *(options or ("--keep-settings",)))

    assert with_options.returncode == (0 if options else 2)
    assert snapshot(home) == before


def test_second_run_has_nothing_left_to_do(home: Path) -> None:
    lay_traces(home)
    uninstalled(home)
    again = uninstalled(home)

    assert again.stdout.startswith("credtray has left nothing in your home.\n")


KEEPING = [
    ("--keep-settings", ".config/credtray/settings.toml"),
    ("--keep-profiles", ".aws/config"),
    ("--keep-backups", ".local/state/credtray/credentials.credtray-backup"),
]


@pytest.mark.parametrize(
    ("option", "kept"),
    KEEPING,
)
@pytest.mark.posix("the folders of Linux")
def test_what_a_person_keeps_stays_and_is_named(home: Path, option: str, kept: str) -> None:
    furnish(home, None, OLD_KEYS)
    lay_traces(home)
    before = snapshot(home)
    done = uninstalled(home, "--yes", option)
    after = snapshot(home)
    every = {place for _, place in KEEPING}

    assert every & after.keys() == {kept}
    assert after[kept] == before[kept]
    assert "you wanted to keep it" in done.stdout
    assert (after[".aws/credentials"][2], done.returncode) == (OLD_KEYS, 0)


def test_kept_parts_go_with_a_later_run(home: Path) -> None:
    before = snapshot(home)
    lay_traces(home)
    uninstalled(home, "--yes", "--keep-settings", "--keep-backups", "--keep-profiles")
    between = snapshot(home)
    uninstalled(home)

    assert len(between) > len(before)
    assert differences(before, snapshot(home)) == {}


# --- what others did -----------------------------------------------------------------------------------


def test_section_that_somebody_took_over_keeps_everything_but_our_comment(home: Path) -> None:
    lay_traces(home)
    credentials = home / ".aws" / "credentials"
    text = ini.set_keys(credentials.read_bytes(), "corp-readonly", {"aws_access_key_id": "AKIAMINE"})
    credentials.write_bytes(text)
    done = uninstalled(home)

    assert done.returncode == 0
    assert ini.meaning(credentials.read_bytes()) == {
        "corp-readonly": {
            "aws_access_key_id": "AKIAMINE",
            "aws_secret_access_key": "se/cr+et",
            "aws_session_token": "to.ken==",
        }
    }
    assert b"credtray" not in credentials.read_bytes()
    assert "[corp-readonly] in ~/.aws/credentials: somebody has put other keys into it" in done.stdout


def test_profile_that_somebody_changed_stays_with_its_session(home: Path) -> None:
    lay_traces(home)
    config = home / ".aws" / "config"
    config.write_bytes(ini.set_keys(config.read_bytes(), "profile corp-admin", {"cli_pager": "less"}))
    done = uninstalled(home)

    assert sorted(ini.meaning(config.read_bytes())) == ["profile corp-admin", "sso-session corp"]
    assert "[profile corp-admin] in ~/.aws/config: somebody has changed it since" in done.stdout
    assert "sign-ins there belong to the AWS CLI as well" in done.stdout
    assert len(list((home / ".aws" / "sso" / "cache").iterdir())) == 1


def test_profile_whose_record_is_lost_is_known_by_its_mark(home: Path) -> None:
    furnish(home, CONFIG, None)
    lay_traces(home)
    next(home.rglob("undo.json")).unlink()
    uninstalled(home)

    assert sorted(ini.meaning((home / ".aws" / "config").read_bytes())) == [
        "default",
        "profile mine",
        "sso-session corp",
    ]


def test_what_others_put_into_our_folders_stays_and_is_named(home: Path) -> None:
    lay_traces(home)
    state = next(home.rglob("state.json")).parent
    (state / "notes.txt").write_text("mine")
    (state / "credentials.credtray-rescued").write_bytes(OLD_KEYS)
    done = uninstalled(home)

    assert sorted(path.name for path in state.iterdir()) == ["credentials.credtray-rescued", "notes.txt"]
    assert "notes.txt: credtray did not write it" in done.stdout
    assert "credentials.credtray-rescued: another program's text" in done.stdout


@pytest.mark.linux_desktop("entries of a desktop")
def test_entries_of_others_with_our_names_stay(home: Path) -> None:
    lay_traces(home)
    places = (".config/autostart/credtray.desktop", ".config/fish/completions/credtray.fish")
    for place in places:
        (home / place).unlink(missing_ok=True)
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_bytes(b"[Desktop Entry]\nName=somebody's own\n")
    done = uninstalled(home)

    assert all((home / place).read_bytes().endswith(b"own\n") for place in places)
    assert "~/.config/autostart/credtray.desktop: it was not written by credtray" in done.stdout


@pytest.mark.linux_desktop("the folders of Linux")
def test_what_a_person_did_as_documented_goes_too(home: Path) -> None:
    before = snapshot(home)
    unit = Path(__file__).parents[2] / "packaging" / "credtray.service"
    lay_traces(home)
    made = {
        ".config/systemd/user/credtray.service": unit.read_bytes(),
        ".config/fish/completions/credtray.fish": script(home, "fish"),
        ".local/share/bash-completion/completions/credtray": script(home, "bash"),
        ".zfunc/_credtray": script(home, "zsh"),
    }
    for place, content in made.items():
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_bytes(content)
    wants = home / ".config" / "systemd" / "user" / "default.target.wants"
    wants.mkdir()
    (wants / "credtray.service").symlink_to("../credtray.service")
    uninstalled(home)
    after = snapshot(home)

    assert {name for name in after.keys() - before.keys() if after[name][0] != "folder"} == set()


def script(home: Path, shell: str) -> bytes:
    command = [sys.executable, "-m", "credtray", "completion", shell]
    return subprocess.run(command, env=environment(home), capture_output=True, check=True).stdout


def test_line_of_a_shell_that_runs_credtray_is_named_and_left(home: Path) -> None:
    lay_traces(home)
    shell = home / ".bashrc"
    shell.write_text('alias ll="ls -l"\neval "$(credtray completion bash)"\n# credtray was here\n')
    before = shell.read_bytes()
    done = uninstalled(home)

    assert "~/.bashrc, line 2: your shell runs credtray there: delete the line\n" in done.stdout
    assert shell.read_bytes() == before


# --- links, and files that cannot be written ---------------------------------------------------------------


@pytest.mark.posix("symbolic links")
def test_links_of_the_user_stay_and_lead_to_what_was_there(home: Path) -> None:
    dotfiles = home / "dotfiles"
    (home / ".aws").mkdir()
    dotfiles.mkdir()
    for name, content in (("config", CONFIG), ("keys.ini", OLD_KEYS)):
        (dotfiles / name).write_bytes(content)
        (dotfiles / name).chmod(0o644)
    (home / ".aws" / "config").symlink_to(dotfiles / "config")
    (home / ".aws" / "credentials").symlink_to(dotfiles / "keys.ini")
    before = snapshot(home)
    lay_traces(home)
    uninstalled(home)

    assert differences(before, snapshot(home)) == {}


@pytest.mark.posix("symbolic links")
def test_settings_in_a_collection_of_dotfiles_stay(home: Path) -> None:
    dotfiles = home / "dotfiles"
    dotfiles.mkdir()
    (home / ".config").mkdir()
    (home / ".config" / "credtray").symlink_to(dotfiles)
    lay_traces(home)
    done = uninstalled(home)

    assert (dotfiles / "settings.toml").is_file()
    assert "~/.config/credtray: it is a symbolic link, which credtray did not create" in done.stdout


@pytest.mark.posix("modes")
def test_read_only_file_is_named_and_a_second_run_finishes(home: Path) -> None:
    furnish(home, CONFIG, OLD_KEYS)
    before = snapshot(home)
    lay_traces(home)
    credentials = home / ".aws" / "credentials"
    credentials.chmod(0o400)
    first = uninstalled(home)
    between = credentials.read_bytes()
    credentials.chmod(0o600)
    second = uninstalled(home)

    assert first.returncode == 4
    assert f"{credentials} is read-only" in first.stderr
    assert "Then run: credtray uninstall" in first.stderr
    assert OLD_KEYS in between
    assert second.returncode == 0
    assert differences(before, snapshot(home)) == {}


@pytest.mark.parametrize("name", ["credentials", "config"])
def test_broken_file_is_left_and_named_and_a_second_run_finishes(home: Path, name: str) -> None:
    furnish(home, CONFIG, OLD_KEYS)
    before = snapshot(home)
    lay_traces(home)
    path = home / ".aws" / name
    whole = path.read_bytes()
    path.write_bytes(broken := whole + b"[broken\n")
    first = uninstalled(home)
    between = path.read_bytes()
    path.write_bytes(whole)
    second = uninstalled(home)

    assert (first.returncode, between) == (4, broken)
    line = len(whole.splitlines()) + 1
    assert f"line {line}" in first.stderr.replace("\n", " ")
    assert second.returncode == 0
    assert differences(before, snapshot(home)) == {}


@pytest.mark.posix("a limit on the size of files, which stands for a full disk")
def test_full_disk_loses_nothing_and_a_second_run_finishes(home: Path) -> None:
    furnish(home, CONFIG, OLD_KEYS)
    before = snapshot(home)
    lay_traces(home)
    laid = snapshot(home)
    limited = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@" 2>&1 | cat', "sh"]
    command = [*limited, sys.executable, "-I", "-m", "credtray", "uninstall", "--yes"]
    first = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)
    between = snapshot(home)
    second = uninstalled(home)

    assert "larger than the limit allows" in first.stdout.replace("\n", " ")
    assert [between[f".aws/{name}"] for name in ("config", "credentials")] == [
        laid[f".aws/{name}"] for name in ("config", "credentials")
    ]
    assert second.returncode == 0, second.stderr
    assert differences(before, snapshot(home)) == {}


def test_report_is_for_programs_too(home: Path) -> None:
    lay_traces(home)
    plan = json.loads(uninstalled(home, "--dry-run", "--json").stdout)
    report = json.loads(uninstalled(home, "--yes", "--json").stdout)

    assert plan.keys() == {"version", "remove", "stays", "program", "others"}
    assert report.keys() == {"version", "removed", "failed", "stays", "program", "others"}
    assert {item["title"] for item in plan["remove"]} >= {
        "keys",
        "profiles",
        "sign-in",
        "settings",
        "backups",
    }
    assert {item["place"] for item in report["removed"]} >= {
        os.fspath(home / ".aws" / "sso" / "cache" / name) for name in sign_ins(plan)
    }


def sign_ins(plan: dict[str, list[dict[str, str]]]) -> list[str]:
    return [Path(item["place"]).name for item in plan["remove"] if item["title"] == "sign-in"]
