"""Puts a command in the place of this process. Imports next to nothing: each `credtray exec` waits for it."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # no stubs; the public module brings enum, which is dear
import os

TYPE_CHECKING = False  # as type checkers understand it; importing typing costs as much as the rest
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")


def replace_process(words: list[str], environ: Mapping[str, str]) -> NoReturn:
    """Become the command; what Python ignores would be inherited, so it is as usual again.

    Raises:
        OSError: there is no such program, or it cannot be started.
        ValueError: a word holds a NUL character.
    """
    numbers = [getattr(_signal, name) for name in _IGNORED_BY_PYTHON if hasattr(_signal, name)]
    before = [(number, _signal.signal(number, _signal.SIG_DFL)) for number in numbers]
    try:
        os.execvpe(words[0], words, dict(environ))  # noqa: S606 -- the person's own command, and no shell
    finally:  # it was not to be: the message about that may meet a closed pipe
        for number, handler in before:
            _signal.signal(number, handler)
