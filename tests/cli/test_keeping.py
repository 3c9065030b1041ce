from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from credtray.core.errors import UnknownProfile
from credtray.core.protocol import Activate, Deactivate, Switch
from tests.as_json import iso
from tests.cli.fake_backend import FakeBackend, credtray, idle, problem, profile


def result(*profiles: dict[str, Any], **parts: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "profiles": list(profiles),
        "reasons": {},
        "credentials_file": None,
        "shadowed_default": None,
    }
    return {**plain, **parts}


def kept(name: str, **parts: Any) -> dict[str, Any]:
    return profile(name, expires_at=iso(datetime.now(UTC) + timedelta(minutes=47, seconds=30)), **parts)


SIGN_IN = problem("A sign-in is needed: session corp", "Run: credtray login corp", "sign_in_required")


def test_activated_profile_is_told_with_its_section_and_end() -> None:
    fake = FakeBackend({Activate: result(kept("dns", section="dns-keys"))})
    outcome = credtray("activate", "dns", "--section", "dns-keys", backend=fake)

    assert fake.asked == [Activate(("dns",), "dns-keys")]
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("dns is active: keys in [dns-keys] until ")
    assert outcome.out.endswith(" (47 min left).\n")


def test_choice_that_waits_for_a_sign_in_ends_with_4() -> None:
    waiting = result(profile("dns", expires_at=None), reasons={"dns": SIGN_IN})
    outcome = credtray("activate", "dns", backend=FakeBackend({Activate: waiting}))

    assert outcome.code == 4
    assert outcome.out == "dns is active, but its keys are not in the credentials file yet.\n"
    assert outcome.err == ("warning: A sign-in is needed: session corp\nhint: Run: credtray login corp\n")


def test_section_with_foreign_keys_is_explained() -> None:
    foreign = problem("The section holds keys that credtray did not write", "Give another section name.")
    outcome = credtray("activate", "dns", backend=FakeBackend({Activate: result(kept("dns", error=foreign))}))

    assert outcome.code == 4
    assert "hint: Give another section name.\n" in outcome.err


def test_broken_credentials_file_is_a_warning_of_its_own() -> None:
    broken = result(
        kept("dns"), credentials_file=problem("The file could not be written", "Nothing was changed.")
    )
    outcome = credtray("activate", "dns", backend=FakeBackend({Activate: broken}))

    assert outcome.code == 4
    assert outcome.err == "warning: The file could not be written\nhint: Nothing was changed.\n"


def test_keys_are_not_said_to_be_in_a_file_that_could_not_be_written() -> None:
    full = result(
        kept("dns"), credentials_file=problem("The file could not be written", "Nothing was changed.")
    )
    outcome = credtray("activate", "dns", backend=FakeBackend({Activate: full}))

    assert outcome.code == 4
    assert outcome.out == "dns is active, but its keys are not in the credentials file yet.\n"


def test_json_result_says_it_all_and_the_exit_code_stays() -> None:
    waiting = result(profile("dns", expires_at=None), reasons={"dns": SIGN_IN})
    outcome = credtray("activate", "dns", "--json", backend=FakeBackend({Activate: waiting}))

    assert (outcome.code, outcome.err) == (4, "")
    assert json.loads(outcome.out) == waiting


def test_deactivated_profiles_are_named() -> None:
    fake = FakeBackend({Deactivate: result(idle("a"), idle("b"))})
    outcome = credtray("deactivate", "a", "b", backend=fake)

    assert fake.asked == [Deactivate(("a", "b"))]
    assert (outcome.code, outcome.out) == (0, "a is no longer active.\nb is no longer active.\n")


def test_switch_tells_of_the_default_section() -> None:
    fake = FakeBackend({Switch: result(kept("dns", default=True))})
    outcome = credtray("switch", "dns", backend=fake)

    assert fake.asked == [Switch("dns")]
    assert outcome.out.startswith("dns is the default: keys in [default] until ")


def test_switch_warns_of_a_default_that_is_not_looked_at() -> None:
    shadowed = result(kept("dns"), shadowed_default="your config file makes [default] an SSO profile itself")
    outcome = credtray("switch", "dns", backend=FakeBackend({Switch: shadowed}))

    assert outcome.code == 0
    assert outcome.err == "warning: your config file makes [default] an SSO profile itself\n"


def test_switch_none_gives_the_default_back() -> None:
    fake = FakeBackend({Switch: result()})
    outcome = credtray("switch", "--none", backend=fake)

    assert fake.asked == [Switch(None)]
    assert outcome.out == "Removed credtray's keys from [default].\n"


@pytest.mark.parametrize("words", [(), ("dns", "--none")])
def test_switch_needs_a_profile_or_none(words: tuple[str, ...]) -> None:
    outcome = credtray("switch", *words, backend=FakeBackend({}))

    assert (outcome.code, outcome.out) == (2, "")


def test_unknown_profile_is_an_error() -> None:
    unknown = UnknownProfile("'dsn'. Did you mean dns?")
    outcome = credtray("activate", "dsn", backend=FakeBackend({Activate: unknown}))

    assert outcome.code == 2
    assert outcome.err.startswith("error: No such profile: 'dsn'. Did you mean dns?\n")


def test_profile_held_for_the_endpoint_says_what_programs_do() -> None:
    fake = FakeBackend({Activate: result(kept("my dns", delivery="endpoint"))})
    outcome = credtray("activate", "my dns", backend=fake)

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(
        "my dns is active: its keys are kept fresh for the local endpoint, now until "
    )
    assert outcome.out.endswith("what this prints: credtray endpoint 'my dns'\n")


def test_profile_held_for_credential_process_shows_the_line() -> None:
    fake = FakeBackend({Activate: result(kept("dns", delivery="process"))})
    outcome = credtray("activate", "dns", backend=fake)

    assert outcome.code == 0
    assert "kept fresh for credential_process" in outcome.out
    assert f"  credential_process = {sys.executable} " in outcome.out.replace('"', "")
    assert outcome.out.endswith(" credentials dns\n")


def test_profile_held_for_the_endpoint_waits_for_a_sign_in_too() -> None:
    waiting = result(profile("dns", expires_at=None, delivery="endpoint"), reasons={"dns": SIGN_IN})
    outcome = credtray("activate", "dns", backend=FakeBackend({Activate: waiting}))

    assert outcome.code == 4
    assert outcome.out.startswith("dns is active, but there are no keys yet.\n")
    assert "hint: Run: credtray login corp" in outcome.err
