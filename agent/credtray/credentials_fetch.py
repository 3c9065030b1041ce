"""The fast half of `credtray credentials P`: asks the agent, passes its answer on, imports next to nothing.

Parses no JSON and knows no AWS file; where no agent answers, the caller goes the slow way.
Nothing reaches stdout but the one JSON object, whole: of the credential_process contract, or as STS answers.
"""

from __future__ import annotations

import os
import sys
import time

if sys.platform == "win32":
    from credtray.agent_connect_pipe import PipeStream as Stream
    from credtray.agent_connect_pipe import connect
else:
    from _socket import socket as Stream  # noqa: N812 -- it stands for either

    from credtray.agent_connect import connect

TYPE_CHECKING = False  # as type checkers understand it; importing typing costs as much as the rest
if TYPE_CHECKING:
    from typing import Any

# The same as in core/protocol (whose import would cost more than the whole fetch); a test compares them.
HEAD = b'{"credtray":1,"reply":"credentials","credentials":'
TAIL = b"}\n"
PROGRESS = b'{"credtray":1,"reply":"progress"'
ASKING = (PROGRESS + b',"kind":"coding_agent"', PROGRESS + b',"kind":"sign_in_awaited"')
"""A person is asked whether a coding agent may have the keys, or to sign in."""
MISUSE = frozenset({"usage", "unknown_profile", "unknown_session", "foreign_profile"})
"""Errors that end with exit code 2, as core/errors has it."""
PROCESS = "process"
"""The form of the credential_process contract."""
STS = "sts"
"""The form in which STS's API answers."""
_VERSION = b'{"Version":1,'
_SILENT = "The agent does not answer."
_SIGNALLED = 128
_SIGINT = 2
_SIGPIPE = 13
_SILENCE_SECONDS = 4.0
"""Four of the agent's signs of life; a stopped agent is noticed and explained within 5 s altogether."""
GIVE_UP_SECONDS = 20.0
"""botocore waits for a credential_process without limit: we have to give up ourselves."""
ANSWER_SECONDS = 50.0
"""So long the agent may take while it asks a person; it says no before."""


class NoAnswer(Exception):
    """The agent did not answer; the text says why, unless it is simply not running.

    No relative of CredtrayError: that import is dear.
    """


def answer(arguments: list[str]) -> int | list[str]:
    """Answer ``credentials [--form FORM] [--] PROFILE`` by asking the agent.

    Returns:
        The exit code; or the arguments the command line is to be run with instead: it knows all other
        options, and how to do without an agent in the time that is left.
    """
    deadline = time.monotonic() + GIVE_UP_SECONDS
    known = _plain(arguments[1:])
    if known is None:
        return arguments
    profile, form = known
    try:
        return fetch(profile, deadline, form)
    except NoAnswer as reason:
        wanted = [] if form == PROCESS else ["--form", form]
        return without_agent(reason, deadline, ["credentials", *wanted, "--", profile])
    except KeyboardInterrupt:
        return _SIGNALLED + _SIGINT


def _plain(words: list[str]) -> tuple[str, str] | None:
    """Return (profile, form); None where there is anything else, or a form that nobody knows."""
    form, names, at = PROCESS, list[str](), 0
    while at < len(words) and words[at] != "--":
        option, mark, value = words[at].partition("=")
        if option == "--form":
            at += not mark
            form = value if mark else "".join(words[at : at + 1])
        elif words[at].startswith("-"):
            return None
        else:
            names.append(words[at])
        at += 1
    names += words[at + 1 :]
    return (names[0], form) if len(names) == 1 and form in {PROCESS, STS} else None


def without_agent(reason: NoAnswer, deadline: float, words: list[str]) -> int | list[str]:
    """Return the words that the command line is to be run with instead, or the exit code: time is over."""
    left = deadline - time.monotonic()
    if left <= 0:
        return complain(f"{reason} Gave up after {GIVE_UP_SECONDS:.0f} seconds.", 1)
    if reason.args:
        complain(f"{reason} Trying without it.", 0)
    return [words[0], "--no-agent", "--within", f"{left:.1f}", *words[1:]]


def fetch(profile: str, deadline: float, form: str = PROCESS) -> int:
    """Ask for the profile, write the answer, return the exit code; raises as ``issued``.

    Args:
        profile: its name as typed.
        deadline: instant of ``time.monotonic`` at which the caller gives up.
        form: in which it is written.
    """
    found = issued(profile, deadline)
    if isinstance(found, int):
        return found
    return write(found if form == PROCESS else in_sts_form(found))


