"""What the repairs plan, what they leave alone, and that an undo brings the very bytes back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.core import ini
from credtray.core.config.setup_edits import undo_setup
from credtray.core.config.sso import parse_config
from credtray.core.errors import ConfigInvalid
from credtray.core.ini import text as ini_text
from credtray.core.ports import Mark
from credtray.doctor.repair_plans import REPAIRS, RepairPlan, Scene, TokenOrigin
from tests.core.making import NOON

OTHER_SCOPES = "sso_registration_scopes = x:y\n"
ACME = "https://acme.awsapps.com/start"


def legacy(name: str, url: str = ACME, region: str = "eu-west-1", more: str = "") -> str:
    return (
        f"[profile {name}]\n# mine\nsso_start_url = {url}\nsso_account_id = 111100000001\n"
        f"sso_region={region}\n; kept\nsso_role_name =  ReadOnly\n{more}"
    )


def plan(name: str, config: str, **parts: object) -> RepairPlan:
    scene = Scene(NOON, config.encode(), **parts)  # type: ignore[arg-type]  # a table of parts
    return REPAIRS[name].plan(scene)


def after(found: RepairPlan) -> str:
    assert found.config is not None
    return found.config.after.decode()


def undone(found: RepairPlan) -> bytes:
    change = found.config
    assert change is not None
    return undo_setup(change.after, change.originals, change.results).after


# --- legacy_profiles ---------------------------------------------------------------------------------


def test_legacy_profile_moves_and_every_other_byte_stays() -> None:
    found = plan("legacy_profiles", legacy("dev") + "\n[profile other]\nregion = mars\n")

    assert after(found) == (
        "[profile dev]\n# mine\nsso_account_id = 111100000001\n; kept\nsso_role_name =  ReadOnly\n"
        "sso_session = acme\n\n[profile other]\nregion = mars\n"
        f"\n[sso-session acme]\nsso_start_url = {ACME}\nsso_region = eu-west-1\n"
        "sso_registration_scopes = sso:account:access\n"
    )
    assert found.next_steps == ("Sign in once: credtray login acme",)
    assert found.diff == (
        f"@@ [profile dev] @@\n-sso_start_url = {ACME}\n-sso_region=eu-west-1\n+sso_session = acme\n"
        f"@@ [sso-session acme] @@\n+[sso-session acme]\n+sso_start_url = {ACME}\n+sso_region = eu-west-1\n"
        "+sso_registration_scopes = sso:account:access\n"
    )


def test_one_session_for_each_start_url_and_region() -> None:
    config = (
        legacy("a")
        + legacy("b", ACME + "/#/")
        + legacy("c", region="us-east-1")
        + legacy("d", "https://aws.synderys.com")
    )
    read = parse_config(after(plan("legacy_profiles", config)).encode(), {})

    assert {name: item.session for name, item in read.profiles.items()} == {
        "a": "acme",
        "b": "acme",
        "c": "acme-2",
        "d": "synderys",
    }
    assert read.sessions["acme-2"].region == "us-east-1"


def test_file_is_walked_a_few_times_however_many_profiles_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each profile would take hours with ten thousand of them."""
    walked: list[int] = []
    walk = ini_text._scan

    def counted(data: bytes) -> ini_text.IniText:
        walked.append(len(data))
        return walk(data)

    monkeypatch.setattr(ini_text, "_scan", counted)
    found = plan("legacy_profiles", "\n".join(legacy(f"p{number}") for number in range(60)))
    _ = found.diff

    assert len(found.changes) == 61
    assert len(walked) < 20


def test_session_that_fits_is_used_again() -> None:
    session = f"[sso-session work]\nsso_start_url = {ACME}/\nsso_region = eu-west-1\n"
    found = plan("legacy_profiles", session + legacy("dev"))

    assert "[sso-session acme]" not in after(found)
    assert parse_config(after(found).encode(), {}).profiles["dev"].session == "work"


@pytest.mark.parametrize(
    "session",
    [
        f"[sso-session acme]\nsso_start_url = {ACME}\nsso_region = us-east-1\n",
        "[sso-session acme]\nsso_region = eu-west-1\n",
        f"[sso-session acme]\nsso_start_url = {ACME}\nsso_region = eu-west-1\n{OTHER_SCOPES}",
        f"[sso-session acme]\nsso_start_url = {ACME}\nsso_region = eu-west-1\nsso_role_name = Admin\n",
    ],
)
def test_session_that_does_not_fit_keeps_its_name(session: str) -> None:
    found = plan("legacy_profiles", session + legacy("dev"))

    assert parse_config(after(found).encode(), {}).profiles["dev"].session == "acme-2"


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (legacy("x", more="aws_access_key_id = AKIA\n"), "static keys"),
        (legacy("x", more="web_identity_token_file = f\n"), "web identity"),
        (legacy("x", more="sso_registration_scopes = a:b\n"), "its own sso_registration_scopes"),
        (legacy("x", url="http://acme.example"), "https"),
        (legacy("x", region="evil.com/#"), "region"),
        (legacy("x").replace("sso_role_name", "role_name"), "sso_role_name"),
        (f"[DEFAULT]\nsso_start_url = {ACME}\n" + legacy("x").replace("sso_start_url", "url"), "[DEFAULT]"),
    ],
)
def test_profile_whose_meaning_could_change_is_left_alone_and_told(config: str, reason: str) -> None:
    found = plan("legacy_profiles", config)

    assert not found.needed
    assert found.config is None
    assert reason in found.left_alone["x"]


