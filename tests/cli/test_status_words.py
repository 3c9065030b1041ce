from __future__ import annotations

from datetime import UTC

import msgspec
import pytest

from credtray.cli.status_words import Reader, endpoint_words, session_words
from credtray.core.protocol.results import AgentStatus, StatusDocument
from credtray.core.state_words import standing
from credtray.core.summary import status_document, summary
from tests.cli.fake_backend import document as fake_document
from tests.cli.fake_backend import problem
from tests.core.menu_states import moments


@pytest.mark.parametrize(
    "name",
    [
        "signed out, nothing chosen",
        "signed in, estimated",
        "signed in, proven",
        "ends soon",
        "ended",
        "longer than expected",
        "offline",
        "signing in, the address is not known yet",
    ],
)
def test_status_and_menu_tell_of_a_session_in_the_same_words(name: str) -> None:
    moment = moments()[name]
    told = status_document(moment.state, AgentStatus(running=True, pid=1, version="1"), moment.now)
    seen = summary(moment.state, moment.now, UTC)
    menu = [standing(seen, each) for each in seen.sessions.values()]

    assert menu == [session_words(each, Reader(moment.now, UTC)) for each in told.sessions]


@pytest.mark.parametrize(
    ("port", "error", "expected"),
    [
        (20001, None, []),
        (None, "no port", ["endpoint: closed (no port)"]),
        (20001, "disk full", ["endpoint: not open for every profile (disk full)"]),
    ],
)
def test_trouble_of_the_endpoint_is_told_for_what_it_is(
    port: int | None, error: str | None, expected: list[str]
) -> None:
    told = fake_document(endpoint={"port": port, "error": error and problem(error, "")})

    assert expected == endpoint_words(msgspec.convert(told, StatusDocument))
