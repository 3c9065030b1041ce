"""The endpoint of a real agent: a program's view of it, through restarts, and another user's."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.credentials import ContainerProvider
from botocore.exceptions import CredentialRetrievalError
from botocore.utils import ContainerMetadataFetcher

from tests.end_to_end.house import House, until
from tests.portal import RunningPortal, ask

MALLORY = 65534
PYTHON = Path("/usr/bin/python3")
SETPRIV = shutil.which("setpriv")


def endpoint(house: House, name: str = "synderys-dns") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(house.run("endpoint", name, "--json").stdout)
    return found


def fetched(told: dict[str, Any]) -> Any:
    """Return what botocore gets with the variables that were printed."""
    fetcher: Any = ContainerMetadataFetcher(sleep=lambda _seconds: None)
    return ContainerProvider(environ=told["environment"], fetcher=fetcher).load().get_frozen_credentials()


def token(told: dict[str, Any]) -> str:
    return Path(told["token_file"]).read_text()


def status_of(told: dict[str, Any], authorization: str) -> int:
    return ask(told["url"], headers={"Authorization": authorization}).status


def test_keys_are_those_of_the_profile(house: House) -> None:
    house.configure()
    with house.agent():
        house.run("login")
        keys = {name: fetched(endpoint(house, name)) for name in ("synderys-dns", "synderys-readonly")}
        by_process = json.loads(house.run("credentials", "synderys-dns").stdout)

        assert keys["synderys-dns"].access_key == by_process["AccessKeyId"]
        assert keys["synderys-dns"].account_id == by_process["AccountId"]
        assert keys["synderys-dns"].access_key != keys["synderys-readonly"].access_key
        assert house.status()["endpoint"] == {"port": endpoint(house)["port"], "error": None}


def test_signed_out_program_is_told_what_to_do(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        told = endpoint(house)
        with pytest.raises(CredentialRetrievalError, match="credtray login synderys"):
            fetched(told)
        house.run("login")

        assert fetched(told).access_key.startswith("ASIA")


def test_program_goes_on_after_a_restart_with_the_variables_it_has(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        told = endpoint(house)
        first = token(told)
    assert not Path(told["token_file"]).exists()
    with house.agent():
        until(Path(told["token_file"]).exists)

        assert fetched(told).access_key.startswith("ASIA")
        assert status_of(told, first) == 403


def test_token_of_a_killed_agent_is_dead_and_its_port_taken_again(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent() as process:
        house.run("login")
        told = endpoint(house)
        first = token(told)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with house.agent():
        until(lambda: Path(told["token_file"]).exists() and token(told) != first)

        assert fetched(told).access_key.startswith("ASIA")
        assert status_of(told, first) == 403


def test_whoever_took_the_port_meanwhile_is_never_sent_a_living_token(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        told = endpoint(house)
    with closing(socket.create_server(("127.0.0.1", told["port"]))) as squatter, house.agent():
        until(lambda: house.status()["endpoint"]["port"] not in {None, told["port"]})
        with pytest.raises(FileNotFoundError):
            fetched(told)  # before it connects
        squatter.settimeout(0.2)
        with pytest.raises(TimeoutError):
            squatter.accept()

        assert fetched(endpoint(house)).access_key.startswith("ASIA")


def test_taking_back_closes_the_port(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        told = endpoint(house)
        kept = token(told)
        house.run("endpoint", "synderys-dns", "--revoke")

        assert not Path(told["token_file"]).parent.exists()
        with pytest.raises(ConnectionRefusedError):
            status_of(told, kept)


def test_profile_set_to_be_delivered_here_needs_no_asking(house: House) -> None:
    house.configure("synderys-dns")
    settings = house.home / ".config" / "credtray" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[profiles.synderys-dns]\ndelivery = "endpoint"\n')
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")
        until(lambda: house.status()["endpoint"]["port"] is not None)
        told = endpoint(house)

        assert fetched(told).access_key.startswith("ASIA")
        assert "aws_access_key_id" not in house.written()


def test_a_disk_that_takes_no_token_stops_nothing_else(house: House) -> None:
    house.configure("synderys-dns")
    state = house.home / ".local" / "state" / "credtray"
    state.mkdir(parents=True, mode=0o700)
    (state / "endpoint").write_text("in the way")
    with house.agent():
        house.run("login")
        refused = house.run("endpoint", "synderys-dns", "--json", code=1)
        house.run("activate", "synderys-dns")

        assert "The local credentials endpoint is not available" in refused.stderr
        assert "endpoint: closed" in house.run("status").stdout
        assert "aws_access_key_id" in house.written()


def test_without_an_agent_the_command_says_so(house: House) -> None:
    house.configure("synderys-dns")

    # Named, since whoever runs the tests need not be a shell.
    said = house.run("endpoint", "synderys-dns", "--shell", "bash", code=3).stderr

    assert "The agent is not running" in said


def test_no_token_is_in_log_output_or_environment(house: House) -> None:
    house.cold = True  # /proc shows only what a program was started with
    house.configure("synderys-dns")
    with house.agent() as process:
        house.run("login")
        told = endpoint(house)
        secret = token(told)
        fetched(told)
        for wrong in ("", "wrong", secret[:-1]):
            status_of(told, wrong)
        environ = Path(f"/proc/{process.pid}/environ").read_bytes()
        printed = house.run("endpoint", "synderys-dns", "--shell", "bash").stdout

    assert secret not in house.log.read_text()
    assert secret not in (house.home / "agent-output").read_text()
    assert secret.encode() not in environ
    assert secret not in printed


# --- another user of this computer -------------------------------------------------------------------

SNOOP = """
import glob, http.client, os, socket, sys
socket_path, state, token_file, port, path = sys.argv[1:]
def tried(name, work):
    try:
        print(name, work())
    except OSError as error:
        print(name, type(error).__name__)
