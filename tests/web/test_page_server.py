"""The page's server over real sockets: who is let in, what each answer carries, and when it closes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from credtray.web import page_server
from credtray.web.page_server import Answer, Asked, PageServer, Site

CANARY = "cAnArY9f3b"
DOCUMENT = ("Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
WITHIN = ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
SCRIPTED = ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty")


@dataclass
class Desk:
    """A site that shows a canary, and keeps what it was asked."""

    asked: list[Asked] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    listening: int = 0
    failing: Exception | None = None

    async def close(self) -> None:
        self.closed = True

    async def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.failing is not None:
            raise self.failing
        if asked.fields:
            return Answer(HTTPStatus.SEE_OTHER, location="?told=1")
        return Answer(HTTPStatus.OK, f"{CANARY} token={asked.token};".encode())

    async def changes(self) -> AsyncGenerator[bytes, None]:
        self.listening += 1
        try:
            while True:
                yield b"event: change\ndata: 1\n\n"
                await self.changed.wait()
                self.changed.clear()
        finally:
            self.listening -= 1
            self.left.set()


@dataclass
class Visitor:
    """A browser that knows the cookie, or none."""

    server: PageServer
    cookie: str = ""

    @property
    def host(self) -> str:
        assert self.server.place is not None
        return self.server.place.host

    async def send(self, raw: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.host.partition(":")[2]))
        writer.write(raw)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    def raw(self, target: str, *lines: str, method: str = "GET", body: bytes = b"") -> bytes:
        head = [f"{method} {target} HTTP/1.1", f"Host: {self.host}", *lines]
        if self.cookie:
            head.append(f"Cookie: {self.cookie}")
        if body or method == "POST":
            head += [f"Content-Length: {len(body)}", "Content-Type: application/x-www-form-urlencoded"]
        return "\r\n".join([*head, "", ""]).encode() + body

    async def get(self, inside: str, *lines: str) -> bytes:
        assert self.server.place is not None
        return await self.send(self.raw(f"{self.server.place.path}{inside}", *(lines or WITHIN)))

    async def post(self, action: str, *lines: str, **fields: str) -> bytes:
        assert self.server.place is not None
        target = f"{self.server.place.path}do/{action}"
        headers = lines or (*WITHIN, f"Origin: http://{self.host}")
        return await self.send(self.raw(target, *headers, method="POST", body=urlencode(fields).encode()))

    async def enter(self) -> bytes:
        answer = await self.send(self.raw(urlsplit(self.server.entrance().reveal()).path, *DOCUMENT))
        for line in answer.decode().split("\r\n"):
            if line.startswith("Set-Cookie: "):
                self.cookie = line.removeprefix("Set-Cookie: ").partition(";")[0]
        return answer


Visit = Callable[[Visitor, Desk], Awaitable[None]]


def served(visit: Visit, **options: Any) -> None:
    async def serve() -> None:
        desk = Desk()
        server = PageServer(
            Site(desk.answer, desk.changes, lambda base: f"stranger {base}".encode(), desk.close), **options
        )
        await server.open()
        try:
            await visit(Visitor(server), desk)
        finally:
            await server.close()

    asyncio.run(serve())


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def test_one_time_address_lets_one_browser_in() -> None:
    async def visit(visitor: Visitor, _desk: Desk) -> None:
        path = urlsplit(visitor.server.entrance().reveal()).path
        first = await visitor.send(visitor.raw(path, *DOCUMENT))
        again = await visitor.send(visitor.raw(path, *DOCUMENT))
        visitor.cookie = first.decode().partition("Set-Cookie: ")[2].partition(";")[0]
        seen = await visitor.get("")
        assert visitor.server.place is not None

        assert f"\r\nLocation: {visitor.server.place.path}\r\n".encode() in first
        assert f"; HttpOnly; SameSite=Strict; Path={visitor.server.place.path}\r\n".encode() in first
        assert (status(first), status(again), status(seen)) == (303, 410, 200)
        assert CANARY.encode() in seen

    served(visit)


def test_one_time_address_may_lead_to_a_view() -> None:
    async def visit(visitor: Visitor, _desk: Desk) -> None:
        address = visitor.server.entrance("add?new=corp%2Fnorth")
        first = await visitor.send(visitor.raw(urlsplit(address.reveal()).path, *DOCUMENT))
        visitor.cookie = first.decode().partition("Set-Cookie: ")[2].partition(";")[0]
        inside = await visitor.send(
            visitor.raw(urlsplit(visitor.server.entrance("add").reveal()).path, *DOCUMENT)
        )
        assert visitor.server.place is not None

        room = visitor.server.place.path
        assert f"\r\nLocation: {room}add?new=corp%2Fnorth\r\n".encode() in first
        assert f"\r\nLocation: {room}add\r\n".encode() in inside

    served(visit)


def test_browser_that_is_in_keeps_its_cookie_when_it_comes_by_another_address() -> None:
    """Else the forms of its other tabs would be refused."""

    async def visit(visitor: Visitor, desk: Desk) -> None:
        await visitor.enter()
        token = await token_of(visitor)
        path = urlsplit(visitor.server.entrance().reveal()).path
        again = await visitor.send(visitor.raw(path, *DOCUMENT))
        used = await visitor.send(visitor.raw(path, *DOCUMENT))
        answer = await visitor.post("switch", token=token, profile="dev")

        assert b"Set-Cookie" not in again
        assert (status(again), status(used), status(answer)) == (303, 410, 303)
        assert len(visitor.server.guests) == 1
        assert len(desk.asked) == 2

    served(visit)


def test_one_time_address_is_good_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0] * 3 + [61.0] * 5)
    monkeypatch.setattr(page_server, "_now", lambda: next(times))

    async def visit(visitor: Visitor, _desk: Desk) -> None:
        late = await visitor.enter()

        assert status(late) == 410
        assert visitor.cookie == ""

    served(visit)


def test_each_answer_keeps_other_pages_out_and_itself_in() -> None:
    async def visit(visitor: Visitor, _desk: Desk) -> None:
        await visitor.enter()
        head = (await visitor.get("")).partition(b"\r\n\r\n")[0].decode()

        assert "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;" in head
        assert "form-action 'self'; frame-ancestors 'none'; base-uri 'none'" in head
        for line in (
            "Cache-Control: no-store",
            "X-Frame-Options: DENY",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: same-origin",
            "Cross-Origin-Resource-Policy: same-origin",
        ):
            assert f"\r\n{line}" in head
        assert "Access-Control" not in head

    served(visit)


def attacks(visitor: Visitor) -> list[bytes]:
    assert visitor.server.place is not None
    path = visitor.server.place.path
    good = visitor.raw(path, *WITHIN)
    host = f"Host: {visitor.host}".encode()
    return [
        good.replace(host, b"Host: evil.example"),
        good.replace(host, b"Host: localhost:" + visitor.host.partition(":")[2].encode()),
        good.replace(b"same-origin", b"cross-site"),
        good.replace(b"same-origin", b"same-site"),
        good.replace(b"document", b"iframe"),
        good.replace(b"Sec-Fetch-Dest: document\r\n", b""),
        good.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n"),
        good.replace(b"GET ", b"POST "),
        good.replace(b"GET ", b"HEAD "),
        good.replace(b"HTTP/1.1", b"HTTP/1.0"),
        good + good,
        visitor.raw("/", *WITHIN),
        visitor.raw(f"{path}../", *WITHIN),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET " + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n",
        visitor.raw(f"{path}do/switch", *WITHIN, "Origin: null", method="POST", body=b"token=x&profile=a"),
        visitor.raw(
            f"{path}do/switch", *WITHIN, f"Origin: http://{visitor.host}", method="POST", body=b"profile=a"
        ),
        visitor.raw(
            f"{path}do/switch", *WITHIN, f"Origin: http://{visitor.host}", method="POST", body=b"a" * 300_000
        ),
    ]


def test_attacks_with_the_right_cookie_get_no_byte_and_do_nothing() -> None:
    async def visit(visitor: Visitor, desk: Desk) -> None:
        await visitor.enter()
        for raw in attacks(visitor):
            answer = await visitor.send(raw)

            assert CANARY.encode() not in answer, raw[:200]
            assert status(answer) in {0, *range(400, 600)}, raw[:200]
        assert desk.asked == []

    served(visit)


def test_cookie_of_a_page_that_has_closed_is_worth_nothing() -> None:
    """Stolen or kept: it opened the page that is gone, and no other."""

    async def visit(visitor: Visitor, _desk: Desk) -> None:
        await visitor.enter()
        assert visitor.server.place is not None
        before = visitor.server.place
        stolen = visitor.cookie.partition("=")[2]
        await visitor.server.close()
        await visitor.server.open()
        visitor.cookie = f"{visitor.server.place.cookie}={stolen}"
        answer = await visitor.get("")

        assert status(answer) == 403
        assert f"stranger {visitor.server.place.path}".encode() in answer
        assert visitor.server.place.room != before.room

    served(visit)


def test_program_of_another_user_sees_nothing() -> None:
    async def visit(visitor: Visitor, desk: Desk) -> None:
        answer = await visitor.enter()

        assert (status(answer), visitor.cookie, desk.asked) == (404, "", [])

    served(visit, may_visit=lambda _peer, _ours: False)


async def token_of(visitor: Visitor) -> str:
    return (await visitor.get("")).decode().partition("token=")[2].partition(";")[0]


def test_form_with_its_token_is_carried_out_and_leads_back() -> None:
    async def visit(visitor: Visitor, desk: Desk) -> None:
        await visitor.enter()
        answer = await visitor.post("switch", token=await token_of(visitor), profile="dev")

        assert status(answer) == 303
        assert visitor.server.place is not None
        assert f"\r\nLocation: {visitor.server.place.path}?told=1\r\n".encode() in answer
        assert desk.asked[-1].fields == {"profile": ("dev",)}

    served(visit)


def test_token_of_another_browser_does_not_count() -> None:
    async def visit(visitor: Visitor, desk: Desk) -> None:
        other = Visitor(visitor.server)
        await other.enter()
        await visitor.enter()
        answer = await visitor.post("switch", token=await token_of(other), profile="dev")

        assert status(answer) == 403
        assert [asked.fields for asked in desk.asked if asked.fields] == []

    served(visit)


def test_long_form_comes_in_pieces() -> None:
    async def visit(visitor: Visitor, desk: Desk) -> None:
        await visitor.enter()
        ticked = "r" * 60_000
        answer = await visitor.post("write", token=await token_of(visitor), ticked=ticked)

        assert status(answer) == 303
        assert desk.asked[-1].fields == {"ticked": (ticked,)}

    served(visit)


def test_changes_stream_until_the_browser_goes() -> None:
    async def visit(visitor: Visitor, desk: Desk) -> None:
        await visitor.enter()
        assert visitor.server.place is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", visitor.server.place.port)
        writer.write(visitor.raw(f"{visitor.server.place.path}events", *SCRIPTED))
        head = await reader.readuntil(b"\r\n\r\n")
        first = await reader.readuntil(b"\n\n")
        desk.changed.set()
        second = await reader.readuntil(b"\n\n")

        assert b"Content-Type: text/event-stream" in head
        assert first == second == b"event: change\ndata: 1\n\n"
        assert desk.listening == 1
        writer.close()
        async with asyncio.timeout(30):
            await desk.left.wait()

    served(visit)


def test_closes_when_nobody_has_looked_for_a_while_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    time = [100.0]
    monkeypatch.setattr(page_server, "_now", lambda: time[0])

    async def visit(visitor: Visitor, _desk: Desk) -> None:
        await visitor.enter()
        time[0] += 600
        assert visitor.server.left() == 300
        await visitor.get("")
        assert visitor.server.left() == 900
        assert visitor.server.place is not None
        _reader, writer = await asyncio.open_connection("127.0.0.1", visitor.server.place.port)
        writer.write(visitor.raw(f"{visitor.server.place.path}events", *SCRIPTED))
        await _reader.readuntil(b"\n\n")
        time[0] += 10_000

        assert visitor.server.left() == 900  # somebody has it open
        writer.close()

    served(visit)


def test_strangers_do_not_keep_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    time = [100.0]
    monkeypatch.setattr(page_server, "_now", lambda: time[0])

    async def visit(visitor: Visitor, _desk: Desk) -> None:
        time[0] += 600
        await visitor.get("")

        assert visitor.server.left() == 300

    served(visit)


def test_view_that_fails_is_answered_without_a_word_of_it() -> None:
    async def visit(visitor: Visitor, desk: Desk) -> None:
        await visitor.enter()
        desk.failing = ValueError(CANARY)
        answer = await visitor.get("")

        assert status(answer) == 500
        assert CANARY.encode() not in answer

    served(visit)


def test_crowd_of_guests_pushes_out_the_one_that_was_seen_longest_ago() -> None:
    async def visit(visitor: Visitor, _desk: Desk) -> None:
        others = [Visitor(visitor.server) for _ in range(16)]
        await visitor.enter()
        for other in others:
            await other.enter()

        assert status(await visitor.get("")) == 403
        assert status(await others[0].get("")) == 200

    served(visit)


def test_comes_back_at_its_place_for_those_who_were_in() -> None:
    async def visit(visitor: Visitor, _desk: Desk) -> None:
        await visitor.enter()
        place, guests = visitor.server.place, visitor.server.guests
        await visitor.server.close()
        await visitor.server.open(place, guests)

        assert visitor.server.place == place
        assert status(await visitor.get("")) == 200

    served(visit)
