"""What a command and a click go through: modules cost time at the start, files cost a reader's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from credtray.aws.credentials_file import CredentialsFile
from credtray.core import protocol
from credtray.files.shared_file import SharedFile
from tests.daemon.fakes import Daemon, run
from tests.test_clicks import Scene

ROOT = Path(__file__).parents[1]
PACKAGE = str(ROOT / "agent" / "credtray")
COUNT = """
import sys
from credtray.cli.main import main
code = main(sys.argv[1:])
ours = sorted(name for name in sys.modules if name.partition(".")[0] == "credtray")
print(*ours, sep="\\n", file=sys.stderr)
sys.exit(code)
"""
MODULES = {"doctor": 110, "status": 123, "help": 25}
CLICK_FILES = 45
FAST_MODULES = 12


@pytest.mark.parametrize("command", MODULES)
def test_command_without_an_agent_imports_few_of_our_modules(command: str, home: Path) -> None:
    (home / ".aws").mkdir(mode=0o700)
    (home / ".aws" / "config").write_text("[default]\nregion = us-east-1\n")
    argv = [sys.executable, "-c", COUNT, command]
    done = subprocess.run(argv, cwd=ROOT / "agent", capture_output=True, text=True, check=True)
    modules = done.stderr.split()

    assert len(modules) <= MODULES[command], f"{len(modules)} modules:\n{done.stderr}"


@pytest.mark.posix("exec has its fast path on Unix only")
def test_fast_path_of_exec_imports_next_to_nothing(home: Path) -> None:
    """Files of a child that are there from the last time cost no more than a look at them."""
    code = (
        "import sys; from credtray.cli import exec_fast_path\n"
        "print(*(name for name in sys.modules if name.startswith('credtray.')), "
        "*({'re', 'enum', 'typing', 'pathlib', 'json', 'socket', 'msgspec'} & sys.modules.keys()))"
    )
    argv = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT / 'agent')!r}); {code}",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, env={"HOME": str(home)})

    assert len(done.stdout.split()) <= FAST_MODULES, done.stdout


@contextmanager
def our_files_called() -> Iterator[set[str]]:
    """Collect the files of the product in which a function is called meanwhile, on this thread."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            found.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(None)


def test_click_on_a_profile_reaches_the_bytes_through_few_of_our_files(home: Path) -> None:
    """Loop, policy, requests and the writer of the file are real; the portal is not."""
    path = home / "credentials"
    file = CredentialsFile(SharedFile(path, home / "locks", backup_directory=home))

    async def drive() -> set[str]:
        scene = await Scene(Daemon("dev", "ro", credentials_file=file)).started()
        with our_files_called() as files:
            await scene.click(protocol.Switch("ro"))
        return files

    files = run(drive())

    assert "[default]\n" in path.read_text("utf-8")
    assert len(files) <= CLICK_FILES, "\n".join(sorted(files))
