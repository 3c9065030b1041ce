"""Describes the MSI for wixl: the tree of windows_tree.py, file by file, for one user.

    python packaging/windows_msi.py TREE VERSION > credtray.wxs

Codes come from names, so that two builds describe the same.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

SPACE = uuid.UUID("6b1f5c1e-3f0e-5c8e-9a52-2d5c3f8f7c11")
"""Of this installer; the code for upgrades stays the same for every version."""
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http:{schema}">
  <Product Id="{product}" Name="credtray" Language="1033" Version="{version}"
      Manufacturer="The credtray authors" UpgradeCode="{upgrade}">
    <Package Id="{package}" InstallerVersion="500" Compressed="yes" InstallScope="perUser"
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
      <Custom Action="Remove" Sequence="3400">REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE</Custom>
      <Custom Action="Stop" Sequence="3401">REMOVE="ALL" AND UPGRADINGPRODUCTCODE</Custom>
    </InstallExecuteSequence>
  </Product>
</Wix>
"""
ACTION = (
    '    <CustomAction Id="{name}" FileKey="{file}" ExeCommand={command} Execute="deferred" '
    'Impersonate="yes" Return="ignore" />'
)
ACTIONS = (("Add", "add"), ("AddAtLogin", "add at-login"), ("Remove", "remove"), ("Stop", "stop"))


def describe(tree: Path, version: str) -> Iterator[str]:
    """Yield the parts of the description."""
    named = {"schema": "//schemas.microsoft.com/wix/2006/wi", "version": version}
    product, package = (uuid.uuid5(SPACE, f"{name} {version}") for name in ("product", "package"))
    codes = {"product": product, "package": package, "upgrade": uuid.uuid5(SPACE, "upgrade")}
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


if __name__ == "__main__":
    sys.stdout.writelines(describe(Path(sys.argv[1]).resolve(), sys.argv[2]))
