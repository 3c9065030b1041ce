"""`credtray exec` with real programs: who they are, and nothing is left between them and their caller."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest

from credtray.ways_out.child_environment import with_endpoint, with_keys
from tests.end_to_end.house import House

P = "synderys-dns"
ACCOUNT = "111100000002"
AWS = Path("/usr/bin/aws")
JS = Path(__file__).resolve().parents[1] / "js" / "default_chain.mjs"
NODE = shutil.which("node")

HOSTILE = {
    "AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_SESSION_TOKEN": "x",
    "AWS_SECURITY_TOKEN": "x",
    "AWS_PROFILE": "nobody",
    "AWS_DEFAULT_PROFILE": "nobody",
    "AWS_ROLE_ARN": "arn:aws:iam::999900000000:role/Nobody",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "x",
    "AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z",
    "AWS_REGION": "us-west-1",
    "AWS_DEFAULT_REGION": "us-west-1",
}
KEYS = "aws_access_key_id = AKIAHOSTILE\naws_secret_access_key = x\n"
OTHER_ROLE = "[default]\nrole_arn = arn:aws:iam::999900000000:role/Nobody\nsource_profile = other\n"
HOMES = {
    "keys in [default] of the credentials file": ("", f"[default]\n{KEYS}"),
    "keys under the profile's own name, with a legacy token": (
        "",
        f"[{P}]\n{KEYS}aws_security_token = stale\n[default]\n{KEYS}aws_security_token = stale\n",
    ),
    "[default] of the config file assumes a role with keys of its own": (
        f"{OTHER_ROLE}[profile other]\n{KEYS}",
        "",
    ),
    "[default] of the config file has a credential process": (
        "[default]\ncredential_process = /bin/false\n",
        "",
    ),
}

IDENTITY = """
import boto3
from botocore.credentials import ContainerProvider
session = boto3.Session()
print(session.client("sts").get_caller_identity()["Account"], session.region_name)
there = ContainerProvider().load()
print(there is None or there.get_frozen_credentials() == session.get_credentials().get_frozen_credentials())
"""


@pytest.fixture
def signed_in(house: House) -> Iterator[House]:
    house.configure()
    with house.agent():
        house.run("login")
        yield house


def issued(house: House) -> str:
    return str(json.loads(house.run("credentials", P).stdout)["AccessKeyId"])


def told(house: House, script: str, *options: str) -> list[str]:
    words = ["exec", P, *options, "--", "sh", "-c", script]
    return house.run(*words).stdout.splitlines()


# --- who they are ------------------------------------------------------------------------------------


@pytest.mark.skipif(
    NODE is None or not AWS.exists() or not (JS.parent / "node_modules").exists(),
    reason="needs the AWS CLI and the SDK for JavaScript: sh packaging/environment.sh tools",
)
def test_every_sdk_is_the_profile_in_hostile_homes(signed_in: House) -> None:
    house = signed_in
    key = issued(house)
    sts = f"{AWS} sts get-caller-identity --query Account --output text --endpoint-url {house.portal.url}"
    javascript = f"{NODE} {shlex.quote(str(JS))}"
    python = f"{shlex.quote(sys.executable)} -I -c {shlex.quote(IDENTITY)}"
    outside = house.environ
    found = {}
    for name, (config, credentials) in HOMES.items():
        house.configure(more=config)
        house.credentials.write_text(credentials)
        house.environ = {**outside, **HOSTILE}
        found[name] = told(house, f"{javascript}; {python}; {sts}")
    keys_in_hand = told(house, f"{javascript}; {python}; {sts}", "--env")

    expected = [key, f"{ACCOUNT} eu-west-1", "True", ACCOUNT]
    assert found == dict.fromkeys(HOMES, expected)
    assert keys_in_hand == expected


@pytest.mark.skipif(NODE is None, reason="needs the SDK for JavaScript: sh packaging/environment.sh tools")
def test_without_exec_these_homes_are_hostile(house: House) -> None:
    house.configure()
    house.credentials.write_text(f"[default]\n{KEYS}")
    done = subprocess.run(
        [str(NODE), JS], env=house.environ, capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == "AKIAHOSTILE\n"


def test_environment_is_exactly_what_it_says_and_keys_are_in_it_only_when_asked_for(signed_in: House) -> None:
    house = signed_in
    house.environ |= HOSTILE
    printed = json.loads(house.run("endpoint", P, "--json").stdout)
    there = (printed["url"], printed["token_file"])
    folder = house.home / "run" / "credtray" / "exec"
    files = (str(folder / f"{P}.credtray"), str(folder / "+no-keys.credtray"))
    found = dict(line.split("=", 1) for line in told(house, "env") if not line.startswith(("PWD=", "_=")))

    assert found == with_endpoint(house.environ, P, there, files, "eu-west-1")
    assert issued(house) not in str(found)
    assert oct(Path(files[0]).stat().st_mode & 0o777) == "0o600"

    keys = json.loads(house.run("credentials", P).stdout)
    lines = told(house, "env; tr '\\0' '\\n' < /proc/$$/cmdline", "--env")
    found = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith(("PWD=", "_=")))

    assert found == with_keys(house.environ, P, keys, "eu-west-1")
    assert not any(keys["SecretAccessKey"] in line for line in lines if "=" not in line)


def test_one_inside_another_is_the_inner_profile(signed_in: House) -> None:
    house = signed_in
    credtray = f"{shlex.quote(sys.executable)} -I -m credtray"
    inner = f"{credtray} exec synderys-readonly --env -- sh -c 'echo $CREDTRAY_PROFILE $AWS_CONFIG_FILE'"
    status = f"{credtray} exec synderys-security -- sh -c 'cat $AWS_CONFIG_FILE | grep -c profile'"

    assert told(house, f"{inner}; {status}") == ["synderys-readonly", "1"]


def test_changed_config_file_and_a_chosen_region_reach_the_child(signed_in: House) -> None:
    house = signed_in
    count = "grep -c addressing $AWS_CONFIG_FILE; echo $AWS_REGION $AWS_DEFAULT_REGION"
    before = told(house, count)
    text = house.config.read_text()
    house.config.write_text(text.replace(f"[profile {P}]", f"[profile {P}]\ns3 =\n  addressing_style = path"))

    assert before == ["0", "eu-west-1 eu-west-1"]
    assert told(house, count, "--region", "sa-east-1") == ["2", "sa-east-1 sa-east-1"]


# --- nothing is left in between ----------------------------------------------------------------------


def test_command_takes_the_place_of_credtray(signed_in: House) -> None:
    house = signed_in
    with house.start("exec", P, "--", "sh", "-c", "echo $$; exec sleep 60") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{process.pid}\n"
        process.terminate()

        assert process.wait(10) == -15


def test_exit_code_is_the_commands(signed_in: House) -> None:
    ends = {
        42: ("sh", "-c", "exit 42"),
        -9: ("sh", "-c", "kill -9 $$"),
        127: ("nonesuch",),
        126: ("/etc/passwd",),
    }
    found = {
        code: signed_in.run("exec", P, "--", *words, code=None).returncode for code, words in ends.items()
    }
    nameless = signed_in.run("exec", P, "--", "", code=127).stderr

    assert found == {code: code for code in ends}
    assert nameless.startswith("error: The command was not found: its name is an empty word")


def test_pipes_are_the_commands(signed_in: House) -> None:
    house = signed_in
    words = [sys.executable, "-I", "-m", "credtray", "exec", P, "--"]
    copied = subprocess.run(
        [*words, "cat"], env=house.environ, input=b"in\0put", capture_output=True, check=False
    )
    closed = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *words, "sh", "-c", "echo out || echo closed >&2"],
        env=house.environ,
        capture_output=True,
        check=False,
    )
    with subprocess.Popen([*words, "yes"], env=house.environ, stdout=subprocess.PIPE) as endless:
        assert endless.stdout is not None
        endless.stdout.read(10)
        endless.stdout.close()
        ended = endless.wait(10)

    assert copied.stdout == b"in\0put"
    assert b"closed" in closed.stderr
    assert ended == -13


@contextmanager
def terminal(house: House, *words: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run a command in a pseudo-terminal of its own; give the person's end of it."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "credtray", *words],
        env=house.environ,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
        preexec_fn=lambda: ioctl(inner, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- Ctrl-C needs the terminal
    )
    os.close(inner)
    try:
        yield outer, process
    finally:
        process.kill()
        process.wait()
        os.close(outer)


def seen(outer: int, text: str) -> str:
    """Read until the text appears, or the end."""
    found, until = "", time.monotonic() + 30
    while text not in found and time.monotonic() < until:
        if not select.select([outer], [], [], 1)[0]:
            continue
        try:
            found += os.read(outer, 4096).decode()
        except OSError:  # the other end is closed
            break
    assert text in found, found
    return found


def test_terminal_is_the_commands_and_without_one_the_persons_shell_starts(signed_in: House) -> None:
    script = "trap 'echo caught; exit 42' INT; test -t 0 && test -t 1 && echo on a terminal; "
    script += "while :; do sleep 0.1; done"
    with terminal(signed_in, "exec", P, "--", "sh", "-c", script) as (outer, process):
        seen(outer, "on a terminal")
        os.write(outer, b"\x03")
        seen(outer, "caught")

        assert process.wait(10) == 42
    _shell_without_a_command(signed_in)


def _shell_without_a_command(signed_in: House) -> None:
    signed_in.environ |= {"SHELL": "/bin/sh", "PS1": "prompt> "}
    with terminal(signed_in, "exec", P) as (outer, process):
        said = seen(outer, "prompt> ")
        os.write(outer, b"echo I am $CREDTRAY_PROFILE\nexit 3\n")
        seen(outer, f"I am {P}")

        assert f"A shell as {P}; `exit` ends it." in said
        assert process.wait(10) == 3
    assert "Name the command to run" in signed_in.run("exec", P, code=2).stderr


# --- refusals ----------------------------------------------------------------------------------------


def test_what_would_not_last_does_not_begin(signed_in: House) -> None:
    house = signed_in
    long_keys = house.run("exec", P, "--env", "--for", "2h", "--", "touch", str(house.home / "x"), code=5)
    long_sign_in = house.run("exec", P, "--for", "2d", "--", "touch", str(house.home / "x"), code=5)
    house.run("exec", P, "--for", "45m", "--", "touch", str(house.home / "y"))

    assert "Keys for this role never last that long" in long_keys.stderr
    assert "credtray login synderys --fresh" in long_sign_in.stderr
    assert not (house.home / "x").exists()
    assert (house.home / "y").exists()


def test_without_an_agent_keys_can_be_had_and_the_endpoint_cannot(house: House) -> None:
    house.configure()
    house.run("login")
    refused = house.run("exec", P, "--", "true", code=3).stderr
    found = told(house, "echo $AWS_REGION ${AWS_ACCESS_KEY_ID%${AWS_ACCESS_KEY_ID#ASIA}}", "--env")

    assert "credtray start" in refused
    assert "--env" in refused
    assert found == ["eu-west-1 ASIA"]


def test_signed_out_and_unknown_profiles_are_told(house: House) -> None:
    house.configure()
    with house.agent():
        signed_out = house.run("exec", P, "--env", "--", "true", code=None)
        unknown = house.run("exec", "synderys-dsn", "--", "true", code=2)

    assert signed_out.returncode not in {0, 127}
    assert "credtray login synderys" in signed_out.stderr
    assert f"Did you mean {P}" in unknown.stderr or P in unknown.stderr
