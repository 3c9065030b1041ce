from __future__ import annotations

from pathlib import Path

import pytest

from credtray.app import build
from credtray.core.errors import UsageError
from credtray.core.models import Account
from credtray.core.naming import RoleChoice
from credtray.environment import Environment
from credtray.setup.config_place import place_of
from credtray.setup.questions import Filter, chosen
from credtray.setup.session import listed

NETWORK = Account("111100000002", "Synderys Network", "network@synderys.example")
NAMELESS = Account("111100000007")
ACCOUNTS = [NETWORK, NAMELESS]
DNS, ADMIN, DEVELOPER = (
    RoleChoice(NETWORK, "DNS"),
    RoleChoice(NETWORK, "Admin"),
    RoleChoice(NAMELESS, "Developer"),
)
FOUND = [DNS, ADMIN, DEVELOPER]


def pick(accounts: str, roles: str) -> list[RoleChoice]:
    return chosen(ACCOUNTS, FOUND, Filter.read("--accounts", accounts), Filter.read("--roles", roles))


def test_all_takes_everything() -> None:
    assert pick("all", "all") == FOUND


def test_accounts_are_named_by_number_or_name() -> None:
    assert pick("111100000002", "all") == [DNS, ADMIN]
    assert pick("Synderys Network, 111100000007", "all") == FOUND


def test_both_filters_hold() -> None:
    assert pick("all", "DNS,Developer") == [DNS, DEVELOPER]


def test_unknown_role_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean Developer"):
        pick("all", "Develper")


def test_unknown_account_is_an_error() -> None:
    with pytest.raises(UsageError, match="999900000000"):
        pick("999900000000", "all")


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(UsageError, match="No role matches"):
        pick("111100000007", "DNS")


def test_empty_list_is_an_error() -> None:
    with pytest.raises(UsageError, match="--roles needs names"):
        pick("all", " , ")


def test_list_to_pick_from_has_account_and_role_and_marks_what_is_there() -> None:
    assert listed(FOUND, {DNS.key}) == [
        (("Synderys Network 111100000002", "Admin"), ADMIN),
        (("Synderys Network 111100000002", "DNS  (has a profile)"), DNS),
        (("111100000007", "Developer"), DEVELOPER),
    ]


def test_config_file_is_named_with_one_kind_of_slash(tmp_path: Path) -> None:
    assert place_of(build(Environment({}, tmp_path))) == "~/.aws/config"
