"""The doctor's look at homes, sound and broken ones: it sees what is there."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from credtray.core.section_mark import SectionMark, key_digest
from credtray.desktop import paths
from credtray.desktop.clock_watch import SystemClock
from credtray.doctor import collect_around
from credtray.doctor.all_rules import findings
from credtray.doctor.collect_around import together
from credtray.doctor.evidence import Held, KeyKind, Surrounding
from credtray.environment import Environment
from credtray.store.settings_file import SettingsFile
from tests.cli.doctor_homes import CANARY, CONFIG, codes, lay, look, token
from tests.systems import is_root
from tests.web.endpoint_world import serving


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `aws`, browser or CA bundle of this machine: they are no business of these tests."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)


def test_a_home_without_any_file_has_nothing_configured(home: Path) -> None:
    facts = look()

    assert facts.unknown == ()
    assert {"nothing_configured", "agent_not_running"} <= codes(facts)


def test_a_sound_home_has_nothing_broken(home: Path) -> None:
    lay(home, cached=token())
    facts = look()

    assert facts.tokens["corp"].held is Held.TOKEN
    assert facts.config.config.profiles["dev"].session == "corp"
    # Windows has a browser of its own.
    assert codes(facts) - {"browser_missing"} == {"signed_in", "agent_not_running"}
    assert ("browser_missing" in codes(facts)) is (sys.platform != "win32")


@pytest.mark.parametrize(
    ("cached", "held"),
    [
        ("{}", Held.UNREADABLE),
        ('{"accessToken": "x"', Held.UNREADABLE),
        (token(expiresAt="soon"), Held.UNREADABLE),
        (token(region="eu-west-1"), Held.MISMATCH),
        (token(startUrl="https://d-9067000002.awsapps.com/start"), Held.MISMATCH),
        (token(refreshToken=None), Held.TOKEN),
    ],
)
def test_what_the_token_file_holds(home: Path, cached: str, held: Held) -> None:
    lay(home, cached=cached)
    seen = look().tokens["corp"]

    assert seen.held is held
    assert seen.has_refresh_token is (held is Held.TOKEN and "refreshToken" in cached)


@pytest.mark.posix("links and modes")
def test_files_are_seen_as_they_lie(home: Path) -> None:
    real = home / "dotfiles"
    real.write_text(CONFIG)
    lay(home, config=b"", credentials="[x]\naws_access_key_id = AKIAX\naws_secret_access_key = y\n")
    (home / ".aws" / "config").symlink_to(real)
    (home / ".aws" / "credentials").chmod(0o664)
    (home / ".aws").chmod(0o777)
    facts = look()

    assert facts.config.text.file.link == "~/dotfiles"
    assert facts.credentials.text.file.mode == 0o664
    assert {"file_link", "file_mode", "directory_mode"} <= codes(facts)


@pytest.mark.wine_lacks("links that other programs see")
def test_a_link_into_nowhere_and_a_folder_for_a_file_cannot_be_read(home: Path) -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").symlink_to(home / "gone")
    (home / ".aws" / "credentials").mkdir()
    facts = look()

    assert facts.config.text.file.unread == "the link points to nothing"
    assert "not a regular file" in (facts.credentials.text.file.unread or "")


@pytest.mark.posix("a named pipe in a folder")
def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(home: Path) -> None:
    (home / ".aws").mkdir()
    os.mkfifo(home / ".aws" / "config")
    facts = look()

    assert "file_unreadable" in codes(facts)
    assert facts.unknown == ()


def test_sections_are_seen_with_their_lines(home: Path) -> None:
    lay(
        home,
        CONFIG
        + "\n[profile my dev]\nregion = us-east-1\n[dev]\nsso_session = corp\n[preview]\nx = 1\n"
        + "[profile old]\ncredential_process = /old/python run\n",
    )
    facts = look().config

    assert [(place.name, place.line) for place in facts.ignored] == [("profile my dev", 12), ("dev", 14)]
    assert facts.sections == {"dev": 6, "old": 18}
    assert facts.processes == {"old": "/old/python"}
    assert facts.without_region == ()
    assert "credential_process_missing" in codes(look())


def test_duplicate_sections_are_named_with_all_their_lines(home: Path) -> None:
    lay(home, CONFIG + "[profile dev]\nregion = x\n", "[a]\n[a]\n[a]\n")
    texts = {sight.place: sight.text for item in findings(look()) for sight in item.seen}

    assert texts["~/.aws/config:11"] == "[profile dev] is in lines 6, 11"
    assert texts["~/.aws/credentials:3"] == "[a] is in lines 1, 2, 3"


def test_keys_are_told_apart_by_who_wrote_them(home: Path) -> None:
    ends = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    mark = SectionMark("dev", ends, key_digest("ASIAOURS")).line()
    pair = "aws_access_key_id = {0}\naws_secret_access_key = s\naws_session_token = t\n"
    lay(
        home,
        credentials=(
            f"[ours]\n{mark}\n{pair.format('ASIAOURS')}"
            f"[edited]\n{mark}\n{pair.format('ASIAOTHER')}"
            f"[iam]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n"
            f"[tool]\n{pair.format('ASIAX')}aws_session_expiration = 2026-11-22T10:00:00+00:00+0000\n"
            f"[boto]\n{pair.format('ASIAX')}aws_security_token = older\n"
            f"[half]\naws_access_key_id = X\n[none]\nregion = x\n"
        ),
    )
    keys = {item.name: item for item in look().credentials.keys}

    assert set(keys) == {"ours", "edited", "iam", "tool", "boto", "half"}
    assert (keys["ours"].profile, keys["ours"].expires_at) == ("dev", ends)
    assert (keys["edited"].profile, keys["edited"].edited) == (None, True)
    assert (keys["iam"].kind, keys["tool"].kind) == (KeyKind.LONG_TERM, KeyKind.TEMPORARY)
    assert keys["tool"].expires_at == ends
    assert [name for name, item in keys.items() if item.old_token] == ["boto"]
    assert [name for name, item in keys.items() if item.half] == ["half"]


def test_settings_that_are_broken_are_named_with_their_line(home: Path) -> None:
    file = paths.settings_file()
    file.parent.mkdir(parents=True)
    file.write_text('icon = "auto"\nwarn_befor = []\n')
    found = next(item for item in findings(look()) if item.code == "settings_broken")

    assert found.seen[0].place == f"~/{file.relative_to(home).as_posix()}:2"


def test_bundles_that_cannot_be_read_are_seen_wherever_they_are_named(home: Path) -> None:
    file = home / "settings.toml"
    file.write_text('[sessions.corp]\nca_bundle = "~/gone.pem"\n')
    there = home / "there.pem"
    there.touch()
    named = {"AWS_CA_BUNDLE": "/gone\0.pem", "REQUESTS_CA_BUNDLE": str(there)}

    assert set(collect_around.missing_bundles(named, SettingsFile(file), home)) == {
        "AWS_CA_BUNDLE",
        "sessions.corp.ca_bundle in settings.toml",
    }


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({"WSL_DISTRO_NAME": "Debian", "SSH_TTY": "x"}, Surrounding.WSL),
        ({"SSH_CONNECTION": "1 2 3 4", "DISPLAY": ":10"}, Surrounding.SSH),
        ({"REMOTE_CONTAINERS": "true"}, Surrounding.CONTAINER),
        ({"WAYLAND_DISPLAY": "wayland-0"}, Surrounding.DESKTOP),
        pytest.param({}, Surrounding.BARE, marks=pytest.mark.posix("Windows has a desktop")),
    ],
)
def test_where_it_runs(environ: dict[str, str], where: Surrounding, tmp_path: Path) -> None:
    assert collect_around.surrounding(environ, tmp_path) is where


@pytest.mark.posix("Windows has no such file")
def test_a_container_has_a_file_that_says_so(tmp_path: Path) -> None:
    (tmp_path / ".dockerenv").touch()

    assert collect_around.surrounding({}, tmp_path) is Surrounding.CONTAINER


@pytest.mark.windows
def test_on_windows_the_root_of_the_drive_tells_of_no_container(tmp_path: Path) -> None:
    (tmp_path / ".dockerenv").touch()

    assert collect_around.surrounding({}, tmp_path) is Surrounding.DESKTOP


def program(folder: Path, name: str, script: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / (f"{name}.cmd" if sys.platform == "win32" else name)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(folder)


def test_a_browser_is_found_and_not_started(home: Path) -> None:
    path = program(home / "bin", "my-browser", f"touch {home}/started")

    assert collect_around.browser({"BROWSER": "my-browser -P work %s", "PATH": path})
    assert not collect_around.browser({"BROWSER": "other %s", "PATH": path})
    assert collect_around.browser({"PATH": path}) is (sys.platform == "win32")  # which has one of its own
    assert not (home / "started").exists()


@pytest.mark.posix("the AWS CLI is played by a shell script")
@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo aws-cli/2.36.7 Python/3.13 Linux/6 exe/x86_64", (2, 36, 7)),
        ("echo aws-cli/1.18.69 Python/2.7 >&2", (1, 18, 69)),
        ("echo something else", None),
        ("exit 3", None),
        ('echo "aws-cli/$AWS_SECRET_ACCESS_KEY"; [ "$HOME" = /dev/null ] && echo aws-cli/2.0.0', (2, 0, 0)),
    ],
)
def test_the_version_of_the_cli(home: Path, script: str, version: tuple[int, ...] | None) -> None:
    path = program(home / "bin", "aws", script)
    environ = {"PATH": f"{path}:/usr/bin:/bin", "HOME": str(home), "AWS_SECRET_ACCESS_KEY": "9.9.9"}

    assert collect_around.aws_cli(environ) == version


@pytest.mark.posix("the AWS CLI is played by a shell script")
def test_a_cli_that_says_nothing_is_given_up(home: Path) -> None:
    path = program(home / "bin", "aws", "exec sleep 60")

    with pytest.raises(subprocess.TimeoutExpired):
        collect_around.aws_cli({"PATH": f"{path}:/usr/bin:/bin"}, seconds=0.2)


def test_the_installers_path_tells_the_version_without_running_anything(home: Path) -> None:
    folder = program(home / "aws-cli" / "v2" / "2.31.4" / "dist", "aws", f"touch {home}/ran")

    assert collect_around.aws_cli({"PATH": folder}) == (2, 31, 4)
    assert collect_around.aws_cli({"PATH": str(home)}) is None
    assert not (home / "ran").exists()


SLEEP = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(30)"]


def test_a_look_that_hangs_or_fails_hides_no_other() -> None:
    hung = threading.Event()
    looked = together(
        {
            "hangs": lambda: {"a": hung.wait(1000)},
            "fails": lambda: {"b": 1 // 0},
            "waits": lambda: {"d": subprocess.run(SLEEP, timeout=0.01, check=True)},
            "sees": lambda: {"c": 3},
        },
        seconds=0.2,
    )
    hung.set()

    assert looked.fields == {"c": 3}
    assert looked.unknown == (
        "hangs: no answer within 0.2 s",
        "fails: it failed (ZeroDivisionError)",
        "waits: no answer within 0.2 s",
    )


def test_the_clock_is_the_surroundings(home: Path) -> None:
    class Later(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(minutes=41)

    lay(home, cached=token())

    assert "access_token_expired" in codes(look(where=Environment(clock=Later())))


def shell(home: Path, cure: str) -> None:
    """Run a printed command as a person would, who is root here already."""
    command = cure.removeprefix("Run: ").replace("sudo ", "")
    bash = ["bash", "--norc", "-c", command]
    subprocess.run(bash, check=True, env={"HOME": str(home), "PATH": os.defpath}, cwd="/")


def cure_of(code: str) -> str:
    return next(item.cure for item in findings(look()) if item.code == code)


@pytest.mark.posix("modes")
@pytest.mark.met("F12")
def test_directory_that_others_may_write_to_is_mended_by_the_command_as_printed(home: Path) -> None:
    lay(home, cached=token())
    (home / ".aws").chmod(0o777)
    cure = cure_of("directory_mode")

    assert cure == "Run: chmod go-w ~/.aws"
    shell(home, cure)
    assert "directory_mode" not in codes(look())


@pytest.mark.posix("modes")
@pytest.mark.met("F12")
def test_files_with_odd_names_are_mended_by_the_command_as_printed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("it's mine", "-config", "$unset", "a\nb", "日本", "~"):
        path = home / "my files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("[x]\naws_access_key_id = AKIAX\naws_secret_access_key = y\n")
        path.chmod(0o644)
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))

        shell(home, cure_of("file_mode"))
        assert (name, path.stat().st_mode & 0o777) == (name, 0o600)


@pytest.mark.posix("owners")
@pytest.mark.skipif(not is_root(), reason="only root gives files away")
@pytest.mark.met("F13")
@pytest.mark.parametrize("foreign", [".aws/sso/cache", ".aws/sso", ".aws/cli/cache", ".aws", ".aws/config"])
def test_owner_is_the_finding_and_the_first_thing_to_do(home: Path, foreign: str) -> None:
    lay(home)
    (home / ".aws" / "cli" / "cache").mkdir(parents=True)
    os.chown(home / foreign, 12345, 12345)
    found = findings(look())

    first = next(item for item in found if item.code == "file_of_other_user")
    if foreign != ".aws/cli/cache":
        assert found[0] == first
    if foreign in {".aws", ".aws/sso", ".aws/sso/cache"}:
        assert "signed_out" not in [item.code for item in found]

    assert first.cure == 'Run: sudo chown -R "$(id -un)" ~/.aws'
    assert [sight.file for sight in first.seen] == [f"~/{foreign}"]
    shell(home, first.cure)
    assert "file_of_other_user" not in codes(look())


@pytest.mark.posix("sh runs what was printed")
@pytest.mark.met("F13")
def test_file_in_the_place_of_the_token_cache_is_moved_away_as_printed(home: Path) -> None:
    lay(home)
    (home / ".aws" / "sso" / "cache").rmdir()
    (home / ".aws" / "sso" / "cache").write_text("")

    shell(home, cure_of("place_taken"))
    assert "place_taken" not in codes(look())


# --- the credentials endpoint that the environment names ---------------------------------------------


def endpoint_environ(port: int, folder: Path, host: str = "127.0.0.1") -> dict[str, str]:
    file = folder / "endpoint-token"
    file.write_text(CANARY)
    return {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{host}:{port}/credentials/dev",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file),
    }


@contextlib.contextmanager
def somebody_else(reply: bytes | None) -> Iterator[tuple[int, list[bytes]]]:
    """Listen as another program: hear one request, and give this answer; None: say nothing and wait."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)

        def serve() -> None:
            with contextlib.suppress(OSError), listening.accept()[0] as connection:
                heard.append(connection.recv(65536))
                if reply is None:
                    connection.recv(1)
                else:
                    connection.sendall(reply)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield listening.getsockname()[1], heard
    server.join(10)


