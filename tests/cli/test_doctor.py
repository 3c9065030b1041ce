"""`credtray doctor` and `credtray explain` as a person meets them: words, exit codes, JSON."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from typing import Any

import pytest

from credtray.cli import terminal
from credtray.doctor import collect, resolution
from credtray.doctor import command as commands
from credtray.doctor.all_rules import BY_CODE
from credtray.doctor.collect import Checkup
from credtray.doctor.evidence import AgentFacts, Facts, KeyKind
from credtray.doctor.resolution.answer import Client, Place, Provider, Resolution, Trouble, TroubleKind, Where
from credtray.doctor.view import doctor_view
from tests.cli.fake_backend import Outcome, credtray
from tests.cli.snapshot import snapshot
from tests.core.diagnosis_facts import FINE, WRONG, frozen, keys, minutes, token

CONFIG = b"""\
[sso-session corp]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
[profile dev]
sso_session = corp
sso_account_id = 111100000001
sso_role_name = ReadOnly
"""
CREDENTIALS = b"""\
[dev]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = canary
"""


def seen(monkeypatch: pytest.MonkeyPatch, facts: Facts, **files: bytes) -> None:
    """Let the commands see these facts."""
    around = resolution.environment_of(
        files.get("config"), files.get("credentials"), facts.environ, facts.now
    )
    monkeypatch.setattr(collect, "look", lambda *, online=False: Checkup(facts, lambda: around))


def sick() -> Facts:
    """A computer with one thing of each severity, and one profile with foreign keys."""
    ended = token(expires_at=minutes(-125), has_refresh_token=False)
    shadowed = keys(kind=KeyKind.LONG_TERM)
    return replace(
        ended,
        credentials=shadowed.credentials,
        agent=AgentFacts(),
        config=replace(FINE.config, without_region=("dev",)),
        missing_bundles=frozen(AWS_CA_BUNDLE="/etc/gone.pem"),
    )


@pytest.mark.parametrize("columns", ["80", "120"])
def test_what_doctor_prints(monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    seen(monkeypatch, sick(), config=CONFIG, credentials=CREDENTIALS)
    outcome = credtray("doctor")

    assert snapshot(f"doctor-{columns}", outcome.out) == outcome.out
    assert (outcome.code, outcome.err) == (commands.BROKEN, "")


def test_where_all_is_fine_doctor_says_so_and_ends_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, FINE, config=CONFIG)
    outcome = credtray("doctor")

    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "Nothing is broken (2 checks passed)",
        "Show all: credtray doctor --all",
    ]
    assert "The agent runs" not in outcome.out
    assert "The agent runs" in credtray("doctor", "--all").out


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("stale_keys", 0), ("agent_not_running", 0), ("aws_cli_old", 0), ("role_refused", 1), ("half_keys", 1)],
)
def test_only_what_is_broken_fails(monkeypatch: pytest.MonkeyPatch, code: str, exit_code: int) -> None:
    seen(monkeypatch, WRONG[code]())
    outcome = credtray("doctor", "--json")

    assert outcome.code == exit_code
    assert code in [item["code"] for item in json.loads(outcome.out)["findings"]]


@pytest.mark.parametrize("code", WRONG)
def test_every_finding_is_printed_with_its_cure(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    seen(monkeypatch, WRONG[code]())
    outcome = credtray("doctor", "--all")
    found = next(item for item in document("doctor", "--all")["findings"] if item["code"] == code)

    assert BY_CODE[code].title in outcome.out
    assert found["severity"] == "fine" or found["cure"].removeprefix("Run: ") in outcome.out
    assert all(sight["text"] in outcome.out for sight in found["seen"])


def document(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(credtray(*words, "--json").out)
    return found


def test_the_document_of_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, sick(), config=CONFIG, credentials=CREDENTIALS)
    told = document("doctor")

    assert (told["version"], told["now"], told["worst"]) == (1, "2026-11-22T14:00:00Z", "broken")
    first = told["findings"][0]
    assert list(first) == [
        "code", "severity", "group", "title", "seen", "cause", "cure", "repair",
        "profiles", "session", "texts",
    ]  # fmt: skip
    assert (first["code"], first["session"]) == ("sign_in_ended", "corp")
    clients = {item["client"]: item for item in told["profiles"][0]["clients"]}
    assert len(clients) == len(resolution.Client)
    assert clients["boto3"]["uses"] == resolution.Provider.SSO_SESSION.value
    assert clients["AWS SDK for JavaScript v3"]["uses"] == resolution.Provider.CREDENTIALS_FILE.value
    assert clients["AWS SDK for JavaScript v3"]["where"] == {
        "place": "credentials file", "name": "aws_access_key_id", "line": 2,
    }  # fmt: skip


def test_many_profiles_are_left_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"p{number}": number for number in range(40)}
    many = replace(FINE, config=replace(FINE.config, sections=names))
    seen(monkeypatch, many)

    assert len(document("doctor")["profiles"]) == 5
    assert document("doctor")["profiles_left_out"] == 35
    assert len(document("doctor", "--all")["profiles"]) == 40
    seen(monkeypatch, replace(many, active=("p7",)))
    assert [item["profile"] for item in document("doctor")["profiles"]] == ["p7"]
    assert [item["profile"] for item in document("doctor", "p9", "p9")["profiles"]] == ["p9"]


def test_an_unknown_profile_is_refused_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, FINE, config=CONFIG)
    outcome = credtray("doctor", "dve")

    assert outcome.code != 0
    assert "Did you mean dev?" in outcome.err
    assert outcome.out == ""


def test_a_broken_config_file_refuses_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, WRONG["file_unparsable"]())
    outcome = credtray("doctor", "dev")

    assert outcome.code == commands.BROKEN
    assert "~/.aws/config:9" in outcome.out


# --- explain -----------------------------------------------------------------------------------------


def test_what_explain_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, sick())
    outcome = credtray(
        "explain", "Error when retrieving token from sso: Token has expired and refresh failed"
    )

    assert snapshot("explain-refresh-failed", outcome.out) == outcome.out
    assert outcome.code == 0


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        pytest.param(WRONG["stale_keys"](), "Expired keys that credtray wrote", marks=pytest.mark.met("L")),
        (WRONG["environment_keys"](), BY_CODE["environment_keys"].title),
        (WRONG["sign_in_ended"](), "The sign-in has ended"),
        (WRONG["temporary_keys_shadow"](), BY_CODE["temporary_keys_shadow"].title),
    ],
)
def test_the_cause_that_was_found_leads_and_the_others_are_one_line_each(
    monkeypatch: pytest.MonkeyPatch, facts: Facts, title: str
) -> None:
    seen(monkeypatch, facts)
    out = credtray("explain", "ExpiredToken").out

    assert out.startswith("Cause found here\n✗ ")
    assert title[:40] in out.splitlines()[1]
    assert out.count("✗") == 1
    assert out.count("Why: ") == 1
    assert "Other possible causes: " in out
    assert "(--all shows them)" in " ".join(out.split())


def test_where_nothing_is_wrong_it_says_so_and_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, FINE)
    outcome = credtray("explain", "ExpiredToken")

    assert outcome.code == 0
    assert outcome.out.startswith("Nothing on this machine explains it")
    assert "The program used keys that have expired" in outcome.out
    assert outcome.out.splitlines()[-1] == "Next: credtray doctor --online"


def test_all_shows_the_other_causes_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, FINE)
    short, full = credtray("explain", "ExpiredToken").out, credtray("explain", "ExpiredToken", "--all").out

    assert short.count("Why: ") == 1
    assert full.count("Why: ") == len(document("explain", "ExpiredToken")["causes"])
    assert "--all shows" not in full


def test_each_cause_says_what_is_known_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, WRONG["stale_keys"]())
    causes = document("explain", "ExpiredToken")["causes"]
    standing = {item["code"]: item["standing"] for item in causes}

    assert standing["stale_keys"] == "found"
    assert standing["keys_expired"] == "possible"
    assert standing["environment_keys"] == "not_found"
    assert causes[0]["code"] == "stale_keys"


def test_a_message_of_others_is_said_to_be_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, FINE)
    outcome = credtray("explain", "npm ERR! code ECONNREFUSED")

    assert (outcome.code, outcome.out) == (1, "")
    assert "This message comes from npm; it is not about AWS credentials." in outcome.err
    assert document("explain", "npm ERR! code ECONNREFUSED")["not_about_aws"] == "npm"


def test_words_without_quotes_are_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, FINE)

    assert document("explain", "No", "access", "ForbiddenException")["causes"][0]["code"] == "role_refused"


def test_an_unknown_text_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, FINE)
    outcome = credtray("explain", "zork")

    assert (outcome.code, outcome.out) == (1, "")
    assert "credtray doctor" in outcome.err
    assert document("explain", "zork") == {
        "version": 1,
        "known": False,
        "not_about_aws": None,
        "causes": [],
    }


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes, *words: str) -> Outcome:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    return credtray("explain", *words)


@pytest.mark.parametrize("words", [(), ("-",)])
def test_a_text_comes_through_a_pipe(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    seen(monkeypatch, FINE)
    outcome = piped(monkeypatch, b"\xff\xfe\x1b[31mAn error: \x00ForbiddenException\r\n" * 1000, *words)

    assert outcome.code == 0
    assert "The role is not assigned to you" in outcome.out


@pytest.mark.parametrize("data", [b"", b" \r\n\t"])
def test_no_text_at_all_is_a_misuse(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    outcome = piped(monkeypatch, data)

    assert outcome.code == 2
    assert "no error message to explain" in outcome.err


def test_nothing_of_the_text_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, FINE)
    outcome = piped(monkeypatch, b"aws_secret_access_key = canary-1d2c ExpiredToken canary-1d2c", "--json")

    assert "canary" not in outcome.out + outcome.err


def test_the_last_line_of_a_long_list_says_where_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, WRONG["signed_out"]())
    broken = credtray("doctor").out
    seen(monkeypatch, FINE)

    assert broken.splitlines()[-1] == "Start with: credtray login corp"
    assert "Start with" not in credtray("doctor").out


def test_without_a_name_only_what_needs_somebody_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, sick(), config=CONFIG, credentials=CREDENTIALS)
    plain, named, whole = (credtray("doctor", *words).out for words in ((), ("dev",), ("--all",)))

    for text in ("What programs use", "Some profiles have no region"):
        assert (text in plain, text in named, text in whole) == (False, True, True)
    assert "2 problems, 2 warnings, 1 note" in plain
    assert document("doctor") == document("doctor", "--all")


def test_old_aws_cli_is_told_where_it_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(version: tuple[int, ...], *words: str) -> bool:
        seen(monkeypatch, replace(FINE, aws_cli=version), config=CONFIG)
        return "The AWS CLI is old" in credtray("doctor", *words).out

    assert [told((2, 15, 0), *words) for words in ((), ("dev",), ("--all",))] == [False, False, True]
    assert told((2, 8, 1))  # it reads no sso-session, and there is one


def test_keys_that_credtray_keeps_fresh_are_no_cause_for_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    trouble = Trouble(TroubleKind.SSO_SHADOWED, "Keys in the files are used.", fatal=False)

    def drawn(*, fresh: bool) -> str:
        why, where = "They come first.", Where(Place.CREDENTIALS)
        keys = Provider.CREDENTIALS_FILE
        client = Resolution(Client.GO, "dev", "dev", keys, where, why, fresh, (trouble,), True)
        terminal.draw(doctor_view((), {"dev": (client,)}, 0, everything=False, named=True))
        return capsys.readouterr().out

    assert "! Keys in the files are used." in drawn(fresh=False)
    assert "! " not in drawn(fresh=True)
