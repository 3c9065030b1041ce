"""Error texts become causes: each text its own, those first that apply here, and no text does any harm."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core.errors import CredtrayError, Offline, UsageError, every_error
from credtray.core.events import RefreshFailed
from credtray.core.models import CredentialStatus
from credtray.core.protocol.results import AgentStatus, DesktopStatus, ErrorEntry, PartStatus
from credtray.core.state import State
from credtray.core.summary import status_document
from credtray.doctor.all_rules import BY_CODE
from credtray.doctor.evidence import AgentFacts, Facts, spoken
from credtray.doctor.explain_error import MOST_TEXT, explain
from credtray.doctor.symptoms import SYMPTOMS
from credtray.doctor.symptoms_of_keys import Symptom
from tests.core.diagnosis_facts import FINE, GOOD_TOKEN, OTHER, SESSION, WRONG, config, frozen, minutes, token
from tests.core.making import NOON, after, signed_in

REFRESH_FAILED = "Error when retrieving token from sso: Token has expired and refresh failed"


def causes(text: str, facts: Facts = FINE) -> list[str]:
    return [item.kind.code for item in explain(text, facts)]


def here(text: str, facts: Facts = FINE) -> list[str]:
    return [item.kind.code for item in explain(text, facts) if item.present is not None]


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda item: item.text[:40])
def test_every_text_of_the_reference_is_explained_by_its_own_causes(symptom: Symptom) -> None:
    found = causes(symptom.text.replace("...", "something"))

    assert found[0] == symptom.causes[0].code
    assert {kind.code for kind in symptom.causes} <= set(found)


@pytest.mark.parametrize(
    "code", sorted({kind.code for item in SYMPTOMS for kind in item.causes} & set(WRONG))
)
def test_the_cause_that_applies_here_comes_first(code: str) -> None:
    symptom = next(item for item in SYMPTOMS if BY_CODE[code] in item.causes)
    found = explain(symptom.text, WRONG[code]())

    assert code in [item.kind.code for item in found if item.present is not None]
    assert found[0].present is not None


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        (token(expires_at=minutes(-55), has_refresh_token=False), "sign_in_ended"),
        (
            replace(token(expires_at=minutes(-5)), agent=WRONG["agent_not_running"]().agent),
            "access_token_expired",
        ),
        (WRONG["token_of_other_session"](), "token_of_other_session"),
        (WRONG["legacy_profiles"](), "legacy_profiles"),
        (WRONG["clock_off"](), "clock_off"),
    ],
)
def test_the_same_text_means_what_is_so_here(facts: Facts, first: str) -> None:
    assert here(REFRESH_FAILED, facts)[0] == first


def test_the_session_that_the_text_names_is_meant() -> None:
    gone = replace(GOOD_TOKEN, held=WRONG["signed_out"]().tokens["corp"].held)
    facts = replace(FINE, config=config(SESSION, OTHER), tokens=frozen(corp=gone, spare=gone))
    found = explain("Error loading SSO Token: Token for spare does not exist", facts)

    assert found[0].present is not None
    assert found[0].present.session == "spare"
    assert found[0].cure == "Run: credtray login spare"


def test_the_only_session_is_meant_where_the_text_names_none() -> None:
    (cure,) = {item.cure for item in explain("sign_in_ended", FINE)}

    assert cure == "Run: credtray login corp"


def test_what_applies_is_told_with_its_time() -> None:
    found = explain(REFRESH_FAILED, token(expires_at=minutes(-55), has_refresh_token=False))

    assert found[0].present is not None
    assert "ended at 13:05 UTC, 55 min ago" in found[0].present.seen[0].text


@pytest.mark.parametrize(
    "text", ["", " \n", "hello world", "the quick brown fox", "404 not found", "\x1b[31m\x00"]
)
def test_an_unknown_text_is_unknown(text: str) -> None:
    assert explain(text, WRONG["sign_in_ended"]()) == ()


@pytest.mark.parametrize("error", every_error()[1:], ids=lambda kind: kind.code)
def test_errors_of_ours_are_known_by_code_and_by_what_is_printed(error: type[CredtrayError]) -> None:
    printed = f"error: {error('something')}\nhint: {error.hint}"

    assert causes(error.code)
    assert causes(printed) or error is UsageError  # the only kind that prints no title of its own


@pytest.mark.parametrize("code", BY_CODE)
def test_codes_of_findings_are_known(code: str) -> None:
    assert causes(f"  `{code.upper()}`\n")[0] == code


def test_colours_line_ends_and_typographic_quotes_do_not_matter() -> None:
    assert causes("\x1b[1;31mError when\r\n  retrieving\ttoken\x1b[0m from sso: x")[0] == "sign_in_ended"
    assert causes("aws: [ERROR]: \u2019roleCredentials\u2019") == ["captive_portal"]
    assert causes("\x1b]0;title\x07No access: ForbiddenException") == ["role_refused"]


def test_of_a_huge_text_the_ends_are_looked_at() -> None:
    filler = "token for An error occurred (x) SSO session associated with profile\n" * 80_000
    found = causes(filler + REFRESH_FAILED)

    assert "sign_in_ended" in found
    assert len(filler) > MOST_TEXT


@pytest.mark.parametrize("piece", ["\\", "\\n", "[", "'", "x", "\x1b["])
def test_a_text_of_one_character_does_not_hold_it_up(piece: str) -> None:
    assert causes(piece * MOST_TEXT) == []  # were it to go back and forth, the test would not end


def test_what_the_outer_error_quotes_comes_first() -> None:
    text = "Error when retrieving credentials from custom-process: error: A sign-in is needed: session corp"

    assert causes(text)[0] == "sign_in_ended"
    assert "credential_process_missing" in causes(text)


@given(st.text(max_size=400))
def test_any_text_is_taken(text: str) -> None:
    for item in explain(text, FINE):
        assert item.cure
        assert item.kind.title


# --- what is observed --------------------------------------------------------------------------------

SECRET = "canary-5f1b"


@given(
    st.sampled_from(
        ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_X", "AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    )
)
def test_a_variable_that_may_be_secret_is_only_set(name: str) -> None:
    assert spoken({name: SECRET}) == {name: "set"}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"http://me:{SECRET}@proxy.example:3128", "http://proxy.example:3128"),
        (f"me:{SECRET}@proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example", "http://proxy.example"),
        (f"http://{SECRET}:notaport@", "set"),
        ("http://proxy:99999", "set"),
    ],
)
def test_a_proxy_is_shown_without_its_login(address: str, shown: str) -> None:
    assert spoken({"HTTPS_PROXY": address, "EMPTY": "", "AWS_PROFILE": ""}) == {"HTTPS_PROXY": shown}


def test_what_an_agent_tells_is_read() -> None:
    trouble = ErrorEntry("offline", "no network", "Check it.")
    told = status_document(State(), AgentStatus(running=True, version="0.2.0"), NOON)
    state = after(signed_in("dev"), RefreshFailed("corp", Offline().problem))
    session, profile = (
        status_document(state, told.agent, NOON).sessions[0],
        status_document(state, told.agent, NOON).profiles[0],
    )
    facts = AgentFacts.of(
        msgspec.structs.replace(
            told,
            sessions=(session,),
            profiles=(msgspec.structs.replace(profile, error=trouble),),
            problems=(trouble,),
            desktop=DesktopStatus(PartStatus(None, "no bus")),
        )
    )

    assert facts.version == "0.2.0"
    assert facts.sessions["corp"].state is CredentialStatus.OFFLINE
    assert facts.sessions["corp"].trouble is not None
    assert facts.profiles["dev"].code == "offline"
    assert facts.problems[0].text == "no network"
    assert facts.desktop["tray"].reason == "no bus"
