"""Connects to the agent's named pipe on Windows and makes sure that it is ours before a byte is sent.

Lives on ``_winapi``: on this system ctypes costs as much as the whole credentials fast path.
"""

from __future__ import annotations

import _winapi
import sys
import time

from credtray.pipe_note import NOTE_LIMIT, note_paths, read_pipe_note

assert sys.platform == "win32"  # noqa: S101 -- the form that type checkers understand

# Constants of winbase.h and winerror.h that _winapi does not have.
_IDENTIFICATION = 0x00110000
"""SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION: who serves the pipe may see who we are, not act as us."""
_ERROR_OPERATION_ABORTED = 995

_PATIENCE = 2.0
_NOTE_PATIENCE = 0.5
_BUSY_MILLISECONDS = 50
"""How long one wait for a free instance lasts: Ctrl-C is heard only between two of them."""


class NoteUnread(PermissionError):
    """What tells the pipe's name is there and cannot be read: nobody can tell whether the agent runs."""


class PipeStream:
    """A connected pipe, with the methods of a socket that clients use."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self._timeout: float | None = None

    def settimeout(self, value: float | None, /) -> None:
        """Set the seconds that each call waits at most; None waits without limit."""
        self._timeout = value

    def sendall(self, data: bytes, /) -> None:
        """Send all of it; raises TimeoutError, or OSError when the agent is gone."""
        while data:
            writing, _ = _winapi.WriteFile(self.handle, data, overlapped=True)
            data = data[self._finished(writing) :]

    def recv(self, most: int, /) -> bytes:
        """Return what came, empty at the end; raises TimeoutError, or OSError when the pipe breaks."""
        try:
            reading, _ = _winapi.ReadFile(self.handle, most, overlapped=True)
            self._finished(reading)
        except BrokenPipeError:  # the agent has closed it
            return b""
        return bytes(reading.getbuffer() or b"")

    def close(self) -> None:
        """Hang up."""
        _winapi.CloseHandle(self.handle)

    def _finished(self, under_way: _winapi.Overlapped) -> int:
        """Wait for the end of a call and return how many bytes it moved."""
        until = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            left = _winapi.INFINITE if until is None else _milliseconds(until)
            try:
                # WaitForSingleObject would not hear Ctrl-C.
                waited = _winapi.WaitForMultipleObjects([under_way.event], False, left)
            except InterruptedError:
                continue  # by Ctrl-C: Python raises KeyboardInterrupt now, if it is to be raised at all
            break
        if waited == _winapi.WAIT_TIMEOUT:
            under_way.cancel()  # it may have finished meanwhile: then its bytes count
        moved, error = under_way.GetOverlappedResult(True)
        if error == _ERROR_OPERATION_ABORTED:
            raise TimeoutError
        return moved


def connect(patience: float) -> PipeStream:
    """Return a connected pipe; its timeout is ``patience`` seconds.

    Raises:
        ConnectionRefusedError: nobody listens.
        PermissionError: whoever listens is not the agent; the text says where. NoteUnread: it is not known.
        BlockingIOError: the agent takes no more connections.
        TimeoutError: it takes this one, and says nothing.
    """
    deadline = time.monotonic() + patience
    stream, name, proof = _open(deadline)
    try:
        _check_proof(stream, name, proof, deadline)
    except BaseException:
        stream.close()
        raise
    stream.settimeout(patience)
    return stream


def connect_and_look(patience: float) -> PipeStream:
    """As ``connect``; also looks whose pipe it is, which takes more time than the fast path has.

    Raises:
        ConnectionRefusedError, PermissionError, BlockingIOError, TimeoutError: as ``connect``.
    """
    stream = connect(patience)
    try:
        _check_owner(stream)
    except BaseException:
        stream.close()
        raise
    return stream


def listener() -> int | None:
    """Return the process id of the agent, also of one that answers nothing; None where nobody can tell.

    Raises:
        ConnectionRefusedError, PermissionError, BlockingIOError: as ``connect``.
    """
    from credtray.windows_user import server_pid  # slow

    stream, _, _ = _open(time.monotonic() + _PATIENCE)
    try:
        _check_owner(stream)
        return server_pid(stream.handle)
    finally:
        stream.close()


def _open(deadline: float) -> tuple[PipeStream, str, bytes]:
    """Return a pipe that nothing is known of yet, its name, and the proof that its server is to give."""
    unread: NoteUnread | None = None
    for path in note_paths():
        try:
            noted = _noted(path, min(deadline, time.monotonic() + _NOTE_PATIENCE))
        except NoteUnread as error:
            unread = error
            continue
        if noted is None:
            continue
        try:
            return PipeStream(_opened(noted[0], deadline)), *noted
        except PermissionError:
            raise PermissionError(f"{noted[0]}: another user listens there, not you") from None
        except BlockingIOError:
            raise
        except OSError:  # the note is of an agent that was killed
            continue
    raise unread or ConnectionRefusedError


def _noted(path: str, deadline: float) -> tuple[str, bytes] | None:
    while True:
        try:
            with open(path, "rb") as file:  # noqa: PTH123 -- pathlib is dear
                return read_pipe_note(file.read(NOTE_LIMIT))
        except FileNotFoundError:
            return None
        except OSError as error:  # a virus scanner may have it open for a moment
            if time.monotonic() >= deadline:
                raise NoteUnread(f"{path} cannot be read ({error.strerror})") from None
        time.sleep(_BUSY_MILLISECONDS / 1000)


def _opened(name: str, deadline: float) -> int:
    access = _winapi.GENERIC_READ | _winapi.GENERIC_WRITE
    flags = _winapi.FILE_FLAG_OVERLAPPED | _IDENTIFICATION
    while True:
        try:
            return _winapi.CreateFile(name, access, 0, 0, _winapi.OPEN_EXISTING, flags, 0)
        except OSError as error:
            if error.winerror != _winapi.ERROR_PIPE_BUSY:
                raise
        if time.monotonic() >= deadline:
            raise BlockingIOError
        try:
            _winapi.WaitNamedPipe(name, _BUSY_MILLISECONDS)
        except OSError:  # none became free, or the agent has ended: trying tells which
            continue


def _check_proof(stream: PipeStream, name: str, proof: bytes, deadline: float) -> None:
    said = b""
    while len(said) < len(proof):
        stream.settimeout(max(0.0, deadline - time.monotonic()))
        piece = stream.recv(len(proof) - len(said))
        if not piece:
            raise ConnectionRefusedError  # it ends just now
        said += piece
    if said != proof:
        raise PermissionError(f"{name}: another program listens there, not your agent")


def _check_owner(stream: PipeStream) -> None:
    from credtray.windows_user import own_user, owner, server_pid  # slow

    found = owner(stream.handle)
    if found != own_user():
        process = server_pid(stream.handle) or "unknown"
        raise PermissionError(f"the agent's pipe: user {found} listens there (process {process}), not you")


def _milliseconds(until: float) -> int:
    return max(0, int(1000 * (until - time.monotonic())) + 1)