def asked(token):
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    connection.request("GET", path, headers={} if token is None else {"Authorization": token})
    answer = connection.getresponse()
    return answer.status, answer.read()
def proc():
    found = b""
    for each in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
        try:
            found += open(each, "rb").read()
        except OSError:
            pass
    return found
def connected():
    client = socket.socket(socket.AF_UNIX)
    client.connect(socket_path)
    return client.recv(10)
def listening():
    rival = socket.socket()
    rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    rival.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    rival.bind(("127.0.0.1", int(port)))
tried("token", lambda: open(token_file).read())
tried("tokens", lambda: os.listdir(os.path.dirname(token_file)))
tried("endpoint", lambda: os.listdir(state))
tried("socket", connected)
tried("port", listening)
for token in (None, "", "wrong", "-" * 43, "x" * 10000):
    tried("asked", lambda: asked(token))
print("proc", proc())
"""


@pytest.fixture
def open_home(portal: RunningPortal) -> Iterator[House]:
    """A home that everybody can look into: nothing protects the keys but what we do ourselves."""
    directory = Path(tempfile.mkdtemp(prefix="credtray-test-"))
    directory.chmod(0o755)
    house = House(directory, portal, cold=True)  # /proc shows only what a program was started with
    for each in (directory / "run", directory / ".local" / "state" / "credtray"):
        each.mkdir(parents=True, exist_ok=True)
        each.chmod(0o755)
    yield house
    shutil.rmtree(directory)


@pytest.mark.skipif(
    os.geteuid() != 0 or SETPRIV is None or not PYTHON.exists(), reason="root, setpriv and a system Python"
)
def test_another_user_gets_nothing(open_home: House) -> None:
    house = open_home
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        told = endpoint(house)
        keys = fetched(told)
        asker = [str(SETPRIV), f"--reuid={MALLORY}", f"--regid={MALLORY}", "--clear-groups"]
        places = [house.home / "run" / "credtray" / "agent.sock", Path(told["token_file"]).parents[2]]
        arguments = [*places, told["token_file"], told["port"], urlsplit(told["url"]).path]
        asker += [str(PYTHON), "-I", "-c", SNOOP, *map(str, arguments)]
        snooped = subprocess.run(asker, capture_output=True, check=True, cwd="/", text=True).stdout
        said = [line.partition(" ") for line in snooped.splitlines()]

        assert [(name, what) for name, _, what in said if name not in {"asked", "proc"}] == [
            ("token", "PermissionError"),
            ("tokens", "PermissionError"),
            ("endpoint", "PermissionError"),
            ("socket", "PermissionError"),
            ("port", "OSError"),
        ]
        assert [what[:5] for name, _, what in said if name == "asked"] == ["(403,"] * 5
        for secret in (token(told), keys.access_key, keys.secret_key, keys.token):
            assert secret not in snooped
        assert "synderys-dns" not in "".join(what for name, _, what in said if name == "asked")
