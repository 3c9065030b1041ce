"""The doctor on settings that somebody wrote as other files allow: the profile is broken, and why is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.doctor_homes import lay, token
from tests.cli.fake_backend import credtray

SESSION = {
    "sso_start_url": "https://d-9067000001.awsapps.com/start",
    "sso_region": "us-east-1",
    "sso_registration_scopes": "sso:account:access",
}
PROFILE = {
    "sso_session": "corp",
    "sso_account_id": "111100000000",
    "sso_role_name": "Admin",
    "region": "us-east-1",
}


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")


def write(home: Path, key: str, value: str) -> int:
    """Write the home with one setting as given; return its line."""
    session = {name: value if name == key else usual for name, usual in SESSION.items()}
    profile = {name: value if name == key else usual for name, usual in PROFILE.items()}
    lines = ["[sso-session corp]", *(f"{name} = {text}" for name, text in session.items())]
    lines += ["[profile p1]", *(f"{name} = {text}" for name, text in profile.items())]
    lay(home, "\n".join(lines) + "\n", cached=token())
    return next(at for at, line in enumerate(lines, 1) if line.startswith(f"{key} ="))


def told(*words: str) -> tuple[int, list[dict[str, Any]]]:
    outcome = credtray("doctor", "--json", *words)
    found = json.loads(outcome.out)["findings"]
    return outcome.code, [item for item in found if item["code"] == "profile_incomplete"]


@pytest.mark.met("F19")
def test_a_profile_whose_account_number_carries_a_comment_is_broken(home: Path) -> None:
    line = write(home, "sso_account_id", "111100000000 ; prod")
    for words in (("p1",), ()):
        code, [finding] = told(*words)
        [sight] = finding["seen"]

        assert (code, finding["severity"], finding["profiles"]) == (1, "broken", ["p1"])
        assert (sight["file"], sight["line"]) == ("~/.aws/config", line)
        assert "what follows the value on its line is part of it" in sight["text"]
        assert finding["cure"] == (
            "Put the comment on a line of its own, and write: sso_account_id = 111100000000"
        )


@pytest.mark.parametrize(
    ("key", "value", "cure"),
    [
        pytest.param(key, value, cure, marks=pytest.mark.met("F19"))
        for key, value, cure in [
            ("sso_account_id", "111100000000 # prod", "write: sso_account_id = 111100000000"),
            ("sso_account_id", "111100000000\t;prod", "write: sso_account_id = 111100000000"),
            ("sso_account_id", '"111100000000"', "Write it without quotes: sso_account_id = 111100000000"),
            ("sso_account_id", "'111100000000'", "Write it without quotes: sso_account_id = 111100000000"),
            ("sso_account_id", '"111100000000" ; prod', "write: sso_account_id = 111100000000"),
            ("sso_account_id", "1111-0000-0000", "Write only the digits: sso_account_id = 111100000000"),
            ("sso_account_id", "1111 0000 0000", "Write only the digits: sso_account_id = 111100000000"),
            ("sso_account_id", "11110000000", "Write all 12 digits, zeros at the beginning included."),
            ("sso_account_id", "1111000000000", "Write the 12 digits of the account number."),
            ("sso_account_id", "prod", "Write the account number with all digits."),
            ("sso_role_name", "Admin ; full", "write: sso_role_name = Admin"),
            ("sso_role_name", '"Admin"', "Write it without quotes: sso_role_name = Admin"),
            ("region", "us-east-1 ; Virginia", "write: region = us-east-1"),
            ("region", "'us-east-1'", "Write it without quotes: region = us-east-1"),
            ("sso_region", "us-east-1 # home", "write: sso_region = us-east-1"),
            ("sso_start_url", '"https://d-9067000001.awsapps.com/start"', "d-9067000001.awsapps.com/start"),
            ("sso_start_url", "https://d-9067000001.awsapps.com/start ; corp", "awsapps.com/start"),
            ("sso_session", "corp ; the one", "write: sso_session = corp"),
            ("sso_session", "'corp'", "Write it without quotes: sso_session = corp"),
            ("sso_session", "crop", "Add a section [sso-session crop]"),
        ]
    ],
)
def test_other_values_that_are_not_what_was_meant(home: Path, key: str, value: str, cure: str) -> None:
    line = write(home, key, value)
    for words in (("p1",), ()):
        code, found = told(*words)

        assert code == 1
        assert [item for item in found if item["severity"] == "broken" and cure in item["cure"]]
        assert line in [sight["line"] for item in found for sight in item["seen"]]


@pytest.mark.met("F19")
def test_a_setting_that_is_there_twice_is_broken(home: Path) -> None:
    write(home, "sso_account_id", "111100000000\nsso_account_id = 222200000000")
    outcome = credtray("doctor", "p1")

    assert outcome.code == 1
    assert "~/.aws/config:8" in outcome.out


def test_a_setting_that_programs_pass_over_breaks_nothing(home: Path) -> None:
    write(home, "region", "us-east-1")
    chained = "role_arn = arn:aws:iam::222200000000:role/x\nsource_profile = p1\nduration_seconds = long\n"
    config = home / ".aws" / "config"
    config.write_text(f"{config.read_text()}[profile p2]\nregion = us-east-1\n{chained}")

    code, [finding] = told("p2")

    assert (code, finding["severity"]) == (0, "warning")
