"""No secret leaves the places made for it: a whole run is searched for the canary in every secret issued."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.notification_fakes import daemon_on
from tests.desktop.xvfb import xvfb
from tests.end_to_end.house import House, until
from tests.end_to_end.pasting import DNS, issued, pasted
from tests.end_to_end.test_desk import eventually, opened, panel, shown_by

CANARY = b"CANARY"


class ProcessWatch:
    """Reads argv and environment of every process again and again while the run goes on."""

    def __init__(self, house: House) -> None:
        house.cold = True  # /proc shows only what a program was started with
        self._house = house
        self._ended = threading.Event()
        self.looks = 0
        self.leaks: set[str] = set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.01):
            self.looks += 1
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    self._look(process / name)

    def _look(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except OSError:
            return
        mine = str(self._house.home).encode() in data
        if mine and CANARY in data:
            self.leaks.add(data.replace(b"\0", b" ").decode(errors="replace")[:200])


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_no_secret_leaves_the_places_made_for_it(house: House) -> None:
    said: list[str] = []

    def run(*words: str) -> None:
        done = house.run(*words, code=None)
        # The one object that `credentials` prints is what it is for.
        said.append(done.stderr if words[0] == "credentials" else done.stdout + done.stderr)

    watch = ProcessWatch(house)
    with watch.watching():
        run("setup", "--session", "synderys", "--start-url", "https://d-9067000001.awsapps.com/start",
            "--region", "us-east-1", "--accounts", "all", "--roles", "ReadOnly,DNS,Security", "--activate",
            "--yes")  # fmt: skip
        with house.agent():
            run("login")
            run("switch", "synderys-dns")
            run("login", "--fresh", "--yes")
            for fault in ({"fault": "captive_portal"}, {"fault": "status", "status": 500}, {"fault": "huge"}):
                house.portal.command("inject", operation="GetRoleCredentials", fault=fault, times=2)
                run("credentials", "synderys-security")
            run("credentials", "unknown")
            for words in (["status"], ["status", "--json"], ["profiles"], ["undo", "--list"], ["logout"]):
                run(*words)
            until(lambda: "signed out of synderys" in house.run("history").stdout)
            for words in (["history"], ["history", "--json"], ["why", "0h1m"]):
                run(*words)
            until(lambda: house.session()["state"] == "signed_out")
        said.append((house.home / "agent-output").read_text())

    assert watch.looks > 100
    assert watch.leaks == set()
    assert not any("CANARY" in text for text in said)
    assert any("was given the keys of synderys-security" in text for text in said)  # the history was searched
    assert _files_with_canary(house) <= {house.token_file().parent}


def _files_with_canary(house: House) -> set[Path]:
    """Return the directories of files that hold a secret after signing out (registrations stay)."""
    found = set()
    for directory, _, names in os.walk(house.home):
        for name in names:
            path = Path(directory, name)
            if path.is_file() and CANARY in path.read_bytes():
                found.add(path.parent)
    return found


def test_the_credentials_file_is_the_only_other_place_while_signed_in(house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns")

        assert _files_with_canary(house) == {house.token_file().parent, house.credentials.parent}
        assert CANARY not in house.log.read_bytes()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_no_secret_of_a_paste_leaves_the_section_made_for_it(house: House) -> None:
    keys = issued(house.portal.url)
    other = issued(house.portal.url, "111100000001", "ReadOnly")
    said: list[str] = []

    def paste(text: str, *words: str) -> None:
        done = pasted(house, text, *words, code=None)
        said.append(done.stdout + done.stderr)

    watch = ProcessWatch(house)
    with watch.watching():
        paste(keys.block())  # in this process of its own: no agent runs
        with house.agent():
            paste(keys.exports(), "--verbose", "--json")
            paste(other.block(DNS), "--verbose")
            paste(
                keys.block().replace(keys.secret_access_key, keys.secret_access_key[:-1] + "="), "--verbose"
            )
            paste('{"AccessKeyId": "' + keys.secret_access_key, "--verbose")
            said.extend(
                house.run(*words).stdout for words in (["status"], ["status", "--json"], ["profiles"])
            )

            assert _files_with_canary(house) == {house.credentials.parent}

            said.append(house.run("undo", "--yes").stdout)
        said.append((house.home / "agent-output").read_text())

    assert watch.looks > 100
    assert watch.leaks == set()
    assert not any("CANARY" in text for text in said)
    assert _files_with_canary(house) == set()


XDG_OPEN = """\
#!/bin/sh
{ printf '%s ' "$@"; cat "/proc/$$/environ"; } >> "$HOME/opened"
"""


@pytest.mark.skipif(shutil.which("dbus-monitor") is None, reason="needs dbus-monitor")
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
def test_no_secret_reaches_bus_opened_programs_or_log_while_the_desktop_is_used(
    house: House, bus: DbusDaemon
) -> None:
    house.configure("synderys-dns")
    programs = house.home / "programs"
    programs.mkdir()
    (programs / "xdg-open").write_text(XDG_OPEN)
    (programs / "xdg-open").chmod(0o755)
    house.environ["PATH"] = f"{programs}:{house.environ['PATH']}"
    watch = ProcessWatch(house)
    with xvfb() as screen, eavesdropping(bus, house.home / "traffic"), watch.watching():
        house.environ["DISPLAY"] = screen.address
        asyncio.run(use_the_menu(house, bus))

    traffic = (house.home / "traffic").read_bytes()

    assert b"Keys for synderys-dns copied" in traffic
    assert CANARY not in traffic
    assert b"agent.log" in (house.home / "opened").read_bytes()
    assert watch.leaks == set()
    assert _files_with_canary(house) <= {house.token_file().parent}


async def use_the_menu(house: House, bus: DbusDaemon) -> None:
    """Sign in, choose, copy the keys in every form, and open what can be opened."""
    async with daemon_on(bus.address) as notifications, panel(bus) as watcher:
        with house.agent():
            host = await shown_by(watcher)

            async def click(first: str, last: str = "") -> None:
                await opened(host, lambda labels: any(each.startswith(first) for each in labels))
                ways = (way for way in host.seen.numbers() if way[0].startswith(first))
                await host.click(*next(way for way in ways if way[-1].startswith(last)))

            async def copy(form: str) -> None:
                # The answers of clicks before this one may come in between.
                shown = len(notifications.notified)
                await click("Copy credentials", form)
                await eventually(
                    lambda: any("copied" in each.title for each in notifications.notified[shown:])
                )

            await click("Sign in")
            await opened(host, lambda labels: any("signed in until about" in each for each in labels))
            await click("Default profile", "synderys-dns")
            await eventually(lambda: "[default]" in house.written())
            for form in ("bash", "fish", "PowerShell", "cmd", "credentials file"):
                await copy(form)
            for label in ("synderys: signed in", "Settings file"):
                await click(label)
            await click("Help", "Log")
            await eventually((house.home / "opened").exists)


@contextmanager
def eavesdropping(bus: DbusDaemon, journal: Path) -> Iterator[None]:
    """Write everything that goes over the bus to a file."""
    with journal.open("wb") as file:
        monitor = subprocess.Popen(["dbus-monitor", "--address", bus.address, "--binary"], stdout=file)
        try:
            until(lambda: journal.stat().st_size > 0)
            yield
        finally:
            monitor.terminate()
            monitor.wait(10)
