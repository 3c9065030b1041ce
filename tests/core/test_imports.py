from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from credtray.core import state_document
from credtray.core.desired_sections import unwanted_sections, wanted_sections
from credtray.core.errors import FileContended, SectionNotOurs
from credtray.core.events import (
    Activated,
    Begun,
    ClockChanged,
    Deactivated,
    Fetched,
    Imported,
    ImportFailed,
    MarksRead,
    NoticeUnseen,
    PartChanged,
    PresenceChanged,
    SettingsLoaded,
    SignedOut,
    Stopping,
    Switched,
    Synced,
    Tick,
)
from credtray.core.notice_texts import notice_words
from credtray.core.notices import Notice, Subject, imports_due, imports_moot
from credtray.core.pasted_keys import known_from
from credtray.core.policy import ShowNotice, SyncCredentialsFile, WithdrawNotice, decide, next_look
from credtray.core.ports import DesktopPart, Mark, Part, Presence
from credtray.core.protocol.results import AgentStatus
from credtray.core.section_mark import key_digest
from credtray.core.settings import ProfileSettings, Settings
from credtray.core.state import State
from credtray.core.summary import status_document
from tests.as_json import as_json
from tests.core.making import HOUR, MINUTE, NOON, after, fetching, keys, signed_in, started

SECTION = "111122223333_ReadOnly"
OWNER = ("111122223333", "ReadOnly")


def pasted(life: timedelta = 4 * HOUR, *, name: str = "P", section: str = SECTION) -> Imported:
    return Imported(section, keys(life=life, name=name), *OWNER)


def mark(life: timedelta = 4 * HOUR, *, name: str = "P", section: str = SECTION) -> Mark:
    return Mark(section, "/".join(OWNER), NOON + life, key_digest(f"ASIA{name}"), pasted=True)


def imported(life: timedelta = 4 * HOUR, *, settings: Settings = Settings()) -> State:
    """Keys pasted at noon and written."""
    return after(started(settings=settings), pasted(life), Synced((mark(life),)))


def restarted(state: State, *marks: Mark, now: datetime = NOON) -> State:
    """What the next agent knows once it has read the credentials file."""
    return after(state_document.decode(state_document.encode(state)), MarksRead(marks), now=now)


def wanted(state: State, at: datetime = NOON) -> list[str]:
    return [each.section for each in wanted_sections(state, at)]


def unwanted(state: State, at: datetime = NOON) -> list[str]:
    return list(unwanted_sections(state, at))


def subjects(state: State, at: datetime) -> list[Subject]:
    return [each.subject for each in imports_due(state, at)]


def shown(state: State, at: datetime) -> State:
    for notice in imports_due(state, at):
        state = after(state, Begun(ShowNotice(notice)), now=at)
    return state


# --- the section -------------------------------------------------------------------------------------


def test_pasted_keys_are_written_once_under_their_owner() -> None:
    state = after(started(), pasted())
    section = wanted_sections(state, NOON)[0]

    assert (section.section, section.profile, section.pasted) == (SECTION, "111122223333/ReadOnly", True)
    assert wanted(after(state, Synced((mark(),)))) == []


def test_they_stay_until_their_end_and_go_then() -> None:
    state = imported()

    assert unwanted(state, NOON + 4 * HOUR - timedelta(seconds=1)) == []
    assert unwanted(state, NOON + 4 * HOUR) == [SECTION]
    assert wanted(state, NOON + 4 * HOUR) == []


def test_a_setting_keeps_them_after_their_end() -> None:
    state = imported(settings=Settings(remove_keys_at_end=False))

    assert unwanted(after(state, Tick(), now=NOON + 9 * HOUR), NOON + 9 * HOUR) == []
    assert unwanted(after(state, Tick(), now=NOON + 90 * HOUR), NOON + 90 * HOUR) == []


