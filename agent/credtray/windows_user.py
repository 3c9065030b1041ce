"""Asks Windows whose things are: this process, a pipe, the processes at the two ends of a pipe.

Slow to import (ctypes), so the credentials fast path does without. Decides nothing.
"""

from __future__ import annotations

import ctypes
import sys
from ctypes import wintypes

assert sys.platform == "win32"  # noqa: S101 -- the form that type checkers understand

_TOKEN_QUERY = 0x0008
_TOKEN_USER = 1
_TOKEN_BYTES = 256
"""More than a TOKEN_USER has: a SID has at most 68 bytes."""
_KERNEL_OBJECT = 6
_OWNER = 1
_SDDL_REVISION = 1


class OwnerOnly:
    """Security attributes of a thing that belongs to this user, and that nobody else may open.

    Holds the memory that Windows reads from: keep it as long as ``address`` is used.
    """

    def __init__(self) -> None:
        user = own_user()
        # Also the owner is said: of what an elevated administrator makes it would be their whole group.
        self._descriptor = ctypes.c_void_p()
        _expect(
            _advapi().ConvertStringSecurityDescriptorToSecurityDescriptorW(
                f"O:{user}D:P(A;;GA;;;{user})", _SDDL_REVISION, ctypes.byref(self._descriptor), None
            )
        )
        self._attributes = _Attributes(ctypes.sizeof(_Attributes), self._descriptor, False)

    @property
    def address(self) -> int:
        """Where the SECURITY_ATTRIBUTES are."""
        return ctypes.addressof(self._attributes)


class _Attributes(ctypes.Structure):
    """SECURITY_ATTRIBUTES (wtypesbase.h)."""

    _fields_ = (
        ("nLength", wintypes.DWORD),
        ("lpSecurityDescriptor", ctypes.c_void_p),
        ("bInheritHandle", wintypes.BOOL),
    )


def own_user() -> str:
    """Return the security identifier of the user this process runs as: ``S-1-5-21-...``.

    Raises:
        OSError: Windows does not tell.
    """
    advapi, token = _advapi(), wintypes.HANDLE()
    process = wintypes.HANDLE(-1)  # GetCurrentProcess: a constant by its documentation
    _expect(advapi.OpenProcessToken(process, _TOKEN_QUERY, ctypes.byref(token)))
    try:
        held, length = ctypes.create_string_buffer(_TOKEN_BYTES), wintypes.DWORD()
        _expect(advapi.GetTokenInformation(token, _TOKEN_USER, held, _TOKEN_BYTES, ctypes.byref(length)))
        return _text_of(ctypes.c_void_p.from_buffer(held))  # TOKEN_USER begins with the pointer to the SID
    finally:
        _kernel().CloseHandle(token)


def owner(handle: int) -> str:
    """Return the security identifier of the user whom the open pipe belongs to.

    Only an administrator can make a pipe that belongs to somebody else.

    Raises:
        OSError: Windows does not tell.
    """
    sid, descriptor = ctypes.c_void_p(), ctypes.c_void_p()
    failure: int = _advapi().GetSecurityInfo(
        wintypes.HANDLE(handle),
        _KERNEL_OBJECT,
        _OWNER,
        ctypes.byref(sid),
        None,
        None,
        None,
        ctypes.byref(descriptor),
    )
    if failure:
        raise ctypes.WinError(failure)
    try:
        return _text_of(sid)
    finally:
        _kernel().LocalFree(descriptor)


def server_pid(handle: int) -> int | None:
    """Return the process that serves the open pipe; None where Windows does not tell."""
    pid = wintypes.DWORD()
    told = _kernel().GetNamedPipeServerProcessId(wintypes.HANDLE(handle), ctypes.byref(pid))
    return pid.value if told and pid.value else None


def client_pid(handle: int) -> int | None:
    """Return the process at the other end of our pipe; None where Windows does not tell."""
    pid = wintypes.DWORD()
    told = _kernel().GetNamedPipeClientProcessId(wintypes.HANDLE(handle), ctypes.byref(pid))
    return pid.value if told and pid.value else None


def _text_of(sid: ctypes.c_void_p) -> str:
    text = wintypes.LPWSTR()
    _expect(_advapi().ConvertSidToStringSidW(sid, ctypes.byref(text)))
    try:
        return text.value or ""
    finally:
        _kernel().LocalFree(text)


def _advapi() -> ctypes.WinDLL:
    return ctypes.WinDLL("advapi32", use_last_error=True)


def _kernel() -> ctypes.WinDLL:
    return ctypes.WinDLL("kernel32", use_last_error=True)


def _expect(succeeded: int) -> None:
    if not succeeded:
        raise ctypes.WinError(ctypes.get_last_error())
