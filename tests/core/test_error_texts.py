"""Every error text has its own row of the table, however it was copied; texts of others have none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from credtray.doctor.explain_error import explain, not_ours, readable
from credtray.doctor.symptoms import SYMPTOMS
from credtray.doctor.symptoms_of_keys import Symptom
from tests.core.diagnosis_facts import FINE
from tests.core.error_texts import ERROR_TEXTS, FOREIGN, ErrorText

EVERY = [pytest.param(item, id=f"{item.source.split()[0]} {item.text[:50]}") for item in ERROR_TEXTS]


def first(text: str) -> str | None:
    found = explain(text, FINE)
    return found[0].kind.code if found else None


def rows(text: str) -> list[Symptom]:
    return [item for item in SYMPTOMS if item.pattern.search(readable(text))]


def wrapped(text: str, width: int) -> str:
    """Break the lines as a terminal does: in the middle of words, and a blank at the end gets lost."""
    lines = (line[at : at + width] for line in text.splitlines() for at in range(0, len(line), width))
    return "\n".join(line.rstrip() for line in lines)


def test_there_are_as_many_texts_as_people_meet() -> None:
    assert len({item.text for item in ERROR_TEXTS}) == len(ERROR_TEXTS) >= 90
    assert len({item.source for item in ERROR_TEXTS}) >= 20


@pytest.mark.parametrize("item", EVERY)
def test_each_text_has_its_cause(item: ErrorText) -> None:
    assert first(item.text) == item.cause


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        pytest.param(
            "Error: failed to refresh cached credentials, the SSO session has expired or is invalid: "
            "open /home/u/.aws/sso/cache/0.json: no such file or directory",
            "signed_out",
            marks=pytest.mark.met("F8"),
        ),
        pytest.param("SSOProviderInvalidToken: ..", "sign_in_ended", marks=pytest.mark.met("F8")),
        pytest.param(
            "no valid credential sources for Terraform AWS Provider found",
            "no_keys_found",
            marks=pytest.mark.met("F8"),
        ),
        pytest.param(
            "SSO Token has expired and can not be refreshed", "sign_in_ended", marks=pytest.mark.met("F8")
        ),
        pytest.param(
            "missing field `accessToken` in cached SSO token file",
            "token_unreadable",
            marks=pytest.mark.met("F8"),
        ),
        pytest.param(
            "Partial credentials found in assume-role, missing: source_profile or credential_source",
            "profile_incomplete",
            marks=pytest.mark.met("F9"),
        ),
        pytest.param(
            "CredentialRequiresARNError: credential type source_profile requires role_arn, profile dev",
            "profile_incomplete",
            marks=pytest.mark.met("F9"),
        ),
        pytest.param(
            "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY",
            "half_keys",
            marks=pytest.mark.met("F9"),
        ),
        pytest.param(
            "The SSO access token has either expired or is otherwise invalid.",
            "sign_in_ended",
            marks=pytest.mark.met("F8"),
        ),
        pytest.param(
            "An error occurred (AccessDenied) when calling the AssumeRole operation: "
            "MultiFactorAuthentication failed with invalid MFA one time pass code.",
            "mfa_needed",
            marks=pytest.mark.met("F9"),
        ),
        pytest.param(
            "error: You must be logged in to the server (Unauthorized)",
            "cluster_refused",
            marks=pytest.mark.met("F9"),
        ),
    ],
)
def test_a_text_is_neither_unknown_nor_taken_for_another(text: str, cause: str) -> None:
    assert first(text) == cause


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda item: item.text[:50])
def test_the_text_of_a_row_fits_that_row_and_no_other(symptom: Symptom) -> None:
    fitting = rows(symptom.text.replace("...", "something"))

    assert symptom in fitting
    assert [item.text for item in fitting if item is not symptom and not item.wraps] == []


@pytest.mark.parametrize("item", EVERY)
def test_no_text_fits_rows_with_different_causes(item: ErrorText) -> None:
    """What wraps may stand beside what it quotes; two rows that claim the same text are one too wide."""
    claims = {row.causes[0].code for row in rows(item.text) if not row.wraps}

    assert claims <= {item.cause}


COPIES: dict[str, Callable[[str], str]] = {
    "coloured": lambda text: "\x1b[1;31m" + text.replace(" ", "\x1b[0m \x1b[31m") + "\x1b[0m",
    "colours as text": lambda text: f"[31m{text}[0m \\u001b[39m",
    "in a log": lambda text: (
        f"2026-11-28T20:55:12.123Z [INFO] starting\n2026-11-28T20:55:13Z [ERROR] main.go:17 {text} "
        "(request id: 17535984-cf71-4a69-9167-ff6b17bf4164)\n    at main (/app/index.js:1:2)\nexit status 1"
    ),
    "wrapped at 80": lambda text: wrapped(text, 80),
    "wrapped at 33": lambda text: wrapped(text, 33),
    "in JSON": lambda text: json.dumps({"level": "error", "error": text}),
    "in JSON in JSON": lambda text: json.dumps({"line": json.dumps({"error": text})}),
    "quoted": lambda text: f"\u201c{text}\u201d".replace("'", "\u2019"),
    "shouted": str.upper,
    "framed": lambda text: "╷\n" + "\n".join(f"│ {line}" for line in text.splitlines()) + "\n╵",
    "with line ends of Windows": lambda text: text.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_text_is_known_however_it_was_copied(copy: str) -> None:
    different = {
        item.text: found for item in ERROR_TEXTS if (found := first(COPIES[copy](item.text))) != item.cause
    }

    assert different == {}


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Users\nina\.aws\sso\cache\0.json",
        r"C:\\Users\\tom\\.aws\\sso\\cache\\0.json",
        "/Users/gigi/.aws/sso/cache/85cc3da909953f9c5f8508452a2f72e7a5af08bb.json",
        "/root/.aws/sso/cache/x.json",
        r"\\wsl$\Ubuntu\home\u\.aws\sso\cache\0.json",
    ],
)
def test_the_path_of_the_token_does_not_matter(path: str) -> None:
    for absent in ("no such file or directory", "The system cannot find the path specified."):
        text = f"the SSO session has expired or is invalid: open {path}: {absent}"

        assert first(text) == "signed_out"


@pytest.mark.parametrize(("whose", "text"), FOREIGN)
def test_an_error_of_others_is_not_taken_for_one_of_aws(whose: str | None, text: str) -> None:
    assert first(text) is None
    assert not_ours(text) == whose


@pytest.mark.met("F9")
def test_a_web_identity_that_expired_is_no_matter_of_ours() -> None:
    text = (
        "An error occurred (ExpiredTokenException) when calling the AssumeRoleWithWebIdentity operation: "
        "Token expired: current date/time must be before the expiration date/time"
    )

    assert first(text) is None


@pytest.mark.parametrize("whose", [name for name, _ in FOREIGN if name is not None][:3])
@pytest.mark.met("F9")
def test_what_others_say_in_the_same_words_is_said_to_be_theirs(whose: str) -> None:
    texts = [text for name, text in FOREIGN if name == whose]

    assert texts
    assert {not_ours(text) for text in texts} == {whose}


def test_a_policy_that_says_no_is_no_matter_of_keys() -> None:
    text = (
        "An error occurred (AccessDenied) when calling the PutObject operation: User: arn:aws:sts::"
        "111100000001:assumed-role/x/y is not authorized to perform: s3:PutObject because no policy allows it"
    )

    assert [item.kind.code for item in explain(text, FINE)] == ["access_denied"]


def test_a_general_error_with_a_name_of_aws_in_it_is_ours() -> None:
    text = "pip install done\nCould not resolve host: oidc.us-east-1.amazonaws.com"

    assert first(text) == "unreachable"


def test_no_pattern_has_a_blank_that_a_wrapped_line_would_miss() -> None:
    sets = {
        item.text: re.findall(r"\[[^\]]* [^\]]*\]", re.sub(r"\\.", "", item.pattern.pattern))
        for item in SYMPTOMS
    }

    assert {text: found for text, found in sets.items() if found} == {}
