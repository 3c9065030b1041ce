"""A refresh that several programs share: who calls, who adopts, and what survives every fault."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from credtray.aws.token_refresh import AFTER_REFUSAL_PAUSES, ATTEMPTS
from credtray.core.errors import (
    Offline,
    RegistrationRefused,
    SignInRequired,
    TokenMismatch,
    TokenRefused,
    TokenUnreadable,
)
from credtray.core.models import AccessToken, Secret
from tests.aws.refresh_scene import CLIENT, CORP, NOW, Scene, scene_in, token


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = scene_in(tmp_path)
    made.cache.write(CORP, token(1))
    return made


def _tear(scene: Scene) -> None:
    scene.cache.token_path(CORP).write_bytes(b"{")


def test_the_fresh_token_is_returned_and_on_the_disk(scene: Scene) -> None:
    fresh = scene.refresh(token(1))

    assert fresh == token(2, 62)
    assert fresh == scene.on_disk()


def test_a_token_another_program_refreshed_is_adopted_without_a_call(scene: Scene) -> None:
    scene.cache.write(CORP, token(2))

    assert token(2) == scene.refresh(token(1))
    assert not scene.center.calls


def test_an_expired_token_of_another_program_is_refreshed_with_its_own_refresh_token(scene: Scene) -> None:
    scene.cache.write(CORP, token(7, -1))
    scene.center.current = "refresh-7"
    scene.refresh(token(1))

    assert scene.center.calls == ["refresh-7"]


def test_a_vanished_file_means_signed_out_and_is_never_written_back(scene: Scene) -> None:
    scene.cache.drop(CORP, token(1))

    assert scene.refresh(token(1)) is None
    assert scene.on_disk() is None
    assert not scene.center.calls


def test_a_file_that_vanishes_during_the_call_is_not_written_back(scene: Scene) -> None:
    scene.center.during = lambda: scene.cache.token_path(CORP).unlink()

    assert scene.refresh(token(1)) is None
    assert scene.on_disk() is None


def test_a_sign_in_during_the_call_is_not_overwritten(scene: Scene) -> None:
    scene.center.during = lambda: scene.cache.write(CORP, token(50))

    assert token(50) == scene.refresh(token(1))
    assert token(50) == scene.on_disk()


def test_after_a_refusal_the_token_of_a_faster_program_is_adopted(scene: Scene) -> None:
    scene.center.current = "refresh-2"
    scene.center.during = lambda: scene.cache.write(CORP, token(2))

    assert token(2) == scene.refresh(token(1))
    assert scene.center.calls == ["refresh-1"]


def test_after_a_refusal_a_faster_program_gets_time_to_write(scene: Scene) -> None:
    scene.center.current = "refresh-2"
    scene.waiter.during = lambda seconds: scene.cache.write(CORP, token(2)) if seconds == 0.4 else None

    assert token(2) == scene.refresh(token(1))


def test_after_a_refusal_a_vanished_file_means_signed_out(scene: Scene) -> None:
    scene.center.current = "refresh-2"
    scene.center.during = lambda: scene.cache.token_path(CORP).unlink()

    assert scene.refresh(token(1)) is None


def test_an_expired_token_of_a_faster_program_is_refreshed_in_turn(scene: Scene) -> None:
    scene.center.current = "refresh-2"
    scene.center.during = lambda: scene.cache.write(CORP, token(2, -1))
    scene.center.number = 2
    fresh = scene.refresh(token(1))

    assert scene.center.calls == ["refresh-1", "refresh-2"]
    assert fresh == token(3, 63)


def test_programs_that_outrun_each_refusal_cost_no_endless_calls(scene: Scene) -> None:
    outruns = iter(range(2, 10))

    def outrun() -> None:
        number = next(outruns, None)
        if number is not None:
            scene.cache.write(CORP, token(number, -1))

    scene.center.current = "refresh-nobody-has"
    scene.center.during = outrun
    with pytest.raises(TokenRefused):
        scene.refresh(token(1))

    assert len(scene.center.calls) == ATTEMPTS


def test_a_refusal_nobody_outran_is_told_and_deletes_nothing(scene: Scene) -> None:
    scene.center.current = "gone"
    before = scene.cache.token_path(CORP).read_bytes()
    with pytest.raises(TokenRefused):
        scene.refresh(token(1))

    assert before == scene.cache.token_path(CORP).read_bytes()
    assert scene.center.calls == ["refresh-1"]
    assert [pause for pause in AFTER_REFUSAL_PAUSES if pause] == scene.waiter.pauses


def test_a_reply_without_refresh_token_keeps_the_old_one(scene: Scene) -> None:
    scene.center.keeps_refresh_token = True
    fresh = scene.refresh(token(1))

    assert fresh is not None
    assert Secret("refresh-1") == fresh.refresh_token
    assert fresh == scene.on_disk()


def test_unknown_fields_of_the_file_survive_a_refresh(scene: Scene) -> None:
    path = scene.cache.token_path(CORP)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"theirs": 1}))
    scene.refresh(token(1))

    assert 1 == json.loads(path.read_text())["theirs"]  # noqa: SIM300 - expected first


@pytest.mark.parametrize(
    ("there", "error"),
    [
        (replace(token(1), refresh_token=None), SignInRequired),
        (replace(token(1), registration=None), SignInRequired),
        (replace(token(1), registration=replace(CLIENT, expires_at=NOW)), RegistrationRefused),
    ],
)
def test_what_cannot_be_refreshed_costs_no_call(
    scene: Scene, there: AccessToken, error: type[Exception]
) -> None:
    scene.cache.write(CORP, there)
    with pytest.raises(error):
        scene.refresh(token(1))

    assert not scene.center.calls


def test_an_unreadable_file_costs_no_call(scene: Scene) -> None:
    scene.cache.token_path(CORP).write_bytes(b"garbage")
    with pytest.raises(TokenUnreadable):
        scene.refresh(token(1))

    assert not scene.center.calls
    assert b"garbage" == scene.cache.token_path(CORP).read_bytes()  # noqa: SIM300 - expected first


def test_a_token_of_another_start_url_costs_no_call(scene: Scene) -> None:
    moved = replace(CORP, start_url="https://d-2.awsapps.com/start")
    with pytest.raises(TokenMismatch):
        scene.refresher.refresh(moved, token(1), NOW)

    assert not scene.center.calls


def test_a_fault_of_the_network_changes_nothing(scene: Scene) -> None:
    scene.center.fault = Offline("no route")
    with pytest.raises(Offline):
        scene.refresh(token(1))

    assert token(1) == scene.on_disk()


def test_a_file_torn_during_the_call_takes_the_fresh_token(scene: Scene) -> None:
    scene.center.during = partial(_tear, scene)
    fresh = scene.refresh(token(1))

    assert fresh == token(2, 62)
    assert fresh == scene.on_disk()


def test_a_token_that_cannot_be_written_is_used_and_written_later(scene: Scene) -> None:
    scene.cache.full = True
    fresh = scene.refresh(token(1))
    still_unsaved = scene.refresher.save_unsaved(CORP)
    scene.cache.full = False
    saved = scene.refresher.save_unsaved(CORP)

    assert fresh == token(2, 62)
    assert not still_unsaved
    assert saved
    assert fresh == scene.on_disk()


def test_a_token_that_was_never_written_can_still_be_refreshed(scene: Scene) -> None:
    scene.cache.full = True
    second = scene.refresh(token(1))
    assert second is not None
    third = scene.refresh(second)
    scene.cache.full = False
    scene.refresher.save_unsaved(CORP)

    assert scene.center.calls == ["refresh-1", "refresh-2"]
    assert third == token(3, 63)
    assert third == scene.on_disk()


def test_a_sign_out_outlives_a_token_that_could_not_be_written(scene: Scene) -> None:
    scene.cache.full = True
    scene.refresh(token(1))
    scene.cache.token_path(CORP).unlink()
    scene.cache.full = False

    assert scene.refresher.save_unsaved(CORP)
    assert scene.on_disk() is None
