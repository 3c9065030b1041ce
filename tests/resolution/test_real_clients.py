"""The resolution table against the real clients, on homes of all kinds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from credtray.doctor.resolution.answer import Client, Place, Provider, Resolution, TroubleKind, Where
from credtray.doctor.resolution.environment import ClientEnvironment, OtherInputs, environment_of, token_file
from credtray.doctor.resolution.table import resolve
from tests.connect_proxy import ConnectProxy
from tests.resolution.aws_stand_in import AwsStandIn, key_of
from tests.resolution.homes import ACCOUNT, Ask, Home, HomeMaker, homes_by_hand

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
REFUSED_BY_AWS = {
    TroubleKind.KEYS_EXPIRED,
    TroubleKind.STALE_SECURITY_TOKEN,
    TroubleKind.TOKENLESS_KEYS,
    TroubleKind.MIXED_KEYS,
}
"""Troubles that the client itself does not notice."""


@dataclass(frozen=True, slots=True)
class Case:
    """A home, a question in it, and the variables under which it is asked."""

    home: Home
    ask: Ask
    environ: dict[str, str]

    @property
    def surroundings(self) -> ClientEnvironment:
        now = datetime.now(UTC)
        tokens = {name: token_file(data, now) for name, data in self.home.tokens.items()}
        return environment_of(
            self.home.config, self.home.credentials, self.home.environ, now, OtherInputs(tokens=tokens)
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
        config, credentials = ((data or b"-").decode() for data in (self.home.config, self.home.credentials))
        asked = f"{self.home.name} {self.ask} {self.home.environ}"
        return f"{asked}\n--- config\n{config}--- credentials\n{credentials}"


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
    made = [HomeMaker(number, aws.url, scratch).make() for number in range(FIRST, FIRST + HOMES)]
    for home in [*made, *homes_by_hand()]:
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
        key_of("sso", f"{renewed}token of {name}", ACCOUNT, f"Role{number}"): provider
        for name, provider in names.items()
        for number in range(100)
        for renewed in ("", "renewed ")
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


def wrong_token(case: Case, client: Client, answer: dict[str, Any]) -> str:
    """Return what is wrong with the session token of keys in the credentials file."""
    said = case.resolved(client)
    if said.provider is not Provider.CREDENTIALS_FILE or fails(said) or "error" in answer:
        return ""
    if any(trouble.kind in {*NOT_WHAT_IT_SHOULD_BE, TroubleKind.MIXED_KEYS} for trouble in said.troubles):
        return ""
    assert case.home.credentials is not None
    assert said.where.line is not None
    lines = case.home.credentials.decode("utf-8-sig").splitlines()[said.where.line :]
    section = lines[: next((at for at, line in enumerate(lines) if line.startswith("[")), len(lines))]
    values = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in section)}
    old, new = values.get("aws_security_token"), values.get("aws_session_token")
    expected = (old or new) if client in {Client.BOTO3, Client.AWS_CLI} else new
    stale = any(trouble.kind is TroubleKind.STALE_SECURITY_TOKEN for trouble in said.troubles)
    if stale is not (client in {Client.BOTO3, Client.AWS_CLI} and bool(old and new)):
        return f"stale or not?\n{said}\n{case}"
    return "" if answer["token"] == expected else f"another token than {expected}: {answer}\n{said}\n{case}"


def wrong_tokens(cases: list[Case], client: Client, answers: list[dict[str, Any]]) -> str:
    both = zip(cases, answers, strict=True)
    return "".join(wrong_token(case, client, answer) for case, answer in both)


BOTOCORE_SAYS = {
    TroubleKind.FILE_UNPARSABLE: r"Unable to parse config file|[uU]nicode",
    TroubleKind.PROFILE_MISSING: r"The config profile \(.*\) could not be found",
    TroubleKind.INCOMPLETE_KEYS: r"Partial credentials found in",
    TroubleKind.INCOMPLETE_SSO: r"missing (the following|required) configuration",
    TroubleKind.SESSION_MISSING: r"configuration does not exist|sso-session does not exist",
    TroubleKind.SESSION_INCONSISTENT: r"is inconsistent between",
    TroubleKind.TOKEN_MISSING: r"Token for .* does not exist",
    TroubleKind.TOKEN_UNREADABLE: r"KeyError|SSOTokenLoadError",
    TroubleKind.TOKEN_EXPIRED: r"expired",
    TroubleKind.ROLE_UNUSABLE: (
        r"source_profile|credential_source|credential source|Infinite loop|role ARN|source profile"
    ),
    TroubleKind.NOTHING_FOUND: r"^None$|No credentials found in credential_source|Partial credentials",
}
"""What botocore says of each trouble."""


def test_boto3_does_what_the_table_says(aws: AwsStandIn, cases: list[Case]) -> None:
    script = str(Path(__file__).with_name("ask_botocore.py"))
    environ = {"HOME": cases[0].environ["HOME"], "AWS_ENDPOINT_URL": aws.url}
    answers = asked([sys.executable, script], cases, environ)

    assert differences(cases, Client.BOTO3, answers) == []
    assert wrong_tokens(cases, Client.BOTO3, answers) == ""
    assert not [
        (answer["error"], said.trouble)
        for answer, said in zip(answers, (case.resolved(Client.BOTO3) for case in cases), strict=True)
        if said.trouble is not None and said.trouble.kind in BOTOCORE_SAYS and said.trouble.fatal
        if not re.search(BOTOCORE_SAYS[said.trouble.kind], answer["error"])
    ]


def test_the_aws_cli_does_what_the_table_says(aws: AwsStandIn, cases: list[Case]) -> None:
    """Debian's 2.9 knows no endpoint overrides and needs a proxy; newer ones know ``aws login`` too."""
    script = str(Path(__file__).with_name("ask_aws_cli.py"))
    with ConnectProxy(aws.port) as proxy:
        environ = {"HOME": cases[0].environ["HOME"], "NO_PROXY": "127.0.0.1", **proxy.environment}
        cases = [case for case in cases if case.ask in {Ask(None), Ask("app", explicit=True)}]
        answers = asked(["/usr/bin/python3", script], cases, environ)

    assert proxy.refused == []
    assert differences(cases, Client.AWS_CLI, answers) == []
    assert wrong_tokens(cases, Client.AWS_CLI, answers) == ""


