"""A message bus of a test's own: nothing is activated on it behind the test's back."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""


class DbusDaemon:
    """A private dbus-daemon without service directories; it may be stopped, killed and started again."""

    def __init__(self, directory: Path) -> None:
        self.socket = directory / "socket"
        self.address = f"unix:path={self.socket}"
        self._configuration = directory / "bus.conf"
        self._process: subprocess.Popen[str] | None = None

    @staticmethod
    def installed() -> bool:
        return shutil.which("dbus-daemon") is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it at its address and wait until it listens there."""
        self._configuration.write_text(_CONFIGURATION.format(address=self.address))
        self.socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={self._configuration}", "--nofork", "--print-address=1"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().startswith("unix:path=")

    def freeze(self) -> None:
        """Let it hang: connections stay, nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it, also when it is frozen; twice is the same as once."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
