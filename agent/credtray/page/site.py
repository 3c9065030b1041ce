"""What the page answers: makes views out of the agent's state and carries forms out, as commands do.

Decides nothing about credentials, and knows no port and no cookie: see web/page_server for those.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from credtray import __version__
from credtray.app import Components
from credtray.core import protocol
from credtray.core.clicks import StopSharing
from credtray.core.errors import CredtrayError, Problem
from credtray.core.protocol import Progress, result_of
from credtray.core.protocol.results import AgentStatus
from credtray.core.summary import status_document, summary
from credtray.core.words import plain
from credtray.daemon.ipc_connection import HeardHere
from credtray.daemon.loop import Loop
from credtray.daemon.requests import Requests
from credtray.daemon.workers import Workers, without_values
from credtray.desktop import paths
from credtray.history.entries import Lines
from credtray.history.journal import Journal
from credtray.page import views
from credtray.page.actions import Fields, Message, one, outcome, request_of
from credtray.page.adding import Adding
from credtray.page.checking import Checking, RunOurselves, run_ourselves
from credtray.page.settings import PageSettings
from credtray.page.views import happened
from credtray.roles.watch import RoleWatch
from credtray.share.shared import MUTE, Shares
from credtray.ways_out.page import Kind
from credtray.web.page_server import Answer, Asked

_log = logging.getLogger(__name__)

COALESCE_SECONDS = 0.05
"""Changes that come together are shown together."""
ALIVE_SECONDS = 20.0
"""A browser hears of us at least this often: minutes pass, and a proxy may think us gone."""
HEAR_SECONDS = 20.0
"""How long a form waits for what came of it; a sign-in is waited for only until it has begun."""

_HERE = Path(__file__).parent
_MOST_MESSAGES = 64
_TYPES: Mapping[str, str] = {
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_QUERIES = ("q", "back", "of")
_LEADS: Mapping[str, str] = {"which-keys": "check-up"}
"""Form -> the view that answers it, where that is another one."""
_VIEW = re.compile(r"[a-z-]{0,20}")


@dataclass(frozen=True, slots=True)
class View:
    """One of the views."""

    name: str
    label: str


VIEWS = (
    View("", "Overview"),
    View("add", "Add profiles"),
    View("check-up", "Check-up"),
    View("history", "History"),
    View("settings", "Settings"),
)


@dataclass(frozen=True, slots=True)
class _Form:
    """What every form of an answer carries."""

    token: str
    view: str


@dataclass(frozen=True, slots=True)
class _Told:
    """A message, and by what it is asked for again."""

    number: str
    title: str
    text: str
    good: bool
    shown: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """What the agent watches beside its state."""

    shares: Shares
    roles: RoleWatch


class PageSite:
    """The views of one agent's page."""

    def __init__(
        self,
        loop: Loop,
        requests: Requests,
        components: Components,
        workers: Workers,
        watched: Watched,
        run: RunOurselves = run_ourselves,
    ) -> None:
        self._loop = loop
        self._requests = requests
        self._journal = Journal(paths.state_directory())
        self._listeners: set[asyncio.Event] = set()
        self._adding = Adding(components, workers, loop, self._wake, watched.roles)
        self._checking = Checking(components, loop, self._wake, run)
        self._settings = PageSettings(components, workers, loop)
        self._shares = watched.shares
        watched.shares.heard_by(self._wake)
        self._steps: Mapping[str, Callable[[Fields], Awaitable[Message]]] = {
            **self._adding.handlers,
            **self._checking.handlers,
            **self._settings.handlers,
            "stop-sharing": self._stop_sharing,
        }
        """Forms that are more than one request."""
        self._messages: OrderedDict[str, Message] = OrderedDict()
        """By number, for the view that is shown next."""
        self._assets: dict[str, bytes] = {}
        self._under_way: dict[tuple[str, object], asyncio.Task[Message]] = {}

    @cached_property
    def _templates(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters["coded"] = _coded
        return environment

    def prepare(self) -> None:
        """Load the templates: after an upgrade, those on the disk are not ours any more."""
        for name in self._templates.list_templates():
            self._templates.get_template(name)
        for name in _TYPES:
            self._assets[name] = _asset(name)

    async def answer(self, asked: Asked) -> Answer:
        """Answer a request that was let in."""
        match asked.kind:
            case Kind.ASSET:
                return Answer(HTTPStatus.OK, self._assets[asked.name], _TYPES[asked.name])
            case Kind.ACTION:
                return await self._act(asked)
            case _:
                return await self._view(asked)

    def stranger(self, base: str) -> bytes:
        """Return the page for a browser that has no cookie of ours."""
        about = {"title": "Open credtray again", "live": False, "views": (), "waits": False}
        return self._rendered("stranger.html", base=base, **about)

    async def changes(self) -> AsyncGenerator[bytes, None]:
        """Yield an event now, at each change, and once in a while."""
        async with self._loop.watching() as changed:
            self._listeners.add(changed)
            try:
                while True:
                    changed.clear()
                    yield b"event: change\ndata: 1\n\n"
                    try:
                        await asyncio.wait_for(changed.wait(), ALIVE_SECONDS)
                    except TimeoutError:
                        continue
                    await asyncio.sleep(COALESCE_SECONDS)
            finally:
                self._listeners.discard(changed)

    def _wake(self) -> None:
        """Something has changed that is not in the state."""
        for changed in self._listeners:
            changed.set()

    async def close(self) -> None:
        """Give up what is under way."""
        self._adding.close()
        under_way = tuple(self._under_way.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._checking.close()

    # --- views ------------------------------------------------------------------------------------------

    async def _view(self, asked: Asked) -> Answer:
        found = next((view for view in VIEWS if view.name == asked.name), None)
        if found is None:
            return Answer(HTTPStatus.NOT_FOUND, b"Not Found\n", "text/plain; charset=utf-8")
        part = asked.kind is Kind.PART
        state = self._loop.state
        if not part and found is VIEWS[0] and not state.sessions and state.config_problem is None:
            told = {"told": asked.query["told"]} if "told" in asked.query else {}
            return Answer(HTTPStatus.SEE_OTHER, location=f"add?{urlencode(told)}".rstrip("?"))
        if not part and found.name == "add" and "new" in asked.query:  # from a notice: its roles are ticked
            self._adding.begin_with(asked.query["new"])
            return Answer(HTTPStatus.SEE_OTHER, location="add")
        return await self._shown(found, asked, asked.query, part=part)

    async def _shown(self, view: View, asked: Asked, query: Mapping[str, str], *, part: bool) -> Answer:
        inside = f"{view.name or 'overview'}.html"
        values = {
            "base": asked.base,
            "view": view.name,
            "form": _Form(asked.token, view.name),
            "told": self._told(query.get("told", "")),
            **await self._values(view, query),
        }
        if part:
            return Answer(HTTPStatus.OK, await self._drawn(inside, values))
        waits = getattr(values["seen"], "waits", False)
        about = {"title": view.label, "live": True, "views": VIEWS, "waits": waits}
        whole = {**about, "inside": inside, **values}
        return Answer(HTTPStatus.OK, await self._drawn("whole.html", whole))

    def _past(self) -> tuple[Lines, Problem | None]:
        """Return the history, and why it cannot be read."""
        try:
            return self._journal.read(), None
        except CredtrayError as error:
            _log.info("the history cannot be shown: %s", error)
            return Lines(), error.problem

    def _told(self, number: str) -> _Told | None:
        message = self._messages.get(number)
        if message is None or not message.title:
            return None
        return _Told(number, message.title, message.text, message.good, message.shown)

    async def _values(self, view: View, query: Mapping[str, str]) -> dict[str, Any]:
        if view.name == "add":
            return {"seen": self._adding.view(self._loop.state)}
        if view.name == "check-up":
            return {"seen": self._checking.view(query.get("of", ""))}
        if view.name == "settings":
            return {"seen": await self._settings.view()}
        lines, problem = await asyncio.to_thread(self._past)
        past = lines.entries
        if view.name == "history":
            kept = self._loop.state.settings.history
            return {"seen": happened(past, self._loop.now(), None), "problem": problem, "kept": kept}
        # A state never changes: it can be looked at beside the loop, which must not wait for a thousand rows.
        state, now = self._loop.state, self._loop.now()
        agent = AgentStatus(running=True, pid=os.getpid(), version=__version__)
        await self._shares.look_briefly()
        shares = self._shares.found

        def look() -> views.Overview:
            document = status_document(state, agent, now)
            return views.overview(summary(state, now), document, query, past, shares)

        return {"seen": await asyncio.to_thread(look)}

    async def _stop_sharing(self, fields: Fields) -> Message:
        click = StopSharing(one(fields, "host"), one(fields, "profile"))
        if not await self._shares.stop(click):
            return Message(*MUTE, good=False)
        return Message(f"{plain(click.profile)} is no longer shared with {plain(click.host)}")

    async def _drawn(self, template: str, values: Mapping[str, Any]) -> bytes:
        return await asyncio.to_thread(lambda: self._rendered(template, **values))

    def _rendered(self, template: str, **values: object) -> bytes:
        # A name from a file may be half a surrogate pair: that is no reason to show nothing.
        return self._templates.get_template(template).render(values).encode("utf-8", "replace")

    # --- forms ------------------------------------------------------------------------------------------

    async def _act(self, asked: Asked) -> Answer:
        message = await self._once(asked)
        number = secrets.token_hex(4)  # an address of the agent before this one tells nothing here
        self._messages[number] = message
        while len(self._messages) > _MOST_MESSAGES:
            self._messages.popitem(last=False)
        kept = {name: asked.fields[name][0] for name in _QUERIES if asked.fields.get(name, ("",))[0]}
        wanted = _LEADS.get(asked.name, asked.fields.get("view", ("",))[0])
        view = next((each for each in VIEWS if each.name == wanted), VIEWS[0])
        query = {**kept, "told": number}
        if asked.scripted:
            return await self._shown(view, asked, query, part=True)
        return Answer(HTTPStatus.SEE_OTHER, location=f"{view.name}?{urlencode(query)}")

    async def _once(self, asked: Asked) -> Message:
        """Carry a form out; one that comes again meanwhile is answered with the same."""
        key = asked.name, tuple(sorted(asked.fields.items()))
        task = self._under_way.get(key)
        if task is None:
            begun = asyncio.Event()
            task = asyncio.create_task(self._carried_out(asked, begun.set), name=f"page {asked.name}")
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
            waiting = asyncio.create_task(begun.wait(), name="page begun")
            await asyncio.wait({task, waiting}, timeout=HEAR_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
        else:
            await asyncio.wait({task}, timeout=1.0)
        return task.result() if task.done() else _BEGUN.get(asked.name, _GOES_ON)

    async def _carried_out(self, asked: Asked, begun: Callable[[], None]) -> Message:
        try:
            if (step := self._steps.get(asked.name)) is not None:
                message = await step(asked.fields)
                self._wake()
                return message
            request = request_of(asked.name, asked.fields, self._loop.now())

            def hear(progress: Progress) -> None:
                if isinstance(request, protocol.Login) and (progress.url or progress.user_code):
                    begun()

            heard = HeardHere(hear)
            await self._requests.handle(request, heard)
            return outcome(request, result_of(heard.final, request))
        except CredtrayError as error:
            return Message.of(error.problem)
        except Exception as error:  # noqa: BLE001 - the error border of a form: the agent must outlive it
            _log.error("a form failed: %s", type(error).__name__, exc_info=without_values(error))
            return Message.of(CredtrayError().problem)


_GOES_ON = Message("It takes longer than usual", "This page shows it when it is done.")
_BEGUN: Mapping[str, Message] = {
    "sign-in": Message("Finish signing in in your browser", "This page shows it when you are signed in.")
}


def _coded(text: str) -> Markup:
    """Return a text of ours with the commands in it, between backticks, as such."""
    parts = (Markup("<code>{}</code>").format(part) if odd else escape(part) for odd, part in _parts(text))
    return Markup().join(parts)


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    for number, part in enumerate(text.split("`")):
        yield number % 2 == 1, part


def _asset(name: str) -> bytes:
    return paths.asset("credtray.svg") if name == "icon.svg" else (_HERE / "static" / name).read_bytes()
