"""What `credtray setup` would write: as the AWS CLI does, nothing of others, and the same every time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credtray.core import ini
from credtray.core.config.setup_edits import (
    MARK,
    ProfileOutcome,
    SetupPlan,
    SetupWish,
    difference,
    plan_setup,
    undo_setup,
)
from credtray.core.config.sso import parse_config
from credtray.core.errors import ConfigInvalid, UsageError
from credtray.core.models import Account, Profile, SsoSession
from credtray.core.naming import RoleChoice
from tests.soak import examples

URL = "https://d-9067000001.awsapps.com/start"
CORP = SsoSession("corp", URL, "us-east-1", ("sso:account:access",))
PROD = Account("111100000000", "Prod")
LAB = Account("222200000000", "Lab")
ADMIN, READ_ONLY, LAB_ADMIN = (
    RoleChoice(PROD, "Admin"),
    RoleChoice(PROD, "ReadOnly"),
    RoleChoice(LAB, "Admin"),
)
DEBIAN_CLI = Path("/usr/lib/python3/dist-packages/awscli")
THEIRS = b"# mine\n[default]\nregion = eu-west-1\n\n[profile other]\naws_access_key_id = AKIA\n"


def wish(*choices: RoleChoice, **changes: object) -> SetupWish:
    return replace(SetupWish(CORP, choices), **changes)  # type: ignore[arg-type]  # a table of fields


def changes(plan: SetupPlan) -> dict[str, ProfileOutcome]:
    return {item.profile: item.change for item in plan.profiles}


def made(*choices: RoleChoice, data: bytes = b"", **more: object) -> bytes:
    return plan_setup(data, wish(*choices, **more)).after


def read_back(profiles: Mapping[str, Profile]) -> dict[str, Profile]:
    """Return the profiles without the hosts they choose: setup writes none."""
    return {name: replace(profile, endpoints=None) for name, profile in profiles.items()}


def test_a_new_file_holds_the_session_and_its_profiles() -> None:
    expected = f"""[sso-session corp]
