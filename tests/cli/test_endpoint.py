"""What `credtray endpoint` prints: variables that the reader takes in, and never a secret."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from credtray.core import shell_words
from credtray.core.errors import AgentNotRunning, UnknownProfile
from credtray.core.forms import Form
from credtray.core.protocol import Endpoint, RevokeEndpoint, Status
from credtray.ways_out.child_environment import OVER_ENDPOINT
from credtray.ways_out.endpoint import LEAST
from tests.cli.fake_backend import FakeBackend, Outcome, credtray, document, profile

RESULT: dict[str, Any] = {
    "profile": "dev",
    "port": 20123,
    "url": "http://127.0.0.1:20123/credentials/dev",
    "token_file": "/home/me/my state/endpoint/20123/0a/token",
    "region": "eu-west-1",
}


def endpoint(*arguments: str, result: dict[str, Any] = RESULT, **document_parts: Any) -> Outcome:
    backend = FakeBackend({Endpoint: result, RevokeEndpoint: result, Status: document(**document_parts)})
    return credtray("endpoint", "dev", *arguments, backend=backend)


@pytest.mark.posix("bash takes the variables in")
def test_bash_takes_the_variables_in_and_drops_what_would_win() -> None:
    printed = endpoint("--shell", "bash")
    script = f'{printed.out}\nprintf "%s\\n" "$(env)"'
    before = {"PATH": os.environ["PATH"], **dict.fromkeys(OVER_ENDPOINT, "x")}
    shown = subprocess.run(["bash", "-c", script], env=before, capture_output=True, text=True, check=True)
    found = dict(line.split("=", 1) for line in shown.stdout.splitlines() if line.startswith("AWS_"))

    assert (printed.code, printed.err) == (0, "")
    assert found == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": RESULT["url"],
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": RESULT["token_file"],
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def test_no_region_is_no_variable() -> None:
    assert "REGION" not in endpoint("--shell", "bash", result={**RESULT, "region": None}).out


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell", "cmd"])
def test_every_shell_gets_address_and_token_file(shell: str) -> None:
    printed = endpoint("--shell", shell)

    assert printed.code == 0
    assert "AWS_CONTAINER_CREDENTIALS_FULL_URI" in printed.out
    assert "AWS_PROFILE" in printed.out


def test_docker_gets_the_directory_because_a_file_would_grow_old() -> None:
    words = shlex.split(endpoint("--shell", "docker").out)

    assert words[:4] == ["--network", "host", "-v", f"{Path(RESULT['token_file']).parent}:/run/credtray:ro"]
    assert words[4:] == [
        "-e",
        f"AWS_CONTAINER_CREDENTIALS_FULL_URI={RESULT['url']}",
        "-e",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/run/credtray/token",
        "-e",
        "AWS_REGION=eu-west-1",
        "-e",
        "AWS_DEFAULT_REGION=eu-west-1",
    ]


def test_powershell_gets_a_line_for_each_word_of_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """It hands each line of `$(...)` over as one word, and takes quotes in it for signs."""
    monkeypatch.setattr(shell_words, "SYSTEM", Form.POWERSHELL)
    token_file = Path("my files") / "endpoint" / "token"
    lines = endpoint("--shell", "docker", result={**RESULT, "token_file": str(token_file)}).out.splitlines()

    assert lines[:5] == ["--network", "host", "-v", f"{token_file.parent}:/run/credtray:ro", "-e"]


def test_devcontainer_gets_its_own_words() -> None:
    found = json.loads(endpoint("--shell", "devcontainer").out)

    assert found["runArgs"] == ["--network=host"]
    directory = Path(RESULT["token_file"]).parent
    assert found["mounts"] == [f"source={directory},target=/run/credtray,type=bind,readonly"]
    assert found["containerEnv"]["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] == "/run/credtray/token"


@pytest.mark.parametrize("arguments", [("--json",), ("--shell", "json"), ("--shell", "JSON")])
def test_json_holds_everything_for_a_program(arguments: tuple[str, ...]) -> None:
    found = json.loads(endpoint(*arguments).out)

    assert {name: found[name] for name in RESULT} == RESULT
    assert found["environment"]["AWS_CONTAINER_CREDENTIALS_FULL_URI"] == RESULT["url"]
    assert found["unset"] == list(OVER_ENDPOINT)


@pytest.mark.parametrize(
    "parts",
    [
        {"profiles": [profile("default")]},
        {"profiles": [profile("other", default=True)]},
        {"foreign": [{"name": "default", "reason": "static keys"}]},
    ],
)
def test_a_default_profile_that_would_win_is_named(parts: dict[str, Any]) -> None:
    printed = endpoint("--shell", "bash", **parts)

    assert printed.code == 0
    assert "[default]" in printed.err
    assert "[default]" not in endpoint("--shell", "docker", **parts).err


def test_a_shell_nobody_knows_opens_nothing() -> None:
    fake = FakeBackend({})
    outcome = credtray("endpoint", "dev", "--shell", "dockre", backend=fake)

    assert outcome.code == 2
    assert "dockre" in outcome.err
    assert fake.asked == []


def test_taking_back_says_what_it_means() -> None:
    revoked = {"profile": "dev", "revoked": True}

    assert "no longer get keys for dev" in endpoint("--revoke", result=revoked).out
    assert json.loads(endpoint("--revoke", "--json", result=revoked).out) == revoked
    assert "dev had no endpoint" in endpoint("--revoke", result={**revoked, "revoked": False}).out
    assert endpoint("--revoke", "--shell", "bash", result=revoked).code == 2


def test_reasons_are_told() -> None:
    for error in (UnknownProfile("'dev'"), AgentNotRunning()):
        outcome = credtray("endpoint", "dev", "--shell", "bash", backend=FakeBackend({Endpoint: error}))

        assert outcome.code == error.exit_code
        assert outcome.out == ""
        assert "hint:" in outcome.err


@pytest.mark.met("F5")
@pytest.mark.posix("bash takes the variables in")
def test_old_programs_get_the_token_itself_and_a_word_about_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("t-o-k-e-n")
    result = {**RESULT, "token_file": str(file)}
    printed = endpoint("--shell", "bash", "--token-in-environment", result=result)
    before = {
        "PATH": os.environ["PATH"],
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/old",
        "AWS_PROFILE": "x",
    }
    script = f'{printed.out}\nprintf "%s\\n" "$(env)"'
    shown = subprocess.run(["bash", "-c", script], env=before, capture_output=True, text=True, check=True)
    found = dict(line.split("=", 1) for line in shown.stdout.splitlines() if line.startswith("AWS_"))

    assert "every program in this shell can read it" in printed.err
    assert found == {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": RESULT["url"],
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "t-o-k-e-n",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


@pytest.mark.met("F5")
@pytest.mark.parametrize(
    "words", [("--shell", "docker"), ("--shell", "devcontainer"), ("--json",), ("--revoke",)]
)
def test_token_is_never_put_where_others_read_it(words: tuple[str, ...]) -> None:
    refused = endpoint(*words, "--token-in-environment")

    assert (refused.code, refused.out) == (2, "")


def test_token_file_that_cannot_be_read_prints_nothing(tmp_path: Path) -> None:
    result = {**RESULT, "token_file": str(tmp_path / "none")}
    failed = endpoint("--shell", "bash", "--token-in-environment", result=result)

    assert (failed.code, failed.out) == (1, "")


@pytest.mark.met("F5")
def test_help_names_the_least_versions() -> None:
    told = credtray("endpoint", "--help").out

    assert [each for each in LEAST.values() if each.removeprefix("release ") not in told] == []
    assert "every AWS SDK" not in told
