"""Describes the MSI for wixl: the tree of windows_tree.py, file by file, for one user.

    python packaging/windows_msi.py describe TREE VERSION > credtray.wxs
    python packaging/windows_msi.py settle credtray.msi

Codes come from names, so that two builds describe the same. `settle` replaces what wixl takes from the clock
and from chance: when it was made, and the code of this very file.
"""

from __future__ import annotations

import hashlib
import re
import struct
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from site_packages import epoch

SPACE = uuid.UUID("6b1f5c1e-3f0e-5c8e-9a52-2d5c3f8f7c11")
"""Of this installer; the code for upgrades stays the same for every version."""
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http:{schema}">
  <Product Id="{product}" Name="credtray" Language="1033" Version="{version}"
      Manufacturer="The credtray authors" UpgradeCode="{upgrade}">
    <Package InstallerVersion="500" Compressed="yes" InstallScope="perUser"
        Description="credtray {version}" Comments="For one user, without administrator's rights"
        Manufacturer="The credtray authors" Languages="1033" />
    <MajorUpgrade DowngradeErrorMessage="A newer credtray is installed." />
    <Media Id="1" Cabinet="credtray.cab" EmbedCab="yes" />
    <Icon Id="credtray.ico" SourceFile={icon} />
    <Property Id="ARPPRODUCTICON" Value="credtray.ico" />
    <Property Id="ARPNOMODIFY" Value="1" />
    <Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="LocalAppDataFolder">
      <Directory Id="Programs" Name="Programs"><Directory Id="INSTALLDIR" Name="credtray">
"""
TAIL = """      </Directory></Directory>
    </Directory></Directory>
    <Feature Id="Whole" Title="credtray" Level="1">
{components}
    </Feature>
{actions}
    <InstallExecuteSequence>
      <Custom Action="Add" Sequence="6500">NOT REMOVE AND NOT LOGIN</Custom>
      <Custom Action="AddAtLogin" Sequence="6501">NOT REMOVE AND LOGIN</Custom>
      <Custom Action="Remove" Sequence="3400">REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE AND NOT PURGE</Custom>
      <Custom Action="Purge" Sequence="3401">REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE AND PURGE</Custom>
      <Custom Action="Stop" Sequence="3402">REMOVE="ALL" AND UPGRADINGPRODUCTCODE</Custom>
    </InstallExecuteSequence>
  </Product>
</Wix>
"""
ACTION = (
    '    <CustomAction Id="{name}" FileKey="{file}" ExeCommand={command} Execute="deferred" '
    'Impersonate="yes" Return="ignore" />'
)
ACTIONS = (
    ("Add", "add"),
    ("AddAtLogin", "add at-login"),
    ("Remove", "remove"),
    ("Purge", "remove purge"),
    ("Stop", "stop"),
)


def describe(tree: Path, version: str) -> Iterator[str]:
    """Yield the parts of the description."""
    named = {"schema": "//schemas.microsoft.com/wix/2006/wi", "version": version}
    codes = {"product": uuid.uuid5(SPACE, f"product {version}"), "upgrade": uuid.uuid5(SPACE, "upgrade")}
    yield HEAD.format(
        **named, **{name: str(code).upper() for name, code in codes.items()}, icon=_path(tree, "credtray.ico")
    )
    yield from _folder(tree, tree)
    names = sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())
    components = "\n".join(f'      <ComponentRef Id="c{_key(name)}" />' for name in names)
    python = f"f{_key('python/pythonw.exe')}"
    actions = "\n".join(
        ACTION.format(
            name=name,
            file=python,
            command=quoteattr(f'-I {"" if "add" in words else "-B "}"[INSTALLDIR]installed.py" {words}'),
        )
        for name, words in ACTIONS
    )
    yield TAIL.format(components=components, actions=actions)


def _folder(tree: Path, folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        name = path.relative_to(tree).as_posix()
        if path.is_dir():
            yield f'<Directory Id="d{_key(name)}" Name={quoteattr(path.name)}>\n'
            yield from _folder(tree, path)
            yield "</Directory>\n"
        else:
            code = str(uuid.uuid5(SPACE, name)).upper()
            yield f'<Component Id="c{_key(name)}" Guid="{code}" Win64="yes">'
            place = f"Name={quoteattr(path.name)} Source={_path(tree, name)}"
            yield f'<File Id="f{_key(name)}" {place} KeyPath="yes" />'
            yield "</Component>\n"


def _key(name: str) -> str:
    return uuid.uuid5(SPACE, name).hex


def _path(tree: Path, name: str) -> str:
    """Return the path from the description, which is to lie beside the tree: wixl takes no other."""
    return quoteattr(f"{tree.name}/{name}")


# --- after wixl --------------------------------------------------------------------------------------

SUMMARY = uuid.UUID("f29f85e0-4ff9-1068-ab91-08002b27b3d9").bytes_le
"""Begins the summary of a compound file of Microsoft's, behind its fixed head."""
CODE, MADE, SAVED = 9, 12, 13
"""Properties of it: the code of the package, which two different files may never share, and two times."""
_TEXT, _TIME = 30, 64
_CODE_SHAPE = re.compile(rb"\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}")
_YEAR_1970 = 116_444_736_000_000_000
"""In the units of 100 ns since 1601 that Windows counts in."""


def settled(content: bytes, moment: int) -> bytes:
    """Return an MSI that depends on nothing but what is in it, and on the *moment* it is to carry."""
    out = bytearray(content)
    places = _summary(content)
    for name in (MADE, SAVED):
        _put(out, places[name], _TIME, struct.pack("<Q", moment * 10_000_000 + _YEAR_1970))
    nowhere = f"{{{uuid.UUID(int=0)}}}".encode()
    size = struct.pack("<I", len(nowhere) + 1)
    if not _CODE_SHAPE.match(content, places[CODE] + 8):
        raise SystemExit("windows_msi: the code of the package is not where it should be")
    _put(out, places[CODE], _TEXT, size + nowhere)
    code = uuid.uuid5(SPACE, hashlib.sha256(out).hexdigest())
    _put(out, places[CODE], _TEXT, size + f"{{{code}}}".upper().encode())
    return bytes(out)


def _summary(content: bytes) -> dict[int, int]:
    """Return where each property of the summary begins, with its type."""
    if content.count(SUMMARY) != 1:
        raise SystemExit("windows_msi: this file has no summary, or several")
    stream = content.index(SUMMARY) - 28
    section = stream + struct.unpack_from("<I", content, stream + 44)[0]
    _size, count = struct.unpack_from("<II", content, section)
    pairs = struct.iter_unpack("<II", content[section + 8 : section + 8 * (count + 1)])
    return {name: section + offset for name, offset in pairs}


def _put(out: bytearray, place: int, kind: int, value: bytes) -> None:
    """Replace a property by another of the same size."""
    if struct.unpack_from("<I", out, place)[0] != kind:
        raise SystemExit("windows_msi: the summary of this file is not in one piece")
    out[place + 4 : place + 4 + len(value)] = value


def main() -> None:
    """Do what the command line says."""
    match sys.argv[1:]:
        case ["describe", tree, version]:
            sys.stdout.writelines(describe(Path(tree).resolve(), version))
        case ["settle", file]:
            Path(file).write_bytes(settled(Path(file).read_bytes(), epoch()))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
