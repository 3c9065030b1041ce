"""The shared connection to the message bus, against a real dbus-daemon that hangs, dies and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dbus_fast import Message, Variant

from credtray.core.errors import BusCallFailed, BusUnavailable
from credtray.desktop.bus import session as session_bus
from credtray.desktop.bus.connection import Connection
from credtray.desktop.bus.session import BusKind, SessionBus
from credtray.desktop.bus.signals import Signal
from tests.desktop.dbus_daemon import DbusDaemon

pytestmark = pytest.mark.linux_desktop("D-Bus")

PATH = "/credtray/test"
INTERFACE = "credtray.Test"
DAEMON = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")


@contextlib.asynccontextmanager
async def connected(count: int = 1) -> AsyncIterator[list[Connection]]:
    buses = [SessionBus() for _ in range(count)]
    try:
        yield [await bus.connection() for bus in buses]
    finally:
        for bus in buses:
            await bus.close()


async def own(connection: Connection, name: str) -> None:
    await connection.call(*DAEMON, "RequestName", "su", [name, 0])


def echo(message: Message) -> Message | None:
    if message.member != "Echo":
        return None
    return Message.new_method_return(message, message.signature, message.body)


# --- where the bus is --------------------------------------------------------------------------------


def test_without_an_address_there_is_no_bus() -> None:
    with pytest.raises(BusUnavailable, match="is not set"):
        asyncio.run(SessionBus().connection())


def test_autolaunch_counts_as_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "autolaunch:")

    with pytest.raises(BusUnavailable, match="is not set"):
        asyncio.run(SessionBus().connection())


@pytest.mark.parametrize(
    "address", ["rubbish", "unix:path=/nowhere/at/all", "quic:x=1", "unix:", "tcp:port=x"]
)
def test_an_address_where_nobody_is_says_so(address: str) -> None:
    with pytest.raises(BusUnavailable, match=address):
        asyncio.run(SessionBus(address=address).connection())


def test_the_bus_in_the_runtime_directory_is_found(
    bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runtime = bus.socket.parent / "it's ~ours"
    runtime.mkdir()
    (runtime / "bus").symlink_to(bus.socket)
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))

    async def scenario() -> str:
        async with connected() as [connection]:
            return connection.unique_name

    assert asyncio.run(scenario()).startswith(":1.")


def test_the_system_bus_has_an_address_of_its_own(bus: DbusDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)

    async def scenario() -> bool:
        system = SessionBus(BusKind.SYSTEM)
        connection = await system.connection()
        await system.close()
        return connection.is_lost

    assert asyncio.run(scenario())


# --- one connection ----------------------------------------------------------------------------------


def test_all_who_ask_share_one_connection(bus: DbusDaemon) -> None:
    async def scenario() -> int:
        shared = SessionBus()
        connections = await asyncio.gather(*(shared.connection() for _ in range(5)))
        connections.append(await shared.connection())
        await shared.close()
        return len({connection.unique_name for connection in connections})

    assert asyncio.run(scenario()) == 1


def test_library_that_another_thread_is_loading_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_wire.py").write_text(
        "import threading\n"
        "may_go_on = threading.Event()\n"
        "may_go_on.wait(10)\n"
        "async def open_wire(address):\n"
        "    raise EOFError('loaded to its end')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(session_bus, "_WIRE", "slow_wire")
    preloading = threading.Thread(target=importlib.import_module, args=("slow_wire",))

    def half_loaded() -> bool:
        return hasattr(sys.modules.get("slow_wire"), "may_go_on")

    async def connect() -> None:
        connecting = asyncio.create_task(SessionBus(address="unix:path=/nowhere").connection())
        asyncio.get_running_loop().call_later(0.2, sys.modules["slow_wire"].may_go_on.set)
        await connecting

    preloading.start()
    try:
        while not half_loaded():
            time.sleep(0.001)
        with pytest.raises(EOFError, match="loaded to its end"):
            asyncio.run(connect())
    finally:
        preloading.join(10)
        sys.modules.pop("slow_wire", None)


def test_a_frozen_bus_is_given_up_after_two_seconds_for_all_who_ask(bus: DbusDaemon) -> None:
    async def scenario() -> list[object]:
        shared = SessionBus()
        asking = [asyncio.ensure_future(shared.connection()) for _ in range(3)]
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        for _ in range(3):  # turns of the loop: nobody begins to wait anew
            await asyncio.sleep(0)
        answers: list[object] = [each.exception() if each.done() else "still asking" for each in asking]
        await shared.close()
        return answers

    bus.freeze()
    answers = asyncio.run(scenario())

    assert [BusUnavailable] * 3 == [type(answer) for answer in answers]


def test_someone_who_stops_waiting_leaves_the_others_their_connection(bus: DbusDaemon) -> None:
    async def scenario() -> bool:
        shared = SessionBus()
        impatient = asyncio.create_task(shared.connection())
        patient = asyncio.create_task(shared.connection())
        await asyncio.sleep(0)
        impatient.cancel()
        connection = await patient
        await shared.close()
        return impatient.cancelled() and connection.unique_name != ""

    assert asyncio.run(scenario())


def test_closing_ends_a_connection_attempt_under_way(bus: DbusDaemon) -> None:
    async def scenario() -> None:
        shared = SessionBus()
        asking = asyncio.create_task(shared.connection())
        await asyncio.sleep(0)
        await shared.close()
        await asking

    bus.freeze()

    with pytest.raises(BusUnavailable, match="ends"):
        asyncio.run(scenario())


def test_a_closed_bus_is_not_connected_again(bus: DbusDaemon) -> None:
    async def scenario() -> None:
        shared = SessionBus()
        await shared.close()
        await shared.connection()

    with pytest.raises(BusUnavailable, match="ends"):
        asyncio.run(scenario())


def test_a_bus_that_dies_is_noticed_and_its_successor_found(bus: DbusDaemon) -> None:
    async def scenario() -> tuple[bool, str]:
        shared = SessionBus()
        first = await shared.connection()
        bus.kill()
        async with asyncio.timeout(60):
            await first.lost()
        with pytest.raises(BusUnavailable):
            await shared.connection()
        bus.start()
        second = await shared.connection()
        owner = await second.owner(second.unique_name)
        await shared.close()
        return first is second, owner or ""

    same, owner = asyncio.run(scenario())

    assert not same
    assert owner.startswith(":1.")


def test_someone_who_is_no_bus_is_refused(tmp_path: Path) -> None:
    async def rude(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n")
        writer.close()

    async def scenario() -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        server = await asyncio.start_server(rude, "127.0.0.1", port)
        async with server:
            await SessionBus(address=f"tcp:host=127.0.0.1,port={port}").connection()

    with pytest.raises(BusUnavailable, match="tcp"):
        asyncio.run(scenario())


# --- calls -------------------------------------------------------------------------------------------


def test_a_call_reaches_an_exported_path_and_variants_are_unpacked(bus: DbusDaemon) -> None:
    async def scenario() -> list[object]:
        async with connected(2) as [ours, theirs]:
            ours.export(PATH, echo)
            body = [{"a": Variant("i", 1), "b": Variant("av", [Variant("s", "x")])}]
            return await theirs.call(ours.unique_name, PATH, INTERFACE, "Echo", "a{sv}", body)

    assert asyncio.run(scenario()) == [{"a": 1, "b": ["x"]}]


@pytest.mark.parametrize(
    ("path", "member"), [(PATH, "Nothing"), ("/elsewhere", "Echo"), (PATH + "/deeper", "Echo")]
)
def test_what_is_not_offered_is_an_unknown_method(bus: DbusDaemon, path: str, member: str) -> None:
    async def scenario() -> str:
        async with connected(2) as [ours, theirs]:
            ours.export(PATH, echo)
            with pytest.raises(BusCallFailed) as refused:
                await theirs.call(ours.unique_name, path, INTERFACE, member)
            return refused.value.error_name

    assert asyncio.run(scenario()) == "org.freedesktop.DBus.Error.UnknownMethod"


def test_a_withdrawn_path_answers_no_longer(bus: DbusDaemon) -> None:
    async def scenario() -> None:
        async with connected(2) as [ours, theirs]:
            ours.export(PATH, echo)
            ours.withdraw(PATH)
            await theirs.call(ours.unique_name, PATH, INTERFACE, "Echo")

    with pytest.raises(BusCallFailed, match="UnknownMethod"):
        asyncio.run(scenario())


def test_a_call_to_nobody_fails_with_the_name_of_the_error(bus: DbusDaemon) -> None:
    async def scenario() -> str:
        async with connected() as [connection]:
            with pytest.raises(BusCallFailed) as failed:
                await connection.call("not.there", "/", INTERFACE, "Echo")
            return failed.value.error_name

    assert asyncio.run(scenario()) == "org.freedesktop.DBus.Error.ServiceUnknown"


def test_someone_who_never_answers_costs_no_longer_than_the_limit(bus: DbusDaemon) -> None:
    def deaf(message: Message) -> Message | None:
        return True  # type: ignore[return-value]  # dbus-fast's way to say: I answer later

    async def scenario() -> str:
        async with connected(2) as [ours, theirs]:
            ours.export(PATH, deaf)
            with pytest.raises(BusCallFailed) as failed:
                await theirs.call(ours.unique_name, PATH, INTERFACE, "Echo", seconds=0.05)
            return failed.value.error_name

    assert asyncio.run(scenario()) == "org.freedesktop.DBus.Error.NoReply"


def test_a_frozen_bus_answers_no_call_and_goes_on_when_thawed(bus: DbusDaemon) -> None:
    async def scenario() -> str | None:
        async with connected() as [connection]:
            await own(connection, "credtray.Test")
            bus.freeze()
            with pytest.raises(BusUnavailable, match="does not answer within"):
                await connection.call(*DAEMON, "GetId", seconds=0.1)
            bus.thaw()
            return await connection.owner("credtray.Test")

    assert (asyncio.run(scenario()) or "").startswith(":1.")


def test_calls_under_way_fail_at_once_when_the_bus_dies(bus: DbusDaemon) -> None:
    async def scenario() -> list[object]:
        async with connected() as [connection]:
            bus.freeze()
            calls = [asyncio.create_task(connection.call(*DAEMON, "GetId", seconds=1000)) for _ in range(3)]
            await asyncio.sleep(0)
            bus.kill()
            answers = await asyncio.gather(*calls, return_exceptions=True)
            connection.emit(PATH, INTERFACE, "Gone")
            with pytest.raises(BusUnavailable):
                await connection.call(*DAEMON, "GetId")
            return [type(answer) for answer in answers]

    assert asyncio.run(scenario()) == [BusUnavailable] * 3


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        ("s", ["nul \0"]),
        ("s", ["\ud800"]),
        ("u", [-1]),
        ("s", [3]),
        ("ss", ["one"]),
        ("((", []),
        ("a{sv}", [3]),
    ],
)
def test_what_cannot_be_sent_fails_alone(bus: DbusDaemon, signature: str, body: list[object]) -> None:
    async def scenario() -> list[object]:
        async with connected(2) as [ours, theirs]:
            ours.export(PATH, echo)
            with pytest.raises(BusCallFailed, match="InvalidArgs"):
                await theirs.call(ours.unique_name, PATH, INTERFACE, "Echo", signature, body)
            return await theirs.call(ours.unique_name, PATH, INTERFACE, "Echo", "s", ["well"])

    assert asyncio.run(scenario()) == ["well"]


def test_an_answer_that_cannot_be_sent_is_an_error_for_the_caller(bus: DbusDaemon) -> None:
    def bad(message: Message) -> Message | None:
        return Message.new_method_return(message, "s", [3])

    async def scenario() -> None:
        async with connected(2) as [ours, theirs]:
            ours.export(PATH, bad)
            await theirs.call(ours.unique_name, PATH, INTERFACE, "Echo")

    with pytest.raises(BusCallFailed, match="cannot be sent"):
        asyncio.run(scenario())


def test_far_more_than_the_socket_holds_is_sent_in_order(bus: DbusDaemon) -> None:
    heard: list[int] = []

    async def scenario() -> bool:
        async with connected(2) as [ours, theirs]:
            done = asyncio.Event()

            def hear(signal: Signal) -> None:
                heard.append(signal.body[0])
                if len(heard) == 600:
                    done.set()

            async with theirs.listen(hear, sender=ours.unique_name):
                for number in range(600):
                    ours.emit(PATH, INTERFACE, "Big", "uay", [number, bytes(70_000)])
                async with asyncio.timeout(30):
                    await done.wait()
            await ours.drained()
            return ours.is_lost

    assert asyncio.run(scenario()) is False
    assert heard == list(range(600))


def test_a_bus_that_takes_nothing_is_left_in_the_end(bus: DbusDaemon) -> None:
    async def scenario() -> None:
        async with connected() as [connection]:
            bus.freeze()
            for _ in range(2100):
                connection.emit(PATH, INTERFACE, "Big", "ay", [bytes(1000)])
            async with asyncio.timeout(60):
                await connection.lost()

    asyncio.run(scenario())


# --- signals and names -------------------------------------------------------------------------------


def test_signals_are_heard_only_by_those_who_asked_and_only_while_they_listen(bus: DbusDaemon) -> None:
    heard: list[tuple[str, object]] = []

    async def scenario() -> None:
        async with connected(2) as [ours, theirs]:
            await own(ours, "credtray.Ours")
            names = {"sender": "credtray.Ours", "interface": INTERFACE, "path": PATH}
            async with (
                theirs.listen(lambda s: heard.append(("b", s.body[0])), member="B", arg0="yes", **names),
                theirs.listen(lambda s: heard.append(("all", s.body)), **names),
            ):
                theirs.emit(PATH, INTERFACE, "B", "s", ["yes"])  # of somebody else
                ours.emit(PATH, INTERFACE, "B", "s", ["yes"])
                ours.emit(PATH, INTERFACE, "B", "s", ["no"])
                ours.emit("/other", INTERFACE, "B", "s", ["yes"])
                ours.emit(PATH, INTERFACE, "A")
                await settle(ours, theirs)
            ours.emit(PATH, INTERFACE, "A")
            await settle(ours, theirs)

    asyncio.run(scenario())

    assert sorted(heard, key=repr) == sorted(
        [("b", "yes"), ("all", ["yes"]), ("all", ["no"]), ("all", [])], key=repr
    )


async def settle(ours: Connection, theirs: Connection) -> None:
    """What was sent has arrived: a call over the same way is answered after it."""
    ours.export("/settle", echo)
    await ours.drained()
    await ours.owner("x.y")
    await theirs.call(ours.unique_name, "/settle", INTERFACE, "Echo")
    await theirs.owner("x.y")
    await asyncio.sleep(0)


def test_a_new_owner_of_the_name_is_listened_to_from_its_first_signal(bus: DbusDaemon) -> None:
    heard: list[object] = []

    async def scenario() -> None:
        async with (
            connected(3) as [first, second, theirs],
            theirs.listen(lambda s: heard.append(s.body[0]), sender="credtray.Ours", member="A"),
        ):
            for number, connection in enumerate((first, second)):
                await own(connection, "credtray.Ours")
                connection.emit(PATH, INTERFACE, "A", "u", [number])
                await settle(connection, theirs)
                await connection.call(*DAEMON, "ReleaseName", "s", ["credtray.Ours"])
                connection.emit(PATH, INTERFACE, "A", "u", [number + 10])
                await settle(connection, theirs)

    asyncio.run(scenario())

    assert heard == [0, 1]


def test_a_new_owner_counts_for_what_is_read_together_with_it(bus: DbusDaemon) -> None:
    heard: list[object] = []
    changed = Message.new_signal(
        DAEMON[1], DAEMON[2], "NameOwnerChanged", "sss", ["credtray.Ours", "", ":1.99"]
    )
    changed.sender = DAEMON[0]
    first = Message.new_signal(PATH, INTERFACE, "A", "u", [1])
    first.sender = ":1.99"

    async def scenario() -> None:
        async with (
            connected() as [theirs],
            theirs.listen(lambda s: heard.append(s.body[0]), sender="credtray.Ours", member="A"),
        ):
            for message in (first, changed, first):
                theirs._received(message)
            await asyncio.sleep(0)

    asyncio.run(scenario())

    assert heard == [1]


def test_a_handler_that_raises_hinders_nobody(bus: DbusDaemon) -> None:
    heard: list[str] = []
    raised: list[str] = []

    def bad(signal: Signal) -> None:
        raise RuntimeError(signal.member)

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, what: raised.append(str(what["exception"]))
        )
        async with (
            connected(2) as [ours, theirs],
            theirs.listen(bad, interface=INTERFACE),
            theirs.listen(lambda s: heard.append(s.member), interface=INTERFACE),
        ):
            ours.emit(PATH, INTERFACE, "A")
            ours.emit(PATH, INTERFACE, "B")
            await settle(ours, theirs)

    asyncio.run(scenario())

    assert (heard, raised) == (["A", "B"], ["A", "B"])


def test_owners_tells_the_present_one_then_each_change_and_ends_with_the_connection(bus: DbusDaemon) -> None:
    seen: list[str | None] = []

    async def scenario() -> list[str]:
        async with connected(2) as [ours, theirs]:
            watched = theirs.owners("credtray.Ours")
            seen.append(await anext(watched))
            await own(ours, "credtray.Ours")
            seen.append(await anext(watched))
            await ours.call(*DAEMON, "ReleaseName", "s", ["credtray.Ours"])
            seen.append(await anext(watched))
            bus.kill()
            async with asyncio.timeout(60):
                seen.extend([owner async for owner in watched])
            return [ours.unique_name]

    [name] = asyncio.run(scenario())

    assert seen == [None, name, None]


def test_listening_on_a_frozen_bus_gives_up_and_leaves_nothing(bus: DbusDaemon) -> None:
    async def scenario() -> None:
        async with connected() as [connection]:
            bus.freeze()
            with pytest.raises(BusUnavailable):
                async with connection.listen(print, interface=INTERFACE):
                    pass
            bus.thaw()
            # Had the rule stayed, it could be removed once more.
            with pytest.raises(BusCallFailed, match="MatchRuleNotFound"):
                await connection.call(*DAEMON, "RemoveMatch", "s", [f"type='signal',interface='{INTERFACE}'"])

    asyncio.run(scenario())
