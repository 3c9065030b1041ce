"""The parts of every error. See the package for the rules of the tree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Retry(Enum):
    """Who can solve an error."""

    LATER = "later"
    """It may pass: try again, with backoff."""
    PERSON = "person"
    """Somebody has to do something first (sign in, edit a file, set the clock)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a value: what ``State``, IPC replies and ``status --json`` carry."""

    code: str
    title: str
    hint: str
    retry: Retry
    retry_after: float | None = None
    """Seconds the service asked us to wait; None when it did not."""


class CredtrayError(Exception):
    """The root of the tree. ``str(error)`` is one sentence for a person: what happened and why."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something went wrong inside credtray"
    hint: ClassVar[str] = "Run the command again with --verbose and report what it prints."
    retry: ClassVar[Retry] = Retry.LATER
    exit_code: ClassVar[int] = 1
    retry_after: float | None = None

    def __init__(self, detail: str = "", *, hint: str | None = None) -> None:
        self.detail = detail
        self.advice = hint if hint is not None else type(self).hint
        super().__init__(f"{self.title}: {detail}" if detail else self.title)

    @property
    def problem(self) -> Problem:
        """This error as a value."""
        return Problem(self.code, str(self), self.advice, self.retry, self.retry_after)


def every_error() -> list[type[CredtrayError]]:
    """Return every class of the tree once, the root first, in order of definition."""
    found: list[type[CredtrayError]] = [CredtrayError]
    for kind in found:
        found.extend(sub for sub in kind.__subclasses__() if sub not in found)
    return found


def error_for(problem: Problem) -> CredtrayError:
    """Return the problem as an error again, of its own class (so with its exit code) where that is known."""
    kind = next((known for known in every_error() if known.code == problem.code), CredtrayError)
    return kind(problem.title.removeprefix(kind.title).removeprefix(": "), hint=problem.hint)
