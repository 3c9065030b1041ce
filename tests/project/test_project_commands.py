"""`credtray project`, `trust`, `hook`, and the commands that take the profile of a project."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from credtray.cli import execution
from credtray.core.models import Secret, Way
from credtray.core.protocol import Credentials, Endpoint, ProcessCredentials, Status
from credtray.core.protocol.results import EndpointResult
from credtray.desktop import paths
from tests.cli.fake_backend import FakeBackend, Outcome, credtray, document, profile

NAME = ".credtray.toml"


@pytest.fixture
def folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = home / "work" / "dns"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    monkeypatch.setenv("PWD", str(place))
    return place


def project(folder: Path, text: str = 'profile = "synderys-dns"\nregion = "eu-west-1"\n') -> Path:
    path = folder / NAME
    path.write_text(text)
    return path


def trusted(folder: Path) -> Path:
    path = project(folder)
    assert credtray("trust", "--yes").code == 0
    return path


def mark_as_production(name: str) -> None:
    paths.settings_file().parent.mkdir(parents=True, exist_ok=True)
    paths.settings_file().write_text(f"[profiles.{name}]\nproduction = true\n")


# --- credtray project -------------------------------------------------------------------------------


def test_without_a_file_it_says_what_one_would_do(folder: Path) -> None:
    assert "No .credtray.toml here or above" in credtray("project").out
    assert json.loads(credtray("project", "--json").out)["file"] is None
    assert credtray("project", "--lines") == Outcome(0, "", "")


def test_it_shows_the_file_the_profile_and_what_is_missing(folder: Path) -> None:
    path = project(folder)
    shown = credtray("project")

    assert f"{path} asks for the profile synderys-dns, region eu-west-1." in " ".join(shown.out.split())
    assert "is not trusted" in shown.err
    assert "credtray trust" in shown.err
    assert json.loads(credtray("project", "--json").out) == {
        "version": 1,
        "file": str(path),
        "profile": "synderys-dns",
        "region": "eu-west-1",
        "trusted": False,
        "production": False,
    }


def test_production_is_told(folder: Path) -> None:
    trusted(folder)
    mark_as_production("synderys-dns")

    assert "marked as production" in " ".join(credtray("project").out.split())
    assert json.loads(credtray("project", "--json").out)["production"] is True
    assert credtray("project", "--kind", "synderys-dns").out == "production\n"
    assert credtray("project", "--kind", "synderys-readonly").out == "-\n"


def test_the_hook_gets_lines_of_a_trusted_project_only(folder: Path) -> None:
    path = project(folder)
    refused = credtray("project", "--lines")
    assert (refused.code, refused.out) == (0, "")
    assert "is not trusted" in refused.err

    credtray("trust", "--yes")
    assert credtray("project", "--lines") == Outcome(0, "synderys-dns\neu-west-1\n", "")

    path.write_text('profile = "synderys-security"\n')
    changed = credtray("project", "--lines")
    assert changed.out == ""
    assert "has changed since you trusted it" in " ".join(changed.err.split())


def test_a_broken_file_is_told_to_the_person_at_the_prompt(folder: Path) -> None:
    project(folder, "profile = ")
    told = credtray("project", "--lines")

    assert (told.code, told.out) == (0, "")
    assert "it is not TOML" in told.err


# --- credtray trust ---------------------------------------------------------------------------------


def test_without_a_terminal_nothing_is_agreed_to(folder: Path) -> None:
    project(folder)
    outcome = credtray("trust")

    assert outcome.code == 2
    assert 'profile = "synderys-dns"' in outcome.err, "the file is shown"
    assert "credtray trust --yes" in outcome.err
    assert "You trust no project" in credtray("trust", "--list").out


def test_a_long_file_and_one_with_escapes_are_shown_harmlessly(folder: Path) -> None:
    project(folder, 'profile = "x"\n# \x1b[2Jgone\n' + "# more\n" * 100)
    outcome = credtray("trust")

    assert "\x1b" not in outcome.err
    # A control character in a comment is no TOML at all: it is not even shown.
    assert "it is not TOML" in outcome.err
    project(folder, 'profile = "x"\n' + "# more\n" * 100)
    assert "and 61 more lines" in credtray("trust").err


def test_trusting_twice_and_taking_back_twice_say_so(folder: Path) -> None:
    path = project(folder)

    assert credtray("trust", "--yes").out.startswith("Trusted:")
    assert "is trusted already" in credtray("trust", "--yes").out
    assert credtray("trust", "--list").out.strip() == str(path)
    assert credtray("trust", "--remove").out.startswith("No longer trusted")
    assert "was not trusted" in credtray("trust", "--remove").out


def test_a_project_is_named_by_its_folder_or_its_file(folder: Path, home: Path) -> None:
    path = project(folder)

    assert json.loads(credtray("trust", str(folder), "--yes", "--json").out) == {
        "version": 1, "file": str(path), "outcome": "trusted",
    }  # fmt: skip
    assert "is trusted already" in credtray("trust", str(path), "--yes").out
    assert credtray("trust", str(home / "settings.toml"), "--yes").code == 2
    assert credtray("trust", str(home), "--yes").code == 2
    path.unlink()
    folder.joinpath("x").mkdir()
    assert credtray("trust", str(folder), "--remove").out.startswith("No longer trusted")


@pytest.mark.posix("symbolic links")
def test_links_in_a_circle_are_told(folder: Path) -> None:
    (folder / ".credtray.toml").symlink_to(".credtray.toml")

    for words in (("trust", "--yes"), ("trust", "--remove"), ("project",), ("exec", "--", "true")):
        told = credtray(*words)
        assert told.code == 1
        assert "is a loop of symbolic links" in told.err


def test_options_that_contradict_each_other_are_refused(folder: Path) -> None:
    project(folder)

    assert credtray("trust", "--list", "--remove").code == 2
    assert credtray("trust", ".", "--list").code == 2


# --- exec, env and wait -----------------------------------------------------------------------------


def keys() -> ProcessCredentials:
    return ProcessCredentials(1, "ASIA0", Secret("CANARY"), Secret("CANARY"), "2026-11-22T14:05:00Z", "1")


def test_env_takes_the_profile_and_the_region_of_the_project(folder: Path) -> None:
    trusted(folder)
    backend = FakeBackend({Credentials: keys(), Status: document(profiles=[profile("synderys-dns")])})

    outcome = credtray("env", "--shell", "json", backend=backend)

    assert json.loads(outcome.out)["AWS_REGION"] == "eu-west-1"
    assert backend.asked == [Credentials("synderys-dns", Way.SHELL)]


def test_exec_takes_them_too_and_a_region_of_the_command_line_wins(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted(folder)
    ran: list[tuple[list[str], str]] = []

    def run(words: list[str], environ: dict[str, str]) -> int:
        ran.append((words, environ["AWS_REGION"]))
        return 0

    monkeypatch.setattr(execution, "run", run)
    found = msgspec.to_builtins(
        EndpointResult("synderys-dns", 1, "http://127.0.0.1:1/x", "/token", "us-east-1")
    )
    backend = FakeBackend({Endpoint: found})

    assert credtray("exec", "--", "ls", "-l", backend=backend).code == 0
    assert credtray("exec", "--region", "us-west-2", "--", "ls", backend=backend).code == 0
    assert credtray("exec", ".", "ls", backend=backend).code == 0
    assert ran == [(["ls", "-l"], "eu-west-1"), (["ls"], "us-west-2"), (["ls"], "eu-west-1")]
    assert backend.asked == [Endpoint("synderys-dns")] * 3


@pytest.mark.parametrize("words", [("env",), ("exec", "--", "ls"), ("exec", "."), ("wait", ".")])
def test_nothing_is_asked_for_before_the_project_is_trusted(folder: Path, words: tuple[str, ...]) -> None:
    project(folder)
    backend = FakeBackend({})

    outcome = credtray(*words, backend=backend)

    assert outcome.code == 2
    assert 'is not trusted, so its profile "synderys-dns" is not used' in " ".join(outcome.err.split())
    assert "credtray trust" in outcome.err
    assert backend.asked == []


@pytest.mark.parametrize("words", [("env",), ("exec", "--", "ls"), ("exec",), ("wait", ".")])
def test_without_a_project_a_profile_must_be_named(folder: Path, words: tuple[str, ...]) -> None:
    outcome = credtray(*words, backend=FakeBackend({}))

    assert outcome.code == 2
    assert "Name a profile: there is no .credtray.toml here or above" in " ".join(outcome.err.split())


def test_the_hook_quotes_where_the_trust_lies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "state_directory", lambda: Path("/it's $(here)"))

    place = str(Path("/it's $(here)/trusted"))  # with other strokes on Windows
    posix, fish = place.replace("'", "'\"'\"'"), place.replace("\\", r"\\").replace("'", r"\'")
    assert credtray("hook", "bash").out.startswith(f"_credtray_trusted='{posix}'\n")
    assert credtray("hook", "fish").out.startswith(f"set -g _credtray_trusted '{fish}'\n")
    assert credtray("hook", "zsh", "--prompt").out.endswith("\n_credtray_with_prompt\n")
