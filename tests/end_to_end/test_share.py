"""`credtray share` over a real sshd: keys at the far end, through cuts, and none after the end."""

from __future__ import annotations

import ast
import json
import os
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from credtray.desktop.paths import asset
from tests.clock_shim.clock_shim import ShiftedTime, compiled
from tests.end_to_end.far_machine import FarMachine, far_machine, house_beside, said, shared
from tests.end_to_end.house import House, until
from tests.end_to_end.test_real_proxies import wanted
from tests.portal import RunningPortal, running

SDK = "import boto3; print(boto3.Session().get_credentials().get_frozen_credentials().access_key)"


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarMachine]:
    with far_machine(tmp_path) as machine:
        yield machine


@pytest.fixture
def near(portal: RunningPortal, home: Path, far: FarMachine) -> House:
    return house_beside(portal, home, far)


def test_programs_there_get_keys_through_renewals_and_none_when_it_ends(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = ShiftedTime(compiled(tmp_path), tmp_path)
    for name, value in hours.environ.items():
        monkeypatch.setenv(name, value)
    with running("--auto-approve", "alice", "--interval", "1") as portal, far_machine(tmp_path) as far:
        near = house_beside(portal, home, far)
        near.environ |= hours.environ
        copied = far.home / ".aws" / "credentials"  # by hand, long ago
        copied.parent.mkdir()
        copied.write_text(
            "[synderys-readonly]\naws_access_key_id = AKIACOPIED\naws_secret_access_key = old\n"
        )
        with near.agent():
            near.run("login")
            with shared(near):
                [line] = [line.strip() for line in said(near).splitlines() if line.startswith("  . ")]
                assert line == f". {far.home}/.credtray/share/synderys-readonly"
                seen = []
                for _ in range(4):
                    sdk = far.run(f"{line}; {shlex.quote(sys.executable)} -I -c {shlex.quote(SDK)}")
                    seen.append(sdk.stdout.strip())
                    assert seen[-1] == json.loads(far.keys().stdout)["AccessKeyId"], sdk.stderr
                    hours.sleep(minutes=57)
                disk = far.run("cat $HOME/.credtray/share/* 2>/dev/null").stdout
            until(lambda: far.files() == [".aws/credentials"])
            assert far.keys().returncode != 0

    assert len(set(seen)) == 4, "each hour has keys of its own"
    assert "AKIA" not in disk
    assert not any(key in disk for key in seen)


def test_another_user_cannot_use_the_socket(near: House, far: FarMachine) -> None:
    with near.agent():
        near.run("login")
        with shared(near):
            mark = far.home / ".credtray" / "share" / "synderys-readonly.sock"
            made = mark.resolve()
            assert stat.S_ISSOCK(made.stat().st_mode)
            assert stat.S_IMODE(made.stat().st_mode) & 0o077 == 0
            assert stat.S_IMODE(mark.parent.stat().st_mode) == 0o700
            if os.geteuid() == 0:
                other = subprocess.run(
                    ["setpriv", "--reuid=65534", "--clear-groups", "curl", "-sS", "--unix-socket", str(made), "http://x/keys"],
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
                assert other.returncode != 0
                assert "AccessKeyId" not in other.stdout
    assert not made.exists()


def test_a_cut_is_told_there_at_once_and_mended_by_itself(near: House, far: FarMachine) -> None:
    with near.agent():
        near.run("login")
        with shared(near):
            assert far.keys().returncode == 0
            far.wire.pull()
            cut = far.keys()
            assert cut.returncode == 1
            assert "the link to" in cut.stderr
            far.wire.put_back()
            until(lambda: "connected again" in said(near))
            until(lambda: far.keys().returncode == 0)
            assert "the connection broke" in said(near)


def test_what_the_agent_says_is_told_at_the_far_end(near: House, far: FarMachine) -> None:
    with near.agent():
        near.run("login")
        with shared(near):
            near.run("logout")
            refused = far.keys()

    assert refused.returncode == 1
    assert "credtray: " in refused.stderr
    assert "credtray login" in refused.stderr


def test_it_is_listed_shared_once_and_stopped_from_elsewhere(near: House, far: FarMachine) -> None:
    with near.agent():
        near.run("login")
        with shared(near) as process:
            far.keys()
            [item] = json.loads(near.run("share", "--list", "--json").stdout)["shared"]
            assert (item["host"], item["profile"], item["served"]) == ("far", "synderys-readonly", 1)
            again = near.run("share", "far", "-P", "synderys-readonly", code=2)
            assert "is shared with far already" in again.stderr
            assert "no longer shared with far" in near.run("share", "far", "--stop").stdout
            until(lambda: process.poll() is not None)
            assert far.keys().returncode != 0
        assert near.run("share", "--list").stdout == "Nothing is shared.\n"


class OpenPage:
    """The agent's page, in a browser without scripts."""

    def __init__(self, address: str) -> None:
        self._place = urlsplit(address)
        self._cookie = ""
        entered = self._ask("GET", self._place.path, site="none")
        self._cookie = (entered.getheader("Set-Cookie") or "").partition(";")[0]
        self._base = entered.getheader("Location") or ""

    def _ask(
        self, method: str, path: str, body: str | None = None, site: str = "same-origin"
    ) -> HTTPResponse:
        origin = f"http://{self._place.netloc}"
        headers = {
            "Cookie": self._cookie, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Dest": "document", **({} if body is None else {"Origin": origin}),
            "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        link = HTTPConnection(self._place.netloc, timeout=30)
        link.request(method, path, body, headers)
        return link.getresponse()

    def seen(self) -> str:
        return self._ask("GET", self._base).read().decode()

    def press(self, action: str, **fields: str) -> str:
        token = self.seen().partition('name="token" value="')[2].partition('"')[0]
        form = urlencode({"token": token, "view": "", **fields})
        led = self._ask("POST", f"{self._base}do/{action}", form).getheader("Location") or ""
        return self._ask("GET", urljoin(self._base, led)).read().decode()


def test_the_page_shows_it_and_after_a_click_there_no_key_is_given(near: House, far: FarMachine) -> None:
    words = "far has the keys of synderys-readonly"
    with near.agent():
        near.run("login")
        page = OpenPage(near.run("open", "--print").stdout.strip())
        assert words not in page.seen()
        with shared(near) as process:
            until(lambda: words in page.seen())
            assert far.keys().returncode == 0
            answered = page.press("stop-sharing", host="far", profile="synderys-readonly")
            cut = far.keys()
            until(lambda: process.poll() is not None)
            assert process.wait() == 0
        assert "synderys-readonly is no longer shared with far" in answered
        assert words not in page.seen()

    assert cut.returncode != 0
    assert "AccessKeyId" not in cut.stdout


def test_the_agent_sees_that_something_is_shared_and_that_it_was_killed(near: House, far: FarMachine) -> None:
    words = "far has the keys of synderys-readonly"
    with near.agent():
        near.run("login")
        page = OpenPage(near.run("open", "--print").stdout.strip())
        with shared(near) as process:
            until(lambda: words in page.seen())
            process.kill()
            process.wait()
            until(lambda: words not in page.seen())


def test_a_far_end_that_asks_again_and_again_is_one_line_in_the_history(near: House, far: FarMachine) -> None:
    """How much is too much: tests/share/test_link.py, which knows no other load on this machine."""
    with near.agent():
        near.run("login")
        with shared(near):
            mark = (far.home / ".credtray" / "share" / "synderys-readonly.sock").resolve()
            answers = [asked_over(mark) for _ in range(60)]
            [item] = json.loads(near.run("share", "--list", "--json").stdout)["shared"]
        told = near.run("history", "--profile", "synderys-readonly").stdout

    assert all(b"AccessKeyId" in answer for answer in answers)
    assert (item["served"], item["refused"]) == (60, 0)
    assert told.count("for another machine") == 1


def asked_over(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(path))
        return answer_of(link, "")


def test_a_suspended_one_is_not_taken_for_a_dead_one(near: House, far: FarMachine) -> None:
    with near.agent():
        near.run("login")
        with shared(near) as process:
            process.send_signal(signal.SIGSTOP)
            try:
                listed = near.run("share", "--list")
            finally:
                process.send_signal(signal.SIGCONT)
            assert "does not answer" in listed.stderr
            assert "Ctrl-C" in listed.stderr
            assert listed.stdout == ""
            assert far.keys().returncode == 0
            assert "no longer shared with far" in near.run("share", "--stop").stdout


def test_a_killed_one_leaves_nothing_that_works_or_is_in_the_way(near: House, far: FarMachine) -> None:
    with near.agent():
        near.run("login")
        with shared(near) as process:
            process.kill()
            process.wait()
            until(lambda: far.files() == [])
        with shared(near):
            assert far.keys().returncode == 0


def test_a_time_that_was_given_ends_it(near: House, far: FarMachine) -> None:
    with near.agent():
        near.run("login")
        with shared(near, "--for", "2s") as process:
            until(lambda: process.poll() is not None)
            assert process.wait() == 0
        until(lambda: far.files() == [])


def test_an_old_python_understands_what_it_runs_there() -> None:
    script = asset("share/get.sh").decode().partition("python3 -c '")[2].partition('\' "$name"')[0]

    assert ast.parse(script, feature_version=(3, 4)).body


def machine_with(tmp_path: Path, program: str) -> Path:
    """Return what a machine has on its PATH that has this program and no other that could fetch keys."""
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("sh", "cat", "mkdir", "chmod", "ln", "rm", "rmdir", "readlink"):
        (bare / name).symlink_to(shutil.which(name) or "/nonexistent")
    found = Path(sys.executable).resolve() if program == "python3" else shutil.which(program)
    (bare / program).symlink_to(found or "/nonexistent")
    return bare


@pytest.mark.parametrize("old_curl", [False, True])
def test_a_far_machine_without_curl_or_with_an_old_one_uses_python(
    portal: RunningPortal, home: Path, tmp_path: Path, *, old_curl: bool
) -> None:
    bare = machine_with(tmp_path, "python3")
    if old_curl:
        (bare / "curl").write_text("#!/bin/sh\necho 'curl: option --unix-socket: is unknown' >&2\nexit 2\n")
        (bare / "curl").chmod(0o755)
    with far_machine(tmp_path, path=str(bare)) as far:
        near = house_beside(portal, home, far)
        with near.agent():
            near.run("login")
            with shared(near):
                assert json.loads(far.keys().stdout)["Version"] == 1


@pytest.mark.parametrize("program", ["curl", "python3"])
def test_an_sshd_that_forwards_no_sockets_forwards_a_port_with_a_token(
    portal: RunningPortal, home: Path, tmp_path: Path, program: str
) -> None:
    bare = machine_with(tmp_path, program)
    memory = tmp_path / "memory"
    memory.mkdir(mode=0o700)
    more = "AllowStreamLocalForwarding no"
    with far_machine(tmp_path, more, str(bare), f"XDG_RUNTIME_DIR={memory}") as far:
        far.environ |= dict.fromkeys(("http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")  # has no part in it
        near = house_beside(portal, home, far)
        with near.agent():
            near.run("login")
            with shared(near):
                keys = json.loads(far.keys().stdout)
                assert keys["Version"] == 1
                [way] = memory.iterdir()
                port, token = way.read_text().split()
                assert stat.S_IMODE(way.stat().st_mode) == 0o600
                disk = "".join(path.read_text() for path in far.home.rglob("*") if path.is_file())
                strangers = [asked_at(int(port), said) for said in ("", "Authorization: guessed\r\n")]
                known = asked_at(int(port), f"Authorization: {token}\r\n")
            until(lambda: far.files() == [] and not any(memory.iterdir()))

    assert keys["AccessKeyId"].encode() in known
    assert not any(b"AccessKeyId" in answer for answer in strangers)
    assert keys["SecretAccessKey"] not in disk


def asked_at(port: int, said: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        return answer_of(link, said)


def answer_of(link: socket.socket, said: str) -> bytes:
    link.sendall(f"GET /keys HTTP/1.1\r\nHost: x\r\n{said}\r\n".encode())
    return b"".join(iter(lambda: link.recv(65536), b""))


def test_two_at_once_for_one_machine_are_one(near: House, far: FarMachine) -> None:
    with near.agent():
        near.run("login")
        logs = [near.home / f"race-{number}" for number in range(4)]
        racing = []
        for log in logs:
            with log.open("w") as output:
                racing.append(near.start("share", "far", "-P", "synderys-readonly", output=output))
        try:
            until(lambda: sum(process.poll() is None for process in racing) == 1)
            until(lambda: any("Ctrl-C ends it" in log.read_text() for log in logs))
            assert json.loads(far.keys().stdout)["Version"] == 1
            ended = [log.read_text() for log, process in zip(logs, racing, strict=True) if process.poll()]
        finally:
            near.run("share", "--stop")
            for process in racing:
                process.send_signal(signal.SIGTERM)  # whoever has lost its place cannot be stopped otherwise
                process.wait()

    assert len(ended) == 3
    assert all("is shared with far already" in text for text in ended)


@pytest.mark.parametrize("shell", ["fish", "tcsh"])
def test_what_to_type_there_is_for_the_shell_that_is_there(
    portal: RunningPortal, home: Path, tmp_path: Path, shell: str
) -> None:
    program = wanted(shell)
    with far_machine(tmp_path, environ=f"SHELL={program}") as far:
        near = house_beside(portal, home, far)
        with near.agent():
            near.run("login")
            with shared(near):
                [line] = [line.strip() for line in said(near).splitlines() if line.startswith("  source ")]
                typed = subprocess.run(
                    [program, "-c", f"{line}; sh -c 'echo $AWS_PROFILE $AWS_CONFIG_FILE $AWS_SESSION_TOKEN'"],
                    env={"HOME": str(far.home), "PATH": "/usr/bin:/bin", "AWS_SESSION_TOKEN": "old"},
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
            until(lambda: far.files() == [])

    assert typed.stderr == ""
    assert typed.stdout.split() == [
        "synderys-readonly", f"{far.home}/.credtray/share/synderys-readonly.config",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ("AllowStreamLocalForwarding no\nAllowTcpForwarding no", "forwarding"),
        ("DenyUsers *", "Permission denied"),
    ],
)
def test_what_ssh_refuses_is_told(
    portal: RunningPortal, home: Path, tmp_path: Path, more: str, cause: str
) -> None:
    with far_machine(tmp_path, more) as far:
        near = house_beside(portal, home, far)
        with near.agent():
            near.run("login")
            refused = near.run("share", "far", "-P", "synderys-readonly", code=None)

    assert refused.returncode not in {0, None}
    assert cause in refused.stderr
    assert "ssh far" in refused.stderr


@pytest.mark.parametrize("host", ["-oProxyCommand=touch /tmp/x", "a b", "$(x)", "", "a\nb"])
def test_a_host_that_is_an_option_or_no_host_is_refused(near: House, host: str) -> None:
    refused = near.run("share", "-P", "synderys-readonly", "--", host, code=2)

    assert "is no host" in refused.stderr
