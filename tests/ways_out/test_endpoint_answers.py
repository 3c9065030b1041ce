"""What goes over the wire: the names SDKs look for, and a status that tells whether asking again may help."""

from __future__ import annotations

import json

import pytest

from credtray.core.errors import CredtrayError, Retry, error_for, every_error
from credtray.core.protocol import ProcessCredentials
from credtray.ways_out import endpoint as endpoint_answers
from tests.core.making import keys


def test_keys_have_the_names_of_the_container_provider() -> None:
    answer = endpoint_answers.keys(ProcessCredentials.of(keys(), "111100000001"))

    assert answer.status == 200
    assert json.loads(answer.body) == {
        "AccessKeyId": "ASIA0",
        "SecretAccessKey": "secret",
        "Token": "session",
        "Expiration": "2026-11-22T13:00:00Z",
        "AccountId": "111100000001",
    }


def test_a_chained_profile_names_no_account() -> None:
    answer = endpoint_answers.keys(ProcessCredentials.of(keys()))

    assert "AccountId" not in json.loads(answer.body)


def test_keys_have_no_repr() -> None:
    assert "secret" not in repr(endpoint_answers.keys(ProcessCredentials.of(keys())))


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.code)
def test_every_error_is_told_and_5xx_says_that_it_may_pass(kind: type[CredtrayError]) -> None:
    answer = endpoint_answers.refusal(kind("why").problem)
    told = json.loads(answer.body)

    assert 400 <= answer.status < 600
    assert told["code"] == kind.code
    assert told["message"] == str(kind("why"))
    assert type(error_for(kind("why").problem)) is kind
    if kind.retry is Retry.PERSON:
        assert answer.status < 500
