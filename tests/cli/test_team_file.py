"""A team file: what it may say, where it comes from, and that it only ever adds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credtray.app import build
from credtray.aws.service_call import Reply, Request
from credtray.core.errors import CodingAgentRefused, CredtrayError, Offline, UsageError
from credtray.core.models import AwsConfig
from credtray.desktop.paths import asset
from credtray.setup.session import suggested_name
from credtray.setup.team_file import (
    MAX_BYTES,
    TeamFile,
    installed,
    installed_with,
    is_source,
    load,
    understood,
)
from credtray.setup.team_settings import difference, settings_after, take_settings_over
from credtray.store.new_settings import new_text
from credtray.store.settings_file import settings_of
from tests.cli.fake_backend import credtray
from tests.cli.real_world import World

SESSION = '[sessions.corp]\nstart_url = "https://corp.awsapps.com/start"\nregion = "eu-west-1"\n'
WHOLE = f"credtray_team = 1\n{SESSION}"


def read(text: str) -> TeamFile:
    return understood(text.encode(), "team.toml")


def nobody(_request: Request) -> Reply:
    raise AssertionError("nothing was to be sent")


# --- what it says -----------------------------------------------------------------------------------


def test_example_that_is_shipped_can_be_used() -> None:
    team = understood(asset("team/synderys.toml"), "synderys.toml")
    [session] = team.sessions

    assert (session.name, session.start_url, session.region) == (
        "synderys", "https://aws.synderys.com", "us-east-1",
    )  # fmt: skip
    assert (("profiles", "synderys-security", "production"), True) in team.settings
    assert settings_of(settings_after(new_text(), team)).profile("synderys-security").production


def test_several_sessions_come_in_the_files_order() -> None:
    team = read(WHOLE + SESSION.replace("corp", "alpha"))

    assert [item.name for item in team.sessions] == ["corp", "alpha"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it does not begin with credtray_team = 1"),
        ("<!DOCTYPE html><html>", "it is not TOML"),
        (WHOLE[:-12], "it is not TOML"),
        ("credtray_team = 1", "it names no session"),
        ("credtray_team = true", "it does not begin with credtray_team = 1"),
        ("credtray_team = 2", "another version"),
        ("credtray_team = 1\nsessions = 7", "sessions must be tables"),
        ("credtray_team = 1\n[sessions.corp]\nregion = 'eu-west-1'", "sessions.corp.start_url is missing"),
        (WHOLE + SESSION.replace("corp]", '"two words"]'), "is no name for a session"),
        (WHOLE + SESSION.replace("corp]", '""]'), "is no name for a session"),
        (WHOLE.replace("eu-west-1", "eu west"), "is not a region name"),
        (WHOLE.replace("https", "http"), "corp.awsapps.com"),
        (WHOLE.replace('"https://corp.awsapps.com/start"', "7"), "sessions.corp.start_url must be text"),
        (f'{WHOLE}duration = "3 weeks"', "is not a number of hours"),
        (f"{WHOLE}template = '{{nobody}}'", "template"),
        (f'{WHOLE}browser = "rm -rf /"', "sessions.corp.browser cannot be set by a team file"),
        (f'{WHOLE}proxy = "http://evil"', "sessions.corp.proxy cannot be set by a team file"),
        (f'{WHOLE}ca_bundle = "/tmp/x"', "sessions.corp.ca_bundle cannot be set by a team file"),
        (f"{WHOLE}[profiles.x]\nproduction = 'yes'", "profiles.x.production must be true or false"),
        (f"{WHOLE}[profiles.x]\ndelivery = 'file'", "profiles.x.delivery cannot be set by a team file"),
        (f"{WHOLE}scopes = 'sso'", "sessions.corp.scopes must be a list"),
        (f"warn_befor = []\n{WHOLE}", "Did you mean warn_before?"),
        ("\udcff", "not UTF-8"),
        ("[" * 20_000, "it is not TOML"),
    ],
)
def test_anything_else_is_refused_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        understood(text.encode(errors="surrogateescape"), "team.toml")

    assert said in str(caught.value)
    assert "Nothing was changed" in caught.value.advice or "Update" in caught.value.advice


@given(data=st.binary(max_size=120) | st.text(max_size=120).map(lambda text: (WHOLE + text).encode()))
def test_no_content_ends_in_anything_but_a_clear_error(data: bytes) -> None:
    said = ""
    try:
        understood(data, "team.toml")
    except CredtrayError as error:
        said = str(error)

    assert said.isprintable()


# --- where it comes from ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "source"),
    [
        ("synderys", False),
        ("corp.toml", True),
        ("./corp", True),
        ("https://corp.example/x", True),
        (r"C:\x", True),
    ],
)
def test_a_path_and_an_address_are_told_from_a_name(word: str, source: bool) -> None:  # noqa: FBT001 -- a parameter
    assert is_source(word) is source


def test_a_path_is_read_without_a_network(tmp_path: Path) -> None:
    (tmp_path / "team.toml").write_text(WHOLE)

    assert load(str(tmp_path / "team.toml"), nobody).sessions[0].name == "corp"
    with pytest.raises(UsageError, match="There is no file"):
        load(str(tmp_path / "other.toml"), nobody)
    (tmp_path / "team.toml").write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(CredtrayError, match=r"larger|too large|KiB"):
        load(str(tmp_path / "team.toml"), nobody)


def answered(status: int = 200, body: bytes = WHOLE.encode(), **headers: str) -> Any:
    return lambda _request: Reply(status, headers, body)


def test_an_address_is_fetched_over_https_only() -> None:
    assert load("https://corp.example/team.toml", answered()).sessions[0].name == "corp"
    with pytest.raises(UsageError, match="is not https"):
        load("http://corp.example/team.toml", nobody)
    with pytest.raises(UsageError, match="is not https"):
        load("file:///etc/passwd", nobody)
    with pytest.raises(UsageError, match="not an address"):
        load("https://[", nobody)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answered(404), "HTTP 404"),
        (answered(500), "HTTP 500"),
        (answered(302, location="https://login.corp.example/?next=x"), "leads on to"),
        (answered(302, location="https://["), "leads on to"),
        (answered(body=b""), "does not begin with"),
        (answered(body=WHOLE[:-12].encode()), "is not TOML"),
        (answered(body=b"<html>Sign in to the hotel"), "is not TOML"),
        (answered(body=b"#" * (MAX_BYTES + 1)), "larger than 256 KiB"),
    ],
)
def test_an_answer_that_is_no_team_file_is_refused(answer: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load("https://corp.example/team.toml", answer)


@pytest.mark.parametrize("answer", [answered(404), answered(302, location="/x"), answered(body=b"#")])
def test_a_password_in_the_address_is_in_no_message(answer: Any) -> None:
    with pytest.raises(UsageError, match=r"corp\.example/team\.toml") as caught:
        load("https://me:canary@corp.example/team.toml?token=canary", answer)
    assert "canary" not in f"{caught.value} {caught.value.advice}"


def test_a_fetch_that_fails_says_why() -> None:
    def offline(_request: Request) -> Reply:
        raise Offline("corp.example refused the connection")

    with pytest.raises(UsageError, match=r"team\.toml.* cannot be had: corp.example refused") as caught:
        load("https://corp.example/team.toml", offline)
    assert "network" in caught.value.advice
    assert "again automatically" not in caught.value.advice


# --- what it does -----------------------------------------------------------------------------------


def test_settings_are_added_and_comments_and_other_values_stay() -> None:
    before = (
        '# mine\n[sessions.corp]\nduration = "2h" # short\nbrowser = "firefox"\n'
        "[profiles.mine]\nfavourite = true\n"
    )
    team = read(f'{WHOLE}duration = "8h"\n[profiles.corp-admin]\nproduction = true\n')
    after = settings_after(before, team)

    assert after.startswith("# mine\n")
    assert 'duration = "8h"' in after
    assert 'browser = "firefox"' in after
    assert settings_of(after).profile("mine").favourite
    assert settings_of(after).profile("corp-admin").production
    assert '+duration = "8h"' in difference(before, after)
    assert settings_after(after, team) == after


def team(world: World, text: str) -> str:
    path = world.home / "team.toml"
    path.write_text(text)
    return str(path)


SYNDERYS = """\
credtray_team = 1
[sessions.synderys]
start_url = "https://aws.synderys.com"
region = "us-east-1"
duration = "4h"
template = "team-{role}"
accounts = "all"
roles = "ReadOnly,DNS"
[profiles.team-dns]
production = true
"""


def test_one_command_signs_in_writes_profiles_and_settings(world: World) -> None:
    outcome = world.credtray("setup", team(world, SYNDERYS), "--yes")

    assert outcome.returncode == 0, outcome.stderr
    assert "[profile team-dns]" in world.config.read_text()
    assert "[profile team-readonly]" in world.config.read_text()
    shown = world.credtray("settings", "get", "profiles.team-dns.production").stdout
    assert "true" in shown
    again = world.credtray("setup", team(world, SYNDERYS), "--yes")
    assert "unchanged" in again.stdout
    assert "taken over" not in again.stdout
    assert world.credtray("settings", "undo").returncode == 0
    assert "true" not in world.credtray("settings", "get", "profiles.team-dns.production").stdout


def test_a_file_that_became_empty_or_was_cut_off_takes_nothing_away(world: World) -> None:
    world.credtray("setup", team(world, SYNDERYS), "--yes")
    before = world.config.read_bytes()
    for text in ("", SYNDERYS[:60], "credtray_team = 1\n"):
        outcome = world.credtray("setup", team(world, text), "--yes")

        assert outcome.returncode == 2
        assert "Nothing was changed" in outcome.stderr
    assert world.config.read_bytes() == before


def test_a_dry_run_shows_both_and_writes_neither(world: World) -> None:
    outcome = world.credtray("setup", team(world, SYNDERYS), "--dry-run")

    assert outcome.returncode == 0, outcome.stderr
    assert "+[profile team-dns]" in outcome.stdout
    assert "+production = true" in outcome.stderr
    assert not world.config.exists()
    assert "true" not in world.credtray("settings", "get", "profiles.team-dns.production").stdout


def test_options_that_a_team_file_answers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    path.write_text(WHOLE)

    assert credtray("setup", str(path), "--region", "eu-west-1", "--yes").code == 2
    outcome = credtray("setup", str(path), "--session", "corq", "--yes")
    assert outcome.code == 2
    assert "Did you mean corp?" in outcome.err


@pytest.mark.posix("a policy with an owner and a mode")
def test_what_the_organisations_policy_sets_a_team_file_does_not(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = home / "organisation" / "policy.toml"
    policy.parent.mkdir(mode=0o755)
    policy.write_text('warn_before = ["2h"]\n')
    more = "[profiles.x]\nproduction = true\n"
    components = build()
    team = read(f'warn_before = ["1m"]\n{WHOLE}{more}')
    take_settings_over(components, team, ask=False, dry_run=False)
    found = components.settings_file.load()

    assert found.warn_before == (timedelta(hours=2),)
    assert found.profile("x").production
    assert 'warn_before = ["1m"]' not in components.settings_file.text()
    assert f"warn_before is set by your organisation ({policy}) and stays." in capsys.readouterr().err


def test_a_coding_agent_loosens_no_rule_by_a_team_file(monkeypatch: pytest.MonkeyPatch) -> None:
    components = build()
    file = components.settings_file
    file.set(("profiles", "x", "production"), True)
    before, loose = file.text(), read(f"{WHOLE}[profiles.x]\nproduction = false\n")
    monkeypatch.setenv("CLAUDECODE", "1")
    take_settings_over(components, loose, ask=False, dry_run=True)
    with pytest.raises(CodingAgentRefused, match="cannot allow itself"):
        take_settings_over(components, loose, ask=False, dry_run=False)
    assert file.text() == before
    other = read(f"{WHOLE}[profiles.x]\nfavourite = true\n")
    take_settings_over(components, other, ask=False, dry_run=False)
    assert file.load().profile("x").favourite


# --- those that are installed ---------------------------------------------------------------------------


def install(home: Path, name: str, text: str) -> Path:
    """Put a team file where an administrator puts them."""
    path = home / "organisation" / "team" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_example_that_is_shipped_is_offered_by_its_name() -> None:
    item = installed()["synderys"]

    assert (item.start_url, item.region) == ("https://aws.synderys.com", "us-east-1")
    assert item.duration == timedelta(hours=4)


@pytest.mark.posix("/etc")
def test_an_organisations_files_count_more_and_a_broken_one_costs_only_itself(home: Path) -> None:
    mine = install(home, "b.toml", f"{WHOLE}{SESSION.replace('corp', 'synderys')}")
    install(home, "a.toml", WHOLE[:-5])
    install(home, "c.toml", WHOLE.replace("eu-west-1", "eu-west-3"))
    install(home, "notes.txt", WHOLE.replace("corp", "notes"))
    found = installed()

    assert list(found) == ["corp", "synderys"]
    assert (found["corp"].region, found["synderys"].region) == ("eu-west-1", "eu-west-1")
    team = installed_with("synderys")
    assert team is not None
    assert team.source == str(mine)
    assert installed_with("notes") is None


@pytest.mark.posix("/etc")
def test_a_name_in_the_team_file_is_suggested_for_its_start_url(home: Path) -> None:
    install(home, "a.toml", WHOLE.replace("sessions.corp", "sessions.work"))

    assert suggested_name("https://CORP.awsapps.com/start/", AwsConfig()) == "work"


def test_of_several_sessions_only_the_settings_of_one_are_taken() -> None:
    lab = SESSION.replace("corp", "lab")
    more = f'duration = "4h"\n{lab}duration = "5h"\n[profiles.x]\nproduction = true\n'
    wanted = [("sessions", "lab", "duration"), ("profiles", "x", "production")]

    assert [where for where, _ in read(WHOLE + more).of("lab").settings] == wanted


def test_setup_by_name_takes_the_settings_of_the_file_over(world: World) -> None:
    outcome = world.credtray("setup", "synderys", "--accounts", "all", "--roles", "DNS", "--yes")
    again = world.credtray("setup", "synderys", "--accounts", "all", "--roles", "DNS", "--yes")

    assert outcome.returncode == 0, outcome.stderr
    assert "Changes to" in outcome.stderr
    assert "Changes to" not in again.stderr
    assert world.credtray("settings", "get", "sessions.synderys.duration").stdout == "4h\n"
    assert world.credtray("settings", "get", "profiles.synderys-security.production").stdout == "true\n"


def test_what_a_person_says_about_the_length_counts_more_than_the_file(world: World) -> None:
    for source in ("synderys", team(world, SYNDERYS)):
        words = ("--accounts", "all", "--roles", "DNS", "--session-duration", "9h", "--yes")
        outcome = world.credtray("setup", source, *words)

        assert outcome.returncode == 0, outcome.stderr
        assert world.credtray("settings", "get", "sessions.synderys.duration").stdout == "9h\n"
