from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credtray.aws.credentials_file import Batch, synced
from credtray.core import ini, section_mark
from credtray.core.errors import FileUnparsable, Retry
from credtray.core.models import RoleCredentials, Secret
from credtray.core.section_mark import SectionMark, key_digest
from tests import botocore_oracle
from tests.aws.file_fakes import NOW, StandingClock, credentials_file, keys, wanted
from tests.core.ini_texts import FUZZED, drawn, readable_text

WORK = b"[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = w\n"
USERS = b"# mine\n" + WORK + b"\n[default]\nregion = eu-west-1\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / ".aws" / "credentials"
    path.parent.mkdir(mode=0o700)
    return path


def key_values(number: int = 1) -> dict[str, str]:
    made = keys(number)
    return {
        "aws_access_key_id": made.access_key_id,
        "aws_secret_access_key": made.secret_access_key.reveal(),
        "aws_session_token": made.session_token.reveal(),
    }


def test_batch_is_written_in_one_rewrite_that_botocore_reads(path: Path) -> None:
    path.write_bytes(USERS)
    replaced: list[int] = []

    report = credentials_file(path).sync(
        [wanted("dev"), wanted("my prof", 2), wanted("default", region="us-east-1")],
        [],
        NOW,
        on_replaced=lambda: replaced.append(1),
    )

    assert report.written == ("dev", "my prof", "default")
    assert dict(report.refused) == {}
    assert replaced == [1]
    assert botocore_oracle.profiles(path) == {
        "work": {"aws_access_key_id": "AKIAWORK", "aws_secret_access_key": "w"},
        "default": {"region": "us-east-1", **key_values()},
        "dev": key_values(),
        "my prof": key_values(2),
    }


def test_mark_tells_profile_and_expiry_and_hides_the_key(path: Path) -> None:
    file = credentials_file(path)
    file.sync([wanted("dev")], [], NOW)
    [comment] = ini.section_comments(path.read_bytes(), "dev")
    [own] = file.marks()

    assert (own.section, own.profile, own.expires_at) == ("dev", "profile of dev", NOW + timedelta(hours=1))
    assert comment.startswith(
        '# credtray keeps this section: profile "profile of dev", expires 2026-11-22T13:00:00Z'
    )
    assert keys().access_key_id not in comment
    assert path.read_bytes().splitlines()[1] == comment.encode()


def test_refresh_changes_keys_and_mark_and_nothing_else(path: Path) -> None:
    file = credentials_file(path)
    file.sync([wanted("dev")], [], NOW)
    path.write_bytes(path.read_bytes().replace(b"aws_access", b"# note\noutput = json\naws_access"))
    before = path.read_bytes()

    report = file.sync([wanted("dev", 2)], [], NOW + timedelta(minutes=40))

    assert report.written == ("dev",)
    assert botocore_oracle.profiles(path)["dev"] == {"output": "json", **key_values(2)}
    assert [line for line in before.splitlines() if line in {b"# note", b"output = json"}] == [
        line for line in path.read_bytes().splitlines() if line in {b"# note", b"output = json"}
    ]


def test_same_keys_again_write_nothing(path: Path) -> None:
    file = credentials_file(path)
    file.sync([wanted("dev")], [], NOW)
    before = path.stat().st_ino

    report = file.sync([wanted("dev")], [], NOW)

    assert report.written == ("dev",)
    assert not report.outcome.changed
    assert before == path.stat().st_ino


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (b"aws_access_key_id = AKIAX\naws_secret_access_key = x\n", "aws_access_key_id"),
        (b"AWS_SECRET_ACCESS_KEY = x\n", "aws_secret_access_key"),
        (b"aws_security_token = x\n", "aws_security_token"),
        (b"credential_process = /bin/x\n", "credential_process"),
        (b"role_arn = arn:x\nsource_profile = y\n", "role_arn"),
        (b"# credtray keeps this section: nonsense\naws_access_key_id = AKIAX\n", "aws_access_key_id"),
    ],
)
def test_section_with_foreign_keys_is_refused_and_the_others_are_written(
    path: Path, section: bytes, words: str
) -> None:
    foreign = b"[dev]\n" + section
    path.write_bytes(foreign)

    report = credentials_file(path).sync([wanted("dev"), wanted("other")], [], NOW)

    problem = report.refused["dev"]
    assert problem.code == "section_not_ours"
    assert words in problem.title
    assert "--section" in problem.hint
    assert report.written == ("other",)
    assert path.read_bytes().startswith(foreign)


def test_section_whose_access_key_was_changed_by_the_user_is_left_alone(path: Path) -> None:
    file = credentials_file(path)
    file.sync([wanted("dev")], [], NOW)
    theirs = path.read_bytes().replace(keys().access_key_id.encode(), b"AKIATHEIRS")
    path.write_bytes(theirs)

    later = NOW + timedelta(minutes=5)
    report = file.sync([wanted("dev", 2)], [], later)
    gone = file.sync([], ["dev"], later)

    assert report.refused["dev"].code == gone.refused["dev"].code == "section_not_ours"
    assert file.marks() == ()
    assert theirs == path.read_bytes()