def test_the_end_of_the_agent_leaves_them_and_takes_what_can_be_fetched_anew() -> None:
    dev = Mark("dev", "dev", NOON + HOUR, key_digest("ASIA0"))
    state = after(signed_in("dev"), fetching("dev"), Fetched("dev", keys()), pasted())
    state = after(state, Synced((dev, mark())), Stopping())

    assert unwanted(state) == ["dev"]


def test_an_agent_that_stops_still_writes_what_was_just_pasted() -> None:
    assert wanted(after(started(), pasted(), Stopping())) == [SECTION]


def test_signing_out_leaves_them() -> None:
    state = after(signed_in("dev"), pasted(), Synced((mark(),)), SignedOut("corp"))

    assert unwanted(state) == []


def test_new_ones_take_the_place_of_the_old_in_one_step() -> None:
    state = after(imported(), pasted(8 * HOUR, name="Q"))

    assert wanted(state) == [SECTION]
    assert unwanted(state) == []
    assert state.imports[SECTION].expires_at == NOON + 8 * HOUR


def test_a_section_that_is_refused_is_not_tried_for_ever() -> None:
    state = after(started(), pasted(), Synced((), {SECTION: SectionNotOurs("foreign").problem}))

    assert wanted(state) == []


def test_a_failed_import_brings_back_what_was_there() -> None:
    before = imported()
    state = after(before, pasted(8 * HOUR, name="Q"), ImportFailed(SECTION, before.imports[SECTION]))

    assert state.imports == before.imports
    assert after(started(), pasted(), ImportFailed(SECTION, None)).imports == {}


# --- what people choose ------------------------------------------------------------------------------


def test_deactivating_their_name_takes_them_out() -> None:
    state = after(imported(), Deactivated((SECTION,)))

    assert unwanted(state) == [SECTION]
    assert wanted(after(state, Synced(()))) == []


def test_a_profile_that_is_activated_takes_the_section_over_when_it_has_keys() -> None:
    state = after(
        signed_in("dev"), Deactivated(("dev",)), pasted(section="dev"), Synced((mark(section="dev"),))
    )
    state = after(state, Activated(("dev",)))

    assert unwanted(state) == []

    state = after(state, fetching("dev"), Fetched("dev", keys()))

    assert [(each.section, each.pasted) for each in wanted_sections(state, NOON)] == [("dev", False)]

    state = after(
        state, Synced((Mark("dev", "dev", NOON + HOUR, key_digest("ASIA0")),)), Deactivated(("dev",))
    )

    assert wanted(state) == []
    assert unwanted(state) == ["dev"]


def test_a_setting_that_gives_their_section_to_a_kept_profile_leaves_them_until_it_has_keys() -> None:
    state = after(signed_in("dev"), pasted(), Synced((mark(),)))
    state = after(state, SettingsLoaded(Settings(profiles={"dev": ProfileSettings(section=SECTION)})))

    assert unwanted(state) == []
    assert wanted(after(state, MarksRead(()))) == []


def test_a_section_that_somebody_deletes_is_written_again_while_the_keys_are_known() -> None:
    assert wanted(after(imported(), MarksRead(()))) == [SECTION]


def test_pasted_keys_in_default_are_given_back_by_switch_none() -> None:
    state = after(started(), pasted(section="default"), Synced((mark(section="default"),)), Switched(None))

    assert unwanted(state) == ["default"]


# --- restarts ----------------------------------------------------------------------------------------


def test_a_restart_keeps_them_though_no_secret_was_saved() -> None:
    state = imported()
    back = restarted(state, mark())

    assert not any(
        word in state_document.encode(state).decode() for word in ("ASIAP", '"secret"', '"session"')
    )
    assert unwanted(back) == []
    assert wanted(back) == []
    assert unwanted(back, NOON + 4 * HOUR) == [SECTION]
    assert back.imports[SECTION].role_name == "ReadOnly"


