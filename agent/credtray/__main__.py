"""The door: what programs ask for again and again is tried the fast way first, all else goes the usual way.

Compiled anew at each start by path (a script has no cached bytecode), so it stays short and decides little.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the command given in ``sys.argv`` and return its exit code."""
    arguments = sys.argv[1:]
    if sys.platform == "win32" and not sys.flags.isolated:  # by credtray.exe, which knows no -I
        _pass_over(os.getcwd(), *os.environ.get("PYTHONPATH", "").split(os.pathsep))  # noqa: PTH109 -- as below
    if not __package__:  # started by path: with -I nothing but the standard library can be imported yet
        # Behind the standard library, before any other credtray that may be installed.
        place = next((at for at, path in enumerate(sys.path) if "-packages" in path), len(sys.path))
        sys.path.insert(place, os.path.abspath(__file__ + "/../.."))  # noqa: PTH100 -- pathlib is dear
    if arguments[:1] in (["credentials"], ["kube-token"]):
        if arguments[0] == "credentials":  # only now is the package to be found
            from credtray.credentials_fetch import answer
        else:
            from credtray.tokens.kube_fast import answer
        outcome = answer(arguments)
        if isinstance(outcome, int):
            if sys.flags.no_site:
                os._exit(outcome)  # all is written, and taking the interpreter down is a fifth of the whole
            return outcome
        arguments = outcome
        if sys.flags.no_site:  # no third-party package can be imported in here: begin again, with them
            return _begin_again(arguments)
    try:
        if arguments[:1] == ["exec"] and sys.platform != "win32":
            from credtray.cli.exec_fast_path import take

            take(arguments)  # returns only when there is something to say
        from credtray.cli.main import main as run  # the fast way must not pay for it

        return run(arguments)
    except KeyboardInterrupt:  # while still importing: what runs afterwards says itself what became of it
        return 130


def docker_credential() -> int:
    """Be what docker starts, where the system starts entry points."""
    sys.argv.insert(1, "docker-credential")
    return main()


def _begin_again(arguments: list[str]) -> int:
    """Be an isolated interpreter that has third-party packages; on Windows start it and wait."""
    command = [sys.executable, "-I", os.path.abspath(__file__), *arguments]  # noqa: PTH100 -- pathlib is dear
    if sys.platform == "win32":  # execv would end us at once there, and nobody would wait for the answer
        import subprocess  # slow

        return subprocess.call(command)  # noqa: S603 -- ourselves, no shell
    else:  # noqa: RET505 -- type checkers take the branch of their platform
        return os.execv(sys.executable, command)  # noqa: S606 -- ourselves, no shell


def _pass_over(*folders: str) -> None:
    """Import nothing more from these folders, unless it is where credtray itself is."""
    ours = os.path.abspath(__file__ + "/../..")  # noqa: PTH100 -- pathlib is dear
    foreign = {os.path.abspath(folder) for folder in folders} - {ours}  # noqa: PTH100 -- as above
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) not in foreign]  # noqa: PTH100 -- as above


def _isolate() -> None:
    """Begin again without PYTHON* variables, this folder and the user site: ``python -m`` takes them all."""
    if not sys.flags.isolated and sys.executable and sys.platform != "win32":
        _begin_again(sys.argv[1:])


if __name__ == "__main__":
    _isolate()
    sys.exit(main())
