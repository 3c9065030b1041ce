"""A profile is what both files say of it, and both files may be one: as every SDK reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from credtray.app import build
from credtray.aws.config_file import AwsConfigFile
from credtray.core.config.setup_edits import ProfileOutcome, SetupWish, plan_setup, undo_setup
from credtray.core.config.sso import parse_config, read_credentials
from credtray.core.errors import FileRefused
from credtray.core.models import Account, AwsConfig, Endpoints, Profile, SsoSession
from credtray.core.naming import RoleChoice
from credtray.core.section_mark import key_digest
from credtray.doctor.all_rules import findings
from credtray.doctor.collect import look
from credtray.environment import Environment
from credtray.setup.config_place import check_place

SESSION = """[sso-session corp]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
"""
ROLE = "sso_session = corp\nsso_account_id = 111100000000\nsso_role_name = ReadOnly\nregion = us-east-1\n"
LEGACY = (
    "sso_start_url = https://d-9067000001.awsapps.com/start\nsso_region = us-east-1\n"
    "sso_account_id = 111100000000\nsso_role_name = Admin\n"
)
OURS = (
    '# credtray keeps this section: profile "{profile}", expires 2099-11-22T19:36:43Z, key {digest}\n'
    "aws_access_key_id = ASIAEXAMPLE\naws_secret_access_key = s\naws_session_token = t\n"
)


def kept(profile: str) -> str:
    return OURS.format(profile=profile, digest=key_digest("ASIAEXAMPLE"))


def read(config: str, credentials: str) -> AwsConfig:
    return parse_config(config.encode(), {}, read_credentials(credentials.encode()))


def p1(config: str, credentials: str) -> Profile:
    return read(config, credentials).profiles["p1"]


@pytest.mark.met("F2")
def test_a_profile_in_the_credentials_file_alone_is_served() -> None:
    profile = p1("", f"[p1]\n{LEGACY}")

    assert (profile.account_id, profile.role_name) == ("111100000000", "Admin")


@pytest.mark.met("F2")
def test_the_credentials_file_decides_on_the_role() -> None:
    profile = p1(f"{SESSION}[profile p1]\n{ROLE}", "[p1]\nsso_role_name = Admin\n")

    assert profile.role_name == "Admin"


@pytest.mark.met("F2")
def test_a_source_profile_may_stand_in_the_credentials_file() -> None:
    config = f"{SESSION}[profile p1]\nrole_arn = arn:aws:iam::222200000000:role/r\nsource_profile = base\n"
    profile = p1(config, f"[base]\n{LEGACY}")

    assert (profile.role_name, len(profile.chain)) == ("Admin", 1)


@pytest.mark.met("F2")
def test_a_role_arn_in_the_credentials_file_makes_a_chain() -> None:
    profile = p1(
        f"{SESSION}[profile p1]\nregion = eu-west-1\n[profile base]\n{ROLE}",
        "[p1]\nrole_arn = arn:aws:iam::222200000000:role/r\nsource_profile = base\n",
    )

    assert (profile.role_name, profile.chain[0].role_arn[-6:], profile.region) == (
        "ReadOnly",
        "role/r",
        "eu-west-1",
    )


@pytest.mark.met("F2")
def test_the_region_and_the_endpoint_of_the_credentials_file_count() -> None:
    profile = p1(
        f"{SESSION}[profile p1]\n{ROLE}[services s]\nsts =\n  endpoint_url = https://sts.test\n",
        "[p1]\nregion = eu-central-1\nservices = s\n",
    )

    assert (profile.region, profile.endpoints) == ("eu-central-1", Endpoints(sts="https://sts.test"))


@pytest.mark.met("F2")
def test_an_sso_session_in_the_credentials_file_is_none() -> None:
    config = read(f"[profile p1]\n{ROLE}", SESSION)

    assert not config.profiles
    assert config.warnings[0].profile == "p1"


@pytest.mark.met("F2")
@pytest.mark.parametrize("header", ["default", "profile default"])
def test_default_is_merged_however_its_header_is_written(header: str) -> None:
    config = read(f"{SESSION}[{header}]\n{ROLE}", "[default]\nsso_role_name = Admin\n")

    assert config.profiles["default"].role_name == "Admin"


@pytest.mark.parametrize(
    "lines",
    [
        ROLE,
        (
            "credential_process = credtray credentials p1\ncredtray_sso_session = corp\n"
            "credtray_account_id = 111100000000\ncredtray_role_name = ReadOnly\n"
        ),
    ],
)
def test_keys_that_credtray_keeps_make_no_profile_of_keys(lines: str) -> None:
    config = read(f"{SESSION}[profile p1]\n{lines}", f"[p1]\n{kept('p1')}[p1-keys]\n{kept('p1')}")

    assert set(config.profiles) == {"p1"}
    assert not config.foreign


def test_keys_of_somebody_else_come_before_a_credential_process() -> None:
    process = "credential_process = credtray credentials p1\ncredtray_sso_session = corp\n"
    role = "credtray_account_id = 111100000000\ncredtray_role_name = ReadOnly\n"
    config = read(
        f"{SESSION}[profile p1]\n{process}{role}",
        "[p1]\naws_access_key_id = AKIA\naws_secret_access_key = s\n",
    )

    assert [item.name for item in config.foreign] == ["p1"]
    assert "credentials file" in config.foreign[0].reason


def test_a_problem_in_the_credentials_file_is_told_with_its_line_there() -> None:
    config = read(f"{SESSION}[profile p1]\n{ROLE}", "\n\n[p1]\nsso_account_id = 12\n")
    warning = config.warnings[0]

    assert (warning.line, warning.in_credentials) == (4, True)


# --- the loader --------------------------------------------------------------------------------------


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    os.utime(path, (1_700_000_000, 1_700_000_000 + len(text)))
    return path


@pytest.fixture
def files(tmp_path: Path) -> AwsConfigFile:
    config = written(tmp_path / "config", f"{SESSION}[profile p1]\n{ROLE}")
    return AwsConfigFile(config, {}, written(tmp_path / "credentials", ""))


@pytest.mark.met("F2")
def test_a_change_of_the_credentials_file_that_changes_a_profile_is_noticed(
    files: AwsConfigFile, tmp_path: Path
) -> None:
    before = files.load().profiles["p1"].role_name, files.stamp()
    written(tmp_path / "credentials", "[p1]\nsso_role_name = Admin\n")
    after = files.stamp()

    assert (before[0], files.load().profiles["p1"].role_name) == ("ReadOnly", "Admin")
    assert before[1] != after


def test_renewed_keys_are_no_change_of_a_profile(files: AwsConfigFile, tmp_path: Path) -> None:
    config, stamp = files.load(), files.stamp()
    written(tmp_path / "credentials", f"[p1]\n{kept('p1')}[other]\n{kept('other')}")

    assert (files.stamp(), files.load()) == (stamp, config)


def test_a_broken_credentials_file_says_what_it_said_last(files: AwsConfigFile, tmp_path: Path) -> None:
    written(tmp_path / "credentials", "[p1]\nsso_role_name = Admin\n")
    files.load()
    written(tmp_path / "credentials", "[p1]\nsso_role_name = Admin\nbroken\n")
    written(tmp_path / "config", f"{SESSION}[profile p1]\n{ROLE}[profile p2]\n{ROLE}")
    config = files.load()

    assert (config.profiles["p1"].role_name, config.profiles["p2"].role_name) == ("Admin", "ReadOnly")


# --- setup -------------------------------------------------------------------------------------------


@pytest.mark.met("F2")
def test_setup_knows_which_role_a_profile_has_by_both_files() -> None:
    session = SsoSession("corp", "https://d-9067000001.awsapps.com/start", "us-east-1")
    choice = RoleChoice(Account("111100000000", "prod"), "ReadOnly")
    over = read_credentials(b"[p1]\nsso_role_name = Admin\n")
    wish = SetupWish(session, (choice,), taken=frozenset({"p1"}), credentials=over)
    plan = plan_setup(f"{SESSION}[profile p1]\n{ROLE}".encode(), wish)

    assert [(item.profile, item.change) for item in plan.profiles] == [
        ("corp-readonly", ProfileOutcome.ADDED)
    ]


# --- one file for both, and none ---------------------------------------------------------------------


def codes(home: Path, **environ: str) -> list[str]:
    where = Environment(environ={"HOME": str(home), **environ}, home=home)
    return [found.kind.code for found in findings(look(where).facts)]


@pytest.fixture
def aws(home: Path) -> Path:
    directory = home / ".aws"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


@pytest.mark.met("F24")
def test_our_section_in_the_one_file_for_both_is_read_by_programs(home: Path, aws: Path) -> None:
    (aws / "config").write_text(f"{SESSION}[profile p1]\n{ROLE}[p1]\n{kept('p1')}")
    both = str(aws / "config")

    assert "section_ignored" not in codes(home, AWS_CONFIG_FILE=both, AWS_SHARED_CREDENTIALS_FILE=both)


@pytest.mark.wine_lacks("links that other programs see")
@pytest.mark.met("F24")
def test_a_link_makes_one_file_of_both(home: Path, aws: Path) -> None:
    (aws / "config").write_text(f"{SESSION}[profile p1]\n{ROLE}[p1]\n{kept('p1')}[mine]\n{LEGACY}")
    (aws / "credentials").symlink_to("config")

    assert "section_ignored" not in codes(home)


@pytest.mark.met("F24")
def test_a_section_of_ours_left_in_the_config_file_is_not_called_unread(home: Path, aws: Path) -> None:
    (aws / "config").write_text(f"{SESSION}[profile p1]\n{ROLE}[p1]\n{kept('p1')}")

    assert "section_ignored" not in codes(home)


def test_a_header_without_its_prefix_is_told_as_before(home: Path, aws: Path) -> None:
    (aws / "config").write_text(f"{SESSION}[p1]\n{ROLE}")

    assert "section_ignored" in codes(home)


@pytest.mark.met("F24")
def test_no_config_file_is_not_a_broken_one(home: Path, aws: Path) -> None:
    (aws / "credentials").write_text(f"[p1]\n{LEGACY}")
    found = AwsConfigFile(Path("/dev/null"), {}, aws / "credentials").load()

    assert set(found.profiles) == {"p1"}
    assert not [name for name in codes(home, AWS_CONFIG_FILE="/dev/null") if "unreadable" in name]


@pytest.mark.met("F24")
def test_no_credentials_file_is_not_a_broken_one(home: Path, aws: Path) -> None:
    (aws / "config").write_text(f"{SESSION}[profile p1]\n{ROLE}")
    found = AwsConfigFile(aws / "config", {}, Path("/dev/null")).load()

    assert found.profiles["p1"].role_name == "ReadOnly"
    assert not [name for name in codes(home, AWS_SHARED_CREDENTIALS_FILE="/dev/null") if "unreadable" in name]


@pytest.mark.met("F24")
def test_setup_without_a_config_file_is_refused_before_anybody_signs_in(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(FileRefused, match="AWS_CONFIG_FILE") as caught:
        check_place(build(Environment(home=home)))

    assert "AWS_CONFIG_FILE" in caught.value.advice


@pytest.mark.met("F2")
def test_undo_keeps_a_session_that_a_profile_of_the_credentials_file_names() -> None:
    config, header = SESSION.encode(), "sso-session corp"
    named = read_credentials(f"[p1]\n{ROLE}".encode())

    assert undo_setup(config, {header: None}, {}, named).skipped == {header: "profiles still name it"}
    assert undo_setup(config, {header: None}).restored == (header,)
