"""Commands that write or list a profile warn when boto3 for Windows knows it by another name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from credtray.aws.profile_writer import Preview
from credtray.core.config.setup_edits import SetupWish, difference, plan_setup
from credtray.core.models import Account, SsoSession
from credtray.core.naming import RoleChoice
from credtray.core.protocol import Status
from credtray.doctor import collect_files
from credtray.setup.steps import warn_of_code_page
from tests.cli.fake_backend import FakeBackend, credtray, document, idle, session

CURE = "Use plain ASCII letters there, or set PYTHONUTF8=1 wherever boto3 runs: setx PYTHONUTF8 1"


@pytest.fixture(autouse=True)
def code_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_files, "code_page_of_boto3", lambda _environ: "cp1252")


def listed(*names: str) -> str:
    found = document([session()], [idle(name) for name in names])
    return credtray("profiles", backend=FakeBackend({Status: found})).err


def test_profiles_names_the_profile_as_boto3_reads_it() -> None:
    told = listed("dev", "prod-zürich")

    assert "boto3 reads the config file in another encoding" in told
    assert "[profile prod-zürich] is [profile prod-zÃ¼rich] in cp1252" in told
    assert CURE in told


def test_plain_names_are_the_same_to_everybody() -> None:
    assert listed("dev", "ro") == ""


def test_where_boto3_reads_utf8_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_files, "code_page_of_boto3", lambda _environ: None)

    assert listed("prod-zürich") == ""


def written(before: str, program: str, capsys: pytest.CaptureFixture[str]) -> str:
    portal = SsoSession("corp", "https://corp.awsapps.com/start", "us-east-1", ("sso:account:access",))
    wish = SetupWish(
        portal,
        (RoleChoice(Account("111122223333", "Sandbox"), "Admin"),),
        command=lambda name: f"{program} {name}",
    )
    plan = plan_setup(before.encode(), wish)
    components: Any = SimpleNamespace(environment=SimpleNamespace(environ={}))
    warn_of_code_page(components, Preview(wish, plan, difference(plan)))
    return capsys.readouterr().err


def test_setup_warns_of_a_path_that_it_has_just_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Names that setup makes are ASCII; the Python of a credential process lies where its user put it."""
    told = written("", r"C:\Users\Zoë\python.exe", capsys)

    assert "the value of credential_process is another one in cp1252" in told
    assert CURE in told


def test_setup_says_nothing_of_what_others_have_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert written("[profile zürich]\nregion = eu-west-1\n", "python", capsys) == ""
