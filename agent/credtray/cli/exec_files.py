"""The two files `credtray exec` has its child read instead of the user's. Holds no key and no token.

Imports what costs only when there is something to write: mostly the files are there from the last time.
"""

from __future__ import annotations

import os
import sys

from credtray.desktop.socket_path import socket_paths
from credtray.ways_out.child_environment import CONFIG_FILE, CREDENTIALS_FILE, OUR_SUFFIX, outside

_FOLDER = "exec"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
"""No capitals: the disks of macOS and Windows take ``Dev`` and ``dev`` for one file."""
_LONGEST_NAME = 120
_NO_KEYS = "+no-keys"
"""No profile's file is called that: a plus sign in a name is written otherwise."""


def files_of(profile: str) -> tuple[str, str]:
    """Return the config file and the credentials file of this profile's children.

    The former is written anew when one of the user's two files has changed.

    Raises:
        ConfigInvalid: the user's config file is broken.
        CredtrayError: a file cannot be read or written.
    """
    folder = f"{_directory()}/{_FOLDER}"
    config, credentials = f"{folder}/{_named(profile)}{OUR_SUFFIX}", f"{folder}/{_NO_KEYS}{OUR_SUFFIX}"
    sources = _source(CONFIG_FILE, "~/.aws/config"), _source(CREDENTIALS_FILE, "~/.aws/credentials")
    stamp = _stamp(sources)
    if not _made_from(config, stamp):
        _write(config, stamp, sources, profile)
    if not os.path.exists(credentials):  # noqa: PTH110 -- pathlib is dear
        _put(credentials, b"")
    return config, credentials


def _directory() -> str:
    """Return our runtime directory, beside the agent's socket; as ``desktop.paths`` finds it, for less."""
    if sys.platform == "win32":
        from credtray.desktop.paths import runtime_directory

        return str(runtime_directory())
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        directories = [os.path.dirname(path) for path in socket_paths()]  # noqa: PTH120 -- pathlib is dear
        for directory in directories[:-1]:
            try:
                above = os.path.dirname(directory)  # noqa: PTH120 -- pathlib is dear
                if os.stat(above).st_uid == os.geteuid():  # noqa: PTH116 -- pathlib is dear
                    return directory
            except OSError:
                continue
        return directories[-1]


def _named(profile: str) -> str:
    """Return a file name that no other profile's children have: its file says whose credentials they get."""
    # The number ends with a point: without it "a 13b" and "a\u2013b" were one name.
    name = "".join(each if each in _PLAIN else f"%{ord(each):x}." for each in profile)
    if len(name) <= _LONGEST_NAME:
        return name
    import hashlib

    return "+" + hashlib.sha256(profile.encode(errors="surrogatepass")).hexdigest()


def _source(variable: str, usual: str) -> str:
    path = outside(os.environ).get(variable) or usual
    return os.path.abspath(os.path.expanduser(os.path.expandvars(path)))  # noqa: PTH100, PTH111 -- as botocore


def _stamp(sources: tuple[str, str]) -> str:
    """Return the first line of a file made from these two as they are, by this very credtray."""
    seen = " and ".join(f"{source!a} {_seen(source)}" for source in sources)
    return f"# made by credtray exec from {seen} with {sys.executable!a} {__file__!a}\n"


def _seen(source: str) -> str:
    try:
        found = os.stat(source)  # noqa: PTH116 -- pathlib is dear
    except OSError:
        return "absent"
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


def _made_from(path: str, stamp: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 -- pathlib is dear
            return file.readline() == stamp.encode()
    except OSError:
        return False


def _write(made: str, stamp: str, sources: tuple[str, str], profile: str) -> None:
    from credtray.core.errors import CredtrayError
    from credtray.desktop.autostart import credential_process_command
    from credtray.ways_out.child_config import child_config

    config = _content(sources[0])
    try:
        credentials = _content(sources[1])
    except CredtrayError:  # it is of no use to the child, and the profile can do without
        credentials = b""
    process = credential_process_command(profile)
    _put(made, stamp.encode() + child_config(config, credentials, profile, process, _code_page()))


def _code_page() -> str | None:
    if sys.platform == "win32":
        import locale

        return locale.getencoding()
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        return None


def _content(source: str) -> bytes:
    from pathlib import Path

    from credtray.files.atomic_file import INI_LIMIT, is_null, read_bounded

    path = Path(source)
    return b"" if is_null(path) else read_bounded(path, INI_LIMIT) or b""


def _put(path: str, data: bytes) -> None:
    from pathlib import Path

    from credtray.files.atomic_file import write_atomically

    write_atomically(Path(path), data)
