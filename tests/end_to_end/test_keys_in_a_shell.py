"""Real shells take in what `credtray env` prints, and the SDKs in them use these keys and no others."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.house import House

JS = Path(__file__).resolve().parents[1] / "js" / "default_chain.mjs"
PROFILE = "synderys-dns"
STALE = {"AWS_PROFILE": "nobody", "AWS_DEFAULT_PROFILE": "nobody", "AWS_SECURITY_TOKEN": "of-older-keys"}
TAKEN_IN = {
    "sh": 'eval "$(credtray env synderys-dns)"',
    "bash": 'eval "$(credtray env synderys-dns)"',
    "zsh": 'eval "$(credtray env synderys-dns)"',
    "fish": "credtray env synderys-dns | source",
}
IDENTITY = (
    "import boto3; session = boto3.Session(); "
    "print(session.client('sts').get_caller_identity()['Arn'], session.region_name)"
)


def with_credtray(house: House) -> dict[str, str]:
    """Return the environment of a person with stale variables and `credtray` in the PATH."""
    place = house.home / "bin"
    place.mkdir(exist_ok=True)
    python = shlex.quote(sys.executable)
    (place / "credtray").write_text(f'#!/bin/sh\nexec {python} -I -m credtray "$@"\n')
    (place / "credtray").chmod(0o755)
    return {**house.environ, **STALE, "PATH": f"{place}:{house.environ['PATH']}"}


def output(house: House, shell: str, script: str) -> str:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed: packaging/environment.sh tools")
    ran = subprocess.run(
        [shell, "-c", script],
        env=with_credtray(house),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_each_shell_hands_the_keys_to_programs_in_spite_of_stale_variables(house: House) -> None:
    house.configure()
    identity = f"{shlex.quote(sys.executable)} -I -c {shlex.quote(IDENTITY)}"
    with house.agent():
        house.run("login")
        found = {shell: output(house, shell, f"{taken}\n{identity}") for shell, taken in TAKEN_IN.items()}

    for told in found.values():
        assert ":assumed-role/" in told
        assert "DNS" in told
        assert told.endswith(" eu-west-1\n")


def test_sdk_for_javascript_takes_them_though_a_profile_was_set(house: House) -> None:
    if not (JS.parent / "node_modules").exists() or shutil.which("node") is None:
        pytest.skip("needs the SDK for JavaScript: sh packaging/environment.sh tools")
    house.configure()
    with house.agent():
        house.run("login")
        issued = json.loads(house.run("credentials", PROFILE).stdout)["AccessKeyId"]
        script = f"{TAKEN_IN['bash']}\nnode {shlex.quote(str(JS))}"

        assert output(house, "bash", script) == f"{issued}\n"


def test_env_file_gives_a_clean_process_the_same_keys(house: House) -> None:
    house.configure()
    with house.agent():
        house.run("login")
        lines = house.run("env", PROFILE, "--shell", "dotenv").stdout.splitlines()
        issued = json.loads(house.run("credentials", PROFILE).stdout)
    values = dict(line.split("=", 1) for line in lines)

    assert values == {
        "AWS_ACCESS_KEY_ID": issued["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": issued["SecretAccessKey"],
        "AWS_SESSION_TOKEN": issued["SessionToken"],
        "AWS_CREDENTIAL_EXPIRATION": issued["Expiration"],
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def test_without_an_agent_keys_are_printed_and_not_copied(house: House) -> None:
    house.configure()
    with house.agent():
        house.run("login")
        no_clipboard = house.run("copy", PROFILE, "--shell", "sh", code=1).stderr
    printed = house.run("env", PROFILE, "--shell", "json").stdout
    no_agent = house.run("copy", PROFILE, "--shell", "sh", code=3).stderr
    unknown = house.run("env", "synderys-dsn", "--shell", "sh", code=2)

    assert set(json.loads(printed)) >= {"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"}
    assert "`credtray env`" in no_clipboard
    assert "`credtray env`" in no_agent
    assert unknown.stdout == ""
    assert "synderys-dns" in unknown.stderr


def test_reader_that_has_gone_is_no_error_and_a_closed_output_is_one(house: House) -> None:
    house.configure()
    house.run("login")
    gone = "credtray env synderys-dns --shell sh | true; echo ${PIPESTATUS[0]}"
    closed = "credtray env synderys-dns --shell sh >&- 2>said; echo $?; wc -l <said"

    assert output(house, "bash", gone) in {"141\n", "0\n"}
    assert output(house, "bash", f"cd {shlex.quote(str(house.home))}; {closed}").split() == ["1", "1"]
