"""The application for macOS: what is in it, and what its parts do as far as they run elsewhere.

No Mac has seen it. Its property list is read by libplist, its program by macholib, its signature is made and
read by Apple's own format's other implementation, and its Python half runs here.
"""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from macholib.MachO import MachO
from PIL import Image

from credtray import __version__
from credtray.core.errors import AutostartRefused, LauncherRefused
from credtray.desktop.application_menu import ApplicationMenu
from credtray.desktop.autostart import Outcome
from credtray.desktop.login_entry import mac_app
from credtray.desktop.login_entry.mac_app import IDENTIFIER, Application, Installation, library_of
from tests.desktop.mac_programs import MacPrograms

pytestmark = pytest.mark.posix("macOS's programs are played by shell scripts")

ARM, INTEL = 0x0100000C, 0x01000007
CLICK = (sys.executable, "-I", "-m", "credtray", "start", "--clicked")


def _installation() -> Installation:
    packages = tuple(Path(place) for place in sys.path if place.endswith("-packages"))
    source = Path(mac_app.__file__).parents[3]
    return Installation(
        Path(sys.executable), Path("/opt/Python"), (*packages, source), mac_app._py2app_program()
    )


@pytest.fixture
def application(tmp_path: Path) -> Application:
    programs = tmp_path / "bin"
    programs.mkdir()
    MacPrograms(programs)
    folder = tmp_path / "home" / "Applications" / "credtray.app"
    folder.parent.parent.mkdir()
    return Application(folder, _installation(), str(programs / "codesign"))


def _menu(application: Application) -> ApplicationMenu:
    return ApplicationMenu(CLICK, application)


def test_application_is_made_once_and_removed_whole(application: Application) -> None:
    menu = _menu(application)
    done = [menu.add(), menu.add(), menu.remove(), menu.remove()]

    assert done == [Outcome.CHANGED, Outcome.ALREADY, Outcome.CHANGED, Outcome.ALREADY]
    assert list(application.folder.parent.iterdir()) == []


def test_it_holds_what_macos_wants_of_an_application(application: Application) -> None:
    _menu(application).add()
    names = {
        str(path.relative_to(application.folder))
        for path in application.folder.rglob("*")
        if not path.is_dir() or path.is_symlink()
    }

    assert names == {
        "Contents/Info.plist",
        "Contents/PkgInfo",
        "Contents/MacOS/credtray",
        "Contents/MacOS/python",
        "Contents/Resources/__boot__.py",
        "Contents/Resources/credtray.icns",
        "Contents/_CodeSignature/CodeResources",
    }
    assert os.access(application.program, os.X_OK)


def test_property_list_names_it_and_keeps_it_out_of_the_dock(application: Application) -> None:
    _menu(application).add()
    told = plistlib.loads((application.folder / "Contents" / "Info.plist").read_bytes())

    assert told["CFBundleIdentifier"] == IDENTIFIER
    assert told["CFBundleExecutable"] == application.program.name
    assert (told["LSUIElement"], told["CFBundleShortVersionString"]) == (True, __version__)
    assert told["PyRuntimeLocations"] == ["/opt/Python"]


@pytest.mark.skipif(shutil.which("plistutil") is None, reason="reads it as Apple's library would")
def test_property_list_is_one_for_another_program_too(application: Application, tmp_path: Path) -> None:
    _menu(application).add()
    plain = application.folder / "Contents" / "Info.plist"
    command = ["plistutil", "-i", str(plain), "-f", "bin", "-o", str(tmp_path / "binary.plist")]
    subprocess.run(command, check=True, timeout=60)

    assert plistlib.loads((tmp_path / "binary.plist").read_bytes()) == plistlib.loads(plain.read_bytes())


def test_its_program_is_for_both_kinds_of_mac(application: Application) -> None:
    _menu(application).add()

    assert {part.header.cputype for part in MachO(str(application.program)).headers} == {ARM, INTEL}


def test_its_icon_has_the_sizes_that_finder_shows(application: Application) -> None:
    _menu(application).add()
    with Image.open(application.folder / "Contents" / "Resources" / "credtray.icns") as icon:
        assert {size[0] * size[2] for size in icon.info["sizes"]} >= {32, 64, 128, 256, 512}


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has codesign itself")
def test_it_can_be_signed_without_a_certificate(application: Application) -> None:
    apple_platform = pytest.importorskip("apple_platform", reason="has no package for this processor")
    _menu(application).add()
    shutil.rmtree(application.folder / "Contents" / "_CodeSignature")
    apple_platform.sign(application.folder)
    signed = apple_platform.read_signature(application.program)

    assert apple_platform.code_directory_identifier(signed) == IDENTIFIER
    for told in apple_platform.verify_macho(application.program):
        assert "CMS error" in told["description"]  # there is no certificate, and nothing else to say


