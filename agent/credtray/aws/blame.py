"""Says whose fault an exception is that is no refusal of a service: by where it arose, not by its class.

What arises on our side of the wire (a full table of files, a missing module, a mistake of ours) must never be
told as the service's answer. Texts name classes and places, never values: those may be tokens.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator

from credtray.core.errors import AssetMissing, CredtrayError, OwnFault, ResourcesExhausted, UnexpectedReply

_EXHAUSTED = {
    errno.EMFILE: "too many files are open in credtray",
    errno.ENFILE: "too many files are open on this computer",
    errno.ENOMEM: "there is no memory left",
    errno.ENOBUFS: "there is no memory left for connections",
    errno.EAGAIN: "there are too many threads",
}
_READS_ANSWERS = "botocore.parsers"
"""What arises in here was in the answer (botocore 1.44: JSON and XML of another shape than the model's)."""


def blamed(error: BaseException) -> CredtrayError:
    """Return the error of ours for an exception that nobody expected."""
    lacking = exhausted(error)
    if lacking is not None:
        return lacking
    if isinstance(error, ImportError):
        return AssetMissing(f"{error.name or 'a module'} cannot be loaded")
    places = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if any(frame.f_globals.get("__name__") == _READS_ANSWERS for frame in places):
        return UnexpectedReply(type(error).__name__)
    return OwnFault(f"{type(error).__name__}{_place(error)}")


def exhausted(error: BaseException) -> CredtrayError | None:
    """Return what this computer has run out of, when that is at the root of the exception."""
    for each in _chain(error):
        if isinstance(each, MemoryError):
            return ResourcesExhausted("there is no memory left")
        if isinstance(each, OSError) and each.errno in _EXHAUSTED:
            return ResourcesExhausted(_EXHAUSTED[each.errno])
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and what it came from, outermost first."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _place(error: BaseException) -> str:
    """Return the last place within credtray that the exception passed."""
    ours = [
        (frame.f_globals["__name__"], line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if str(frame.f_globals.get("__name__")).startswith("credtray.")
    ]
    return f" in {ours[-1][0]}, line {ours[-1][1]}" if ours else ""