def test_section_without_keys_is_used_and_its_lines_are_kept(path: Path) -> None:
    path.write_bytes(b"[dev]\nregion = eu-west-1\n# note\n[b]\n")

    report = credentials_file(path).sync([wanted("dev")], [], NOW)

    assert report.written == ("dev",)
    assert botocore_oracle.profiles(path)["dev"] == {"region": "eu-west-1", **key_values()}


def test_stale_security_token_in_a_section_of_ours_is_removed(path: Path) -> None:
    file = credentials_file(path)
    file.sync([wanted("dev")], [], NOW)
    path.write_bytes(path.read_bytes() + b"aws_security_token = OLD\n")

    file.sync([wanted("dev", 2)], [], NOW + timedelta(minutes=40))

    assert botocore_oracle.profiles(path)["dev"] == key_values(2)


@pytest.mark.parametrize("bad", ["a b", "a\nb", "a]", "é", "", "a%", "\x00"])
def test_keys_with_odd_characters_are_refused_unquoted(path: Path, bad: str) -> None:
    made = keys()
    odd = RoleCredentials(
        made.access_key_id, Secret("s"), Secret("tok" + bad if bad else ""), made.expires_at, NOW
    )

    report = credentials_file(path).sync([wanted("a"), type(wanted("b"))("b", "p", odd)], [], NOW)

    assert report.refused["b"].code == "unexpected_reply"
    assert "tok" not in str(report.refused["b"])
    assert report.written == ("a",)


@pytest.mark.parametrize("name", ["a]b", "a\nb", "DEFAULT", "", " a", "a\x00"])
def test_odd_section_names_are_refused_alone(path: Path, name: str) -> None:
    report = credentials_file(path).sync([wanted(name), wanted("fine")], [], NOW)

    assert report.refused[name].code == "ini_refused"
    assert report.written == ("fine",)


def test_odd_region_is_refused_alone(path: Path) -> None:
    report = credentials_file(path).sync([wanted("a", region="evil.com/#"), wanted("b")], [], NOW)

    assert report.refused["a"].code == "region_refused"
    assert report.written == ("b",)


def test_two_profiles_for_one_section_are_not_mixed(path: Path) -> None:
    other = type(wanted("dev"))("dev", "somebody else", keys(2))

    report = credentials_file(path).sync([wanted("dev"), other], [], NOW)

    assert report.refused["dev"].code == "section_not_ours"


def test_broken_file_is_not_touched(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf[a]\nk = 1\n")

    with pytest.raises(FileUnparsable, match="byte order mark"):
        credentials_file(path).sync([wanted("dev")], [], NOW)
    assert path.read_bytes() == b"\xef\xbb\xbf[a]\nk = 1\n"


# --- leaving ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before",
    [
        b"",
        USERS,
        USERS.replace(b"\n", b"\r\n"),
        USERS[:-1],
        USERS + b"\n",
        b"[default]\n",
        b"[default]\nregion: ap-south-1\n  # x\n",
        b"[dev]\n# a comment of mine\n[default]\n",
        b"  [dev]\n  output = json\n  [default]\n",
        b"[default]\nregion = us-east-1\n",
    ],
)
def test_removing_everything_leaves_the_file_as_it_was(path: Path, before: bytes) -> None:
    path.write_bytes(before)
    file = credentials_file(path)
    batch = [wanted("dev"), wanted("new", 3), wanted("default", region="us-east-1")]
    file.sync(batch, [], NOW)
    file.sync([wanted("dev", 4), wanted("default", 4, region="us-west-2")], [], NOW + timedelta(minutes=40))

    report = file.sync([], [mark.section for mark in file.marks()], NOW)

    assert set(report.removed) == {"dev", "new", "default"}
    # An ending that the last line lacked is the one thing that stays.
    assert path.read_bytes() in {before, before + b"\n"}


def test_region_of_the_user_comes_back_and_a_changed_one_stays(path: Path) -> None:
    path.write_bytes(b"[default]\nregion = eu-west-1\n\n[dev]\n")
    file = credentials_file(path)
    file.sync([wanted("default", region="us-east-1"), wanted("dev", region="us-east-1")], [], NOW)
    path.write_bytes(
        path.read_bytes().replace(b"[dev]", b"[dev]").replace(b"region = us-east-1", b"region = mine", 1)
    )

    file.sync([], ["default", "dev"], NOW)

    assert botocore_oracle.profiles(path) == {"default": {"region": "mine"}, "dev": {}}


def test_refresh_without_a_region_gives_the_region_back(path: Path) -> None:
    path.write_bytes(b"[default]\nregion = eu-west-1\n")
    file = credentials_file(path)
    file.sync([wanted("default", region="us-east-1")], [], NOW)
    file.sync([wanted("default", 2)], [], NOW + timedelta(minutes=40))

    assert botocore_oracle.profiles(path)["default"] == {"region": "eu-west-1", **key_values(2)}


# --- what the user did since ----------------------------------------------------------------------------


