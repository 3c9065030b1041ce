"""A new role is told once, a removed one marks its profiles, and only a whole list of one's own counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credtray.core import protocol
from credtray.core.errors import (
    CredtrayError,
    FileUnwritable,
    NotifierUnavailable,
    Offline,
    RoleRefused,
    Throttled,
    UnexpectedReply,
)
from credtray.core.events import ConfigLoaded, NoticesPaused, PartChanged, SettingsLoaded
from credtray.core.models import Account, CredentialStatus, Profile
from credtray.core.ports import DesktopPart, Part
from credtray.core.protocol.results import ProfileStatus, StatusDocument
from credtray.core.settings import Settings
from credtray.desktop import paths
from credtray.history.entries import Kind
from credtray.history.sentences import sentences
from credtray.roles.watch import AT_ONCE, PAUSE_SECONDS, QUICK, RolesFile
from tests.core.making import HOUR, MINUTE, config, profile
from tests.roles.scene import ALICE, BOB, LAB, PLATFORM, Scene, played

NEW = "You now have ProdAdmin in synderys-prod: add a profile?"
GONE = "corp: you no longer have Admin in lab"


def assign(scene: Scene, *roles: str) -> None:
    """Give these roles in the platform's account besides the one that is there."""
    scene.portal.assigned[PLATFORM] = ("synderys-prod", ["ReadOnly", *roles])


def remove(scene: Scene) -> None:
    """Take the role of the profiles away, and with it the last one of the account."""
    del scene.portal.assigned[LAB]


async def document(scene: Scene) -> StatusDocument:
    done = await scene.daemon.ask(protocol.Status())
    assert isinstance(done, protocol.Done)
    assert isinstance(done.result, StatusDocument)
    return done.result


async def dev(scene: Scene) -> ProfileStatus:
    return next(item for item in (await document(scene)).profiles if item.name == "dev")


# --- what is told --------------------------------------------------------------------------------------


def test_first_look_tells_nothing() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()

        assert scene.looks == 1
        assert scene.told("now have") == []
        assert scene.listed() == []
        assert scene.record().new == frozenset()

    played(play)


def test_new_role_is_told_once_at_the_next_sign_in() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin")
        await scene.signed_in_again()
        assert scene.told("now have") == [NEW]
        await scene.signed_in_again()

        assert scene.told("now have") == [NEW]
        assert scene.looks == 3

    played(play)


def test_new_role_is_told_on_the_next_day_without_a_sign_in() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin")
        await scene.passed(10 * HOUR)
        assert scene.looks == 1
        await scene.next_day()

        assert scene.told("now have") == [NEW]
        assert scene.looks == 2

    played(play)


def test_several_new_roles_are_one_notice() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin", "Billing", "Audit")
        await scene.signed_in_again()

        assert scene.told("now have") == ["You now have 3 new roles: add profiles?"]
        notice = scene.notice("new")
        assert notice is not None
        names = "Audit in synderys-prod, Billing in synderys-prod, ProdAdmin in synderys-prod"
        assert notice.body == f"At corp: {names}."

    played(play)


def test_new_role_that_has_a_profile_is_no_news() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin")
        mine = Profile("prod", "corp", PLATFORM, "ProdAdmin")
        scene.daemon.loop.take(ConfigLoaded(config(profile(), mine)))
        await scene.signed_in_again()

        assert scene.told("now have") == []

    played(play)


def test_notice_goes_when_the_profile_is_added() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin")
        await scene.signed_in_again()
        assert scene.notice("new") is not None
        mine = Profile("prod", "corp", PLATFORM, "ProdAdmin")
        scene.daemon.loop.take(ConfigLoaded(config(profile(), mine)))
        await scene.passed()

        assert scene.notice("new") is None
        assert scene.record().new == frozenset()

    played(play)


def test_role_that_was_put_aside_is_told_again_only_after_it_went_and_came_back() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin")
        await scene.signed_in_again()
        await scene.press("Not now")
        assert scene.notice("new") is None
        await scene.signed_in_again()
        assert scene.told("now have") == [NEW]
        assign(scene)
        await scene.signed_in_again()
        assign(scene, "ProdAdmin")
        await scene.signed_in_again()

        assert scene.told("now have") == [NEW, NEW]

    played(play)


def test_what_was_put_aside_is_remembered_by_the_next_agent() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin")
        await scene.signed_in_again()
        await scene.press("Not now")
        await scene.ended()
        scene.daemon.killed()
        next_one = await Scene(before=scene).signed_in()
        await next_one.signed_in_again()
        await next_one.ended()

        assert next_one.looks > 2
        assert next_one.told("now have") == []

    played(play)


# --- roles that go --------------------------------------------------------------------------------------


def test_removed_role_is_told_once_and_marks_its_profile_and_deletes_nothing() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        remove(scene)
        await scene.signed_in_again()
        await scene.signed_in_again()

        assert scene.told("no longer") == [GONE]
        item = await dev(scene)
        assert item.error is not None
        assert (item.state, item.error.text) == (
            CredentialStatus.REFUSED,
            "The role is no longer assigned to you",
        )

    played(play)


