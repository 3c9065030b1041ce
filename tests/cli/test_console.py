"""`credtray console` with the real programs: the sign-in, the keys, the federation endpoint, a browser."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from credtray.core.shell_words import command_line
from credtray.ways_out.aws_console import GOOD_FOR_MINUTES
from tests.cli.real_world import World

CANARY = "CANARY"
VISITOR = """
import sys, time, urllib.request
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *found):
        open({journal!r}, "a").write(found[-1] + "\\n")
        return None
open({journal!r}, "a").write(sys.argv[1] + "\\n")
try: urllib.request.build_opener(urllib.request.ProxyHandler({{}}), Stay).open(sys.argv[1], timeout=10)
except urllib.error.HTTPError: pass
time.sleep(0.5)
"""


@pytest.fixture
def signed_in(world: World) -> World:
    world.configure()
    done = world.credtray("login")
    assert done.returncode == 0, done.stderr
    return world


def visitor(home: Path) -> tuple[str, Path]:
    """Return a browser that notes what it opens and where that leads, and its notes."""
    journal, program = home / "journal", home / "visitor.py"
    program.write_text(VISITOR.format(journal=str(journal)))
    command = [sys.executable, "-I", str(program)]
    return command_line(command, windows=sys.platform == "win32"), journal


def settings_of(world: World) -> Path:
    """Return where this user's settings belong, in a folder that is there."""
    found = Path(world.credtray("settings", "path").stdout.strip())
    found.parent.mkdir(parents=True, exist_ok=True)
    return found


def test_print_gives_out_an_address_that_signs_in_and_a_warning(signed_in: World) -> None:
    done = signed_in.credtray("console", "synderys-readonly", "--service", "s3", "--print")
    query = parse_qs(urlsplit(done.stdout.strip()).query)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("https://signin.aws.amazon.com/federation?Action=login&")
    assert query["Destination"] == ["https://us-east-1.console.aws.amazon.com/s3/home?region=us-east-1"]
    assert query["Issuer"] == ["https://aws.synderys.com"]
    assert f"within {GOOD_FOR_MINUTES} minutes is signed in as synderys-readonly" in done.stderr
    assert CANARY not in done.stderr
    assert "signin.aws.amazon.com" in signed_in.proxy.tunnels


@pytest.mark.posix("/proc")
def test_browser_gets_the_address_and_no_process_shows_it(signed_in: World, home: Path) -> None:
    browser, journal = visitor(home)
    seen: list[str] = []
    over = threading.Event()

    def spy() -> None:
        while not over.is_set():
            seen.extend(_arguments())
            time.sleep(0.02)

    watcher = threading.Thread(target=spy)
    watcher.start()
    try:
        done = signed_in.credtray("console", "synderys-readonly", BROWSER=browser)
    finally:
        over.set()
        watcher.join()
    opened, led_to = journal.read_text().splitlines()

    assert done.returncode == 0, done.stderr
    assert done.stderr == "Opened the console as synderys-readonly.\n"
    assert opened.startswith("http://127.0.0.1:")
    assert led_to.startswith("https://signin.aws.amazon.com/federation?Action=login&")
    assert CANARY in led_to
    assert any(opened in arguments for arguments in seen)
    assert not any(CANARY in arguments for arguments in seen)


def _arguments() -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(process.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return found


def test_browser_of_the_settings_is_used_and_a_broken_one_is_told(signed_in: World, home: Path) -> None:
    browser, journal = visitor(home)
    settings = settings_of(signed_in)
    settings.write_text(f"[sessions.synderys]\nbrowser = {json.dumps(browser + ' %s')}\n")
    chosen = signed_in.credtray("console", "synderys-readonly", BROWSER="/bin/false")
    settings.write_text('[sessions.synderys]\nbrowser = "/nonexistent/browser --profile work %s"\n')
    other = signed_in.credtray("console", "synderys-readonly", BROWSER=browser)

    assert (chosen.returncode, chosen.stderr) == (0, "Opened the console as synderys-readonly.\n")
    assert other.returncode == 0
    assert other.stderr.startswith("warning: The browser command of this session did not work")
    assert len(journal.read_text().splitlines()) == 4


def test_without_a_browser_the_way_out_is_named(signed_in: World) -> None:
    done = signed_in.credtray("console", "synderys-readonly", BROWSER="/bin/false")

    assert done.returncode == 1
    assert "No browser could be opened" in done.stderr
    assert "--print" in done.stderr
    assert CANARY not in done.stderr + done.stdout


def test_portal_link_needs_neither_sign_in_nor_network(world: World) -> None:
    world.configure()
    done = world.credtray("console", "synderys-dns", "--portal", "--service", "s3", "--print")

    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "https://aws.synderys.com/#/console?account_id=111100000002&role_name=DNS&destination="
        "https%3A%2F%2Fus-east-1.console.aws.amazon.com%2Fs3%2Fhome%3Fregion%3Dus-east-1\n"
    )
    assert (
        json.loads(world.credtray("console", "synderys-dns", "--portal", "--json").stdout)["secret"] is False
    )
    assert world.proxy.tunnels == []


def test_broken_settings_do_not_lock_the_portal(world: World) -> None:
    world.configure()
    settings = Path(world.credtray("settings", "path").stdout.strip())
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("broken = [\n")
    done = world.credtray("console", "synderys-dns", "--portal", "--print")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("https://aws.synderys.com/#/console?")
    assert "warning: The settings file cannot be used" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("nobody",), 2, "'nobody'"),
        (("synderys-dns",), 1, "credtray login synderys"),
        (("synderys-dns", "--service", "s4"), 2, "Did you mean s3?"),
        (("synderys-dns", "--destination", "https://evil.example/"), 2, "not a page of the console"),
        (("synderys-dns", "--service", "s3", "--destination", "x"), 2, "not both"),
    ],
)
def test_what_cannot_be_is_told(world: World, words: tuple[str, ...], code: int, text: str) -> None:
    world.configure()
    done = world.credtray("console", *words)

    assert text in done.stderr
    assert (done.returncode, done.stdout) == (code, "")
    assert world.proxy.tunnels == []


def test_session_with_a_proxy_of_its_own_reaches_the_console_without_an_environment(
    signed_in: World, home: Path
) -> None:
    settings = settings_of(signed_in)
    settings.write_text(
        f"[sessions.synderys]\nproxy = \"{signed_in.proxy.url}\"\nca_bundle = '{signed_in.proxy.ca_bundle}'\n"
    )
    nothing = dict.fromkeys(("HTTPS_PROXY", "AWS_CA_BUNDLE"), "")
    done = signed_in.credtray("console", "synderys-readonly", "--json", **nothing)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["secret"] is True
    assert CANARY in json.loads(done.stdout)["url"]
