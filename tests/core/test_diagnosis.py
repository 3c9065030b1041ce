"""Facts become findings: each is found where it is so, and not where it is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credtray.core.models import CredentialStatus
from credtray.doctor.all_rules import BY_CODE, EVERY_KIND, concerning, findings
from credtray.doctor.evidence import AgentFacts, Facts, Held, SessionSight, SettingsFacts, spoken
from credtray.doctor.findings import Finding, Severity
from credtray.doctor.repair_plans import REPAIRS
from credtray.doctor.symptoms import SYMPTOMS, texts_of
from credtray.files.obstacles import InTheWay, Obstacle
from tests.core.diagnosis_facts import (
    ALWAYS_FINE,
    FINE,
    GOOD_TOKEN,
    LEGACY,
    NOW,
    ONLY_EXPLAINED,
    OTHER,
    SESSION,
    WRONG,
    config,
    config_file,
    environ,
    frozen,
    keys,
    minutes,
    online,
    token,
    told,
    unparsable,
)


def codes(facts: Facts) -> list[str]:
    return [item.code for item in findings(facts)]


def the(code: str, facts: Facts) -> Finding:
    return next(item for item in findings(facts) if item.code == code)


def test_every_kind_has_facts_that_show_it_or_is_said_to_have_none() -> None:
    assert {*WRONG, *ONLY_EXPLAINED, *ALWAYS_FINE} == set(BY_CODE)


@pytest.mark.parametrize("code", WRONG)
def test_what_is_wrong_is_found_and_nowhere_else(code: str) -> None:
    assert code in codes(WRONG[code]())
    assert code not in codes(FINE)


def test_where_all_is_fine_nothing_is_complained_of() -> None:
    assert [(item.code, item.severity) for item in findings(FINE)] == [
        ("signed_in", Severity.FINE),
        ("agent_running", Severity.FINE),
    ]


def test_codes_are_unique_and_titles_tell_them_apart() -> None:
    assert len({kind.code for kind in EVERY_KIND}) == len(EVERY_KIND)
    assert len({kind.title for kind in EVERY_KIND}) == len(EVERY_KIND)


def test_every_repair_that_is_offered_exists() -> None:
    offered = {kind.repair.value for kind in EVERY_KIND if kind.repair is not None}

    assert offered == set(REPAIRS)


def test_every_cause_of_an_error_text_is_a_finding() -> None:
    assert all(kind.code in BY_CODE for symptom in SYMPTOMS for kind in symptom.causes)
    assert texts_of(BY_CODE["role_refused"])[0].endswith("No access")


@pytest.mark.parametrize("code", WRONG)
def test_no_cure_has_a_place_left_open(code: str) -> None:
    found = the(code, WRONG[code]())

    assert "{" not in found.cure
    assert not {"PATH", "PLACE", "SECTION", "HINT", "NAME}"} & set(found.cure.replace("]", " ").split())
    assert found.cure.strip()


# --- the edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "ended"), [(0, True), (1 / 60, False)])
def test_a_token_ends_at_its_very_second(left: float, ended: bool) -> None:  # noqa: FBT001 -- a table
    facts = token(expires_at=minutes(left), has_refresh_token=False)

    assert ("sign_in_ended" in codes(facts)) is ended


def test_a_token_that_can_be_renewed_has_not_ended() -> None:
    facts = token(expires_at=minutes(-30))

    assert "sign_in_ended" not in codes(facts)
    assert "sign_in_ended" in codes(token(expires_at=minutes(-30), registration_ends=minutes(-1)))


def test_a_legacy_session_lacks_no_scopes() -> None:
    held = replace(GOOD_TOKEN, has_refresh_token=False)
    facts = replace(FINE, config=config(LEGACY), tokens={LEGACY.name: held})

    assert "session_without_scopes" not in codes(facts)
    assert "signed_in" in codes(facts)


def test_the_agent_knows_of_an_end_the_token_file_does_not_show() -> None:
    facts = replace(
        FINE, agent=replace(FINE.agent, sessions=frozen(corp=SessionSight(CredentialStatus.EXPIRED)))
    )

    assert "sign_in_ended" in codes(facts)
    assert "signed_in" not in codes(facts)


def test_while_somebody_signs_in_nothing_is_said_of_the_session() -> None:
    signing_in = replace(FINE.agent, sessions=frozen(corp=SessionSight(CredentialStatus.SIGNING_IN)))

    assert "signed_out" not in codes(replace(token(held=Held.NOTHING), agent=signing_in))


@pytest.mark.parametrize(("off", "wrong"), [(300, False), (301, True), (-301, True)])
def test_the_clock_is_wrong_beyond_five_minutes(off: float, wrong: bool) -> None:  # noqa: FBT001 -- a table
    assert ("clock_off" in codes(online(clock_error=timedelta(seconds=off)))) is wrong


@pytest.mark.parametrize(("left", "stale"), [(0, True), (1, False)])
def test_our_keys_are_stale_when_their_mark_says_so(left: float, stale: bool) -> None:  # noqa: FBT001 -- a table
    assert ("stale_keys" in codes(keys(profile="dev", expires_at=minutes(left)))) is stale


def test_pasted_keys_are_nobodys_to_keep_fresh() -> None:
    pasted = keys(profile="111100000001/ReadOnly", expires_at=minutes(9), pasted=True)

    assert "unattended_keys" not in codes(replace(pasted, agent=AgentFacts()))


def test_our_own_keys_shadow_nothing() -> None:
    assert "foreign_keys_shadow" not in codes(keys(profile="dev", expires_at=minutes(9)))


def test_a_config_file_others_may_read_is_no_trouble_but_a_token_file_is() -> None:
    readable = replace(FINE.config.text.file, mode=0o644)
    facts = replace(FINE, config=replace(FINE.config, text=replace(FINE.config.text, file=readable)))

    assert "file_mode" not in codes(facts)
    assert "file_mode" in codes(token(file=replace(GOOD_TOKEN.file, mode=0o640)))


def test_a_session_of_its_own_proxy_does_not_depend_on_the_shell() -> None:
    facts = environ(HTTPS_PROXY="http://proxy:3128")

    assert "proxy_only_in_shell" not in codes(replace(facts, settings=SettingsFacts(proxies=("corp",))))


def test_each_setting_that_only_the_shell_has_is_a_command_of_its_own() -> None:
    facts = environ(HTTPS_PROXY="set", AWS_CA_BUNDLE="/etc/corp.pem")
    cures = [item.cure for item in findings(facts) if item.code == "proxy_only_in_shell"]

    assert cures == [
        'Run: credtray settings set sessions.corp.proxy "$HTTPS_PROXY"',
        'Run: credtray settings set sessions.corp.ca_bundle "$AWS_CA_BUNDLE"',
    ]


def test_versions_of_the_cli_that_know_everything_are_not_old() -> None:
    assert "aws_cli_old" not in codes(replace(FINE, aws_cli=(2, 22, 0)))
    assert "aws_cli_old" in codes(replace(FINE, aws_cli=(2, 21, 9)))
    assert "aws sso login" in the("aws_cli_old", replace(FINE, aws_cli=(1, 45, 11))).seen[0].text


# --- how much it matters -----------------------------------------------------------------------------


def test_a_session_nobody_uses_is_only_noted() -> None:
    facts = replace(
        FINE,
        config=config(SESSION, OTHER),
        tokens=frozen(corp=GOOD_TOKEN, spare=replace(GOOD_TOKEN, held=Held.NOTHING)),
    )

    assert the("signed_out", facts).severity is Severity.NOTE
    assert the("signed_out", replace(facts, active=("dev-1",))).severity is Severity.BROKEN


def test_with_no_usable_session_all_are_broken() -> None:
    facts = replace(
        FINE,
        config=config(SESSION, OTHER),
        tokens=frozen(
            corp=replace(GOOD_TOKEN, held=Held.NOTHING), spare=replace(GOOD_TOKEN, held=Held.NOTHING)
        ),
    )
    found = [item for item in findings(facts) if item.code == "signed_out"]

    assert [item.severity for item in found] == [Severity.BROKEN] * 2


def test_the_worst_comes_first() -> None:
    facts = replace(WRONG["half_keys"](), agent=AgentFacts(), unknown=("x",))
    ranks = [item.severity.rank for item in findings(facts)]

    assert sorted(ranks) == ranks
    assert findings(facts)[0].severity is Severity.BROKEN


# --- what is said ------------------------------------------------------------------------------------


def test_a_place_is_file_and_line() -> None:
    found = the("duplicate_section", WRONG["duplicate_section"]())

    assert [sight.place for sight in found.seen] == ["~/.aws/config:9"]
    assert "lines 3, 9" in found.seen[0].text
    assert "~/.aws/config:9" in found.cure


def test_an_unparsable_file_is_named_with_its_line_and_nothing_else_is_concluded_from_it() -> None:
    found = findings(replace(unparsable("a second key in [dev]"), environ=frozen(AWS_PROFILE="dev")))

    assert found[0].seen[0].place == "~/.aws/config:9"
    assert {"profile_unknown", "nothing_configured"}.isdisjoint(item.code for item in found)


def test_a_name_in_a_command_is_one_word_and_printable() -> None:
    odd = replace(SESSION, name="my corp; rm\x1b[31m")
    facts = replace(FINE, config=config(odd), tokens={odd.name: replace(GOOD_TOKEN, held=Held.NOTHING)})

    assert the("signed_out", facts).cure == "Run: credtray login 'my corp; rm?[31m'"
    assert all(sight.text.isprintable() for item in findings(facts) for sight in item.seen)


def test_profiles_of_the_same_trouble_are_one_finding() -> None:
    both = {
        "one": WRONG["role_refused"]().agent.profiles["dev"],
        "two": WRONG["role_refused"]().agent.profiles["dev"],
    }
    facts = replace(FINE, agent=replace(FINE.agent, profiles=both))
    found = [item for item in findings(facts) if item.code == "role_refused"]

    assert [item.profiles for item in found] == [("one", "two")]
    assert len(found[0].seen) == 2


def test_the_end_of_a_token_is_told_with_its_time() -> None:
    seen = the("sign_in_ended", token(expires_at=minutes(-125), has_refresh_token=False)).seen[0].text

    assert "ended at 11:55 UTC, 2 h 5 min ago" in seen


def test_what_the_agent_and_the_token_file_both_tell_is_told_once() -> None:
    facts = replace(token(held=Held.UNREADABLE, reason="it is empty"), agent=told("token_unreadable").agent)

    assert codes(facts).count("token_unreadable") == 1


def test_what_is_about_other_profiles_is_left_out_when_one_is_named() -> None:
    facts = replace(
        keys(name="other", half=True),
        config=config(SESSION, OTHER),
        tokens=frozen(
            corp=replace(GOOD_TOKEN, held=Held.NOTHING), spare=replace(GOOD_TOKEN, held=Held.NOTHING)
        ),
        browser=False,
    )
    found = concerning(findings(facts), facts, ("dev",))

    assert {(item.code, item.session) for item in found} == {
        ("signed_out", "corp"),
        ("browser_missing", None),
        ("agent_running", None),
    }
    assert concerning(findings(facts), facts, ()) == findings(facts)


def test_now_is_the_moment_the_facts_are_of() -> None:
    later = replace(FINE, now=NOW + timedelta(hours=2), agent=AgentFacts())

    assert "access_token_expired" in codes(later)


@pytest.mark.met("F13")
@pytest.mark.parametrize("path", ["~/.aws", "~/.aws/sso", "~/.aws/sso/cache"])
def test_a_directory_of_another_user_is_not_told_as_one_whose_mode_helps(path: str) -> None:
    facts = replace(config_file(open_above=path), in_the_way=(InTheWay(Obstacle.OWNER, path, "somebody"),))
    codes = [item.code for item in findings(facts)]

    assert "file_of_other_user" in codes
    assert "directory_mode" not in codes


@pytest.mark.parametrize("name", ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_an_empty_variable_of_a_file_is_told_with_what_takes_it_away(name: str) -> None:
    facts = replace(FINE, environ=spoken({name: "", "AWS_PROFILE": ""}))
    (found,) = [item for item in findings(facts) if item.code == "empty_file_variable"]

    assert found.cure == f"Run: unset {name}"
    assert "boto3 and the AWS CLI do not read ~/.aws/c" in found.seen[0].text


def test_a_variable_that_is_empty_or_names_a_file_is_no_trouble() -> None:
    for given in ({"AWS_PROFILE": ""}, {"AWS_CONFIG_FILE": "/x"}, {}):
        facts = replace(FINE, environ=spoken(given))

        assert "empty_file_variable" not in {item.code for item in findings(facts)}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (SettingsFacts(), False),
        (SettingsFacts(guards={"dev": True}), True),
        (SettingsFacts(guards={"dev": False}, guards_others=True), False),
        (SettingsFacts(guards_others=True), True),
    ],
)
def test_keys_in_the_file_of_a_guarded_profile_are_told(settings: SettingsFacts, *, told: bool) -> None:
    facts = replace(keys(profile="dev", expires_at=minutes(9)), settings=settings)

    assert ("unguarded_keys" in codes(facts)) is told
    assert "unguarded_keys" not in codes(replace(keys(profile="dev", pasted=True), settings=settings))