def test_our_endpoint_answers_and_no_keys_are_fetched(tmp_path: Path) -> None:
    with serving() as endpoint:
        environ = endpoint_environ(endpoint.port, tmp_path)
        named = endpoint_environ(endpoint.port, tmp_path, "localhost")

        assert [collect_around.endpoint_answers(each) for each in (environ, named)] == [True, True]
        assert endpoint.issued == []


def test_an_endpoint_whose_token_was_revoked_is_not_said_to_work(tmp_path: Path) -> None:
    with serving() as endpoint:
        environ = endpoint_environ(endpoint.port, tmp_path)
        (tmp_path / "endpoint-token").unlink()

        assert collect_around.endpoint_answers(environ) is None
        assert (
            collect_around.endpoint_answers({**environ, "AWS_CONTAINER_AUTHORIZATION_TOKEN": CANARY}) is True
        )


def test_an_endpoint_that_is_gone_does_not_answer(tmp_path: Path) -> None:
    with serving() as endpoint:
        environ = endpoint_environ(endpoint.port, tmp_path)

    assert collect_around.endpoint_answers(environ) is False


@pytest.mark.parametrize(
    ("reply", "answers"), [(None, False), (b"", False), (b"HTTP/1.1 404 Not Found\r\n\r\n", None)]
)
def test_whoever_listens_there_instead_learns_no_token(
    tmp_path: Path, reply: bytes | None, *, answers: bool | None
) -> None:
    with somebody_else(reply) as (port, heard):
        assert collect_around.endpoint_answers(endpoint_environ(port, tmp_path)) is answers

    assert [request.splitlines()[0] for request in heard] == [b"GET /credentials/doctor HTTP/1.1"]
    assert CANARY.encode() not in heard[0]


@pytest.mark.parametrize(
    "address",
    ["", "http://169.254.170.23/v1/credentials", "https://127.0.0.1:1/x", "http://localhost.example:1/",
     "http://127.0.0.1:99999/", "http://[::1/", "/v2/credentials"],
)  # fmt: skip
def test_an_address_of_another_machine_is_never_asked(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("socket.create_connection", lambda *words: asked.append(words))

    assert collect_around.endpoint_answers({"AWS_CONTAINER_CREDENTIALS_FULL_URI": address}) is None
    assert asked == []