def test_the_javascript_sdk_does_what_the_table_says(aws: AwsStandIn, cases: list[Case]) -> None:
    answers = asked(["node", "tests/js/resolve.mjs"], cases, {"AWS_ENDPOINT_URL": aws.url})

    assert differences(cases, Client.JAVASCRIPT, answers) == []
    assert wrong_tokens(cases, Client.JAVASCRIPT, answers) == ""
    assert not [
        str(case)
        for case, answer in zip(cases, answers, strict=True)
        if case.resolved(Client.JAVASCRIPT).provider in OF_A_PROFILE and "error" not in answer
        if answer["ini"] != answer["key"] and not said_by_the_second_try(case, answer)
    ]


OF_A_PROFILE = {
    Provider.CREDENTIALS_FILE,
    Provider.CONFIG_FILE,
    Provider.SSO_SESSION,
    Provider.SSO_LEGACY,
    Provider.ASSUME_ROLE,
    Provider.PROCESS,
}


def said_by_the_second_try(case: Case, answer: dict[str, Any]) -> bool:
    """``fromIni`` gave up at a role, and the chain tried the profile's process by itself."""
    return answer["ini"] is None and case.resolved(Client.JAVASCRIPT).provider is Provider.PROCESS


def test_the_homes_show_every_provider_and_every_trouble(cases: list[Case]) -> None:
    """A table that is compared on homes where nothing happens proves nothing."""
    clients = (Client.BOTO3, Client.JAVASCRIPT)
    found = [case.resolved(client) for case in cases for client in clients]
    not_to_be_run = {Provider.LOGIN, Provider.INSTANCE_METADATA}
    needs_marks = {TroubleKind.KEYS_EXPIRED, TroubleKind.KEYS_SHADOWED}
    needs_more = {TroubleKind.ENDPOINT_SILENT, TroubleKind.UNSUPPORTED}

    assert len({case.home.name for case in cases}) >= 30
    assert set(Provider) - not_to_be_run <= {each.provider for each in found}
    assert set(TroubleKind) - needs_marks - needs_more <= {
        trouble.kind for each in found for trouble in each.troubles
    }
    assert sum(each.works for each in found) > len(found) / 3
