"""The one-time page: one right visit gets the address, whoever else knocks gets nothing."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from credtray.core.models import Secret
from credtray.demo.identity_center import IdentityCenter
from credtray.web.console_handover import OneTimeRedirect, one_time_redirect
from credtray.web.http_connections import same_person
from tests.systems import is_root

TARGET = Secret("https://signin.aws.amazon.com/federation?Action=login&SigninToken=CANARY")
CHROMIUM = Path("/usr/bin/chromium")
SETPRIV = shutil.which("setpriv")
SYSTEM_PYTHON = Path("/usr/bin/python3")

Visits = Callable[[OneTimeRedirect], Awaitable[None]]


def serving(visits: Visits, target: Secret = TARGET) -> None:
    async def serve() -> None:
        async with one_time_redirect(target) as page:
            await visits(page)

    asyncio.run(serve())


async def send(page: OneTimeRedirect, raw: str | bytes) -> str:
    parts = urlsplit(page.address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(raw.encode() if isinstance(raw, str) else raw)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.decode()


def request(page: OneTimeRedirect, *lines: str, method: str = "GET", target: str | None = None) -> str:
    parts = urlsplit(page.address)
    head = [f"{method} {target or parts.path} HTTP/1.1", f"Host: {parts.netloc}", *lines, "", ""]
    return "\r\n".join(head)


def test_right_visit_is_led_on_once() -> None:
    async def visits(page: OneTimeRedirect) -> None:
        first = await send(page, request(page))
        second = await send(page, request(page))

        assert first.startswith("HTTP/1.1 303 ")
        assert f"\r\nLocation: {TARGET.reveal()}\r\n" in first
        assert "\r\nCache-Control: no-store\r\n" in first
        assert "\r\nReferrer-Policy: no-referrer\r\n" in first
        assert second.startswith("HTTP/1.1 404 ")
        assert "CANARY" not in second
        assert await page.fetched(0)

    serving(visits)


def test_path_is_of_256_bits_and_new_each_time() -> None:
    paths: set[str] = set()

    async def visits(page: OneTimeRedirect) -> None:
        paths.add(urlsplit(page.address).path)

    for _ in range(3):
        serving(visits)

    assert len(paths) == 3
    assert {len(path) for path in paths} == {1 + 43}


def attacks(page: OneTimeRedirect) -> Iterator[str | bytes]:
    parts = urlsplit(page.address)
    path, host = parts.path, parts.netloc
    yield from (
        request(page, target=target)
        for target in ("/", "//", f"{path}/", f"{path}?x", path[:-1], path.upper())
    )
    yield request(page, target=page.address)
    yield from (
        request(page, method=method) for method in ("POST", "HEAD", "PUT", "OPTIONS", "get", "CONNECT")
    )
    yield from (
        request(page, line)
        for line in (
            "Referer: https://evil.example/",
            "Origin: https://evil.example",
            "Origin: null",
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Site: same-site",
            "Sec-Fetch-Site: same-origin",
            f"Host: {host}",
            "Host: evil.example",
        )
    )
    for other in ("evil.example", f"localhost:{parts.port}", "127.0.0.1", f"{host}.", f"127.0.0.1:{1}", ""):
        yield f"GET {path} HTTP/1.1\r\nHost: {other}\r\n\r\n"
    yield f"GET {path} HTTP/1.1\r\n\r\n"
    yield f"GET {path} HTTP/1.0\r\n\r\n"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    yield b"GET " + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n"
    yield "\r\n\r\n\r\n"


def test_nobody_else_gets_or_spoils_it() -> None:
    async def visits(page: OneTimeRedirect) -> None:
        for raw in attacks(page):
            try:
                answer = await asyncio.wait_for(send(page, raw), 10)
            except ConnectionError:
                answer = ""

            assert "CANARY" not in answer, raw
            assert answer == "" or answer.startswith("HTTP/1.1 404 "), raw

        assert not await page.fetched(0)
        assert "CANARY" in await send(page, request(page))

    serving(visits)


def test_silent_crowd_keeps_nobody_out() -> None:
    async def visits(page: OneTimeRedirect) -> None:
        parts = urlsplit(page.address)
        crowd = [socket.create_connection((parts.hostname, parts.port)) for _ in range(100)]
        try:
            assert "CANARY" in await asyncio.wait_for(send(page, request(page)), 10)
        finally:
            for each in crowd:
                each.close()

    serving(visits)


def test_page_is_gone_when_nobody_came() -> None:
    async def visits(page: OneTimeRedirect) -> None:
        assert not await page.fetched(0.01)
        await page.close()
        with pytest.raises(ConnectionError):
            await send(page, request(page))

    serving(visits)


def test_visitor_of_another_user_is_turned_away_and_spoils_nothing() -> None:
    async def refused(page: OneTimeRedirect) -> None:
        assert "CANARY" not in await send(page, request(page))
        assert not await page.fetched(0)

    async def serve() -> None:
        async with one_time_redirect(TARGET, lambda _peer, _ours: False) as page:
            await refused(page)

    asyncio.run(serve())


@pytest.mark.posix("/proc")
@pytest.mark.skipif(sys.platform != "linux", reason="/proc/net/tcp is Linux's")
def test_our_own_connection_is_known_as_ours() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as ours,
    ):
        assert same_person(ours.getsockname(), server.getsockname())
        assert not same_person(("127.0.0.1", 1), server.getsockname())


@pytest.mark.posix("another user asks by setpriv")
@pytest.mark.skipif(
    not is_root() or SETPRIV is None or not SYSTEM_PYTHON.exists(),
    reason="root, setpriv, a system Python",
)
def test_real_other_user_who_read_the_address_gets_nothing() -> None:
    code = (
        "import sys, urllib.request, urllib.error\n"
        "try: urllib.request.urlopen(sys.argv[1], timeout=10)\n"
        "except urllib.error.HTTPError as error: print(error.code, dict(error.headers))\n"
    )

    async def visits(page: OneTimeRedirect) -> None:
        become = [str(SETPRIV), "--reuid=65534", "--regid=65534", "--clear-groups"]
        process = await asyncio.create_subprocess_exec(
            *become, str(SYSTEM_PYTHON), "-I", "-c", code, page.address, stdout=subprocess.PIPE, cwd="/"
        )
        out, _ = await process.communicate()

        assert out.startswith(b"404 ")
        assert b"CANARY" not in out
        assert "CANARY" in await send(page, request(page))

    serving(visits)


@pytest.mark.linux_desktop("Chromium and its driver")
@pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")
def test_chromium_follows_the_page_to_the_sign_in_and_tells_nobody_where_from(portal: IdentityCenter) -> None:
    target = Secret(f"{portal.url}/federation?Action=login&SigninToken=CANARY&Destination=x")
    seen: list[tuple[str, str | None]] = []

    def browse(address: str) -> None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page()
            page.on("request", lambda asked: seen.append((asked.url, asked.headers.get("referer"))))
            page.goto(address)
            browser.close()

    async def visits(page: OneTimeRedirect) -> None:
        person = threading.Thread(target=browse, args=(page.address,))
        person.start()

        assert await page.fetched()
        await asyncio.to_thread(person.join)
        assert seen[0] == (page.address, None)
        assert seen[1] == (target.reveal(), None)

    serving(visits, target)
