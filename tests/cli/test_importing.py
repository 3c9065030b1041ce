"""`credtray import` in this process, without an agent, on the embedded portal."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from credtray.core.errors import UsageError
from credtray.demo.identity_center import IdentityCenter
from credtray.pasted import facts as importing_facts
from credtray.pasted.portal_text import LONGEST
from tests.cli.fake_backend import Outcome, credtray
from tests.cli.real_world import World
from tests.cli.terminal_session import CTRL_C, TerminalSession
from tests.end_to_end.house import SESSION, profile, until
from tests.end_to_end.pasting import DNS, Keys, issued


@pytest.fixture
def keys(portal: IdentityCenter, monkeypatch: pytest.MonkeyPatch, home: Path) -> Keys:
    """Keys of the portal, which is also the STS that is asked about them."""
    portal.auto_approve()
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", portal.url)
    (home / ".aws").mkdir()
    return issued(portal.url)


def paste(text: str, *words: str) -> Outcome:
    """Import a text from standard input."""
    before = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    try:
        return credtray("import", *words)
    finally:
        sys.stdin = before


def document(text: str, *words: str) -> dict[str, Any]:
    """Import a text; return what --json tells."""
    done = paste(text, "--json", *words)
    assert done.code == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def config(home: Path) -> Path:
    return home / ".aws" / "config"


def written(home: Path) -> str:
    file = home / ".aws" / "credentials"
    return file.read_text() if file.exists() else ""


def refused(done: Outcome, home: Path, keys: Keys, code: int = 1) -> str:
    """Return what was said of a refusal that changed nothing and gave nothing away."""
    assert done.code == code
    assert done.out == ""
    assert written(home) == ""
    assert not any(each in done.err for each in (keys.access_key_id, keys.secret_access_key))
    return " ".join(done.err.split())


# --- where the keys come from ------------------------------------------------------------------------


@pytest.mark.parametrize("dash", [(), ("-",)])
def test_keys_come_from_standard_input(keys: Keys, home: Path, dash: tuple[str, ...]) -> None:
    done = paste(keys.exports(), *dash)

    assert done.out.startswith("[DNS] holds the pasted keys until ")
    assert "account 111100000002, role DNS" in done.out
    assert keys.session_token in written(home)


def test_keys_come_from_a_file_with_windows_line_ends(keys: Keys, home: Path) -> None:
    file = home / "keys.txt"
    file.write_bytes(b"\xef\xbb\xbf" + keys.block().replace("\n", "\r\n").encode())

    assert credtray("import", str(file)).code == 0
    assert f"[{DNS}]\n" in written(home)


@pytest.mark.posix("Windows has a clipboard everywhere")
def test_clipboard_without_a_desktop_says_so(keys: Keys, home: Path) -> None:
    assert "there is no desktop" in refused(credtray("import", "--clipboard"), home, keys)


@pytest.mark.parametrize("words", [("no/such/file",), ("/",), ("\0",), ("keys", "--clipboard")])
def test_unusable_sources_are_usage_errors(keys: Keys, home: Path, words: tuple[str, ...]) -> None:
    refused(credtray("import", *words), home, keys, code=2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing was pasted"),
        ("a" * (LONGEST + 1), "longer than 64 KiB"),
        ("AKIAQWERTYUIOPLK2345", "long-term access key"),
    ],
)
def test_pastes_that_are_no_keys_are_refused(keys: Keys, home: Path, text: str, reason: str) -> None:
    assert reason in refused(paste(text), home, keys)


def test_half_a_set_says_which_part_is_missing(keys: Keys, home: Path) -> None:
    half = "\n".join(keys.block().splitlines()[:-1])

    assert "no whole session token" in refused(paste(half), home, keys)


@pytest.mark.met("F16")
def test_csh_lines_become_the_keys_without_asking_aws(keys: Keys, home: Path) -> None:
    lines = keys.exports().replace("export ", "setenv ").replace("=", " ", 3).replace('"', "")

    assert paste(lines, "--no-check", "--name", "mine").code == 0
    assert f"aws_session_token = {keys.session_token}\n" in written(home)


def test_a_token_broken_over_lines_is_taken_only_when_aws_knows_it(keys: Keys, home: Path) -> None:
    at = range(0, len(keys.session_token), 77)
    broken = "\n".join(keys.session_token[start : start + 77] for start in at)
    text = keys.exports().replace(keys.session_token, broken)

    assert "only AWS can tell" in refused(paste(text, "--no-check", "--name", "mine"), home, keys)
    assert document(text)["checked"] is True


@pytest.mark.posix("a pseudo-terminal")
def test_a_person_is_told_what_to_paste_and_nothing_of_it_is_shown(keys: Keys, world: World) -> None:
    world.config.parent.mkdir(exist_ok=True)
    with TerminalSession(world, "import", "--no-check") as terminal:
        terminal.expect("Paste the keys here")
        terminal.expect("Ctrl-D")
        terminal.stopped_and_resumed()
        until(lambda: not terminal.echoes)
        terminal.type(*(line + "\n" for line in keys.block().splitlines()), "\x04")
        terminal.expect("How long do these keys last")
        terminal.type("\r")
        terminal.expect(f"[{DNS}] holds the pasted keys until")

        assert terminal.end() == 0
        assert keys.secret_access_key not in terminal.screen
        assert keys.session_token[:40] not in terminal.screen
    assert keys.access_key_id in world.credentials.read_text()


@pytest.mark.posix("a pseudo-terminal")
def test_a_person_who_waits_for_aws_is_told_so(keys: Keys, world: World) -> None:
    with TerminalSession(world, "import", "--expires", "1h") as terminal:
        terminal.expect("Ctrl-D")
        terminal.type(*(line + "\n" for line in keys.block().splitlines()), "\x04")
        terminal.expect("Asking AWS whose keys these are")
        terminal.expect(f"[{DNS}] holds the pasted keys until")


@pytest.mark.posix("a pseudo-terminal")
def test_a_line_longer_than_a_terminal_keeps_is_read_whole(keys: Keys, world: World) -> None:
    long = replace(keys, session_token=keys.session_token + "A" * 6000)
    with TerminalSession(world, "import", "--no-check") as terminal:
        terminal.expect("Ctrl-D")
        for line in long.block().splitlines():
            terminal.type(*(line[at : at + 500] for at in range(0, len(line), 500)), "\n")
        terminal.type("\x04")
        terminal.expect("How long do these keys last")
        terminal.type("\r")
        terminal.expect(f"[{DNS}] holds the pasted keys until")

        assert terminal.end() == 0
    assert long.session_token in world.credentials.read_text()


@pytest.mark.posix("a pseudo-terminal")
def test_ctrl_c_while_pasting_leaves_everything_as_it_was(world: World) -> None:
    with TerminalSession(world, "import") as terminal:
        terminal.expect("Ctrl-D")
        terminal.type(CTRL_C)

        assert terminal.end() == 130
    assert not world.credentials.exists()


# --- whose they are ----------------------------------------------------------------------------------


def test_account_or_role_other_than_the_block_says_is_refused(keys: Keys, home: Path) -> None:
    for header in ("111100000001_DNS", "111100000002_ReadOnly"):
        told = refused(paste(keys.block(header)), home, keys)

        assert "AWS says that its keys are of" in told


def test_keys_of_another_account_than_the_named_profile_are_refused(keys: Keys, home: Path) -> None:
    config(home).write_text(SESSION + profile("synderys-readonly"))
    told = refused(paste(keys.exports(), "--name", "synderys-readonly"), home, keys)

    assert "111100000001" in told
    assert "111100000002" in told


def test_keys_that_aws_does_not_take_are_refused(keys: Keys, home: Path) -> None:
    torn = keys.block().replace(keys.secret_access_key, keys.secret_access_key[::-1])

    assert "SignatureDoesNotMatch" in refused(paste(torn), home, keys)


@pytest.mark.parametrize("words", [("--no-check",), ()])
def test_unchecked_keys_are_taken_and_it_is_said(
    keys: Keys, home: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    done = paste(keys.block(), *words)

    assert "not checked" in done.err.lower()
    assert keys.access_key_id in written(home)
    assert done.code == 0


def test_unchecked_keys_without_a_name_need_one(keys: Keys, home: Path) -> None:
    assert "--name NAME" in refused(paste(keys.exports(), "--no-check"), home, keys, code=2)
    assert document(keys.exports(), "--no-check", "--name", "mine") | {"expires_at": None} == {
        "section": "mine",
        "account_id": None,
        "role_name": None,
        "checked": False,
        "expires_at": None,
        "expires_from": "assumed",
        "profile": None,
    }


def test_region_that_is_none_is_refused_where_it_was_said_and_ignored_where_it_was_pasted(
    keys: Keys, home: Path
) -> None:
    assert "region" in refused(paste(keys.block(), "--region", "evil.com/#"), home, keys)
    assert document(keys.block() + "region = evil.com/#\n")["checked"] is True


# --- which name --------------------------------------------------------------------------------------


def test_profiles_names_are_not_taken_by_themselves(keys: Keys, home: Path) -> None:
    config(home).write_text(SESSION + profile("synderys-dns") + "\n[profile DNS]\nregion = eu-west-1\n")

    assert document(keys.exports())["section"] == "DNS-111100000002"

    told = paste(keys.block("synderys-dns"))

    assert told.code == 2
    assert "[synderys-dns] belongs to the profile synderys-dns" in " ".join(told.err.split())


def test_profile_that_is_named_gets_the_keys_with_a_warning(keys: Keys, home: Path) -> None:
    config(home).write_text(SESSION + profile("synderys-dns"))
    done = paste(keys.exports(), "--name", "synderys-dns")

    assert done.code == 0
    assert "prefer the sign-in of the profile synderys-dns" in " ".join(done.err.split())


def test_role_of_the_same_name_in_another_account_gets_a_section_of_its_own(
    keys: Keys, home: Path, portal: IdentityCenter
) -> None:
    other = issued(portal.url, "111100000001", "ReadOnly")

    assert document(keys.exports(), "--name", "ReadOnly")["section"] == "ReadOnly"
    assert document(other.exports())["section"] == "ReadOnly-111100000001"


def test_pasting_again_takes_the_place_of_what_is_about_to_end(
    keys: Keys, home: Path, portal: IdentityCenter
) -> None:
    paste(keys.block(), "--expires", "10m")
    newer = issued(portal.url)
    paste(newer.block())

    assert keys.access_key_id not in written(home)
    assert newer.access_key_id in written(home)


@pytest.mark.parametrize("name", ["a]b", "", "a\nb"])
def test_names_that_cannot_be_written_are_refused(keys: Keys, home: Path, name: str) -> None:
    refused(paste(keys.block(), "--name", name), home, keys)


# --- until when --------------------------------------------------------------------------------------


def test_end_of_the_paste_counts_and_an_earlier_one_that_is_said(keys: Keys) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    told = keys.exports() + f"export AWS_CREDENTIAL_EXPIRATION={(now + timedelta(hours=2)).isoformat()}\n"
    as_pasted, longer, shorter = (
        document(told, *words) for words in ((), ("--expires", "5h"), ("--expires", "1h"))
    )

    assert [each["expires_from"] for each in (as_pasted, longer, shorter)] == ["paste", "paste", "said"]
    assert datetime.fromisoformat(as_pasted["expires_at"]) == now + timedelta(hours=2)
    assert (
        timedelta()
        <= datetime.fromisoformat(shorter["expires_at"]) - now - timedelta(hours=1)
        < timedelta(minutes=1)
    )


def test_keys_that_have_ended_are_refused(keys: Keys, home: Path) -> None:
    told = keys.exports() + "export AWS_CREDENTIAL_EXPIRATION=2026-01-01T00:00:00Z\n"

    assert "they ended at" in refused(paste(told), home, keys)


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "hours"), [("4h", 4), ("90m", 1.5), ("2026-11-22T17:00", 5), ("2026-11-22T17:00+01:00", 4)]
)
def test_ends_are_durations_or_times(said: str, hours: float) -> None:
    assert importing_facts.read_end(said, NOW) == NOW + timedelta(hours=hours)


@pytest.mark.parametrize("said", ["", "soon", "0h", "13h", "2026-11-22T11:00", "2027-01-01", "9" * 40, "-1h"])
def test_ends_that_no_keys_of_a_role_have_are_refused(said: str) -> None:
    with pytest.raises(UsageError):
        importing_facts.read_end(said, NOW)


# --- converted ---------------------------------------------------------------------------------------


def test_converting_writes_a_profile_that_undo_takes_back(keys: Keys, home: Path) -> None:
    config(home).write_text(SESSION)
    told = document(keys.block(), "--convert")
    text = config(home).read_text()

    assert told["profile"] == "synderys-dns"
    assert "[profile synderys-dns]" in text
    assert "sso_account_id = 111100000002" in text
    assert credtray("undo", "--yes").code == 0
    assert config(home).read_text() == SESSION
    assert written(home) == ""


def test_converting_what_has_a_profile_already_names_it(keys: Keys, home: Path) -> None:
    config(home).write_text(SESSION + profile("synderys-dns"))
    before = config(home).read_text()
    done = paste(keys.block(), "--convert")

    assert "credtray activate synderys-dns" in done.out
    assert config(home).read_text() == before


def test_converting_invents_no_session_and_takes_no_keys_then(keys: Keys, home: Path) -> None:
    assert "credtray setup" in refused(paste(keys.block(), "--convert"), home, keys, code=2)
    assert not config(home).exists()


def test_converting_takes_the_session_that_serves_the_account(keys: Keys, home: Path) -> None:
    both = SESSION + SESSION.replace("sso-session synderys", "sso-session corp")
    config(home).write_text(both)

    assert "corp, synderys" in refused(paste(keys.block(), "--convert"), home, keys, code=2)

    config(home).write_text(both + profile("synderys-dns").replace("= DNS", "= Other"))

    assert document(keys.block(), "--convert")["profile"] == "synderys-dns-111100000002"
    assert "sso_session = corp" not in config(home).read_text()


def test_converting_unchecked_keys_of_no_known_role_is_refused(keys: Keys, home: Path) -> None:
    config(home).write_text(SESSION)
    done = paste(keys.exports(), "--convert", "--no-check", "--name", "mine")

    assert "The account and role of these keys are not known" in refused(done, home, keys, code=2)