@pytest.mark.parametrize(
    "config",
    [
        "",
        f"[sso-session s]\nsso_start_url = {ACME}\nsso_region = eu-west-1\n[profile p]\nsso_session = s\n",
        "[profile p]\naws_access_key_id = AKIA\naws_secret_access_key = x\n",
        "[profile p]\ncredential_process = x\n",
    ],
)
def test_home_without_legacy_profiles_needs_nothing(config: str) -> None:
    found = plan("legacy_profiles", config)

    assert not found.needed
    assert found.left_alone == {}


def test_broken_file_is_refused() -> None:
    with pytest.raises(ConfigInvalid):
        plan("legacy_profiles", "sso_start_url = x\n")


def _meaning(config: bytes) -> dict[str, tuple[str, str, str, str | None, object]]:
    read = parse_config(config, {})
    sessions = read.sessions
    return {
        name: (
            item.account_id,
            item.role_name,
            sessions[item.session].region,
            item.region,
            item.chain,
        )
        for name, item in read.profiles.items()
    }


_URLS = [ACME, ACME + "/", "https://aws.synderys.com", "https://d-9067000001.awsapps.com/start"]
_SECTIONS = st.one_of(
    st.builds(
        legacy,
        st.sampled_from(["a", "b", '"c d"', "e", "f"]),
        st.sampled_from(_URLS),
        st.sampled_from(["eu-west-1", "us-east-1"]),
        st.sampled_from(["", "region = eu-west-1\n", "s3 =\n  max = 1\n", "\n", "  # end\n\n"]),
    ),
    st.sampled_from(
        [
            "[default]\nregion = us-east-1\n",
            f"[sso-session acme]\nsso_start_url = {ACME}\nsso_region = us-east-1\n",
            "[profile chain]\nrole_arn = arn:aws:iam::111100000002:role/R\nsource_profile = a\n",
            "# a comment alone\n\n",
            "[profile keys]\naws_access_key_id = AKIA\n",
        ]
    ),
)


def _header(section: str) -> str:
    found = re.search(r"^\[.*\]", section, re.MULTILINE)
    return found[0] if found else section


@given(
    st.lists(_SECTIONS, unique_by=_header, max_size=6),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\n", "\n\n"]),
    st.sampled_from(["", "\n", "\n\n"]),
)
def test_migration_keeps_every_meaning_and_undo_every_byte(
    sections: list[str], ending: str, between: str, last: str
) -> None:
    text = between.join(sections)
    config = (text.rstrip("\n") + last).replace("\n", ending).encode()
    found = REPAIRS["legacy_profiles"].plan(Scene(NOON, config))
    if found.config is None:
        return
    migrated = found.config.after

    assert set(_meaning(config).items()) <= set(_meaning(migrated).items())
    assert not REPAIRS["legacy_profiles"].plan(Scene(NOON, migrated)).needed
    assert undone(found) == config
    assert undo_setup(config, found.config.originals, found.config.results).after == config


def test_undo_leaves_a_session_that_a_later_profile_uses() -> None:
    change = plan("legacy_profiles", legacy("dev")).config
    assert change is not None
    later = change.after + b"\n[profile new]\nsso_session = acme\n"
    undo = undo_setup(later, change.originals, change.results)

    assert undo.restored == ("profile dev",)
    assert undo.skipped == {"sso-session acme": "profiles still name it"}


def test_undo_of_one_session_leaves_the_one_before_it_whole() -> None:
    used = b"[profile later]\nsso_session = acme\n"
    change = plan("legacy_profiles", used.decode() + legacy("dev") + legacy("ops", region="us-east-1")).config
    assert change is not None
    undo = undo_setup(change.after, change.originals, change.results)

    assert undo.skipped == {"sso-session acme": "profiles still name it"}
    assert undo.after.endswith(b"sso_registration_scopes = sso:account:access\n")


def test_undo_leaves_a_profile_that_somebody_changed() -> None:
    change = plan("legacy_profiles", legacy("dev")).config
    assert change is not None
    changed = ini.set_keys(change.after, "profile dev", {"region": "eu-west-3"})
    undo = undo_setup(changed, change.originals, change.results)

    assert undo.skipped["profile dev"] == "somebody has changed it since"
    assert undo.after == changed


# --- outdated_session --------------------------------------------------------------------------------


def session(name: str = "work", url: str = ACME, region: str = "eu-west-1", more: str = "") -> str:
    return f"[sso-session {name}]\nsso_start_url = {url}\nsso_region = {region}\n{more}"


