"""What is served from a config file, what is left alone, and what a person is told to mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from credtray.core.config.sections import MAX_VALUE
from credtray.core.config.sso import parse_config
from credtray.core.errors import ConfigInvalid
from credtray.core.models import AssumedRole, AwsConfig, Endpoints, Profile, SsoSession
from tests.core.making import calls_of

FIXTURES = Path(__file__).parent.parent / "fixtures" / "aws-cli"
SESSION = """
[sso-session corp]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
"""
ROLE = "sso_account_id = 111100000000\nsso_role_name = Admin\n"
SSO = f"sso_session = corp\n{ROLE}"

OWN = Endpoints()
"""A profile of a file never goes the way of others."""


def parse(text: str, **environ: str) -> AwsConfig:
    return parse_config(text.encode(), environ)


def only_warning(text: str) -> tuple[str, int, str, str]:
    (warning,) = parse(text).warnings
    return (warning.profile, warning.line, warning.text, warning.hint)


def reason(text: str, name: str = "x") -> str:
    config = parse(text)
    assert not config.warnings
    return {profile.name: profile.reason for profile in config.foreign}[name]


# --- what is served ----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.36.7-pkce", "2.9.19-device"])
def test_the_file_of_a_real_aws_cli_is_taken_over(version: str) -> None:
    config = parse_config((FIXTURES / version / ".aws" / "config").read_bytes(), {})

    corp = SsoSession(
        "corp", "https://d-9067000001.awsapps.com/start", "us-east-1", scopes=("sso:account:access",)
    )
    url = "https://d-9067000002.awsapps.com/start"
    assert {"corp": corp, url: SsoSession(url, url, "us-east-1", legacy=True)} == config.sessions
    assert {
        "dev": Profile("dev", "corp", "111100000000", "Admin", "eu-west-1", OWN),
        "ro": Profile("ro", "corp", "111100000001", "ReadOnly", "eu-west-1", OWN),
        "legacy": Profile("legacy", url, "111100000002", "Admin", "eu-west-1", OWN),
    } == config.profiles
    assert not config.warnings
    assert not config.foreign


def test_an_empty_file_says_nothing() -> None:
    assert AwsConfig() == parse("")


def test_a_session_without_profiles_is_kept() -> None:
    assert {"corp"} == set(parse(SESSION).sessions)


def test_two_sessions_with_one_start_url_stay_two() -> None:
    other = SESSION.replace("corp", "lab")

    assert {"corp", "lab"} == set(parse(SESSION + other).sessions)


@pytest.mark.parametrize(
    ("line", "scopes"),
    [
        ("", None),
        ("sso_registration_scopes = sso:account:access", ("sso:account:access",)),
        ("sso_registration_scopes = a, b,,c ,", ("a", "b", "c")),
        ("sso_registration_scopes =", ()),
    ],
)
def test_scopes_are_a_comma_separated_list(line: str, scopes: tuple[str, ...] | None) -> None:
    assert scopes == parse(SESSION + line).sessions["corp"].scopes


def test_a_chain_of_roles_is_in_the_order_of_assuming() -> None:
    config = parse(
        f"{SESSION}[profile base]\n{SSO}"
        "[profile mid]\nrole_arn = arn:mid\nsource_profile = base\nexternal_id = ext\n"
        "[profile top]\nrole_arn = arn:top\nsource_profile = mid\nduration_seconds = 900\n"
        "role_session_name = me\nregion = eu-west-1\n"
    )

    roles = (AssumedRole("arn:mid", external_id="ext"), AssumedRole("arn:top", "me", None, 900))
    assert Profile("top", "corp", "111100000000", "Admin", "eu-west-1", OWN, roles) == config.profiles["top"]
    assert roles[:1] == config.profiles["mid"].chain


def test_a_profile_of_our_own_credential_process_is_recognised() -> None:
    config = parse(
        SESSION
        + "[profile x]\n# credtray: made by setup\ncredential_process = /py -m credtray credentials x\n"
        "credtray_sso_session = corp\ncredtray_account_id = 111100000000\ncredtray_role_name = Admin\n"
    )

    assert {"x": Profile("x", "corp", "111100000000", "Admin", endpoints=OWN)} == config.profiles


def test_sso_wins_over_a_credential_process_in_the_same_profile() -> None:
    assert "x" in parse(SESSION + f"[profile x]\n{SSO}credential_process = /bin/false\n").profiles


def test_a_source_profile_of_our_credential_process_begins_a_chain() -> None:
    config = parse(
        SESSION + "[profile x]\ncredential_process = y\ncredtray_sso_session = corp\n"
        "credtray_account_id = 111100000000\ncredtray_role_name = Admin\n"
        "[profile y]\nrole_arn = arn:y\nsource_profile = x\n"
    )

    assert (AssumedRole("arn:y"),) == config.profiles["y"].chain


# --- what is somebody else's -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ("credential_process = /bin/false", "credential_process"),
        ("aws_access_key_id = AKIA\naws_secret_access_key = s", "static keys"),
        ("login_session = arn:aws:iam::1:user/x", "aws login"),
        ("role_arn = arn:x\nweb_identity_token_file = /t", "web identity"),
        ("role_arn = arn:x\ncredential_source = Ec2InstanceMetadata", "Ec2InstanceMetadata"),
        ("role_arn = arn:x\nsource_profile = base\nmfa_serial = arn:mfa", "MFA"),
        ("role_arn = arn:x\nsource_profile = nowhere", "in neither file"),
        ("role_arn = arn:x\nsource_profile = keys", "static keys"),
        ("role_arn = arn:x\nsource_profile = x", "static keys of its own"),
        ("sso_session = corp", "bearer token"),
        ("region = eu-west-1", "no source of credentials"),
    ],
)
def test_foreign_profiles_are_listed_with_the_reason(lines: str, word: str) -> None:
    base = f"{SESSION}[profile base]\n{SSO}[profile keys]\naws_access_key_id = AKIA\n"

    assert word in reason(f"{base}[profile x]\n{lines}\n")


# --- what a person has to mend -----------------------------------------------------------------------


@pytest.mark.parametrize("key", ["sso_account_id", "sso_role_name"])
def test_a_missing_setting_is_named(key: str) -> None:
    lines = "".join(line for line in SSO.splitlines(keepends=True) if key not in line)
    profile, line, text, hint = only_warning(f"{SESSION}[profile x]\n{lines}")

    expected = ("x", 5, f"it lacks {key}", f"Add {key} to the profile, or run `credtray setup`.")
    assert expected == (profile, line, text, hint)


def test_a_session_that_lacks_its_region_is_told_for_the_session_and_its_profiles() -> None:
    text = f"[sso-session corp]\nsso_start_url = https://d-1.awsapps.com/start\n[profile x]\n{SSO}"
    config = parse(text)

    assert [warning.profile for warning in config.warnings] == ["sso-session corp", "x"]
    assert config.warnings[0].text == "it lacks sso_region"
    assert not config.sessions


@pytest.mark.parametrize(
    ("lines", "line", "word"),
    [
        ("sso_session = nowhere\nsso_account_id = 1\nsso_role_name = A", 6, "does not exist"),
        (SSO + "sso_region = eu-west-1", 9, "differs"),
        (SSO.replace("111100000000", "1234"), 7, "it has 4 digits, not 12"),
        (SSO.replace("111100000000", "\u0661" * 12), 7, "12 digits"),
        (SSO.replace("Admin", "Ad min"), 8, "no role can be called"),
        (SSO.replace("Admin", "A" * 65), 8, "no role can be called"),
        ("sso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1", 5, "sso_role_name"),
        ("sso_start_url = http://d-1.awsapps.com\nsso_region = us-east-1\n" + ROLE, 6, "https"),
        ("sso_start_url = https://d-1.awsapps.com\nsso_region = evil.com/#\n" + ROLE, 7, "region"),
        (f"role_arn = arn:x\nsource_profile = x\n{SSO}", 7, "itself"),
        ("role_arn = arn:x", 6, "no source_profile"),
        ("role_arn = arn:x\nsource_profile = y\n[profile y]\nrole_arn = arn:y\nsource_profile = x", 7, "y"),
        ("role_arn = arn:x\nsource_profile = y\ncredential_source = Environment", 8, "both"),
        ("credential_process = p\ncredtray_sso_session = corp", 5, "credtray_account_id"),
        (f"{SSO}services = nowhere", 9, "services"),
        (f"{SSO}sso_region = {'x' * (MAX_VALUE + 1)}", 9, "64 KiB"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(lines: str, line: int, word: str) -> None:
    config = parse(f"{SESSION}[profile x]\n{lines}\n[profile fine]\n{SSO}")
    found = [warning for warning in config.warnings if warning.profile == "x"]

    assert [line] == [warning.line for warning in found]
    assert word in found[0].text
    assert found[0].hint
    assert "x" not in config.profiles
    assert "fine" in config.profiles


@pytest.mark.parametrize(("lines", "line"), [("region = evil.com/#", 9), ("region = x\x07", 9)])
def test_a_bad_region_is_told_and_left_out(lines: str, line: int) -> None:
    config = parse(f"{SESSION}[profile x]\n{SSO}{lines}\n")

    assert [line] == [warning.line for warning in config.warnings]
    assert config.warnings[0].text.isprintable()
    assert config.profiles["x"].region is None


def test_a_bad_duration_is_told_and_left_out() -> None:
    config = parse(
        f"{SESSION}[profile b]\n{SSO}[profile x]\nrole_arn = a\nsource_profile = b\nduration_seconds = 1h\n"
    )

    assert [warning.line for warning in config.warnings] == [12]
    assert (AssumedRole("a"),) == config.profiles["x"].chain


def test_an_unprintable_name_is_told_printably() -> None:
    (warning,) = parse(f"{SESSION}[profile a\x1b[31m]\n{SSO}").warnings

    assert warning.profile.isprintable()


def test_one_start_url_with_two_regions_is_told() -> None:
    legacy = (
        "sso_start_url = https://d-1.awsapps.com/start\nsso_account_id = 111100000000\nsso_role_name = A\n"
    )
    config = parse(
        f"[profile a]\n{legacy}sso_region = us-east-1\n[profile b]\n{legacy}sso_region = eu-west-1\n"
    )

    assert {"a"} == set(config.profiles)
    assert [warning.profile for warning in config.warnings] == ["b"]


def test_a_loop_of_chained_profiles_is_cut() -> None:
    ring = "".join(f"[profile p{i}]\nrole_arn = a\nsource_profile = p{(i + 1) % 7}\n" for i in range(7))
    config = parse(ring)

    assert not config.profiles
    assert len(config.warnings) == 7


def test_a_broken_file_is_refused_whole() -> None:
    with pytest.raises(ConfigInvalid, match="line 2"):
        parse("[profile a]\n[profile a]\n")


# --- endpoints ---------------------------------------------------------------------------------------


def test_endpoints_of_a_services_section_are_found() -> None:
    config = parse(
        f"{SESSION}[profile x]\n{SSO}services = s\nca_bundle = /ca\nendpoint_url = https://all.test\n"
        "[services s]\nsso_oidc =\n  endpoint_url = https://oidc.test\nsso =\n  endpoint_url = https://p.test\n"
    )

    expected = Endpoints("https://oidc.test", "https://p.test", "https://all.test", "/ca")
    assert expected == config.profiles["x"].endpoints
    assert expected == config.sessions["corp"].endpoints


def test_a_session_takes_the_endpoints_of_its_first_profile_that_has_any() -> None:
    config = parse(
        f"{SESSION}[profile c]\n{SSO}endpoint_url = https://c.test\n"
        f"[profile b]\n{SSO}endpoint_url = https://b.test\n[profile a]\n{SSO}"
    )

    assert config.sessions["corp"].endpoints.oidc == "https://b.test"


def test_the_environment_reaches_a_session_without_profiles() -> None:
    config = parse(SESSION, AWS_ENDPOINT_URL_SSO_OIDC="https://e.test")

    assert Endpoints(oidc="https://e.test") == config.sessions["corp"].endpoints


def test_cost_of_reading_grows_with_the_number_of_sections_only() -> None:
    def crowd(count: int) -> bytes:
        rows = (
            f"[profile p{i}]\nsso_session = corp\nsso_account_id = {i:012d}\nsso_role_name = Admin\n\n"
            for i in range(count)
        )
        return (SESSION + "".join(rows)).encode()

    few, many = crowd(1_000), crowd(10_000)

    assert len(parse_config(many, {}).profiles) == 10_000
    assert calls_of(lambda: parse_config(many, {})) < 12 * calls_of(lambda: parse_config(few, {}))
