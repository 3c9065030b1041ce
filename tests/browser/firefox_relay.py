"""Starts Firefox and stands between it and Playwright, which asks an ESR for things that came later.

A program: its words are the command of Firefox. What Firefox does not know is answered with "done" where a
test does without it; everything else goes through as it is, so a newer Firefox answers all for itself. Before
the first page it installs what lets Playwright evaluate there (``driven``).
"""

from __future__ import annotations

import json
import re
import secrets
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

DISPENSABLE = {
    "browser.setDownloadBehavior",
    "emulation.setMediaFeaturesOverride",
    "emulation.setScreenOrientationOverride",
    "emulation.setScreenSettingsOverride",
    "network.addDataCollector",
}
_DRIVEN = {"type": "path", "path": str(Path(__file__).resolve().with_name("driven"))}
_LISTENING = "WebDriver BiDi listening on ws://127.0.0.1:"
_TEXT = 0x81
"""First byte of a frame that is a whole text (RFC 6455, 5.2)."""
_MASKED = 0x80


def main() -> int:
    with subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            found = re.search(f"{re.escape(_LISTENING)}(\\d+)", line)
            sys.stderr.write(line if found is None else f"{_LISTENING}{relayed(int(found[1]))}\n")
            sys.stderr.flush()
    return process.returncode


def relayed(to: int) -> int:
    """Return the port that Playwright is to take in place of Firefox's."""
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_relay, args=(listening, to), daemon=True).start()
    port: int = listening.getsockname()[1]
    return port


def _relay(listening: socket.socket, to: int) -> None:
    driver, _ = listening.accept()
    firefox = socket.create_connection(("127.0.0.1", to))
    asked, told = driver.makefile("rb"), firefox.makefile("rb")
    port = listening.getsockname()[1]
    firefox.sendall(_head(asked).replace(f":{port}".encode(), f":{to}".encode()))
    driver.sendall(_head(told))
    threading.Thread(target=_pour, args=(asked, firefox), daemon=True).start()
    frames = _frames(told)
    begun = next(frames)  # the session is there: nothing else is asked before Playwright hears that
    _send(firefox, {"id": 0, "method": "webExtension.install", "params": {"extensionData": _DRIVEN}})
    installed = json.loads(next(frames)[1])
    assert installed["type"] == "success", installed
    driver.sendall(_frame(*begun))
    for first, content in frames:
        driver.sendall(_frame(first, _answered(content) if first == _TEXT else content))
    driver.close()


def _answered(content: bytes) -> bytes:
    """Return what Playwright is told: that a command was carried out which a test does without."""
    if b"unknown command" in content:
        answer = json.loads(content)
        if answer.get("error") == "unknown command" and answer["message"] in DISPENSABLE:
            return json.dumps({"type": "success", "id": answer["id"], "result": {}}).encode()
    return content


def _head(stream: BinaryIO) -> bytes:
    """Return the head of an HTTP message."""
    return b"".join(iter(stream.readline, b"\r\n")) + b"\r\n"


def _pour(stream: BinaryIO, to: socket.socket) -> None:
    while data := stream.read1(65536):  # type: ignore[attr-defined]  # of a socket's file
        to.sendall(data)
    to.shutdown(socket.SHUT_WR)


def _frames(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield first byte and content of each frame that Firefox sends."""
    while len(head := stream.read(2)) == 2:
        length = head[1]
        if length == 126:
            (length,) = struct.unpack("!H", stream.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", stream.read(8))
        yield head[0], stream.read(length)


def _frame(first: int, content: bytes) -> bytes:
    return bytes([first, 127]) + struct.pack("!Q", len(content)) + content


def _send(firefox: socket.socket, command: dict[str, Any]) -> None:
    content, mask = json.dumps(command).encode(), secrets.token_bytes(4)
    head = bytes([_TEXT, _MASKED | 126]) + struct.pack("!H", len(content)) + mask
    firefox.sendall(head + bytes(byte ^ mask[at % 4] for at, byte in enumerate(content)))


if __name__ == "__main__":
    sys.exit(main())
