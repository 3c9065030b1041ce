"""Every frame between a command and the agent: what is asked, what comes back, the status document."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, get_args, get_origin

import pytest

from credtray.core import protocol
from credtray.core.errors import Offline, every_error
from credtray.core.events import SettingsLoaded
from credtray.core.models import Secret
from credtray.core.protocol import Done, Failed, decode_reply, decode_request, encode
from credtray.core.protocol.messages import Known
from credtray.core.protocol.results import PageResult
from credtray.core.settings import ProfileSettings, Settings
from credtray.core.state import State
from credtray.daemon.endpoint import Endpoint
from credtray.daemon.import_requests import ImportRequests
from credtray.daemon.ipc_connection import Connection
from credtray.daemon.waiting_requests import WaitingRequests
from credtray.daemon.workers import Workers
from credtray.desktop_requests import WITHOUT_DESKTOP, Copying, TrialNotices, without_desktop
from credtray.guard.agents import Process
from credtray.guard.gate import Gate
from tests.core.making import HOUR, NOON
from tests.core.menu_states import Moment, moments
from tests.daemon.fakes import Daemon, SlowPool, run
from tests.daemon.person import Person
from tests.daemon.test_endpoint import FakePort, MemoryStore
from tests.golden.golden import holds, readable, steady
from tests.test_clicks import RecordedClipboard

CANARY = "CANARY"
FINAL = {"done", "failed", "credentials", "update"}
ONCE = re.compile(r"(state|code_challenge|nonce)=[\w-]+")
"""What is another value in every sign-in."""
FLEETING = re.compile(r'< {"credtray":1,"reply":"progress","kind":"\w+"(?!,"url")')
"""Progress that a client may miss: signs of life, and steps that nobody has to act upon."""
KEYS = (
    '"section":"111122223333_ReadOnly","access_key_id":"ASIAPASTED","secret_access_key":"CANARY-secret",'
    '"session_token":"CANARY-session","expires_at":"2026-11-22T16:00:00Z","account_id":"111122223333",'
    '"role_name":"ReadOnly"'
)


class Channel:
    """A client that asks one thing, hears the last of its replies, and goes."""

    def __init__(self, frame: bytes, heard: Callable[[dict[str, Any]], object] = lambda _reply: None) -> None:
        self._heard = heard
        self.caller: int | None = None
        self.sent: list[bytes] = []
        self._frame: bytes | None = frame
        self._answered = asyncio.Event()

    async def receive(self, most: int) -> bytes:
        frame, self._frame = self._frame, None
        if frame is None:
            await self._answered.wait()
        return frame or b""

    async def send(self, data: bytes) -> None:
        self.sent.append(data)
        reply = json.loads(data)
        self._heard(reply)
        if reply["reply"] in FINAL:
            self._answered.set()

    def close(self) -> None:
        """Nothing to close."""


class Talk:
    """Writes down what a client and the agent say to each other."""

    def __init__(self, daemon: Daemon, serving: asyncio.Task[None]) -> None:
        self.daemon = daemon
        self.heard: Callable[[dict[str, Any]], object] = lambda _reply: None
        self._serving = serving
        self.lines: list[str] = []
        self.caller: int | None = None
        """The process id that the client says it has."""

    async def ask(self, *bodies: str) -> None:
        """Send requests, each with its kind first: ``wait "profile":"dev"``; note them as they are read."""
        for body in bodies:
            kind, _, rest = body.partition(" ")
            frame = f'{{"credtray":1,"request":"{kind}"{"," if rest else ""}{rest}}}\n'.encode()
            await self.send(frame, encode(decode_request(frame)))

    async def send(self, frame: bytes, noted: bytes | None = None) -> None:
        channel = Channel(frame, self.heard)
        channel.caller = self.caller
        await Connection(channel, self.daemon.requests).serve()
        self.lines.append(f"> {(noted or frame).decode(errors='replace').rstrip()}")
        self.lines += [f"< {reply.decode().rstrip()}" for reply in channel.sent]

    @property
    def text(self) -> str:
        return steady("\n".join(self.lines))


async def agent(
    *names: str, desktop: bool = True, workers: Workers | None = None, state: State | None = None
) -> Talk:
    """An agent with everything that answers, and nobody signed in."""
    at_once = Workers(lambda name, most: SlowPool(name, most, lambda: 0.0))
    daemon = Daemon(*names, workers=workers or at_once, state=state)
    clock = daemon.clock
    clock.now = lambda: NOON + clock.shift  # type: ignore[method-assign]  # how long a reply takes is no matter
    heard: list[Secret] = []
    endpoint = Endpoint(
        daemon.loop, daemon.requests, MemoryStore(), lambda _port: FakePort(20001), heard.append
    )
    daemon.requests.register(endpoint.handlers)
    daemon.requests.register(WaitingRequests(daemon.loop, daemon.sign_ins).handlers)
    daemon.requests.register(ImportRequests(daemon.loop).handlers)
    daemon.requests.register({protocol.OpenPage: page_opened})
    gate = Gate(daemon.loop, daemon.workers, daemon.notifier, coding_agent)
    gate.wait_seconds = 2.0
    daemon.requests.guard = gate.permission
    daemon.requests.register(gate.handlers)
    if desktop:
        copying = Copying(daemon.loop, daemon.requests, RecordedClipboard().clipboard)
        daemon.requests.register(copying.handlers)
        daemon.requests.register(TrialNotices(daemon.loop, daemon.workers, daemon.notifier).handlers)
    else:
        daemon.requests.register(without_desktop(daemon.loop) | WITHOUT_DESKTOP)
    await daemon.started()
    serving = asyncio.create_task(endpoint.run())
    await asyncio.sleep(0)
    return Talk(daemon, serving)


async def page_opened(_request: protocol.OpenPage, _sink: object) -> Done[PageResult]:
    """Answer as page/opening does, with an address that is the same every time."""
    return Done(PageResult(Secret("http://127.0.0.1:20002/0123456789abcdef/enter/CANARY"), 60.0))


def coding_agent(pid: int) -> tuple[Process, ...]:
    """Answer that Claude Code is behind every process."""
    return Process((pid, 0), frozenset({"credtray"})), Process((4711, 1), frozenset({"claude"}))


async def a_coding_agent_asks() -> str:
    talk = await agent("dev", "prod")
    settings = {"dev": ProfileSettings(agents="never"), "prod": ProfileSettings(production=True)}
    talk.daemon.loop.take(SettingsLoaded(Settings(profiles=settings)))
    await talk.ask("login", 'answer_agent "profile":"prod","allow":true')
    talk.caller = 4712
    await talk.ask(
        'credentials "profile":"dev"', 'endpoint "profile":"dev"', 'copy "profile":"dev","form":"posix"'
    )
    await talk.ask('credentials "profile":"prod"', "status", 'answer_agent "profile":"prod","allow":true')
    talk.caller = None
    await talk.ask('answer_agent "profile":"prod","allow":true,"until_sign_in_ends":true,"pid":4711')
    talk.caller = 4712
    await talk.ask('credentials "profile":"prod"')
    return talk.text


async def working_day() -> str:
    talk = await agent("dev", "ro")
    await talk.ask("ping", "status", "watch", "login", "login", 'login "session":"corp","fresh":true')
    await talk.ask('credentials "profile":"dev"', 'activate "profiles":["dev","ro"]', "status")
    await talk.ask('switch "profile":"ro"', 'activate "profiles":["dev"],"section":"work"')
    await talk.ask('wait "profile":"dev","seconds":2700', 'wait "profile":"dev","seconds":60,"keys":true')
    await talk.ask('copy "profile":"dev","form":"posix"', "test_notice", f"import_keys {KEYS}")
    await talk.ask('endpoint "profile":"dev"', 'endpoint "profile":"dev","revoke":true')
    await talk.ask('snooze "session":"corp","minutes":10', "open_page")
    await talk.ask('pause_notices "until":"2026-11-22T18:00:00+00:00"', "pause_notices")
    await talk.ask('deactivate "profiles":["ro"]', "switch", 'undo "what":"list"', "undo")
    await talk.ask('logout "session":"corp"', "status", "stop")
    return talk.text


async def signing_in() -> str:
    """Each grant step by step; threads and time are real here, for a sign-in waits in a thread of its own."""
    talk = await agent(workers=Workers())
    Person(talk.daemon)  # who does nothing by himself
    portal = talk.daemon.portal
    portal.ends_at = NOON + 8 * HOUR

    def act(reply: dict[str, Any]) -> None:
        if reply.get("user_code"):
            portal.confirm_device(reply["user_code"])
        elif reply.get("url"):
            talk.daemon.allow(reply["url"])

    talk.heard = act
    await talk.ask('login "browser":false', "logout", "login", 'login "device":true,"fresh":true')
    await talk.ask('login "device":true,"fresh":true,"agreed":true')
    talk.heard = lambda reply: portal.confirm_device(reply.get("user_code") or "", allow=False)
    await talk.ask('login "device":true,"fresh":true,"agreed":true', "status")
    lines = (line for line in talk.text.splitlines() if not FLEETING.match(line))
    return ONCE.sub(r"\1=ONCE", "\n".join(lines))


async def refusals() -> str:
    talk = await agent("dev", "production", desktop=False)
    await talk.ask('credentials "profile":"dve"', 'credentials "profile":"dev"', 'login "session":"crop"')
    await talk.ask('activate "profiles":["dev"]', 'activate "profiles":["dev","x"]', 'switch "profile":"x"')
    await talk.ask('activate "profiles":["dev","production"],"section":"s"', 'deactivate "profiles":["x"]')
    await talk.ask('wait "profile":"dev","seconds":60', 'wait "profile":"dev","seconds":60,"timeout":5')
    await talk.ask('copy "profile":"dev","form":"fish"', "test_notice", "undo", "cancel_login")
    await talk.ask('undo "what":"list"', 'snooze "session":"x","minutes":1', 'endpoint "profile":"x"')
    await talk.ask('pause_notices "until":"2027-11-22T18:00:00+00:00"')
    await talk.ask(f"import_keys {KEYS.replace('2026-11-22T16', '2026-11-22T11')}")
    await talk.ask("login")
    await talk.ask('wait "profile":"dev","seconds":360000', 'wait "profile":"dev","seconds":7200,"keys":true')
    talk.daemon.portal.fault = Offline("no route to the host")
    await talk.ask('credentials "profile":"production"', 'login "fresh":true', 'activate "profiles":["dev"]')
    return talk.text


async def another_person() -> str:
    talk = await agent("dev", state=State(seed="s", asks_person=True))
    await talk.ask("keep_person", 'activate "profiles":["dev"]', "login", "keep_person")
    talk.daemon.portal.in_browser = "bob@synderys.com"
    talk.daemon.clock.shift += HOUR / 60
    await talk.ask('login "fresh":true,"agreed":true')
    talk.daemon.clock.shift += HOUR
    await talk.ask('credentials "profile":"dev"', "status", 'keep_person "person":"carol@synderys.com"')
    await talk.ask('keep_person "session":"corp","person":"bob@synderys.com"', 'credentials "profile":"dev"')
    return talk.text


async def nonsense() -> str:
    talk = await agent()
    for frame in (
        b"hello\n",
        b"{}\n",
        b'{"credtray":2,"request":"ping"}\n',
        b'{"credtray":1,"request":"dance"}\n',
        b'{"credtray":1,"request":"credentials"}\n',
        b'{"credtray":1,"request":"snooze","session":"corp","minutes":0}\n',
        b'{"credtray":1,"request":"pause_notices","until":"2026-11-22T18:00:00"}\n',
        b"\xff\n",
    ):
        await talk.send(frame)
    return talk.text


SCENES: dict[str, Callable[[], Awaitable[str]]] = {
    "a working day": working_day,
    "refusals": refusals,
    "another person signs in": another_person,
    "a coding agent asks": a_coding_agent_asks,
    "what is no request": nonsense,
}


@pytest.fixture(scope="module")
def scenes() -> dict[str, str]:
    async def told(scene: Callable[[], Awaitable[str]]) -> str:
        return await scene()

    jumping = {name: run(told(scene)) for name, scene in SCENES.items()}
    return {**jumping, "signing in": asyncio.run(signing_in())}


def test_conversations(scenes: dict[str, str]) -> None:
    assert holds("conversations", scenes.items())


def test_every_kind_of_request_and_reply_is_in_a_conversation(scenes: dict[str, str]) -> None:
    text = "\n".join(scenes.values())

    for kind in (*get_args(Known), *get_args(protocol.Reply)):
        about = (get_origin(kind) or kind).__struct_config__
        assert f'"{about.tag_field}":"{about.tag}"' in text, kind


def test_secrets_are_only_in_credentials_in_pasted_keys_and_in_the_address_of_the_page(
    scenes: dict[str, str],
) -> None:
    told = [line for text in scenes.values() for line in text.splitlines() if CANARY in line]

    assert told
    places = ('"reply":"credentials"', '"request":"import_keys"', '"result":{"address":')
    assert all(any(place in line for place in places) for line in told)


def test_failures() -> None:
    frames: list[tuple[str, str]] = []
    for kind in every_error():
        frame = encode(Failed.of(kind("what happened")))
        reply = decode_reply(frame, protocol.Ping())

        assert isinstance(reply, Failed)
        again = reply.error()
        assert (type(again), str(again), again.advice) == (kind, str(kind("what happened")), kind.hint)
        frames.append((f"{kind.__name__}, exit code {kind.exit_code}", frame.decode()))
    assert holds("failures", frames)


def test_status_documents() -> None:
    async def document(moment: Moment) -> str:
        daemon = Daemon(state=moment.state)
        daemon.clock.shift = moment.now - NOON
        channel = Channel(encode(protocol.Watch()))  # which answers without reading files first
        await Connection(channel, daemon.requests).serve()
        return readable(json.loads(steady(channel.sent[0].decode()))["document"])

    few = {name: moment for name, moment in moments().items() if len(moment.state.profiles) < 20}

    assert holds("status", [(name, run(document(moment))) for name, moment in few.items()])
