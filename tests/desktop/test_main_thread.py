from __future__ import annotations

import signal
import threading

import pytest

from credtray.desktop.main_thread import MainThread

PATIENCE = 60.0


def test_agent_runs_in_another_thread_and_what_it_lends_on_the_main_one() -> None:
    main = MainThread()
    ran_on: list[threading.Thread] = []

    def serve() -> None:
        ran_on.append(threading.current_thread())
        main.lend(lambda: ran_on.append(threading.current_thread())).result(PATIENCE)

    main.run(serve, stop=lambda: None)

    assert ran_on[0] is not threading.main_thread()
    assert ran_on[1] is threading.main_thread()


def test_what_ends_the_agent_is_raised_and_what_ends_lent_work_goes_to_who_lent_it() -> None:
    main = MainThread()

    def fail() -> None:
        raise OSError("lent")

    def serve() -> None:
        with pytest.raises(OSError, match="lent"):
            main.lend(fail).result(PATIENCE)
        raise ValueError("served")

    with pytest.raises(ValueError, match="served"):
        main.run(serve, stop=lambda: None)


@pytest.mark.parametrize(
    "number",
    [number for number in signal.Signals if number.name in {"SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"}],
)
def test_signal_is_heard_while_the_main_thread_waits_in_the_loop_of_the_system(
    number: signal.Signals,
) -> None:
    main = MainThread()
    stopped = threading.Event()
    before = signal.getsignal(number)

    def system_loop() -> None:
        signal.raise_signal(number)
        assert stopped.wait(PATIENCE)

    main.run(lambda: main.lend(system_loop).result(PATIENCE), stop=stopped.set)

    assert stopped.is_set()
    assert signal.getsignal(number) is before


def test_system_that_ends_the_process_waits_until_the_agent_has_ended() -> None:
    main = MainThread()
    stopped = threading.Event()
    happened: list[str] = []

    def system_loop() -> None:
        main.end(PATIENCE)
        happened.append("the system goes on")

    def serve() -> None:
        main.lend(system_loop)
        assert stopped.wait(PATIENCE)
        happened.append("the keys are out")

    main.run(serve, stop=stopped.set)

    assert happened == ["the keys are out", "the system goes on"]


def test_agent_that_hangs_does_not_hold_up_the_system_for_ever() -> None:
    main = MainThread()
    went_on = threading.Event()

    def system_loop() -> None:
        main.end(0.01)
        went_on.set()

    def serve() -> None:
        main.lend(system_loop)
        assert went_on.wait(PATIENCE)

    main.run(serve, stop=lambda: None)
