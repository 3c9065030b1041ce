"""Measures the real agent: start to serving, memory, and what it does while there is nothing to do."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.world import profile_names, world
from credtray.core.errors import AgentNotRunning
from credtray.core.protocol import Ping
from credtray.ipc_client import AgentClient
from tests.end_to_end.house import House, until

RSS_LIMIT = 70.0
WAKEUPS_LIMIT = 4.0
"""Two ticks a minute, and two more."""
SETTLE_SECONDS = 60.0
"""In its first half minute an agent looks for a desktop more often than later."""
START_LIMITS = {20: 1.0, 2000: 2.0}


@dataclass(frozen=True, slots=True)
class Idle:
    """An agent with 20 active profiles, all fresh."""

    rss: float
    """MiB."""
    bare: float
    """MiB of an interpreter that does nothing."""
    wakeups: float
    """Per minute, all threads."""
    cpu: float
    """Percent of one core."""
    calls: int

    def lines(self, of: str = "the idle agent") -> list[str]:
        """Return the rows of the table."""
        memory = f"{self.rss:9.0f} MiB  (<= {RSS_LIMIT:.0f}; {self.rss / self.bare:.1f} x a bare interpreter)"
        return [
            f"memory of {of:24} {memory}",
            f"wakeups of {of:23} {self.wakeups:9.1f} a minute  (<= {WAKEUPS_LIMIT:.0f})",
            f"CPU of {of:27} {self.cpu:9.3f} %  (<= 0.1), {self.calls} API calls (0)",
        ]


@dataclass(frozen=True, slots=True)
class Start:
    """From the start of the process to its first answer."""

    profiles: int
    took: float
    bare: float
    """Seconds of `python -c "import asyncio"`."""

    def line(self) -> str:
        """Return the row of the table."""
        limit = 1000 * START_LIMITS[self.profiles]
        ratio = f"(< {limit:.0f}; {self.took / self.bare:.1f} x an interpreter with asyncio)"
        return f"start to serving, {self.profiles:4d} profiles    {1000 * self.took:9.0f} ms  {ratio}"


def idle(seconds: float = 60, bus_address: str | None = None) -> Idle:
    """Watch a settled agent for *seconds*; with an address it has a desktop."""
    with world(20) as house:
        if bus_address is not None:
            house.environ["DBUS_SESSION_BUS_ADDRESS"] = bus_address
        with house.agent() as process:
            house.run("activate", *profile_names(house), seconds=120)
            watched = psutil.Process(process.pid)
            time.sleep(SETTLE_SECONDS)
            house.portal.command("counters", reset=True)
            switches, used = _switches(watched), watched.cpu_times()
            time.sleep(seconds)
            now = watched.cpu_times()
            cpu = now.user + now.system - used.user - used.system
            wakeups = 60 * (_switches(watched) - switches) / seconds
            rss = watched.memory_info().rss / 2**20
            calls = sum(house.portal.command("counters")["calls"].values())
    return Idle(rss, _bare_memory(), wakeups, 100 * cpu / seconds, calls)


def _switches(process: psutil.Process) -> int:
    """Count how often threads went to sleep by themselves: each is the end of one wakeup."""
    tasks = Path(f"/proc/{process.pid}/task")
    found = 0
    for status in tasks.glob("*/status"):
        words = status.read_text().split("voluntary_ctxt_switches:")
        found += int(words[1].split()[0])
    return found


def _bare_memory() -> float:
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as bare:
        time.sleep(0.5)
        return psutil.Process(bare.pid).memory_info().rss / 2**20


def start(profiles: int, rounds: int = 5) -> Start:
    """Return the median of a few starts."""
    with world(0) as house:
        many_profiles(house, profiles)
        took = [started(house) for _ in range(rounds)]
    bare = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", "import asyncio"], check=True)
        bare.append(time.perf_counter() - began)
    return Start(profiles, statistics.median(took), statistics.median(bare))


def many_profiles(house: House, profiles: int) -> None:
    """Add so many profiles to the config file."""
    with house.config.open("a") as file:
        file.writelines(
            f"\n[profile extra-{number}]\nsso_session = synderys\nsso_account_id = {number:012d}\n"
            "sso_role_name = Admin\nregion = eu-west-1\n"
            for number in range(profiles)
        )


def started(house: House) -> float:
    """Return the seconds from the start of the process to its first answer."""
    import os  # only here is the environment of this process changed

    os.environ["XDG_RUNTIME_DIR"] = house.environ["XDG_RUNTIME_DIR"]
    began = time.perf_counter()
    with house.agent():
        until(_answers, 20)
        return time.perf_counter() - began


def _answers() -> bool:
    try:
        with AgentClient.connect() as client:
            client.ask(Ping())
    except AgentNotRunning:  # its socket is there, and nobody listens there yet
        return False
    return True