def test_leaving_keeps_what_the_user_changed_since(path: Path) -> None:
    path.write_bytes(b"[dev]\noutput = text\n")
    file = credentials_file(path)
    file.sync([wanted("dev"), wanted("new")], [], NOW)
    text = path.read_bytes().replace(b"output = text", b"output = json")
    path.write_bytes(text + b"mine = 1\n\n[later]\nk = 1\n")

    left = file.sync([], ["dev", "new"], NOW)

    assert set(left.removed) == {"dev", "new"}
    assert path.read_bytes() == b"[dev]\noutput = json\n\n[new]\nmine = 1\n\n[later]\nk = 1\n"


def test_leaving_does_not_bring_back_a_section_that_the_user_removed(path: Path) -> None:
    path.write_bytes(b"[dev]\noutput = text\n")
    file = credentials_file(path)
    file.sync([wanted("dev")], [], NOW)
    path.write_bytes(b"[other]\n")

    file.sync([], ["dev"], NOW)

    assert path.read_bytes() == b"[other]\n"


# --- peace ------------------------------------------------------------------------------------------------


def test_section_that_somebody_changes_back_is_rewritten_once_in_ten_seconds(path: Path) -> None:
    path.write_bytes(USERS)
    clock = StandingClock()
    file = credentials_file(path, clock)
    file.sync([wanted("dev"), wanted("b")], [], NOW)
    path.write_bytes(USERS)

    soon = file.sync([wanted("dev")], [], NOW + timedelta(seconds=9))
    later = file.sync([wanted("dev")], [], NOW + timedelta(seconds=10))
    path.write_bytes(USERS)
    again = file.sync([wanted("dev"), wanted("new")], [], NOW + timedelta(seconds=12))

    assert soon.refused["dev"].code == again.refused["dev"].code == "file_contended"
    assert soon.refused["dev"].retry is Retry.LATER
    assert later.written == ("dev",)
    assert again.written == ("new",)


def test_refreshes_are_not_limited_while_nobody_interferes(path: Path) -> None:
    file = credentials_file(path)
    for number in range(1, 6):
        report = file.sync([wanted("dev", number)], [], NOW + timedelta(seconds=number))

        assert report.written == ("dev",)


def test_section_removed_by_ourselves_may_be_written_at_once(path: Path) -> None:
    file = credentials_file(path)
    file.sync([wanted("dev")], [], NOW)
    file.sync([], ["dev"], NOW + timedelta(seconds=1))

    assert file.sync([wanted("dev", 2)], [], NOW + timedelta(seconds=2)).written == ("dev",)


# --- properties -------------------------------------------------------------------------------------------


def check_round_trip(data: bytes) -> None:
    """Write, refresh, take back: botocore sees what is meant each time, and the old bytes are there again."""
    if ini.parse_problem(data) is not None or "DEFAULT" in ini.meaning(data):
        return
    old = botocore_oracle.plain(data) or {}
    batch, section = Batch(), "ours"
    after = synced(data, [wanted(section, region="us-east-1"), wanted("a")], ["b"], batch)
    new = botocore_oracle.plain(after) or {}

    for name in batch.written:
        assert key_values().items() <= new[name].items(), data
    assert {name: values for name, values in old.items() if name not in batch.written} == {
        name: values for name, values in new.items() if name not in batch.written
    }, data
    refreshed = synced(after, [wanted(section, 2, region="us-east-1"), wanted("a", 2)], [], Batch())
    left = synced(refreshed, [], batch.written, Batch())
    # An ending that the last line lacked is the one thing that may stay.
    assert left.rstrip(b"\r\n") == data.rstrip(b"\r\n"), data


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(readable_text)
def test_writing_refreshing_and_leaving_restores_every_file(data: bytes) -> None:
    check_round_trip(data)


def test_writing_refreshing_and_leaving_restores_thousands_of_odd_files() -> None:
    for number in range(FUZZED // 10):
        check_round_trip(drawn(number))


_names = st.text(min_size=1, max_size=12)
_regions = st.one_of(st.none(), st.text(max_size=8))


@settings(max_examples=200)
@given(_names, st.integers(0, 2), _regions, _regions)
def test_mark_reads_back_what_it_was_made_of(
    profile: str, gap: int, region: str | None, before: str | None
) -> None:
    mark = SectionMark(profile, NOW, key_digest("ASIA"), gap, region, before if region is not None else None)

    assert mark == section_mark.parsed(mark.line())


@pytest.mark.parametrize(
    "comment",
    [
        "# credtray keeps this section:",
        '# credtray keeps this section: profile "x", expires 2026-13-40T00:00:00Z, key 0123456789abcdef',
        '# credtray keeps this section: profile "x", expires 2026-11-22T00:00:00Z, key 0123',
        '# credtray keeps this section: profile "\\x", expires 2026-11-22T00:00:00Z, key 0123456789abcdef',
        "# something else",
    ],
)
def test_edited_mark_is_no_mark(comment: str) -> None:
    assert section_mark.parsed(comment) is None
