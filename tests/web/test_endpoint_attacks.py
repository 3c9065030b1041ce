"""Whatever is not an SDK with the right token gets a refusal, no byte of a key, and delays nobody."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from credtray.web.credentials_endpoint import Limits, listening_on
from tests.soak import SOAK, examples
from tests.web.endpoint_attacks import TOKENS, corpus
from tests.web.endpoint_world import CANARY, OTHER_TOKEN, TOKEN, Endpoint, Reply, drained, request, serving

QUICK = Limits(request_seconds=0.3)
CORPUS = corpus()
GUESSES = 100_000 if SOAK else 1_000


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serving(QUICK) as found:
        yield found


def assert_refused(endpoint: Endpoint, reply: Reply) -> None:
    """4xx, 5xx or a closed connection; no canary, no token, and nobody asked for keys."""
    issued = endpoint.issued.copy()
    endpoint.issued.clear()
    assert reply.status == 0 or 400 <= reply.status < 600, reply.raw
    for secret in (CANARY, TOKEN, OTHER_TOKEN):
        assert secret.encode() not in reply.raw
    assert b"access-control" not in reply.raw.lower()
    assert issued == []


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) + len(TOKENS) >= 150


@pytest.mark.parametrize("name", CORPUS)
def test_attack_is_refused(endpoint: Endpoint, name: str) -> None:
    raw = CORPUS[name].replace(b"PORT", str(endpoint.port).encode())

    assert_refused(endpoint, endpoint.send(raw))


@pytest.mark.parametrize("name", TOKENS)
def test_wrong_token_is_refused(endpoint: Endpoint, name: str) -> None:
    reply = endpoint.get("dev", TOKENS[name])

    assert_refused(endpoint, reply)
    assert reply.status in {400, 403}


def test_wrong_token_and_unknown_profile_cannot_be_told_apart(endpoint: Endpoint) -> None:
    profiles = ("dev", "prod", "nobody", "d%65v")
    wrong = {
        endpoint.get(profile, token).raw
        for profile in profiles
        for token in ("wrong", "x" * len(TOKEN), "-" * 43)
    }
    without = {endpoint.get(profile, None).raw for profile in profiles}

    assert (len(wrong), len(without)) == (1, 1)


def test_the_door_still_opens_for_who_may_come_in() -> None:
    with serving(QUICK) as endpoint:
        for raw in CORPUS.values():
            if len(raw) < 1000:
                endpoint.send(raw.replace(b"PORT", str(endpoint.port).encode()))

        assert endpoint.get().status == 200
        assert endpoint.issued == ["dev"]


# --- fuzz --------------------------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        b"GET /credentials/dev HTTP/1.1", b"Host: 127.0.0.1:PORT", b"Host: evil.test", b"Origin: null", b"",
        b"Authorization: wrong", b"Content-Length: 0", b"X: y", b" folded", b"Sec-Fetch-Site: cross-site",
        b"POST /credentials/dev HTTP/1.1", b"GET /credentials/%64ev HTTP/1.1", b"Transfer-Encoding: chunked",
    ]
)  # fmt: skip
PIECES = st.one_of(LINES, st.binary(max_size=12))
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\0"])


@settings(max_examples=examples(400))
@given(pieces=st.lists(st.tuples(PIECES, ENDS), max_size=12))
@example(pieces=[(b"GET /credentials/dev HTTP/1.1", b"\r\n"), (b"Host: 127.0.0.1:PORT", b"\r\n")])
def test_nothing_without_the_token_gets_in(endpoint: Endpoint, pieces: list[tuple[bytes, bytes]]) -> None:
    raw = b"".join(line + end for line, end in pieces).replace(b"PORT", str(endpoint.port).encode())

    assert_refused(endpoint, endpoint.send(raw + b"\r\n\r\n"))


@settings(max_examples=examples(400))
@given(raw=st.binary(max_size=400), at=st.integers(0, 150))
def test_nothing_spoils_a_right_request_into_a_leak(endpoint: Endpoint, raw: bytes, at: int) -> None:
    """Bytes put into a request with a wrong token: whatever the parser makes of them, nothing gets out."""
    whole = request(endpoint.port, "dev", "wrong")

    assert_refused(endpoint, endpoint.send(whole[:at] + raw + whole[at:]))


# --- many at once ------------------------------------------------------------------------------------


@contextmanager
def meanwhile(work: Callable[[], None], threads: int) -> Iterator[None]:
    """Do the work again and again in threads while the block runs."""
    end = threading.Event()

    def go_on() -> None:
        while not end.is_set():
            work()

    workers = [threading.Thread(target=go_on) for _ in range(threads)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        end.set()
        for worker in workers:
            worker.join(20)


def serves(endpoint: Endpoint, times: int) -> bool:
    """Be a good client; return whether each request is answered, before its socket gives up."""
    return {endpoint.get("prod", OTHER_TOKEN).status for _ in range(times)} == {200}


def test_guessing_opens_nothing_and_delays_nobody() -> None:
    statuses: Counter[int] = Counter()
    with serving() as endpoint:
        left = iter(range(GUESSES))

        def guess() -> None:
            if next(left, None) is not None:
                statuses[endpoint.get("dev", secrets.token_urlsafe(32)).status] += 1

        with meanwhile(guess, 4):
            while sum(statuses.values()) < GUESSES:
                assert serves(endpoint, 1)

        assert set(statuses) <= {403, 0}
        assert statuses[403] > GUESSES * 0.99
        assert "dev" not in endpoint.issued


def test_slow_lorises_delay_nobody() -> None:
    # On a busy machine the good client takes its time as well: only the crowd shows somebody out.
    with serving(Limits(request_seconds=60)) as endpoint, ExitStack() as stack:
        lorises: list[socket.socket] = []

        def drip() -> None:
            """A thousand connections, each with a byte now and then; who is shown out comes again."""
            if len(lorises) < 1000:
                lorises.append(stack.enter_context(closing(endpoint.connect())))
            loris = lorises[random.randrange(len(lorises))]
            with suppress(OSError):
                loris.send(b"X")

        with meanwhile(drip, 1):
            while len(lorises) < 1000:
                assert serves(endpoint, 5)

        assert endpoint.issued == ["prod"] * len(endpoint.issued)


def test_crowd_that_comes_in_one_go_pushes_out_nobody_who_has_asked() -> None:
    async def crowded() -> bytes:
        endpoint = Endpoint(listening_on(None))
        await endpoint.bound.serve(endpoint.tokens, endpoint.issue, Limits(request_seconds=1))
        with ExitStack() as stack:
            # All of them before the endpoint gets its first turn.
            good = stack.enter_context(closing(endpoint.connect()))
            good.sendall(request(endpoint.port))
            crowd = [stack.enter_context(closing(endpoint.connect())) for _ in range(600)]
            answer = await asyncio.to_thread(drained, good)
            for each in crowd:
                await asyncio.to_thread(drained, each)  # until it was shown out
            await endpoint.bound.close()
            return answer

    assert asyncio.run(crowded()).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_reads_nothing_holds_up_nobody() -> None:
    with serving() as endpoint, ExitStack() as stack:
        for _ in range(300):
            connection = stack.enter_context(closing(endpoint.connect()))
            connection.sendall(request(endpoint.port))

        assert serves(endpoint, 10)
