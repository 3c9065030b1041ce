"""Joins what carries out requests: the daemon's own, and what needs another wing.

Decides nothing. A request nobody here carries out needs a running agent, and says so.
"""

from __future__ import annotations

from collections.abc import Callable

from credtray.app import House
from credtray.daemon.import_requests import ImportRequests
from credtray.daemon.loop import Loop
from credtray.daemon.requests import Requests
from credtray.daemon.sign_ins import SignIns
from credtray.daemon.waiting_requests import WaitingRequests


def requests_of(house: House, loop: Loop, sign_ins: SignIns, stop: Callable[[], None]) -> Requests:
    """Return the handler of everything that works with and without an agent."""
    requests = Requests(loop, sign_ins, house.changes, stop)
    requests.also(WaitingRequests(loop, sign_ins).carriers)
    requests.also(ImportRequests(loop).carriers)
    return requests
