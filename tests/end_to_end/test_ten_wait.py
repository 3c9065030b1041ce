"""Ten processes meet an ended sign-in together: one notification that names them, one click, one window."""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desktop.dbus_daemon import DbusDaemon
from tests.desktop.notification_fakes import FakeDaemon, daemon_on
from tests.end_to_end.house import House, until
from tests.end_to_end.test_desk import drive, eventually

pytestmark = pytest.mark.linux_desktop("notifications over D-Bus, and /proc")

P = "synderys-security"
AWS = Path("/usr/bin/aws")
OTHERS = f"and {4 if AWS.exists() else 3} others wait"
CREDTRAY = [sys.executable, "-I", "-m", "credtray"]
VIA_PROCESS = f"""
[profile via-process]
region = eu-west-1
credential_process = {shlex.join(CREDTRAY)} credentials {P}
"""
IDENTITY = ("--profile", "via-process", "sts", "get-caller-identity")
SDK = """
import boto3
session = boto3.Session(profile_name="via-process")
print(session.get_credentials().get_frozen_credentials().access_key)
"""
PARENT = """
import subprocess, sys
sys.exit(subprocess.call(sys.argv[1:]))
"""
ENDPOINT = """
import os, sys, time, urllib.error, urllib.request
url, token = sys.argv[1:]
while True:
    try:
        headers = {"Authorization": open(token).read()}
        print(urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read().decode())
        break
    except urllib.error.HTTPError as error:
        assert error.code in (401, 503), error.code
        time.sleep(1)
"""


class Ten:
    """The processes, each as people start it."""

    def __init__(self, house: House, directory: Path) -> None:
        self.house = house
        self.directory = directory
        self.processes: list[subprocess.Popen[str]] = []

    def program(self, name: str, text: str) -> str:
        path = self.directory / name
        path.write_text(f"#!{sys.executable}\n{text}")
        path.chmod(0o755)
        return str(path)

    def start(self, *words: str) -> None:
        output = self.directory / f"output-{len(self.processes)}"
        with output.open("w") as file:
            process = subprocess.Popen(
                words, env=self.house.environ, stdout=file, stderr=subprocess.STDOUT, text=True
            )
        self.processes.append(process)

    def begin(self, endpoint: tuple[str, str]) -> None:
        terraform, claude = self.program("terraform", PARENT), self.program("claude", PARENT)
        report = self.program("nightly.py", SDK)
        keys = [*CREDTRAY, "credentials", P]
        for words in (
            [terraform, *keys],
            [terraform, *keys],
            [claude, *keys, "--form", "sts"],
            [claude, *CREDTRAY, "wait", P, "--login", "--timeout", "2m"],
            [claude, *CREDTRAY, "wait", P, "--login", "--timeout", "2m"],
            [sys.executable, report],
            [sys.executable, report],
            [
                str(AWS),
                "--endpoint-url",
                self.house.portal.url,
                "--profile",
                "via-process",
                "sts",
                "get-caller-identity",
            ]
            if AWS.exists()
            else [sys.executable, report],
            [
                *CREDTRAY,
                "exec",
                P,
                "--env",
                "--",
                sys.executable,
                "-c",
                "import os; os.environ['AWS_SESSION_TOKEN']",
            ],
            [self.program("uploader", ENDPOINT), *endpoint],
        ):
            self.start(*words)

    def ended(self) -> list[tuple[int, str]]:
        return [
            (process.wait(120), (self.directory / f"output-{number}").read_text())
            for number, process in enumerate(self.processes)
        ]

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def about_us(desktop: FakeDaemon) -> dict[int, str]:
    """Return the notifications on the screen about the sign-in."""
    return {number: each.title for number, each in desktop.on_screen.items() if "synderys" in each.title}


def let_it_end(house: House) -> None:
    """End the sign-in at the portal, and have the agent notice it."""
    house.portal.command("revoke", what="sign_ins")
    house.run("wait", "synderys-readonly", "--for", "1s", code=5)
    until(lambda: house.session()["state"] == "expired")


def test_ten_processes_one_notification_one_click_one_window(
    house: House, bus: DbusDaemon, tmp_path: Path
) -> None:
    house.configure(more=VIA_PROCESS)
    ten = Ten(house, tmp_path)

    async def work() -> None:
        async with daemon_on(bus.address) as desktop:
            with house.agent():
                await asyncio.to_thread(house.run, "login")
                await asyncio.to_thread(let_it_end, house)
                await eventually(lambda: any("sign-in ended" in each for each in about_us(desktop).values()))
                # Only now: it has the keys fetched, which would be good for an hour.
                found = json.loads((await asyncio.to_thread(house.run, "endpoint", P, "--json")).stdout)
                visits, before = len(house.visits()), len(desktop.notified)
                await asyncio.to_thread(ten.begin, (found["url"], found["token_file"]))
                await eventually(lambda: any(OTHERS in each for each in about_us(desktop).values()))

                ((number, title),) = about_us(desktop).items()
                assert title.startswith("synderys: ")
                assert all(each.replaces == number for each in desktop.notified[before:])
                assert len(house.visits()) == visits
                notice = desktop.on_screen[number]
                click = next(action for action, label in notice.labels.items() if label == "Sign in")
                desktop.click(number, click)
                outcomes = await asyncio.to_thread(ten.ended)
                assert [code for code, _ in outcomes] == [0] * 10, outcomes
                assert len(house.visits()) == visits + 1

    try:
        drive(work())
    finally:
        ten.close()
