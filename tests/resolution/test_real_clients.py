"""The resolution table against the real clients, on homes of all kinds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.core.resolution import (
    Beside,
    Client,
    Place,
    Provider,
    Resolution,
    Surroundings,
    TroubleKind,
    Where,
    resolve,
    surroundings_of,
    token_file,
)
from tests.connect_proxy import ConnectProxy
from tests.resolution.aws_stand_in import AwsStandIn, key_of
from tests.resolution.homes import ACCOUNT, Ask, Home, HomeMaker, sha1

ROOT = Path(__file__).resolve().parent.parent.parent
HOMES = int(os.environ.get("RESOLUTION_HOMES", "60"))
FIRST = int(os.environ.get("RESOLUTION_FIRST", "0"))
"""More or other homes than usual, to hunt for differences."""

METHODS = {
    "env": Provider.ENVIRONMENT,
    "shared-credentials-file": Provider.CREDENTIALS_FILE,
    "config-file": Provider.CONFIG_FILE,
    "sso": Provider.SSO_SESSION,
    "assume-role": Provider.ASSUME_ROLE,
    "assume-role-with-web-identity": Provider.WEB_IDENTITY,
    "custom-process": Provider.PROCESS,
    "container-role": Provider.CONTAINER,
}
NOT_WHAT_IT_SHOULD_BE = {TroubleKind.SSO_MALFORMED, TroubleKind.COMMENT_IN_VALUE}
REFUSED_BY_AWS = {TroubleKind.KEYS_EXPIRED, TroubleKind.STALE_SECURITY_TOKEN, TroubleKind.TOKENLESS_KEYS}
"""Troubles that the client itself does not notice."""


@dataclass(frozen=True, slots=True)
class Case:
    """A home, a question in it, and the variables under which it is asked."""

    home: Home
    ask: Ask
    environ: dict[str, str]

    @property
    def surroundings(self) -> Surroundings:
        now = datetime.now(UTC)
        tokens = {name: token_file(data, now) for name, data in self.home.tokens.items()}
        return surroundings_of(
            self.home.config, self.home.credentials, self.home.environ, now, Beside(tokens=tokens)
        )

    def resolved(self, client: Client) -> Resolution:
        return resolve(self.surroundings, self.ask.profile, client, explicit=self.ask.explicit)

    @property
    def question(self) -> dict[str, Any]:
        environ = dict(self.environ)
        if self.ask.profile is not None and not self.ask.explicit:
            environ["AWS_PROFILE"] = self.ask.profile
        return {"environ": environ, "profile": self.ask.profile, "explicit": self.ask.explicit}

    def __str__(self) -> str:
        files = ((self.home.config or b"-").decode(), (self.home.credentials or b"-").decode())
        return f"{self.home.name} {self.ask} {self.home.environ}\n--- config\n{files[0]}--- credentials\n{files[1]}"


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsStandIn]:
    with AwsStandIn() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def cases(aws: AwsStandIn, tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    scratch = tmp_path_factory.mktemp("resolution")
    cache = scratch / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    found = []
    for number in range(FIRST, FIRST + HOMES):
        home = HomeMaker(number, aws.url, scratch).make()
        environ = {"HOME": str(scratch), **home.write(scratch / home.name, cache)}
        found += [Case(home, ask, environ) for ask in home.asks]
    return found


def asked(command: list[str], cases: list[Case], environ: dict[str, str]) -> list[dict[str, Any]]:
    """Put all questions to one process."""
    clean = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}
    done = subprocess.run(
        command,
        input=json.dumps([case.question for case in cases]),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**clean, "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1", **environ},
        timeout=100,
    )

    assert done.returncode == 0, done.stderr

    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def fails(found: Resolution) -> bool:
    """Whether the client itself has to fail."""
    return any(each.fatal and each.kind not in REFUSED_BY_AWS for each in found.troubles)


def expected_key(case: Case, found: Resolution, provider: Provider, where: Where) -> str | None:
    """Return the access key id that the table promises; None where it tells no more than the provider."""
    line = setting_at(case.home, where)
    match provider:
        case Provider.ENVIRONMENT:
            return case.home.environ[where.name]
        case Provider.CREDENTIALS_FILE | Provider.CONFIG_FILE:
            return line
        case Provider.CONTAINER:
            return key_of("container", f"/container/{case.home.name}")
        case Provider.PROCESS:
            key: str = json.loads(Path(line.removeprefix("cat ")).read_bytes())["AccessKeyId"]
            return key
        case Provider.ASSUME_ROLE if found.base not in {None, Provider.ASSUME_ROLE}:
            assert found.base is not None
            assert found.base_where is not None
            base = expected_key(case, found, found.base, found.base_where)
            return None if base is None else key_of("role", base, line)
        case _:
            return None


def setting_at(home: Home, where: Where) -> str:
    """Return the value that stands at a place of a file, read without any of the code under test."""
    if where.line is None or where.place not in {Place.CONFIG, Place.CREDENTIALS}:
        return ""
    data = home.config if where.place is Place.CONFIG else home.credentials
    assert data is not None
    line = data.decode("utf-8-sig").splitlines()[where.line - 1]
    name = min((mark for mark in "=:" if mark in line), key=line.index)
    return line.partition(name)[2].partition(" #")[0].strip()


def sso_keys(case: Case) -> dict[str, Provider]:
    """Return the keys that the portal gives for this home's tokens, and what kind of SSO has asked."""
    names = {
        f"corp-{case.home.name}": Provider.SSO_SESSION,
        f"https://{case.home.name}.awsapps.com/start": Provider.SSO_LEGACY,
    }
    return {
        key_of("sso", f"token of {name}", ACCOUNT, f"Role{number}"): provider
        for name, provider in names.items()
        for number in range(100)
    }


def differences(cases: list[Case], client: Client, answers: list[dict[str, Any]]) -> list[str]:
    """Return every case where the table and the real client say different things."""
    found = []
    for case, answer in zip(cases, answers, strict=True):
        said = case.resolved(client)
        problem = difference(case, said, answer)
        if problem:
            found.append(f"{problem}\nclient: {answer}\ntable: {said}\n{case}")
    return found


def difference(case: Case, said: Resolution, answer: dict[str, Any]) -> str:
    if any(each.kind in NOT_WHAT_IT_SHOULD_BE for each in said.troubles):
        return ""  # some clients refuse it, others hand it on to AWS, which does
    if "error" in answer or fails(said):
        return "" if "error" in answer and fails(said) else "only one of them fails"
    provider = Provider.SSO_SESSION if said.provider is Provider.SSO_LEGACY else said.provider
    if "kind" in answer and METHODS[answer["kind"]] is not provider:
        return "another provider"
    key = expected_key(case, said, said.provider, said.where)
    if key is not None and key != answer["key"]:
        return f"another key than {key}"
    if provider is Provider.SSO_SESSION and sso_keys(case).get(answer["key"]) is not said.provider:
        return "another kind of SSO"
    return ""


def test_boto3_does_what_the_table_says(aws: AwsStandIn, cases: list[Case]) -> None:
    script = str(Path(__file__).with_name("ask_botocore.py"))
    answers = asked([sys.executable, script], cases, {"HOME": cases[0].environ["HOME"], "AWS_ENDPOINT_URL": aws.url})

    assert [] == differences(cases, Client.BOTO3, answers)


def test_the_javascript_sdk_does_what_the_table_says(aws: AwsStandIn, cases: list[Case]) -> None:
    answers = asked(["node", "tests/js/resolve.mjs"], cases, {"AWS_ENDPOINT_URL": aws.url})

    assert [] == differences(cases, Client.JAVASCRIPT, answers)
