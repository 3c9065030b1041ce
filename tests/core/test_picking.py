from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.cli.picking import Picking

ROWS = (
    "billing 111100000001  ReadOnly",
    "billing 111100000001  AdministratorAccess",
    "network 111100000002  ReadOnly",
    "日本語 111100000003  AdministratorAccess",
)
MANY = [f"account-{number} 1111{number:08d}  Role" for number in range(2000)]


def typed(*keys: str, rows: tuple[str, ...] = ROWS) -> Picking:
    picking = Picking(rows)
    for key in keys:
        picking.typed(key)
    return picking


@pytest.mark.met("M1")
def test_a_blank_in_a_search_ticks_nothing_and_parts_its_words() -> None:
    picking = typed(*"bill read")

    assert picking.picked == set()
    assert [ROWS[at] for at in picking.matches] == [ROWS[0]]


@pytest.mark.met("M1")
@pytest.mark.parametrize(
    "search", ["read bill", "BILLING only", "0001 readonly  ", "read 1111 bill", "ö" * 9, "zzz"]
)
def test_all_words_match_in_any_order_and_what_has_no_hit_shows_no_row(search: str) -> None:
    matches = typed(*search).matches

    assert list(matches) == ([] if set(search) <= {"ö", "z"} else [0])


@pytest.mark.met("M1")
def test_the_counter_says_how_many_of_how_many() -> None:
    picking = Picking(MANY, {1, 2, 3})

    assert picking.counter == "3 of 2000 picked"

    picking.typed("account-19")

    assert picking.counter == "3 of 2000 picked, 111 match"


@pytest.mark.met("M1")
def test_a_blank_picks_only_while_there_is_no_search() -> None:
    picking = typed(" ")

    assert picking.picked == {0}

    picking.typed(" ")

    assert picking.picked == set()


@pytest.mark.met("M1")
def test_enter_without_a_pick_stays_and_says_so() -> None:
    picking = typed(*"network")

    assert picking.finish() is None
    assert "Nothing is picked yet" in picking.remark
    assert picking.finish() is None

    picking.toggle()

    assert picking.finish() == [2]


def test_enter_on_a_search_of_which_nothing_is_picked_asks_once() -> None:
    picking = Picking(ROWS, {0})
    picking.typed("network")

    assert picking.finish() is None
    assert "None of these is picked" in picking.remark
    assert picking.finish() == [0]


def test_all_that_match_are_picked_and_let_go_by_one_key() -> None:
    picking = typed(*"readonly")
    picking.toggle_matches()

    assert picking.picked == {0, 2}

    picking.clear()
    picking.toggle_matches()

    assert picking.picked == {0, 1, 2, 3}

    picking.toggle_matches()

    assert picking.picked == set()


def test_a_search_without_hits_picks_nothing() -> None:
    picking = typed(*"zzz")
    picking.toggle()
    picking.move(1)

    assert (picking.picked, picking.pointed) == (set(), None)


def test_the_pointer_stays_on_its_row_when_the_search_goes() -> None:
    picking = typed(*"network")
    picking.clear()

    assert picking.pointed == 2
    assert picking.search == ""


@given(
    st.lists(st.one_of(st.sampled_from(["typed a", "typed 1", "typed  ", "erase", "clear", "toggle", "all"]),
                       st.integers(-30, 30))),
    st.integers(3, 20),
)  # fmt: skip
def test_whatever_is_pressed_the_pointer_is_shown_and_only_rows_are_picked(
    keys: list[str | int], height: int
) -> None:
    picking = Picking(MANY[:50])
    for key in keys:
        match key:
            case int():
                picking.move(key)
            case "erase":
                picking.erase()
            case "clear":
                picking.clear()
            case "toggle":
                picking.toggle()
            case "all":
                picking.toggle_matches()
            case _:
                picking.typed(key.partition(" ")[2])
        shown = picking.shown(height)

        assert len(shown) == min(height, len(picking.matches))
        assert (picking.pointed in shown) is bool(picking.matches)
        assert picking.picked <= set(range(50))