def test_a_kill_before_they_were_remembered_loses_nothing() -> None:
    back = restarted(started(), mark())

    assert unwanted(back) == []
    assert (back.imports[SECTION].account_id, back.imports[SECTION].role_name) == OWNER
    assert back.imports[SECTION].expires_at == NOON + 4 * HOUR


def test_a_kill_before_they_were_written_leaves_nothing_behind() -> None:
    back = restarted(after(started(), pasted()))

    assert back.imports == {}


def test_a_section_somebody_deleted_stays_deleted_after_a_restart() -> None:
    back = restarted(imported(), mark())

    assert after(back, MarksRead(())).imports == {}


def test_a_copy_of_the_file_that_comes_back_later_is_not_taken_for_a_paste() -> None:
    state = after(started(), MarksRead((mark(),)))

    assert unwanted(state) == [SECTION]


def test_an_owner_nobody_knows_is_read_back_as_such() -> None:
    nobody = known_from(replace(mark(), profile=""))

    assert (nobody.account_id, nobody.role_name, nobody.owner) == (None, None, "")


# --- the clock ---------------------------------------------------------------------------------------


def test_setting_the_clock_moves_their_end_along() -> None:
    state = after(imported(), ClockChanged(5 * HOUR), now=NOON + 5 * HOUR)

    assert state.imports[SECTION].expires_at == NOON + 9 * HOUR
    assert unwanted(state, NOON + 5 * HOUR) == []
    assert unwanted(state, NOON + 9 * HOUR) == [SECTION]


def test_keys_pasted_after_the_clock_was_set_stay_as_they_are() -> None:
    state = after(imported(), ClockChanged(-HOUR), now=NOON - 2 * HOUR)

    assert state.imports[SECTION].expires_at == NOON + 4 * HOUR


def test_their_secrets_are_forgotten_at_their_end_and_they_themselves_a_day_later() -> None:
    state = after(imported(), Tick(), now=NOON + 4 * HOUR)

    assert state.imports[SECTION].credentials is None

    state = after(state, Synced(()), Tick(), now=NOON + 27 * HOUR)

    assert SECTION in state.imports

    assert after(state, Tick(), now=NOON + 28 * HOUR).imports == {}


# --- what is told ------------------------------------------------------------------------------------


def test_a_person_is_reminded_once_and_told_once_when_they_have_ended() -> None:
    state = imported()
    soon, end = NOON + 3.5 * HOUR, NOON + 4 * HOUR

    assert subjects(state, soon - timedelta(seconds=1)) == []
    assert subjects(state, soon) == [Subject.PASTED_END_SOON]

    state = shown(state, soon)

    assert subjects(state, soon + 25 * MINUTE) == []
    assert subjects(state, end) == [Subject.PASTED_ENDED]
    assert subjects(shown(state, end), end + HOUR) == []


def test_who_was_away_all_the_while_hears_only_of_the_end() -> None:
    state = after(imported(), PresenceChanged(Presence(locked=True)))

    assert subjects(state, NOON + 3.6 * HOUR) == []
    assert subjects(state, NOON + 4.1 * HOUR) == []
    assert subjects(after(state, PresenceChanged(Presence())), NOON + 4.1 * HOUR) == [Subject.PASTED_ENDED]


def test_keys_shorter_than_a_threshold_are_told_of_at_the_next_one_only() -> None:
    state = imported(20 * MINUTE)

    assert subjects(state, NOON) == []
    assert subjects(state, NOON + 10 * MINUTE) == [Subject.PASTED_END_SOON]


def test_without_thresholds_only_the_end_is_told() -> None:
    state = imported(settings=Settings(warn_before=()))

    assert subjects(state, NOON + 239 * MINUTE) == []
    assert subjects(state, NOON + 240 * MINUTE) == [Subject.PASTED_ENDED]


def test_a_reminder_is_not_repeated_after_a_restart() -> None:
    soon = NOON + 3.5 * HOUR
    back = restarted(shown(imported(), soon), mark(), now=soon)

    assert subjects(back, soon + MINUTE) == []


