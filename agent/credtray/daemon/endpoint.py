"""Keeps the local credentials endpoint open while somebody wants it, and hands out its tokens.

Answers no HTTP request itself and touches no file: it is given who does. Refreshing never depends on it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace

from credtray.core import protocol
from credtray.core.answers import known_profile
from credtray.core.errors import CredtrayError, EndpointUnavailable
from credtray.core.events import Asked, EndpointChanged
from credtray.core.models import Delivery, Secret, Way
from credtray.core.ports import EndpointMemory, EndpointPort, EndpointState, EndpointStore
from credtray.core.ports.files import Caller
from credtray.core.protocol import Done, ProcessCredentials
from credtray.core.protocol.results import EndpointResult, RevokeResult
from credtray.core.state import region_of
from credtray.daemon.ipc_connection import ReplySink
from credtray.daemon.loop import Loop
from credtray.daemon.requests import Handler, Recipient, Requests
from credtray.ways_out.endpoint import path_of

_log = logging.getLogger(__name__)

TOKEN_BYTES = 32
"""256 bits."""
RETRY_SECONDS = 30.0
"""Before a port or a file that could not be had is tried again."""
LEAVE_SECONDS = 1.0
"""How long a home directory that hangs may hold up the agent's end."""


class Endpoint:
    """The endpoint of one running agent. Does nothing until ``run`` or the first request."""

    def __init__(
        self,
        loop: Loop,
        requests: Requests,
        store: EndpointStore,
        bind: Callable[[int | None], EndpointPort],
        heard: Callable[[Secret], None],
    ) -> None:
        """Join its parts.

        Args:
            loop: whose state says which profiles there are.
            requests: answers for the keys.
            store: memory and token files.
            bind: takes the given port where it is free, else another one; raises EndpointUnavailable.
            heard: is called with each token, such as the log's redactor.
        """
        self._loop = loop
        self._requests = requests
        self._store = store
        self._bind = bind
        self._heard = heard
        self._memory: EndpointMemory | None = None
        self._tokens: dict[str, Secret] = {}
        """Profile -> the token that opens it; the port looks in here for each request."""
        self._port: EndpointPort | None = None
        self._turn = asyncio.Lock()
        self._closing = False
        self.handlers: Mapping[type, Handler] = {protocol.Endpoint: self._carry}

    # --- life -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep it open while somebody wants it, until cancelled; then nobody finds a token any more."""
        self._closing = False
        try:
            async with self._loop.watching() as changed:
                while True:
                    changed.clear()
                    done = await self._settled()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), None if done else RETRY_SECONDS)
        finally:
            self._closing = True
            await self._leave()

    async def _settled(self) -> bool:
        """Bring port and tokens to what is wanted; False when that failed and is to be tried again."""
        try:
            async with self._turn:
                return not await self._settle()
        except CredtrayError as error:
            self._tell(error)
            return False
        except Exception:
            self._tell(EndpointUnavailable("it failed unexpectedly; the log says where"))
            raise

    def _tell(self, error: CredtrayError | None = None) -> None:
        port = None if self._port is None else self._port.port
        standing = EndpointState(port, None if error is None else error.problem)
        if standing == self._loop.state.endpoint:
            return
        if error is not None:
            _log.warning("%s", error)
        self._loop.take(EndpointChanged(standing))

    async def _leave(self) -> None:
        """Close, and take the token files away: what nobody serves is not to be sent to whoever listens."""
        port, self._port = self._port, None
        self._tokens.clear()
        if port is None:
            return
        await port.close()
        with contextlib.suppress(CredtrayError, TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._loop.file_work(lambda: self._store.clear(port.port))

    # --- port and tokens ----------------------------------------------------------------------------------

    async def _settle(self) -> Mapping[str, CredtrayError]:
        """Bring port and tokens to what is wanted; return the profiles that got no token, and why.

        Raises:
            CredtrayError: none of them can be served.
        """
        memory = await self._remembered()
        wanted = self._wanted(memory)
        for profile in self._tokens.keys() - wanted:
            await self._take_back(profile)
        if not wanted:
            await self._shut()
            return {}
        opened = await self._opened()
        if opened.port != memory.port:
            memory = await self._remember(replace(memory, port=opened.port))
        failed: dict[str, CredtrayError] = {}
        for profile in sorted(wanted - self._tokens.keys()):
            try:
                await self._hand_out(opened.port, profile)
            except CredtrayError as error:  # the others are served all the same
                failed[profile] = error
        self._tell(next(iter(failed.values()), None))
        return failed

    async def _remembered(self) -> EndpointMemory:
        if self._memory is None:
            found = await self._loop.file_work(self._store.load)
            # What a killed agent left is worth nothing, and somebody else may listen there now.
            await self._loop.file_work(lambda: self._store.clear(found.port))
            self._memory = found
        return self._memory

    async def _remember(self, memory: EndpointMemory) -> EndpointMemory:
        if memory != self._memory:
            await self._loop.file_work(lambda: self._store.save(memory))
            self._memory = memory
        return memory

    def _wanted(self, memory: EndpointMemory) -> set[str]:
        """Return whose tokens there are to be: those asked for, and active ones that are set to be here."""
        return (self._set_so() - memory.revoked) | memory.profiles

    def _set_so(self) -> set[str]:
        state = self._loop.state
        named = {name for name, item in state.settings.profiles.items() if item.delivery is Delivery.ENDPOINT}
        return named.intersection(state.kept) if named else named

    async def _opened(self) -> EndpointPort:
        """Return the port, taken now if need be; nobody is answered before there are tokens."""
        if self._port is not None:
            return self._port
        memory = await self._remembered()
        port = self._bind(memory.port)
        try:
            if port.port != memory.port:
                # Programs know the address of the old port, where another user may listen by now, and read
                # the token file at each request: nothing may ever lie there again, so its directories go.
                await self._loop.file_work(lambda: self._store.clear(None))
            await port.serve(self._tokens, self._issue)
        except BaseException:
            await port.close()
            raise
        self._port = port
        _log.info("the credentials endpoint listens on port %d", port.port)
        return port

    async def _shut(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            await port.close()
            _log.info("the credentials endpoint is closed: nothing uses it any more")
        self._tell()

    async def _hand_out(self, port: int, profile: str) -> None:
        token = Secret(secrets.token_urlsafe(TOKEN_BYTES))
        self._heard(token)
        self._tokens[profile] = token  # first: programs read the file the moment it is there
        try:
            await self._loop.file_work(lambda: self._store.write(port, profile, token))
        except BaseException:
            self._tokens.pop(profile, None)
            raise

    async def _take_back(self, profile: str) -> None:
        del self._tokens[profile]
        if self._port is not None:
            port = self._port.port
            await self._loop.file_work(lambda: self._store.remove(port, profile))

    # --- requests -----------------------------------------------------------------------------------------

    async def _carry(
        self, request: protocol.Endpoint, sink: ReplySink
    ) -> Done[EndpointResult] | Done[RevokeResult]:
        if self._closing:
            raise EndpointUnavailable("the agent is stopping")
        if request.revoke:
            return Done(await self._revoke(request.profile))
        known_profile(self._loop.state, request.profile)
        await self._requests.permitted(request.profile, Recipient(Way.ENDPOINT, sink.caller, sink.send))
        return Done(await self._grant(request.profile))

    async def _grant(self, profile: str) -> EndpointResult:
        path = path_of(profile)
        try:
            port = await self._granted(profile)
        except CredtrayError as error:
            self._tell(error)
            if isinstance(error, EndpointUnavailable):
                raise
            raise EndpointUnavailable(str(error), hint=error.advice) from None
        self._loop.take(Asked(profile))  # the keys are to be there when the program asks
        return EndpointResult(
            profile,
            port,
            f"http://127.0.0.1:{port}{path}",
            self._store.path(port, profile),
            region_of(self._loop.state, profile),
        )

    async def _granted(self, profile: str) -> int:
        """Return the port on which the profile is served from now on."""
        async with self._turn:
            memory = await self._remembered()
            profiles, revoked = memory.profiles | {profile}, memory.revoked - {profile}
            await self._remember(replace(memory, profiles=profiles, revoked=revoked))
            failed = await self._settle()
            if profile in failed:
                raise failed[profile]
            return (await self._opened()).port

    async def _revoke(self, profile: str) -> RevokeResult:
        async with self._turn:
            memory = await self._remembered()
            if profile not in self._wanted(memory) | memory.revoked:
                known_profile(self._loop.state, profile)
            had = profile in self._tokens
            profiles, revoked = memory.profiles - {profile}, memory.revoked | (self._set_so() & {profile})
            await self._remember(replace(memory, profiles=profiles, revoked=revoked))
            await self._settle()
        return RevokeResult(profile, had)

    async def _issue(self, profile: str, caller: Caller) -> ProcessCredentials:
        """Return the keys; the caller will ask again, so they are renewed as soon as they get old."""
        issued = await self._requests.issued(profile, Recipient(Way.ENDPOINT, caller))
        known = self._loop.state.profiles.get(profile)
        if known is not None and known.asked_at is None:
            self._loop.take(Asked(profile))
        return issued