def test_role_that_comes_back_makes_its_profile_well_and_takes_the_notice_back() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        was = scene.portal.assigned[LAB]
        remove(scene)
        await scene.signed_in_again()
        assert scene.notice("gone") is not None
        scene.portal.assigned[LAB] = was
        await scene.signed_in_again()

        assert (await dev(scene)).error is None
        assert scene.notice("gone") is None
        assert scene.told("now have") == []

    played(play)


def test_keys_of_a_role_that_was_gone_prove_that_it_is_back() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        remove(scene)
        await scene.signed_in_again()
        await scene.daemon.ask(protocol.Activate(("dev",)))
        await scene.passed()

        assert (await dev(scene)).error is None
        assert (LAB, "Admin") in scene.record().roles

    played(play)


def test_kept_profile_whose_role_came_back_gets_keys_before_its_next_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        was = scene.portal.assigned[LAB]
        remove(scene)
        scene.portal.refused_roles = {"Admin"}
        await scene.daemon.ask(protocol.Activate(("dev",)))
        await scene.signed_in_again()
        whole = scene.portal.accounts
        fetches = list[int]()

        def back(*given: Any) -> list[Account]:
            scene.portal.refused_roles, scene.portal.assigned[LAB] = set(), was
            fetches.append(scene.portal.counted["fetch"])
            return whole(*given)

        monkeypatch.setattr(scene.portal, "accounts", back)
        while not fetches:
            await scene.passed(MINUTE)
        await scene.passed(MINUTE)  # an hour between two tries by now

        assert (await dev(scene)).expires_at is not None
        assert scene.portal.counted["fetch"] == fetches[0] + 1

    played(play)


def test_person_who_was_refused_keys_is_not_told_the_same_again() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in("dev")
        remove(scene)
        scene.portal.refused_roles = {"Admin"}
        await scene.passed(HOUR)
        assert scene.told("no access to dev") == ["corp: no access to dev"]
        await scene.signed_in_again()

        assert scene.told("no longer") == []
        assert (await dev(scene)).error is not None

    played(play)


def test_person_who_was_told_of_a_removed_role_is_not_told_when_its_keys_are_refused() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in("dev")
        remove(scene)
        await scene.signed_in_again()
        assert scene.told("no longer") == [GONE]
        scene.portal.refused_roles = {"Admin"}
        await scene.passed(2 * HOUR)

        assert scene.told("no access") == []

    played(play)


# --- what does not count ---------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Offline, Throttled, UnexpectedReply])
@pytest.mark.parametrize("operation", ["accounts", "roles"])
def test_list_that_fails_is_no_list_and_is_asked_for_again(
    operation: str, error: type[CredtrayError]
) -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        remove(scene)
        assign(scene, "ProdAdmin")
        for _ in range(3):
            scene.portal.fail(operation, error("for a while"))
        await scene.signed_in_again()
        await scene.passed(HOUR)

        assert scene.told("now have") == [NEW]
        assert scene.told("no longer") == [GONE]
        assert len(scene.listed()) == 1

    played(play)


def test_while_lists_fail_no_role_is_gone() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        scene.portal.fail("roles", *[Throttled("for hours")] * 1000)
        remove(scene)
        await scene.signed_in_again()
        await scene.passed(5 * HOUR)

        assert (await dev(scene)).error is None
        assert scene.looks <= 2 + 5  # an hour after it began it begins anew; until then it goes on

    played(play)


def test_list_that_came_cut_off_takes_no_role_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        whole = scene.portal.accounts
        monkeypatch.setattr(scene.portal, "accounts", lambda *given: whole(*given)[:1])
        await scene.signed_in_again()

        assert scene.listed() == []
        assert (await dev(scene)).error is None
        monkeypatch.setattr(scene.portal, "accounts", whole)
        remove(scene)
        await scene.passed(HOUR)
        assert scene.told("no longer") == [GONE]

    played(play)


def test_account_of_which_the_portal_does_not_tell_keeps_its_roles() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        scene.portal.fail("roles", RoleRefused("HTTP 403"), RoleRefused("HTTP 403"))
        await scene.signed_in_again()

        assert scene.looks == 2
        assert scene.listed() == []
        assert scene.record().roles == {(PLATFORM, "ReadOnly"), (LAB, "Admin")}

    played(play)


def test_another_person_is_compared_with_herself() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in("dev")
        of_alice = dict(scene.portal.assigned)
        scene.portal.assigned = {PLATFORM: ("synderys-prod", ["ProdAdmin"])}
        await scene.signed_in_again(BOB)
        assert (scene.told("now have"), scene.told("no longer")) == ([], [])
        scene.portal.assigned = of_alice
        assign(scene, "Billing")
        await scene.signed_in_again(ALICE)

        assert scene.told("now have") == ["You now have Billing in synderys-prod: add a profile?"]
        assert scene.told("no longer") == []
        persons = {each.person for each in RolesFile(paths.state_directory() / "roles.json").load()}
        assert persons == {ALICE, BOB}

    played(play, asks_person=True)