def test_new_keys_take_the_reminder_back_and_get_one_of_their_own() -> None:
    soon = NOON + 3.5 * HOUR
    state = after(shown(imported(), soon), pasted(8 * HOUR, name="Q"), now=soon)

    assert imports_moot(state, soon) == (f"pasted:{SECTION}",)
    assert subjects(state, NOON + 7.5 * HOUR) == [Subject.PASTED_END_SOON]


def test_deactivating_takes_the_notice_back_and_forgets_them_then() -> None:
    soon = NOON + 3.5 * HOUR
    state = after(shown(imported(), soon), Deactivated((SECTION,)), now=soon)
    actions = [each for each in decide(state, soon) if isinstance(each, WithdrawNotice)]

    assert actions == [WithdrawNotice("", f"pasted:{SECTION}")]
    assert unwanted(state, soon) == [SECTION]
    assert after(state, Begun(WithdrawNotice("", f"pasted:{SECTION}")), now=soon).imports == {}


def test_a_notice_nobody_could_see_is_told_when_somebody_can_be() -> None:
    soon = NOON + 3.5 * HOUR
    state = imported()
    notice = imports_due(state, soon)[0]
    state = after(shown(state, soon), NoticeUnseen("", notice.key, notice.tells), now=soon)

    assert subjects(state, soon) == []
    assert state_document.decode(state_document.encode(state)).imports[SECTION].said == frozenset()

    state = after(state, PartChanged(DesktopPart(Part.NOTIFICATIONS, "freedesktop")), now=soon)

    assert subjects(state, soon) == [Subject.PASTED_END_SOON]


def test_the_policy_shows_the_reminder_and_looks_again_when_it_is_due() -> None:
    state = imported()
    soon = NOON + 3.5 * HOUR
    told = [each for each in decide(state, soon) if isinstance(each, ShowNotice)]

    assert [each.notice.subject for each in told] == [Subject.PASTED_END_SOON]
    assert next_look(state, NOON) == soon


def test_the_words_say_what_to_do() -> None:
    notice = Notice(Subject.PASTED_END_SOON, "", "k", frozenset(), ends_at=NOON + HOUR, names=(SECTION,))
    words = notice_words(notice, NOON, NOON.tzinfo)
    ended = notice_words(replace(notice, subject=Subject.PASTED_ENDED), NOON + 2 * HOUR, NOON.tzinfo)

    assert words.title == f"Pasted keys of {SECTION} end at 13:00"
    assert ended.title == f"Pasted keys of {SECTION} ended at 13:00"
    assert "credtray import" in words.body


# --- status ------------------------------------------------------------------------------------------


def test_status_tells_of_them() -> None:
    state = after(imported(), Synced((mark(),), {SECTION: FileContended("changed").problem}))
    state = replace(state, file=replace(state.file, refused={SECTION: SectionNotOurs("foreign").problem}))
    told = as_json(
        status_document(state, AgentStatus(running=False, pid=None, version=None), NOON + 3.75 * HOUR)
    )["imports"]

    assert told == [
        {
            "section": SECTION,
            "account_id": "111122223333",
            "account_name": None,
            "role_name": "ReadOnly",
            "state": "advisory",
            "expires_at": "2026-11-22T16:00:00Z",
            "error": {
                "code": "section_not_ours",
                "text": SectionNotOurs("foreign").problem.title,
                "hint": SectionNotOurs.hint,
            },
        }
    ]


def test_both_a_profile_and_pasted_keys_are_written_in_one_rewrite() -> None:
    state = after(signed_in("dev"), pasted(), fetching("dev"), Fetched("dev", keys()))
    syncs = [each for each in decide(state, NOON + MINUTE) if isinstance(each, SyncCredentialsFile)]

    assert [sorted(each.section for each in sync.wanted) for sync in syncs] == [[SECTION, "dev"]]
