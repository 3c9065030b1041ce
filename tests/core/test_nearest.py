from __future__ import annotations

from credtray.core.words import did_you_mean, nearest

PROFILES = ["synderys-dns", "synderys-readonly", "synderys-security"]


def test_names_that_only_share_the_session_are_not_offered() -> None:
    assert nearest("synderys-dsn", PROFILES) == ["synderys-dns"]


def test_names_that_are_as_near_are_offered_together() -> None:
    assert sorted(nearest("dev", ["dev1", "dev2", "production"])) == ["dev1", "dev2"]


def test_case_does_not_matter() -> None:
    assert did_you_mean("SYNDERYS-DNS", PROFILES) == " Did you mean synderys-dns?"


def test_nothing_alike_offers_nothing() -> None:
    assert did_you_mean("zzz", PROFILES) == ""