def issued(profile: str, deadline: float, more: str = "") -> bytes | int:
    """Return the line of the credential_process contract, or the exit code after it was told what is wrong.

    Args:
        profile: its name as typed.
        deadline: instant of ``time.monotonic`` at which the caller gives up.
        more: further members of the request, as ``question`` has it.

    Raises:
        NoAnswer: no agent, or it fell silent.
    """
    asked = question(profile, more=more)
    if asked is None:
        return complain("The profile's name is not valid Unicode.", 2)
    try:
        line = ask(asked, deadline)
    except PermissionError as error:
        return complain(f"The agent cannot be reached safely: {error}", 3)
    if line.startswith(HEAD) and line.endswith(TAIL):
        return line[len(HEAD) : -len(TAIL)] + b"\n"
    return explain(line)


def in_sts_form(line: bytes) -> bytes:
    """Return the line of the credential_process contract as STS's API answers.

    Cuts at members whose quotes no value can contain: inside a value JSON escapes them.
    """
    keys, _, _ = line.rstrip(b"}\n").removeprefix(_VERSION).partition(b',"AccountId":')
    return b'{"Credentials":{' + keys + b"}}\n"


def question(profile: str, kind: str = "credentials", more: str = "") -> bytes | None:
    """Return the request, or None when the name is not Unicode.

    Escapes what JSON demands to be escaped and nothing else (RFC 8259, section 7).

    Args:
        profile: its name as typed.
        kind: of the request.
        more: further members of it as JSON, each with a comma before it.
    """
    quoted = "".join("\\" + c if c in '"\\' else c if c >= " " else f"\\u{ord(c):04x}" for c in profile)
    try:
        return f'{{"credtray":1,"request":"{kind}","profile":"{quoted}"{more}}}\n'.encode()
    except UnicodeEncodeError:
        return None


def ask(asked: bytes, deadline: float) -> bytes:
    """Return the final reply's line.

    Raises:
        NoAnswer: no agent, or it fell silent.
        PermissionError: whoever listens is somebody else.
    """
    try:
        client = connect(min(_SILENCE_SECONDS, max(0.0, deadline - time.monotonic())))
    except ConnectionRefusedError:
        raise NoAnswer from None
    except BlockingIOError:
        raise NoAnswer("The agent takes no more connections.") from None
    except TimeoutError:
        raise NoAnswer(_SILENT) from None
    try:
        client.sendall(asked)
        return _final_line(client, deadline)
    except TimeoutError:
        raise NoAnswer(_SILENT) from None
    except OSError:
        raise NoAnswer("The agent ended while it was asked.") from None
    finally:
        client.close()


def _final_line(client: Stream, deadline: float) -> bytes:
    held = b""
    heard = time.monotonic()
    while True:
        line, end, rest = held.partition(b"\n")
        if end and not line.startswith(PROGRESS):
            return line + end
        if end:
            held, heard = rest, time.monotonic()
            if line.startswith(ASKING):
                deadline = heard + ANSWER_SECONDS
            continue
        left = min(deadline, heard + _SILENCE_SECONDS) - time.monotonic()
        if left <= 0:
            raise TimeoutError
        client.settimeout(left)
        piece = client.recv(65536)
        if not piece:
            raise ConnectionResetError
        held += piece


def write(document: bytes) -> int:
    """Write it to standard output and return the exit code."""
    try:
        while document:
            document = document[os.write(1, document) :]
    except BrokenPipeError:
        return _SIGNALLED + _SIGPIPE  # whoever asked is gone: end as `cat` would, without a traceback
    except OSError as error:
        return complain(f"The answer could not be written: {error.strerror}", 1)
    return 0


def explain(line: bytes) -> int:
    """Tell why there are no credentials. Slower, but now a person is going to read."""
    import json  # costs more than the rest of a successful fetch

    try:
        failed = json.loads(line)
        return complain(f"{failed['title']}\n{failed['hint']}", 2 if failed["code"] in MISUSE else 1)
    except (ValueError, LookupError, TypeError):
        return complain("The agent's answer is from a different version. Restart the agent.", 3)


def complain(text: str, code: int) -> int:
    """Say it on standard error and return the exit code."""
    try:
        os.write(2, f"credtray: {text}\n".encode(errors="replace"))
    except OSError:
        return code  # stderr is closed: the exit code has to do
    return code


class _PlainJson:
    """What json.JSONDecoder hands to the scanner in C; importing json costs as much as all the rest."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = None


def parsed(line: bytes) -> Any:
    """Return what one line of JSON from the agent says.

    Raises:
        StopIteration, ValueError: it is none.
    """
    import _json

    scan = _json.make_scanner(_PlainJson())  # type: ignore[arg-type]  # typeshed asks for a scanner here
    return scan(line.decode(), 0)[0]
