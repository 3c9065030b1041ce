from __future__ import annotations

from dataclasses import replace

import pytest

from credtray.core import state_document
from credtray.core.desired_sections import unwanted_sections
from credtray.core.errors import Offline, RoleRefused, SectionNotOurs, TokenRefused
from credtray.core.events import (
    Activated,
    Begun,
    ConfigLoaded,
    Fetched,
    FetchFailed,
    MarksRead,
    NoticesPaused,
    PartChanged,
    PresenceChanged,
    Refreshed,
    RefreshFailed,
    SignedIn,
    SignInStarted,
    Switched,
    TokenFound,
    TokenVanished,
)
from credtray.core.models import ConfigWarning
from credtray.core.notices import Notice, Subject
from credtray.core.policy import ShowNotice
from credtray.core.ports import DesktopPart, Mark, Part, Presence
from credtray.core.protocol.results import AgentStatus
from credtray.core.state import State
from credtray.core.summary import status_document
from tests.as_json import as_json
from tests.core.making import (
    HOUR,
    MINUTE,
    NOON,
    after,
    config,
    fetching,
    keys,
    profile,
    session,
    signed_in,
    started,
    token,
)

AGENT = AgentStatus(running=True, pid=7, version="1")


# --- what survives a restart -------------------------------------------------------------------------


def test_choices_that_could_not_be_read_are_those_the_file_holds() -> None:
    kept = Mark("dev", "dev", NOON + HOUR, "0" * 16)
    mirrored = Mark("default", "ro", NOON + HOUR, "1" * 16)
    pasted = Mark("p", "111100000000/DNS", NOON + HOUR, "2" * 16, pasted=True)
    state = after(State(choices_unknown=True), ConfigLoaded(config(profile("dev"), profile("ro"))))
    found = after(state, MarksRead((kept, mirrored, pasted)))
    later = after(found, MarksRead(()))

    assert (found.active, found.default) == (("dev",), "ro")
    assert unwanted_sections(found, NOON) == ()
    assert (later.active, later.default, later.choices_unknown) == (("dev",), "ro", False)


def test_what_a_person_chose_before_the_file_was_read_counts() -> None:
    unknown = replace(started("dev", "ro"), choices_unknown=True)
    state = after(unknown, Switched("dev"), Activated(("dev",)))
    marks = (Mark("ro", "ro", NOON + HOUR, "0" * 16), Mark("default", "ro", NOON + HOUR, "0" * 16))

    found = after(state, MarksRead(marks))

    assert (found.active, found.default) == (("dev", "ro"), "dev")


def test_choices_learned_ends_and_what_was_told_survive_a_restart() -> None:
    state = after(signed_in("dev", "ro"), Switched("ro"))
    state = after(state, Refreshed("corp", token(NOON + 40 * MINUTE, 50 * MINUTE)), now=NOON + 40 * MINUTE)
    state = after(
        state, Begun(ShowNotice(Notice(Subject.ENDS_SOON, "corp", "sign-in:corp", frozenset({"soon:1800"}))))
    )
    back = state_document.decode(state_document.encode(state))
    back = after(back, ConfigLoaded(config(profile("dev"), profile("ro"))), TokenFound("corp", token()))

    assert (back.active, back.default, back.seed) == (("dev", "ro"), "ro", "s")
    assert back.sessions["corp"].sign_in == state.sessions["corp"].sign_in
    assert back.sessions["corp"].memory == state.sessions["corp"].memory
    assert back.sessions["corp"].said == {"soon:1800"}


def test_no_secret_is_remembered() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()))
    text = state_document.encode(state).decode()

    assert not any(secret in text for secret in ("a-t0", "r-t0", "client-secret", '"secret"', "ASIA0"))


def test_a_document_of_a_newer_version_is_refused() -> None:
    with pytest.raises(state_document.NewerVersion):
        state_document.decode(b'{"version": 2, "active": "another shape"}')


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"active": 3}', b'{"version": "x"}', b"\xff\x00"])
def test_a_torn_document_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        state_document.decode(data)


def test_another_identity_center_under_the_same_name_inherits_nothing() -> None:
    back = state_document.decode(state_document.encode(signed_in("dev")))
    other = replace(session(), start_url="https://d-9067000009.awsapps.com/start")
    back = after(back, ConfigLoaded(config(profile("dev"), sessions=(other,))))

    assert back.sessions["corp"].sign_in is None
    assert back.sessions["corp"].memory.token_life is None


def test_a_session_that_vanishes_from_the_config_file_and_returns_keeps_what_was_learned() -> None:
    state = after(signed_in("dev"), ConfigLoaded(config(sessions=())), ConfigLoaded(config(profile("dev"))))

    assert state.sessions["corp"].sign_in is not None


# --- the status document -----------------------------------------------------------------------------