SCOPES = "sso_registration_scopes = sso:account:access\n"


def test_session_without_scopes_gets_them() -> None:
    found = plan("outdated_session", session() + legacy("dev"))

    assert after(found) == session(more=SCOPES) + legacy("dev")
    assert found.next_steps == ("Sign in again: credtray login --fresh work",)
    assert undone(found) == (session() + legacy("dev")).encode()


@pytest.mark.parametrize(
    ("config", "token"),
    [
        (session(region="us-east-1", more=SCOPES), TokenOrigin(ACME + "/", "eu-west-1")),
        (session(url="https://ssoins-1.portal.eu-west-1.app.aws", region="us-east-1", more=SCOPES), None),
    ],
)
def test_region_proven_wrong_is_mended(config: str, token: TokenOrigin | None) -> None:
    found = plan("outdated_session", config, tokens={} if token is None else {"work": token})

    assert after(found) == config.replace("us-east-1", "eu-west-1")
    assert found.changes == ("session work: sso_region eu-west-1 instead of us-east-1",)
    assert undone(found) == config.encode()


def test_profiles_that_repeat_the_region_follow_it() -> None:
    profile = "[profile p]\nsso_session = work\nsso_region = us-east-1\nsso_account_id = 111100000001\n"
    config = session(region="us-east-1", more=SCOPES) + profile + "sso_role_name = R\n"
    found = plan("outdated_session", config, tokens={"work": TokenOrigin(ACME, "eu-west-1")})

    assert "us-east-1" not in after(found)
    assert list(parse_config(after(found).encode(), {}).profiles) == ["p"]
    assert undone(found) == config.encode()


@pytest.mark.parametrize(
    "token",
    [
        TokenOrigin("https://other.awsapps.com/start", "eu-west-1"),
        TokenOrigin(ACME, "evil.com/#"),
        TokenOrigin(ACME, "us-east-1"),
    ],
)
def test_token_of_another_portal_or_of_nonsense_proves_nothing(token: TokenOrigin) -> None:
    config = session(region="us-east-1", more=SCOPES)

    assert not plan("outdated_session", config, tokens={"work": token}).needed


def test_session_that_cannot_be_used_is_left_alone() -> None:
    found = plan("outdated_session", "[sso-session x]\nsso_region = eu-west-1\n")

    assert not found.needed
    assert found.left_alone == {"x": "it lacks sso_start_url"}


# --- stale_keys --------------------------------------------------------------------------------------


def mark(section: str, minutes: int) -> Mark:
    return Mark(section, "dev", NOON + timedelta(minutes=minutes), "0123456789abcdef")


def test_only_ended_sections_that_nobody_keeps_go() -> None:
    marks = (mark("ended", 0), mark("kept", -5), mark("alive", 1))
    found = REPAIRS["stale_keys"].plan(Scene(NOON, marks=marks, owned=frozenset({"kept"})))

    assert found.removed == (marks[0],)
    assert found.changes == ("section ended: remove the keys of dev, which expired on 2026-11-22 12:00 UTC",)
    assert found.diff == "- [ended] keys of dev\n"


def test_names_of_repairs_are_fixed() -> None:
    assert list(REPAIRS) == [
        "legacy_profiles",
        "outdated_session",
        "old_commands",
        "old_autostart",
        "stale_keys",
    ]


# --- what the credentials file has a say in ----------------------------------------------------------


@pytest.mark.met("F2")
@pytest.mark.parametrize(
    "credentials",
    [
        "[dev]\nsso_role_name = Admin\n",
        f"[dev]\nsso_start_url = {ACME}\n",
        "[dev]\naws_access_key_id = AKIA\naws_secret_access_key = s\n",
    ],
)
def test_a_legacy_profile_of_both_files_is_left_alone(credentials: str) -> None:
    found = plan("legacy_profiles", legacy("dev") + legacy("other"), credentials=credentials.encode())

    assert "[profile dev]" not in found.diff
    assert "[profile other]" in found.diff
    assert "credentials file" in found.left_alone["dev"]


@pytest.mark.met("F2")
def test_a_legacy_profile_of_the_credentials_file_alone_is_told() -> None:
    lines = legacy("dev").replace("[profile dev]", "[dev]")
    found = plan("legacy_profiles", "", credentials=lines.encode())

    assert not found.needed
    assert "credentials file" in found.left_alone["dev"]


def test_a_region_that_the_credentials_file_repeats_cannot_be_followed() -> None:
    config = (
        f"[sso-session corp]\nsso_start_url = {ACME}\nsso_region = eu-west-1\n"
        "sso_registration_scopes = sso:account:access\n[profile dev]\nsso_session = corp\n"
    )
    tokens = {"corp": TokenOrigin(ACME, "us-east-1")}
    found = plan("outdated_session", config, tokens=tokens, credentials=b"[dev]\nsso_region = eu-west-1\n")

    assert not found.needed
    assert found.left_alone == {"corp": "dev repeats sso_region in the credentials file"}
    assert plan("outdated_session", config, tokens=tokens).needed