# --- what runs in it ---------------------------------------------------------------------------------


def _run(application: Application, *words: str) -> subprocess.CompletedProcess[str]:
    """Run its Python half as py2app's program does: through the link, told where its resources are."""
    resources = application.folder / "Contents" / "Resources"
    told = {"RESOURCEPATH": str(resources), "PYTHONPATH": str(resources), "ARGVZERO": "credtray"}
    command = [str(application.program.with_name("python")), str(resources / "__boot__.py"), *words]
    return subprocess.run(
        command, env=dict(os.environ) | told, capture_output=True, text=True, timeout=120, check=True
    )


def test_it_takes_the_words_that_credtray_takes(application: Application) -> None:
    _menu(application).add()

    assert _run(application, "version").stdout == f"credtray {__version__}\n"


def test_what_it_starts_gets_the_installed_python_and_none_of_py2apps_variables(
    application: Application, tmp_path: Path
) -> None:
    _menu(application).add()
    looks = tmp_path / "package" / "credtray"
    looks.mkdir(parents=True)
    (looks / "__init__.py").touch()
    (looks / "__main__.py").write_text(
        "import os, sys\ndef main():\n    print(sys.executable, sys.argv, 'PYTHONPATH' in os.environ)\n"
    )
    seen = replace(application, installation=replace(_installation(), packages=(looks.parent,)))
    seen.write(seen.content(CLICK))

    assert _run(seen).stdout == f"{sys.executable} {['credtray', 'start', '--clicked']} False\n"
    assert _run(seen, "-psn_0_12345").stdout == _run(seen).stdout


# --- whose it is -------------------------------------------------------------------------------------


def test_somebody_elses_application_is_left_alone(application: Application) -> None:
    contents = application.folder / "Contents"
    contents.mkdir(parents=True)
    (contents / "Info.plist").write_bytes(plistlib.dumps({"CFBundleIdentifier": "com.example.other"}))
    for act in (_menu(application).add, _menu(application).remove):
        with pytest.raises(LauncherRefused, match="not written by credtray"):
            act()

    assert [path.name for path in contents.iterdir()] == ["Info.plist"]


def test_one_that_cannot_be_signed_takes_nobodys_place(application: Application) -> None:
    _menu(application).add()
    before = (application.folder / "Contents" / "Info.plist").read_bytes()
    unsigned = replace(application, codesign="/usr/bin/false")
    with pytest.raises(AutostartRefused, match="cannot be signed"):
        unsigned.write(unsigned.content((*CLICK, "--no-tray")))

    assert (application.folder / "Contents" / "Info.plist").read_bytes() == before
    assert [path.name for path in application.folder.parent.iterdir()] == ["credtray.app"]


def test_agent_starts_through_the_application_of_the_same_python_only(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Application, "of_user", classmethod(lambda _cls: application))

    assert mac_app.program_in_application(sys.executable) is None
    _menu(application).add()

    assert mac_app.program_in_application(sys.executable) == str(application.program)
    assert mac_app.program_in_application("/opt/other/bin/python") is None


@pytest.mark.parametrize(
    ("variables", "library"),
    [
        (
            {"PYTHONFRAMEWORK": "Python", "PYTHONFRAMEWORKPREFIX": "/opt/homebrew/Frameworks"},
            "/opt/homebrew/Frameworks/Python.framework/Versions/3.13/Python",
        ),
        ({"LIBDIR": "/uv/lib", "LDLIBRARY": "libpython3.13.dylib"}, "/uv/lib/libpython3.13.dylib"),
        ({"LIBDIR": "/pyenv/lib", "LDLIBRARY": "libpython3.13.a"}, None),
        ({"PYTHONFRAMEWORK": "", "LIBDIR": None, "LDLIBRARY": "libpython3.13.dylib"}, None),
    ],
)
def test_library_of_each_kind_of_python(variables: dict[str, str | None], library: str | None) -> None:
    found = library_of(variables, "3.13")

    assert (None if found is None else str(found)) == library