def test_the_contract_of_status_json() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()), Switched("dev"))
    found = as_json(status_document(state, AGENT, NOON))

    assert found["version"] == 1
    assert found["agent"] == {"running": True, "pid": 7, "version": "1"}
    assert (
        found["sessions"][0]
        | {
            "name": "corp",
            "start_url": "https://d-9067000001.awsapps.com/start",
            "state": "fresh",
            "signed_in_until": "2026-11-22T20:00:00Z",
            "end_is_estimate": True,
            "access_token_expires_at": "2026-11-22T13:00:00Z",
            "error": None,
        }
        == found["sessions"][0]
    )
    assert (
        found["profiles"][0]
        | {
            "name": "dev",
            "session": "corp",
            "account_id": "111100000000",
            "role_name": "Admin",
            "active": True,
            "default": True,
            "state": "fresh",
            "expires_at": "2026-11-22T13:00:00Z",
            "error": None,
        }
        == found["profiles"][0]
    )


@pytest.mark.met("F2")
def test_status_says_which_of_both_files_a_line_is_in() -> None:
    warnings = (
        ConfigWarning("dev", 2, "not good", "Mend it.", in_credentials=True),
        ConfigWarning("dev", 7, "not good", "Mend it."),
    )
    state = signed_in("dev")
    found = as_json(
        status_document(replace(state, config=replace(state.config, warnings=warnings)), AGENT, NOON)
    )

    assert [(item["file"], item["line"]) for item in found["warnings"]] == [("credentials", 2), ("config", 7)]


def test_status_tells_how_the_desktop_is_served_and_who_is_there() -> None:
    state = after(
        signed_in("dev"),
        PartChanged(DesktopPart(Part.TRAY, None, "no panel shows icons")),
        PartChanged(DesktopPart(Part.NOTIFICATIONS, "freedesktop")),
        PresenceChanged(Presence(locked=True)),
        NoticesPaused(NOON + HOUR),
    )
    found = as_json(status_document(state, AGENT, NOON))

    assert found["desktop"] == {
        "tray": {"back_end": None, "reason": "no panel shows icons"},
        "notifications": {"back_end": "freedesktop", "reason": None},
        "presence": {"back_end": None, "reason": None, "locked": True, "idle": False, "asleep": False}
        | {"busy": False},
    }
    assert found["notices_paused_until"] == "2026-11-22T13:00:00Z"
    assert as_json(status_document(state, AGENT, NOON + HOUR))["notices_paused_until"] is None
    assert found["profiles"][0]["account_name"] == "Lab"


def test_no_secret_is_in_the_status_document() -> None:
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()))

    assert not any(
        secret in str(as_json(status_document(state, AGENT, NOON))) for secret in ("a-t0", "r-t0", "ASIA0")
    )


def _states(state: object, minutes: float = 0) -> tuple[str, str]:
    found = as_json(status_document(state, AGENT, NOON + minutes * MINUTE))  # type: ignore[arg-type]  # spares a cast a line
    return found["sessions"][0]["state"], found["profiles"][0]["state"]


def test_the_words_for_every_standing() -> None:
    fetched = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()))
    cut = after(fetched, Refreshed("corp", token(NOON + 40 * MINUTE, 50 * MINUTE)), now=NOON + 40 * MINUTE)
    ended = after(cut, RefreshFailed("corp", TokenRefused().problem), now=NOON + 45 * MINUTE)
    offline = after(fetched, RefreshFailed("corp", Offline().problem), now=NOON + 41 * MINUTE)
    refused = after(signed_in("dev"), fetching("dev"), FetchFailed("dev", RoleRefused().problem))

    assert _states(after(started("dev"), TokenVanished("corp"))) == ("signed_out", "signed_out")
    assert _states(after(started("dev"), SignInStarted("corp"))) == ("signing_in", "signing_in")
    assert _states(fetched) == ("fresh", "fresh")
    assert _states(cut, 45) == ("fresh", "advisory")
    assert _states(cut, 60) == ("advisory", "expired")
    assert _states(cut, 80) == ("mandatory", "expired")
    assert _states(ended, 46) == ("expired", "advisory")
    assert _states(offline, 51) == ("offline", "mandatory")
    assert _states(refused) == ("fresh", "refused")


def test_an_inactive_profile_has_the_state_of_its_session_and_no_expiry() -> None:
    state = after(started("dev"), SignedIn("corp", token()))
    found = as_json(status_document(state, AGENT, NOON))["profiles"][0]

    assert (found["state"], found["expires_at"], found["active"]) == ("fresh", None, False)


def test_a_legacy_token_that_has_run_out_is_expired() -> None:
    state = after(started("dev"), SignedIn("corp", token(life=8 * HOUR, refreshable=False)))

    assert as_json(status_document(state, AGENT, NOON + 8 * HOUR))["sessions"][0]["state"] == "expired"


def test_a_profile_of_two_refused_sections_tells_of_its_own() -> None:
    state = after(signed_in("dev"), Switched("dev"))
    refused = {name: SectionNotOurs(f"[{name}]").problem for name in ("default", "dev")}
    state = replace(state, file=replace(state.file, refused=refused))
    found = as_json(status_document(state, AGENT, NOON))["profiles"][0]

    assert (found["state"], found["error"]["text"]) == ("refused", refused["dev"].title)
