"""What uninstalling makes of texts, drawn by the thousand: the very bytes that were there before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from credtray.aws.credentials_file import Batch, synced
from credtray.core import ini
from credtray.core.config.setup_edits import Change, SetupWish, plan_setup
from credtray.core.errors import ConfigInvalid, IniRefused, UsageError
from credtray.core.models import Account, RoleCredentials, Secret, SectionKeys, SsoSession
from credtray.core.naming import RoleChoice
from credtray.uninstall.aws_files import sessions_lost, still_calling, without_keys, without_profiles
from tests.core.ini_texts import anything, explored, readable_text

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CORP = SsoSession("corp", "https://d-9067000001.awsapps.com/start", "us-east-1", ("sso:account:access",))
ROLES = tuple(
    RoleChoice(Account(account, name), role)
    for account, name in (("111100000001", "Lab"), ("111100000002", "Prod"))
    for role in ("Admin", "ReadOnly")
)
SECTIONS = ("ours", "a", "default", "c d", "new one")
FOREIGN = b"# mine\n[default]\nregion = eu-west-1\n\n[profile other]\naws_access_key_id = AKIA\n"


def keys(section: str, number: int) -> SectionKeys:
    credentials = RoleCredentials(
        f"ASIA{number:016d}", Secret("se/cr+et"), Secret(f"to.ken{number}=="), NOW + timedelta(hours=1), NOW
    )
    region = "us-east-1" if section == "default" else None
    return SectionKeys(section, f"profile of {section}", credentials, region)


batches = st.lists(
    st.tuples(st.lists(st.sampled_from(SECTIONS), min_size=1, unique=True), st.integers(1, 9)), max_size=4
)


def written(data: bytes, work: Sequence[tuple[list[str], int]]) -> bytes:
    """Write keys several times, as an agent does; some sections go again in between."""
    for sections, number in work:
        wanted = [keys(section, number) for section in sections]
        data = synced(data, wanted, [], Batch())
        if number % 2:
            data = synced(data, [], sections[:1], Batch())
    return data


@explored
@given(readable_text, batches)
def test_credentials_file_gets_its_bytes_back(data: bytes, work: list[tuple[list[str], int]]) -> None:
    assume(ini.parse_problem(data) is None)
    try:
        between = written(data, work)
    except IniRefused:
        assume(False)

    assert without_keys(between, data).after == data


@explored
@given(anything)
def test_credentials_file_without_our_keys_stays_as_it_is(data: bytes) -> None:
    assert without_keys(data).after == data


wishes = st.lists(
    st.tuples(
        st.lists(st.sampled_from(ROLES), min_size=1, unique_by=lambda role: role.key),
        st.sampled_from([None, "eu-west-1", "us-west-2"]),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


Work = tuple[list[RoleChoice], str | None, bool, bool]
"""What one setup is to write: roles, region, whether others are pruned, whether by credential process."""


def set_up(data: bytes, work: Sequence[Work]) -> tuple[bytes, list[Change]]:
    """Run setup several times, as ``ProfileWriter`` does and records it."""
    changes = []
    for roles, region, prune, process in work:
        wish = SetupWish(CORP, tuple(roles), region=region, prune=prune, command=command if process else None)
        plan = plan_setup(data, wish)
        results = {header: left(plan.after, header, plan.originals[header]) for header in plan.originals}
        changes.append(Change.of(NOW, "setup corp", plan.originals, results))
        data = plan.after
    return data, changes


def command(name: str) -> str:
    return f"/opt/python -I -S /x/credtray/__main__.py credentials {name}"


def left(data: bytes, header: str, original: bytes | None) -> bytes | None:
    text = ini.section_text(data, header)
    return b"\n" + text if text is not None and original is None else text


@explored
@given(readable_text, wishes)
def test_config_file_gets_its_bytes_back(data: bytes, work: list[Work]) -> None:
    try:
        between, changes = set_up(data, work)
    except (ConfigInvalid, IniRefused, UsageError):
        assume(False)
    found = without_profiles(between, changes, backup=data)

    assert found.after == data
    assert found.left == {}


@explored
@given(readable_text)
def test_config_file_without_profiles_of_ours_stays_as_it_is(data: bytes) -> None:
    assume(ini.parse_problem(data) is None)

    assert without_profiles(data, []).after == data


def test_sessions_that_setup_wrote_are_lost_and_others_are_not() -> None:
    address = b"https://d-9067000002.awsapps.com/start"
    theirs = FOREIGN + b"[sso-session mine]\nsso_start_url = " + address + b"\nsso_region = us-east-1\n"
    between, changes = set_up(theirs, [([ROLES[0]], None, False, False)])
    after = without_profiles(between, changes).after

    assert [session.name for session in sessions_lost(between, after)] == ["corp"]


def test_credential_process_of_credtray_that_would_stay_is_found() -> None:
    between, _changes = set_up(FOREIGN, [([ROLES[0]], None, False, True)])

    assert still_calling(between) == ["profile corp-admin"]


@pytest.mark.parametrize("broken", [b"[a\n", b"no section = 1\n"])
def test_broken_file_is_refused(broken: bytes) -> None:
    with pytest.raises(ConfigInvalid):
        without_profiles(FOREIGN + broken + broken, [])
