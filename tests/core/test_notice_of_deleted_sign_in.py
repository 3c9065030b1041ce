"""Somebody deletes ~/.aws/sso/cache by hand: that is told once; a sign-out by a program is a quiet fact."""

from __future__ import annotations

import pytest

from credtray.core import protocol
from credtray.core.events import SignedIn, SignedOut, TokenFound, TokenVanished
from credtray.core.notice_texts import notice_words
from credtray.core.notices import Subject, holding
from tests.core.making import MINUTE, NOON, signed_in, started, token
from tests.core.screen import Screen

WIPED = TokenVanished("corp", emptied=True)


@pytest.mark.met("L")
def test_deleting_the_whole_token_cache_is_told_once_and_stays_there() -> None:
    screen = Screen(signed_in("dev"))

    assert screen.at(10, WIPED) == [Subject.DELETED]
    assert screen.at(11, WIPED) == []
    assert screen.at(60 * 24) == []
    assert screen.standing() == [Subject.DELETED]


@pytest.mark.met("L")
@pytest.mark.parametrize("event", [TokenVanished("corp"), SignedOut("corp")])
def test_signing_out_here_or_by_the_aws_cli_tells_nothing(event: TokenVanished | SignedOut) -> None:
    screen = Screen(signed_in("dev"))

    assert screen.at(10, event) == []


def test_a_cache_that_was_empty_from_the_beginning_tells_nothing() -> None:
    assert Screen(started("dev")).at(0, WIPED) == []


@pytest.mark.parametrize(
    "event", [SignedIn("corp", token(NOON + 12 * MINUTE)), TokenFound("corp", token(NOON + 12 * MINUTE))]
)
def test_the_next_sign_in_takes_it_back(event: SignedIn | TokenFound) -> None:
    screen = Screen(signed_in("dev"))
    screen.at(10, WIPED)
    screen.at(12, event)

    assert Subject.DELETED not in screen.standing()
    assert not screen.state.sessions["corp"].emptied


def test_it_offers_to_sign_in() -> None:
    screen = Screen(signed_in("dev"))
    screen.at(10, WIPED)
    (notice,) = holding(screen.state, screen.state.sessions["corp"], NOON + 10 * MINUTE)

    assert [button.click for button in notice_words(notice, NOON, None).buttons] == [protocol.Login("corp")]
