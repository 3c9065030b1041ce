"""Settings changed from the command line while the real agent runs."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from tests.end_to_end.house import House, until


def _told(house: House) -> dict[str, Any]:
    """Return what `status` says of the profile whose settings are changed."""
    told: dict[str, Any] = next(item for item in house.status()["profiles"] if item["name"] == "synderys-dns")
    return told


def test_the_agent_takes_settings_over_keeps_the_last_good_ones_and_names_the_line(house: House) -> None:
    house.configure("synderys-dns", "synderys-readonly")
    with house.agent():
        house.run("login")
        house.run("activate", "synderys-dns", "synderys-readonly")
        for setting, value in (("delivery", "process"), ("region", "ap-south-1"), ("tags", "names")):
            house.run("settings", "set", f"profiles.synderys-dns.{setting}", value)
        until(lambda: "[synderys-dns]" not in house.written())
        until(lambda: _told(house)["tags"] == ["names"])  # the agent notices each change by itself
        file = Path(json.loads(house.run("settings", "path", "--json").stdout)["file"])
        good = file.read_text()
        file.write_text(f'{good}delivery = "mail"\n')
        until(lambda: house.status()["problems"] != [])
        broken = house.status()

        line = good.count("\n") + 1
        assert f"at line {line}" in broken["problems"][0]["text"]
        told = _told(house)
        assert (told["delivery"], told["region"], told["tags"]) == ("process", "ap-south-1", ["names"])
        assert told["active"]
        assert told["state"] == "fresh"
        assert "[synderys-readonly]" in house.written()
        file.write_text(good)
        until(lambda: house.status()["problems"] == [])


def test_the_line_that_activate_prints_gives_keys_to_who_runs_it(house: House) -> None:
    house.configure("synderys-dns")
    house.run("settings", "set", "profiles.synderys-dns.delivery", "process")
    with house.agent():
        house.run("login")
        told = house.run("activate", "synderys-dns").stdout.splitlines()[-1]
        command = shlex.split(told.removeprefix("  credential_process = "))
        done = subprocess.run(
            command, env=house.environ, cwd=os.sep, capture_output=True, text=True, timeout=60, check=False
        )

        assert json.loads(done.stdout)["Version"] == 1
        assert not house.credentials.exists() or "synderys-dns" not in house.written()
