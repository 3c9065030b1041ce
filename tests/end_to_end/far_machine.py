"""A machine with a real sshd, and a cable to it that can be pulled out."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.end_to_end.house import House, until
from tests.end_to_end.test_real_proxies import free_port, wanted
from tests.portal import RunningPortal
from tests.warm_start import Process

_HERE = "127.0.0.1"
SSHD = """\
Port {port}
ListenAddress {address}
HostKey {place}/host
AuthorizedKeysFile {place}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv HOME={home} PATH={path} {environ}
{more}
"""


class Wire:
    """A cable between ssh and sshd that can be pulled out: nothing comes through, and nobody is told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pulled = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def pull(self) -> None:
        self._pulled.set()

    def put_back(self) -> None:
        """The network is another one: what was connected before stays dead."""
        for each in self._open:
            with each, suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()
        self._pulled.clear()

    def close(self) -> None:
        self._listening.close()
        self.put_back()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self._pulled.is_set():
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._port))
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if self._pulled.is_set():
                    return
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@dataclass
class FarMachine:
    """A machine with an sshd, a home of its own there, and a cable to it."""

    home: Path
    place: Path
    address: str
    """As ssh reaches it: behind the cable, where that is not a network of its own."""
    port: int
    wire: Wire
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type a line at the far end."""
        return subprocess.run(
            ["sh", "-c", line], env={"HOME": str(self.home), **self.environ}, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip

    def keys(self, name: str = "synderys-readonly") -> subprocess.CompletedProcess[str]:
        return self.run(f'sh "$HOME/.credtray/share/{name}.get"')

    def files(self) -> list[str]:
        # Unlike Path.rglob, it bears that a folder goes while it looks.
        found = (Path(folder, name) for folder, _, names in os.walk(self.home) for name in names)
        return sorted(str(path.relative_to(self.home)) for path in found)


@contextmanager
def far_machine(
    tmp_path: Path,
    more: str = "",
    path: str = "/usr/bin:/bin",
    environ: str = "",
    into: Sequence[str] = (),
    address: str = _HERE,
) -> Iterator[FarMachine]:
    """Run it; *into* is what starts a program in its network, where it has one of its own."""
    program = wanted("sshd")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # Debian makes it when the service starts
    place, home, port = tmp_path / "sshd", tmp_path / "far", free_port()
    place.mkdir()
    home.mkdir()
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True)
    config = place / "sshd_config"
    values = {"place": place, "home": home, "path": path, "environ": environ, "more": more}
    config.write_text(SSHD.format(address=address, port=port, **values))
    with listening([*into, program, "-D", "-e", "-f", str(config)], place / "log"):
        wire = Wire(port)
        seen = (address, port) if into else (_HERE, wire.port)
        try:
            yield FarMachine(home, place, *seen, wire, {"PATH": path})
        finally:
            wire.close()


@contextmanager
def listening(command: Sequence[str], log: Path) -> Iterator[None]:
    """Run an sshd, with all that it starts, from when it listens until the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        until(lambda: "Server listening" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def house_beside(portal: RunningPortal, home: Path, far: FarMachine, into: Sequence[str] = ()) -> House:
    """Return a home whose `ssh far` leads over the cable; *into* starts ssh in another network."""
    house = House(home, portal)
    house.configure()
    config = home / "ssh_config"
    config.write_text(
        f"Host far\n  HostName {far.address}\n  Port {far.port}\n  User {getpass.getuser()}\n"
        f"  IdentityFile {far.place}/user\n  IdentitiesOnly yes\n  BatchMode yes\n"
        f"  UserKnownHostsFile {home}/known\n  StrictHostKeyChecking accept-new\n"
    )
    (home / "bin").mkdir()
    ssh = home / "bin" / "ssh"
    ssh.write_text(
        f'#!/bin/sh\nexec {shlex.join([*into, shutil.which("ssh") or "ssh"])} -F "{config}" "$@"\n'
    )
    ssh.chmod(0o755)
    house.environ["PATH"] = f"{home / 'bin'}:{house.environ['PATH']}"
    return house


def shared(house: House, *more: str) -> AbstractContextManager[Process]:
    return sharing(house, "far", "-P", "synderys-readonly", *more)


@contextmanager
def sharing(house: House, *words: str) -> Iterator[Process]:
    """Run `credtray share` with these words from when it shares until the end of the block."""
    log = house.home / "share-output"
    with log.open("w") as output:
        process = house.start("share", *words, output=output)
        try:
            until(lambda: "Ctrl-C ends it" in log.read_text() or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait()


def said(house: House) -> str:
    return (house.home / "share-output").read_text()
