"""A whole agent process without its loop: the real server, lock and directory around a tiny handler."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from credtray.core.errors import FileContended, SignInRequired, UnknownProfile
from credtray.core.models import RoleCredentials, Secret
from credtray.core.protocol import (
    Credentials,
    CredentialsIssued,
    Done,
    Login,
    Ping,
    ProcessCredentials,
    Progress,
    Request,
    Status,
    Update,
    Wait,
    Watch,
)
from credtray.core.protocol.results import AgentStatus, PingResult, StatusDocument, WaitResult
from credtray.daemon.ipc import ipc_server
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.runtime_directory import prepare_runtime_directory
from credtray.desktop.hardening import harden
from credtray.desktop.paths import agent_lock, listening_path, runtime_directory
from credtray.files.file_lock import FileLock

ISSUED = ProcessCredentials.of(
    RoleCredentials(
        "ASIAEXAMPLE",
        Secret("canary-secret/key+"),
        Secret("canary-session-token=="),
        datetime(2026, 11, 22, 19, 36, 43, 999_999, tzinfo=UTC),
        datetime(2026, 11, 22, 18, 36, 43, tzinfo=UTC),
    ),
    "123456789012",
)


def told(number: int, text: str) -> StatusDocument:
    """Return a status document with a number and a long text in it."""
    return StatusDocument(
        now=datetime(2026, 11, 22, tzinfo=UTC),
        agent=AgentStatus(running=True, pid=number, version=text),
        sessions=(),
        profiles=(),
        foreign=(),
        warnings=(),
        problems=(),
        credentials_file=None,
    )


class StubHandler:
    """Answers by the profile's name; ``Watch`` never ends."""

    def __init__(self, most_pieces: int = 1_000_000) -> None:
        self.most_pieces = most_pieces
        self.cancelled = 0

    async def handle(self, request: Request, reply: ReplySink) -> None:
        try:
            await self._handle(request, reply)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def _handle(self, request: Request, reply: ReplySink) -> None:
        match request:
            case Ping():
                await reply.send(Done(PingResult(self.cancelled, "stub")))
            case Status():
                await reply.send(Done(told(0, "x" * self.most_pieces)))
            case Watch():
                for number in range(1_000_000_000):
                    await reply.send(Update(told(number, "x" * 10_000)))
                    await asyncio.sleep(0)
            case Login():
                await reply.send(Progress("browser", url="https://example.invalid/"))
                await asyncio.sleep(3600)
            case Wait(profile=profile):
                region = None if profile == "no-region" else "eu-central-1"
                end = datetime(2026, 11, 22, 22, tzinfo=UTC)
                await reply.send(
                    Done(WaitResult(profile=profile, session="corp", until=end, about=False, region=region))
                )
            case Credentials(profile=profile):
                await self._credentials(profile, reply)
            case _:
                pass  # not answered at all: the server has to say so

    async def _credentials(self, profile: str, reply: ReplySink) -> None:
        match profile:
            case "hang":
                await asyncio.sleep(3600)
            case "slow":
                await asyncio.sleep(2.5)
            case "signed-out":
                raise SignInRequired("corp")
            case "crash":
                raise RuntimeError("canary-in-an-exception")
            case "unknown":
                raise UnknownProfile("unknown")
            case _ if profile.startswith("dead"):
                raise UnknownProfile(profile)
        await reply.send(CredentialsIssued(ISSUED))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def serve(path: Path, lock: FileLock) -> None:
    server = ipc_server(path, lambda: lock.held, StubHandler())
    await server.start()
    say("serving")
    try:
        while True:
            await asyncio.sleep(0.2)
            await server.ensure_reachable()
    finally:
        await server.close()


def main() -> int:
    harden()
    prepare_runtime_directory(runtime_directory())
    lock = FileLock(agent_lock(), timeout=0)
    try:
        lock.acquire()
    except FileContended:
        say("already running")
        return 0
    asyncio.run(serve(listening_path(), lock))
    return 0


if __name__ == "__main__":
    sys.exit(main())