sso_start_url = {URL}
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile corp-admin]
{MARK}
sso_session = corp
sso_account_id = 111100000000
sso_role_name = Admin
region = eu-west-1
output = json
"""

    assert expected == made(ADMIN, region="eu-west-1", output="json").decode()


@pytest.mark.posix("the AWS CLI of Debian")
@pytest.mark.skipif(not DEBIAN_CLI.exists(), reason="Debian's AWS CLI (apt install awscli) is the judge")
def test_sections_are_what_the_real_aws_configure_sso_writes(home: Path) -> None:
    path = home / "config"
    script = Path(__file__).parent.parent / "fixtures" / "configure_sso.py"
    answers = {
        "SSO session name": "corp",
        "SSO start URL": URL,
        "SSO region": "us-east-1",
        "SSO registration scopes": "sso:account:access",
        "CLI default client Region": "eu-west-1",
        "CLI default output": "json",
        "CLI profile name": "corp-admin",
        "account": "111100000000",
        "role": "Admin",
    }
    subprocess.run(
        ["/usr/bin/python3", str(script), *(f"{start}={answer}" for start, answer in answers.items())],
        env={"HOME": str(home), "AWS_CONFIG_FILE": str(path), "PATH": os.defpath},
        check=True,
        capture_output=True,
        timeout=60,
    )
    ours = made(ADMIN, region="eu-west-1", output="json").replace(f"{MARK}\n".encode(), b"")

    theirs = path.read_bytes()
    for header in ("sso-session corp", "profile corp-admin"):
        expected, actual = ini.section_text(theirs, header), ini.section_text(ours, header)

        assert expected is not None
        assert actual is not None
        assert expected.rstrip() == actual.rstrip()


def test_what_was_written_is_read_back_as_meant() -> None:
    config = parse_config(made(ADMIN, LAB_ADMIN, region="eu-west-1"), {})

    assert read_back(config.profiles) == {
        "corp-admin-prod": Profile("corp-admin-prod", "corp", PROD.account_id, "Admin", "eu-west-1"),
        "corp-admin-lab": Profile("corp-admin-lab", "corp", LAB.account_id, "Admin", "eu-west-1"),
    }
    assert not config.warnings


def test_profiles_of_a_credential_process_are_read_back_as_meant() -> None:
    data = made(ADMIN, command=lambda name: f"/usr/bin/python3 -m credtray credentials {name}")
    config = parse_config(data, {})

    assert b"credential_process = /usr/bin/python3 -m credtray credentials corp-admin\n" in data
    assert b"sso_session = corp\nsso_account_id" not in data
    assert read_back(config.profiles) == {
        "corp-admin": Profile("corp-admin", "corp", PROD.account_id, "Admin")
    }
    assert not config.warnings


def test_every_byte_of_others_survives() -> None:
    after = made(ADMIN, data=THEIRS)

    assert after.startswith(THEIRS)


def test_asking_again_changes_nothing() -> None:
    once = made(ADMIN, READ_ONLY, region="eu-west-1")
    again = plan_setup(once, wish(ADMIN, READ_ONLY, region="eu-west-1"))

    assert once == again.after
    assert set(changes(again).values()) == {ProfileOutcome.KEPT}
    assert difference(again) == ""


def test_a_profile_of_ours_gets_its_new_region_and_keeps_other_settings() -> None:
    data = made(ADMIN, region="eu-west-1") + b"s3 =\n  addressing_style = path\n"
    plan = plan_setup(data, wish(ADMIN, region="us-west-2"))

    assert changes(plan) == {"corp-admin": ProfileOutcome.UPDATED}
    assert plan.after == data.replace(b"region = eu-west-1", b"region = us-west-2")


def test_a_profile_somebody_else_made_for_the_role_is_kept_as_it_is() -> None:
    theirs = made(ADMIN).replace(f"{MARK}\n".encode(), b"").replace(b"corp-admin", b"mine")
    plan = plan_setup(theirs, wish(ADMIN, region="us-west-2"))

    assert changes(plan) == {"mine": ProfileOutcome.KEPT}
    assert plan.after == theirs


def test_a_name_somebody_else_uses_is_not_overwritten() -> None:
    theirs = b"[profile corp-admin]\naws_access_key_id = AKIA\n"
    plan = plan_setup(theirs, wish(ADMIN))

    assert changes(plan) == {"corp-admin-prod": ProfileOutcome.ADDED}
    assert plan.after.startswith(theirs)


def test_a_section_of_the_credentials_file_takes_its_name_too() -> None:
    plan = plan_setup(b"", wish(ADMIN, taken=frozenset({"corp-admin"})))

    assert changes(plan) == {"corp-admin-prod": ProfileOutcome.ADDED}


def test_the_two_forms_change_into_one_another() -> None:
    sso = made(ADMIN, region="eu-west-1")
    process = made(ADMIN, data=sso, region="eu-west-1", command=lambda name: f"/py {name}")

    assert ini.section_keys(process, "profile corp-admin") == {
        "credential_process": "/py corp-admin",
        "credtray_sso_session": "corp",
        "credtray_account_id": "111100000000",
        "credtray_role_name": "Admin",
        "region": "eu-west-1",
    }
    assert ini.meaning(made(ADMIN, data=process, region="eu-west-1")) == ini.meaning(sso)


def served_by(command: str) -> bytes:
    """Return a profile without our mark that has this credential process."""
    data = made(ADMIN, command=lambda _: command)
    return data.replace(f"{MARK}\n".encode(), b"# my own words\n")


@pytest.mark.met("F3")
@pytest.mark.parametrize(
    "old",
    [
        "/gone/python -I -S /gone/agent/__main__.py credentials corp-admin",
        "/usr/bin/python3 -m agent credentials corp-admin",
        "'/gone/my tools/python' -I -S /gone/credtray/__main__.py credentials -- corp-admin",
    ],
)
def test_profile_with_an_old_command_of_ours_is_given_the_present_one(old: str) -> None:
    data = served_by(old)
    plan = plan_setup(data, wish(ADMIN, command=lambda name: f"/now {name}"))

    assert changes(plan) == {"corp-admin": ProfileOutcome.UPDATED}
    assert plan.after == data.replace(old.encode(), b"/now corp-admin")


@pytest.mark.met("F3")
def test_profile_with_the_command_of_another_program_stays() -> None:
    data = served_by("/opt/mine --role Admin credentials corp-admin")

    assert plan_setup(data, wish(ADMIN, command=lambda name: f"/now {name}")).after == data


@pytest.mark.met("F3")
def test_profile_with_an_old_command_without_our_mark_is_never_taken_out() -> None:
    data = served_by("/gone/python -m agent credentials corp-admin")
    plan = plan_setup(data, wish(READ_ONLY, command=lambda name: f"/now {name}", prune=True))

    assert "corp-admin" not in changes(plan)


def test_a_quoted_name_in_the_file_is_found() -> None:
    data = made(ADMIN).replace(b"[profile corp-admin]", b'[profile "my admin"]')
    plan = plan_setup(data, wish(ADMIN, region="eu-west-1"))

    assert changes(plan) == {"my admin": ProfileOutcome.UPDATED}
    assert b'[profile "my admin"]' in plan.after


@pytest.mark.parametrize(
    ("session", "word"),
    [
        (replace(CORP, start_url="https://d-2.awsapps.com/start"), "sso_start_url"),
        (replace(CORP, region="eu-west-1"), "sso_region"),
    ],
)
def test_a_session_of_that_name_for_another_place_is_refused(session: SsoSession, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        plan_setup(made(ADMIN), replace(wish(ADMIN), session=session))


def test_an_incomplete_session_is_completed() -> None:
    after = made(ADMIN, data=f"[sso-session corp]\n# mine\nsso_start_url = {URL}\n".encode())

    assert after.startswith(
        f"[sso-session corp]\n# mine\nsso_start_url = {URL}\nsso_region = us-east-1\n".encode()
    )


def test_a_broken_file_is_refused() -> None:
    with pytest.raises(ConfigInvalid):
        plan_setup(b"[a]\n[a]\n", wish(ADMIN))


# --- pruning -----------------------------------------------------------------------------------------


def test_pruning_takes_out_ours_whose_role_was_not_chosen() -> None:
    data = THEIRS + b"\n" + made(ADMIN, READ_ONLY)
    plan = plan_setup(data, wish(ADMIN, prune=True))

    assert changes(plan) == {"corp-admin": ProfileOutcome.KEPT, "corp-readonly": ProfileOutcome.PRUNED}
    assert plan.after == THEIRS + b"\n" + made(ADMIN)


def test_nothing_is_pruned_unasked() -> None:
    plan = plan_setup(made(ADMIN, READ_ONLY), wish(ADMIN))

    assert changes(plan) == {"corp-admin": ProfileOutcome.KEPT}


def test_profiles_of_others_and_of_other_sessions_are_never_pruned() -> None:
    lab = SsoSession("lab", URL, "us-east-1", CORP.scopes)
    data = plan_setup(made(READ_ONLY), SetupWish(lab, (READ_ONLY,))).after
    data = data.replace(f"[profile corp-readonly]\n{MARK}\n".encode(), b"[profile corp-readonly]\n")

    assert changes(plan_setup(data, wish(ADMIN, prune=True))) == {"corp-admin": ProfileOutcome.ADDED}


def test_the_source_of_a_chained_profile_is_not_pruned() -> None:
    data = made(READ_ONLY) + b"[profile chained]\nrole_arn = arn:x\nsource_profile = corp-readonly\n"

    assert changes(plan_setup(data, wish(ADMIN, prune=True))) == {"corp-admin": ProfileOutcome.ADDED}


# --- any file ----------------------------------------------------------------------------------------

_NAMES = st.sampled_from(["corp-admin", "corp-readonly", "x", "default"])
_BLOCKS = st.sampled_from(
    [
        "region = x\n",
        f"{MARK}\nsso_session = corp\nsso_account_id = 111100000000\nsso_role_name = ReadOnly\n",
        "sso_session = corp\nsso_account_id = 111100000000\nsso_role_name = Admin\n# c\n",
        "aws_access_key_id = AKIA\n\n\n",
        "s3 =\n  a = b\n",
    ]
)
_SESSION = f"[sso-session corp]\nsso_start_url = {URL}\nsso_region = us-east-1\n"
_FILES = st.dictionaries(_NAMES, _BLOCKS, max_size=4).map(
    lambda blocks: (
        _SESSION + "".join(f"[profile {name}]\n{block}" for name, block in blocks.items())
    ).encode()
)
_ROLES = st.lists(st.sampled_from([ADMIN, READ_ONLY, LAB_ADMIN]), unique=True, max_size=3)


@given(data=_FILES, choices=_ROLES, prune=st.booleans(), process=st.booleans())
@settings(max_examples=examples(500))
def test_any_file_gets_every_role_and_loses_nothing_of_others(
    data: bytes,
    choices: list[RoleChoice],
    prune: bool,  # noqa: FBT001 - drawn by hypothesis
    process: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    command = (lambda name: f"/py {name}") if process else None
    wanted = wish(*choices, prune=prune, command=command, region="eu-west-1")
    plan = plan_setup(data, wanted)
    profiles = parse_config(plan.after, {}).profiles
    served = {(profile.account_id, profile.role_name) for profile in profiles.values()}
    before, after = ini.meaning(data), ini.meaning(plan.after)
    foreign = {name for name in before if MARK not in ini.section_comments(data, name)}

    assert {choice.key for choice in choices} <= served
    assert {name: before[name] for name in foreign} == {name: after[name] for name in foreign}
    assert plan_setup(plan.after, wanted).after == plan.after
    assert ini.meaning(undo_setup(plan.after, plan.originals).after) == before
