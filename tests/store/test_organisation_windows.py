"""A policy in the registry, as Windows itself keeps it: the computer's counts more than the user's."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from credtray.core.errors import SettingLocked

assert sys.platform == "win32"

import winreg  # noqa: E402 -- type checkers know it only after the word on the platform

from credtray.store.organisation import RegistryPolicy, machine_policy  # noqa: E402 -- the same
from credtray.store.settings_file import SettingsFile  # noqa: E402 -- the same

pytestmark = pytest.mark.windows

SCRATCH = r"Software\credtray-tests-policy"
BOTH = (winreg.HKEY_LOCAL_MACHINE, winreg.HKEY_CURRENT_USER)
MACHINE, USER = BOTH


@pytest.fixture
def policy() -> Iterator[RegistryPolicy]:
    yield RegistryPolicy(SCRATCH)
    for root in BOTH:
        forget(root, SCRATCH)


def forget(root: int, key: str) -> None:
    try:
        with winreg.OpenKey(root, key) as opened:
            below = [winreg.EnumKey(opened, number) for number in range(winreg.QueryInfoKey(opened)[0])]
    except FileNotFoundError:
        return
    for name in below:
        forget(root, rf"{key}\{name}")
    winreg.DeleteKey(root, key)


def put(root: int, name: str, value: int | str | list[str] | bytes, below: str = "") -> None:
    kinds = {int: winreg.REG_DWORD, str: winreg.REG_SZ, list: winreg.REG_MULTI_SZ, bytes: winreg.REG_BINARY}
    with winreg.CreateKey(root, rf"{SCRATCH}\{below}".rstrip("\\")) as key:
        winreg.SetValueEx(key, name, 0, kinds[type(value)], value)


def test_no_key_is_no_policy(policy: RegistryPolicy) -> None:
    locked = policy.read()

    assert (locked.places, locked.names, locked.mistakes) == ((), (), ())


def test_values_of_each_kind_are_read_below_both_roots(policy: RegistryPolicy, tmp_path: Path) -> None:
    put(MACHINE, "History", 0)
    put(MACHINE, "warn_before", ["1h", "10m"])
    put(MACHINE, "duration", "4h", r"sessions\Zoë corp")
    put(USER, "history", 1)
    put(USER, "icon", "dark")
    settings = SettingsFile(tmp_path / "settings.toml", policy=policy)
    found = settings.load()

    assert (found.history, found.icon, len(found.warn_before)) == (False, "dark", 2)
    assert found.sign_in_length("Zoë corp").total_seconds() == 4 * 3600
    assert settings.locked().places == (rf"HKLM\{SCRATCH}", rf"HKCU\{SCRATCH}")
    with pytest.raises(SettingLocked, match="HKLM"):
        settings.set(("history",), value=True)


def test_what_is_of_the_wrong_kind_is_named_and_costs_only_itself(policy: RegistryPolicy) -> None:
    put(MACHINE, "history", b"\x00")
    put(MACHINE, "icon", 7)
    put(MACHINE, "histori", 1)
    put(MACHINE, "confirm_production", 1)
    locked = policy.read()

    assert locked.names == ("confirm_production",)
    assert len(locked.mistakes) == 3
    assert all(each.startswith(rf"HKLM\{SCRATCH}: ") for each in locked.mistakes)


def test_a_change_is_noticed(policy: RegistryPolicy) -> None:
    stamps = [policy.stamp()]
    put(MACHINE, "duration", "4h", r"sessions\corp")
    stamps.append(policy.stamp())
    put(MACHINE, "duration", "5h", r"sessions\corp")
    stamps.append(policy.stamp())

    assert len({str(each) for each in stamps}) == 3


def test_keys_that_go_deeper_or_wider_end(policy: RegistryPolicy) -> None:
    put(MACHINE, "x", 1, "\\".join(["sessions", *"abcdefgh"]))
    for number in range(600):
        put(MACHINE, f"n{number}", 1)

    assert len(policy.read().mistakes) == 20


def test_it_lies_where_group_policies_write() -> None:
    assert machine_policy() == RegistryPolicy(r"Software\Policies\credtray")
