"""Two machines with networks of their own, and ssh between them: a cut, and a sign-in that comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.far_machine import far_machine, house_beside, said, shared
from tests.end_to_end.house import until
from tests.portal import RunningPortal
from tests.soak import SOAK

CUT_SECONDS = 60 if SOAK else 3
"""Shorter than ssh's own patience of 15 s, or longer."""
NEAR, FAR = "10.77.0.1", "10.77.0.2"


class Network:
    """Two machines without any network but the cable between them; this one's is left alone."""

    def __init__(self, near: int, far: int) -> None:
        self._far = far
        self.into_near = inside(near)
        self.into_far = inside(far)

    def lay(self) -> None:
        run(
            *self.into_near,
            "ip",
            "link",
            "add",
            "cable",
            "type",
            "veth",
            "peer",
            "cable",
            "netns",
            str(self._far),
        )
        for into, address in ((self.into_near, NEAR), (self.into_far, FAR)):
            run(*into, "ip", "link", "set", "lo", "up")
            run(*into, "ip", "address", "add", f"{address}/24", "dev", "cable")
            run(*into, "ip", "link", "set", "cable", "up")

    def cut(self) -> None:
        run(*self.into_far, "ip", "link", "set", "cable", "down")

    def join(self) -> None:
        run(*self.into_far, "ip", "link", "set", "cable", "up")


def inside(pid: int) -> list[str]:
    return ["nsenter", f"--net=/proc/{pid}/ns/net"]


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=30)


@contextmanager
def network() -> Iterator[Network]:
    """Lay it; it goes with the two processes that hold it."""
    holders = [
        subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    try:
        for holder in holders:
            assert holder.stdout is not None
            holder.stdout.readline()
        found = Network(holders[0].pid, holders[1].pid)
        found.lay()
        yield found
    finally:
        for holder in holders:
            holder.communicate()


def can_cut() -> bool:
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("nsenter") is None:
        return False
    probe = ["unshare", "--net", "ip", "link", "add", "cable", "type", "veth"]
    return (
        shutil.which("ip") is not None
        and subprocess.run(probe, capture_output=True, check=False).returncode == 0
    )


pytestmark = pytest.mark.skipif(not can_cut(), reason="needs root, ip, unshare and nsenter")


def test_a_network_that_was_cut_is_noticed_at_once_and_used_again_when_it_is_back(
    portal: RunningPortal, home: Path, tmp_path: Path
) -> None:
    """The keys of a program there are late, never wrong, and nothing is to be done by anybody."""
    with network() as wires, far_machine(tmp_path, into=wires.into_far, address=FAR) as far:
        near = house_beside(portal, home, far, wires.into_near)
        with near.agent():
            near.run("login")
            with shared(near):
                assert far.keys().returncode == 0
                wires.cut()
                began = time.monotonic()
                cut = far.keys()
                while SOAK and time.monotonic() - began < CUT_SECONDS:
                    assert far.keys().returncode == 1
                wires.join()
                until(lambda: far.keys().returncode == 0)
                broke = "the connection broke" in said(near)
                until(lambda: not broke or "connected again" in said(near))
            until(lambda: ".credtray/share/synderys-readonly" not in far.files())

    assert cut.returncode == 1
    assert "the link to" in cut.stderr
    assert broke is SOAK


STATE = "c3RhdGUtb2YtdGhpcy1zaWduLWluLTEyMzQ1Njc4OTA"
LISTEN = f"""
from credtray.core.models import Secret
from credtray.web.sign_in_listener import LoopbackCallbackListener

with LoopbackCallbackListener().listen(Secret("{STATE}"), 8400) as callback:
    print(callback.redirect_uri, flush=True)
    print(callback.wait(60, lambda: False).reveal(), flush=True)
"""


def test_a_browser_returns_to_the_machine_that_signs_in_by_a_port_of_its_own(
    portal: RunningPortal, home: Path, tmp_path: Path
) -> None:
    """Which `credtray login --callback-port` waits for; there the connection comes from sshd."""
    with network() as wires, far_machine(tmp_path, into=wires.into_far, address=FAR) as far:
        near = house_beside(portal, home, far, wires.into_near)
        signing_in = subprocess.Popen(
            [*wires.into_far, sys.executable, "-I", "-c", LISTEN], stdout=subprocess.PIPE, text=True
        )
        ssh = shutil.which("ssh", path=near.environ["PATH"]) or "ssh"
        forwarding = subprocess.Popen([ssh, "-N", "-L", "8400:127.0.0.1:8400", "far"], env=near.environ)
        try:
            assert signing_in.stdout is not None
            address = signing_in.stdout.readline().strip()
            until(lambda: opened(wires.into_near, "http://127.0.0.1:8400/") == "404")
            returned = opened(wires.into_near, f"{address}?code=the-code&state={STATE}")
            assert signing_in.communicate(timeout=60)[0] == "the-code\n"
        finally:
            for process in (forwarding, signing_in):
                process.kill()
                process.communicate()

    assert address == "http://127.0.0.1:8400/oauth/callback"
    assert returned == "303"


def test_another_machine_cannot_ask_at_the_port_of_this_one(
    portal: RunningPortal, home: Path, tmp_path: Path
) -> None:
    """Not even with the token: where sshd forwards no sockets, the port is for the far machine alone."""
    no_sockets = "AllowStreamLocalForwarding no"
    with network() as wires, far_machine(tmp_path, no_sockets, into=wires.into_far, address=FAR) as far:
        near = house_beside(portal, home, far, wires.into_near)
        with near.agent():
            near.run("login")
            with shared(near):
                way = far.home / ".credtray" / "share" / "synderys-readonly.port"
                port, token = way.read_text().split()
                with_token = ("-H", f"Authorization: {token}")
                there = opened(wires.into_far, f"http://127.0.0.1:{port}/keys", *with_token)
                elsewhere = opened(wires.into_near, f"http://{FAR}:{port}/keys", *with_token)

    assert (there, elsewhere) == ("200", "000")  # curl's word for a connection that was refused


def opened(into: Sequence[str], address: str, *words: str) -> str:
    """Open an address on one of the machines; return the status."""
    curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *words, address]
    return subprocess.run([*into, *curl], capture_output=True, text=True, check=False).stdout