# --- when, and how slowly ----------------------------------------------------------------------------------


def test_nobody_is_asked_while_nobody_is_there() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        scene.left()
        await scene.next_day()
        assert scene.looks == 1
        scene.came()
        await scene.passed()

        assert scene.looks == 2

    played(play)


def test_what_was_found_waits_for_a_person_who_has_left() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin")
        scene.daemon.loop.take(NoticesPaused(scene.daemon.clock.now() + HOUR))
        await scene.signed_in_again()
        assert (scene.looks, scene.told("now have")) == (2, [])
        await scene.passed(HOUR)

        assert scene.told("now have") == [NEW]

    played(play)


def test_nothing_is_asked_when_it_is_turned_off_and_marks_go() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        remove(scene)
        await scene.signed_in_again()
        scene.daemon.loop.take(SettingsLoaded(Settings(watch_roles=False)))
        await scene.signed_in_again()

        assert scene.looks == 2
        assert (await dev(scene)).error is None

    played(play)


def test_renewed_token_is_no_sign_in() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in("dev")
        await scene.passed(10 * HOUR)

        assert scene.portal.counted["refresh"] > 5
        assert scene.looks == 1

    played(play)


def test_thousands_of_accounts_are_asked_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    count, asked = 400, list[datetime]()

    async def play(scene: Scene) -> None:
        scene.portal.assigned |= {f"{number:012}": (f"a{number}", ["R"]) for number in range(count)}
        roles = scene.portal.roles

        def timed(*given: Any) -> list[str]:
            asked.append(scene.daemon.clock.now())
            return roles(*given)

        monkeypatch.setattr(scene.portal, "roles", timed)
        await scene.signed_in()
        await scene.passed(5 * MINUTE)

        assert len(asked) == count + 2
        assert asked[-1] - asked[0] >= timedelta(seconds=(count // AT_ONCE - QUICK) * PAUSE_SECONDS)
        assert asked[QUICK * AT_ONCE - 1] - asked[0] < timedelta(seconds=QUICK * PAUSE_SECONDS)

    played(play)


def test_look_that_broke_off_goes_on_where_it_was() -> None:
    async def play(scene: Scene) -> None:
        scene.portal.assigned |= {f"{number:012}": (f"a{number}", ["R"]) for number in range(50)}
        scene.began()
        await scene.daemon.started()
        scene.portal.fail("roles", Offline("once"))
        await scene.daemon.ask(protocol.Login("corp"))
        await scene.passed(5 * MINUTE)

        assert scene.looks == 1
        assert scene.portal.counted["roles"] == 52 + 1

    played(play)


def test_notice_that_could_not_be_shown_is_shown_when_the_desktop_changes() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin")
        scene.daemon.notifier.problem = NotifierUnavailable("no bus")
        await scene.signed_in_again()
        assert scene.told("now have") == []
        scene.daemon.notifier.problem = None
        scene.daemon.loop.take(PartChanged(DesktopPart(Part.NOTIFICATIONS, "freedesktop")))
        await scene.passed()

        assert scene.told("now have") == [NEW]

    played(play)


# --- what is kept -----------------------------------------------------------------------------------------


def test_history_tells_of_both() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in()
        remove(scene)
        assign(scene, "ProdAdmin")
        await scene.signed_in_again()
        told = [each for each in scene.entries if each.kind in {Kind.ROLES_CAME, Kind.ROLES_WENT}]

        assert [each.text for each in sentences(told, None)] == [
            "roles that are new at corp: ProdAdmin in synderys-prod",
            "roles you no longer have at corp: Admin in lab",
        ]
        assert told[1].profile == "dev"

    played(play)


@pytest.mark.posix("Windows keeps files private by the access list of the profile's folder")
def test_what_a_full_disk_did_not_take_is_written_when_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def full(path: Path, _content: bytes) -> None:
        tries.append(path)
        raise FileUnwritable("no space left on device")

    async def play(scene: Scene) -> None:
        await scene.signed_in()
        assign(scene, "ProdAdmin")
        with monkeypatch.context() as disk:
            disk.setattr("credtray.roles.watch.write_atomically", full)
            await scene.signed_in_again()
            assert scene.told("now have") == [NEW]
            assert scene.record().new == frozenset()
            await scene.passed(HOUR)
            assert 2 <= len(tries) <= 8
        await scene.passed(HOUR)

        assert scene.record().told == {(PLATFORM, "ProdAdmin")}

    played(play)


@pytest.mark.posix("modes")
def test_file_is_private_and_holds_no_secret() -> None:
    async def play(scene: Scene) -> None:
        await scene.signed_in("dev")
        path = paths.state_directory() / "roles.json"

        assert path.stat().st_mode & 0o077 == 0
        assert b"CANARY" not in path.read_bytes()

    played(play)
