from __future__ import annotations

import os
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


@pytest.mark.skipif(os.name == "nt", reason="signals are sent as Unix does")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_is_heard_while_the_main_thread_waits_in_the_loop_of_the_system(
    number: signal.Signals,
) -> None:
    main = MainThread()
    stopped = threading.Event()
    before = signal.getsignal(number)

    def system_loop() -> None:
        os.kill(os.getpid(), number)
        assert stopped.wait(PATIENCE)

    main.run(lambda: main.lend(system_loop).result(PATIENCE), stop=stopped.set)

    assert stopped.is_set()
    assert signal.getsignal(number) is before
