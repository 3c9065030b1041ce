"""Runs first in credtray.pyz: finds a fitting Python, unpacks the parts for it once, and starts credtray.

Any Python that reads zip files may get to see this, so it is written for Python 3.6 and imports little.
packaging/one_file.py puts the facts of the build into the two constants.
"""

import os
import sys

BUILD = ""
PARTS = ()  # type: tuple[str, ...]
MARKER = "one-file"
"""In the unpacked folder: which file was started last. agent/credtray/desktop/paths.py reads it."""


DOCKERS_NAME = "docker-credential-credtray"
"""A link of this name to this file is what docker, podman and skopeo start."""


def main() -> int:
    """Start credtray with the arguments of this program."""
    file = os.path.abspath(sys.argv[0])
    tag = _tag(sys.version_info[:2])
    if tag not in PARTS:
        other = _another_python()
        if other is None:
            return _say(_why_not())
        os.execv(other, [other, "-I", file, *sys.argv[1:]])  # noqa: S606 -- ourselves, no shell
    if not sys.flags.isolated:  # PYTHON* variables and the user's own packages have no part in this
        os.execv(sys.executable, [sys.executable, "-I", file, *sys.argv[1:]])  # noqa: S606 -- as above
    helper = os.path.basename(file) == DOCKERS_NAME
    folder, said = _unpacked(os.path.realpath(file) if helper else file, tag)
    if folder is None:
        return _say(said)
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != file]
    at = next((at for at, path in enumerate(sys.path) if "-packages" in path), len(sys.path))
    sys.path.insert(at, folder)  # behind the standard library, before any other credtray
    from credtray.__main__ import docker_credential
    from credtray.__main__ import main as run

    return docker_credential() if helper else run()


def _say(text: str) -> int:
    sys.stderr.write("credtray: " + text + "\n")
    return 1


# --- which Python ------------------------------------------------------------------------------------


def _tag(version: "tuple[int, ...]") -> str:
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(_machine(), _machine())
    return "cp{}{}-{}".format(version[0], version[1], machine)  # noqa: UP032 -- as old as it gets


def _machine() -> str:
    return os.uname().machine.lower() if sys.platform == "linux" else sys.platform


def _another_python() -> "str | None":
    """Return a Python of this computer that there are parts for, the newest first."""
    for minor in range(40, 10, -1):
        name = "python3." + str(minor)
        if _tag((3, minor)) not in PARTS:
            continue
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            if os.path.isabs(folder) and os.access(os.path.join(folder, name), os.X_OK):
                return os.path.join(folder, name)
    return None


def _why_not() -> str:
    versions = sorted({int(part[3:].partition("-")[0]) for part in PARTS if part.startswith("cp3")})
    range_of = "Python 3.{} to 3.{}".format(versions[0], versions[-1])  # noqa: UP032 -- as above
    if sys.platform != "linux":
        return "this file is for Linux. Install it with: pipx install credtray"
    if not any(part.endswith(_tag((3, versions[0])).partition("-")[2]) for part in PARTS):
        return "this file has no parts for " + _machine() + ". Install it with: pipx install credtray"
    mine = ".".join(str(number) for number in sys.version_info[:3])
    return (
        "this file needs " + range_of + "; " + sys.executable + " is Python " + mine + ".\n"
        "hint: install one of them (apt install python3, dnf install python3.12), or name it: "
        "python3.12 " + sys.argv[0]
    )


# --- unpacking ---------------------------------------------------------------------------------------


def _unpacked(file: str, tag: str) -> "tuple[str | None, str]":
    """Return the folder of the unpacked parts, or None with the reason."""
    told = []
    for place in _places():
        folder = os.path.join(place, "credtray", MARKER, BUILD + "-" + tag)
        try:
            if not os.path.isdir(folder):
                _unpack(file, tag, folder)
            if os.stat(folder).st_uid != os.geteuid():  # sudo keeps HOME: root runs nothing of a user's
                told.append(folder + ": it belongs to somebody else")
                continue
        except OSError as error:
            told.append(str(error.filename or folder) + ": " + str(error.strerror or error))
            continue
        _remember(file, folder)
        return folder, ""
    hint = "\nhint: set XDG_CACHE_HOME to a folder of yours with 80 MB of room."
    return None, "cannot unpack itself: " + "; ".join(told) + hint


def _places() -> "list[str]":
    cache = os.environ.get("XDG_CACHE_HOME", "")
    wanted = [cache, os.path.join(os.path.expanduser("~"), ".cache"), os.environ.get("XDG_RUNTIME_DIR", "")]
    return [place for place in wanted if os.path.isabs(place)]


def _unpack(file: str, tag: str, folder: str) -> None:
    """Unpack beside and rename: another credtray.pyz may be doing the same."""
    import json
    import shutil
    import tempfile
    from zipfile import ZipFile

    above = os.path.dirname(folder)
    before = os.umask(0o077)
    cache = os.path.dirname(os.path.dirname(above))
    new = not os.path.isdir(cache)
    try:
        os.makedirs(above, exist_ok=True)
        if new:  # `credtray uninstall` removes it again: agent/credtray/files/made_record.py
            with open(os.path.join(cache, "credtray", "made.jsonl"), "a", encoding="ascii") as record:
                record.write(json.dumps({"directory": cache}) + "\n")
        fresh = tempfile.mkdtemp(prefix=".new-", dir=above)
        try:
            with ZipFile(file) as outer:
                for part in ("all", tag.partition("-")[2], tag):
                    with outer.open(part + ".zip") as stream, ZipFile(stream) as inner:
                        inner.extractall(fresh)
            os.rename(fresh, folder)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            if not os.path.isdir(folder):
                raise
    finally:
        os.umask(before)
    _clear(above, os.path.basename(folder), tag)


def _clear(above: str, new: str, tag: str) -> None:
    """Remove all but this build and the one before, which a running agent may still read from."""
    import shutil

    old = [name for name in os.listdir(above) if name.endswith("-" + tag) and name != new]
    old.sort(key=lambda name: os.stat(os.path.join(above, name)).st_mtime)
    for name in old[:-1]:
        shutil.rmtree(os.path.join(above, name), ignore_errors=True)


def _remember(file: str, folder: str) -> None:
    marker = os.path.join(folder, MARKER)
    try:
        with open(marker, encoding="utf-8", errors="surrogateescape") as known:
            if known.read() == file:
                return
    except OSError:
        pass
    try:
        with open(marker + ".new", "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(file)
        os.replace(marker + ".new", marker)
    except OSError:
        pass  # only `autostart` and `credential_process` want to know


if __name__ == "__main__":
    sys.exit(main())
