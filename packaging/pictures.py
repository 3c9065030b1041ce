"""Takes the README's pictures from the real commands, run against the embedded Identity Center.

    python packaging/pictures.py          writes docs/images/ and the icon's pictures in assets/

Run it again when the look of the commands changes; the pictures are what a terminal shows, drawn as SVG.
"""

from __future__ import annotations

import re
import sys
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import icon_pictures  # noqa: E402 - beside this file

from tests.end_to_end.house import House, until  # noqa: E402 - the checkout is not installed
from tests.on_a_desktop.desktop import Desktop, missing  # noqa: E402 - the same
from tests.portal import running  # noqa: E402 - the same

_FONT_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> int:
    """Run the commands and draw what they print; draw the icon. Return 1 where there can be no desktop."""
    icon_pictures.main()
    if absent := missing():
        print(f"missing: {', '.join(absent)}. Run: sh packaging/environment.sh tools", file=sys.stderr)
        return 1
    with (
        tempfile.TemporaryDirectory() as home,
        running("--auto-approve", "alice") as portal,
        Desktop() as desktop,
    ):
        house = House(Path(home), portal)
        house.environ |= {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "92", **desktop.environ}
        house.configure()
        with house.agent():
            house.run("login")
            house.run("activate", "synderys-readonly", "synderys-dns", "synderys-security")
            house.run("switch", "synderys-dns")
            until(lambda: all(part["back_end"] for part in parts(house)))
            draw("status", "credtray status", house.run("status").stdout)
    return 0


def parts(house: House) -> list[dict[str, Any]]:
    """Return what there is of the desktop: without an icon status would tell why."""
    return [house.status()["desktop"][name] for name in ("tray", "notifications")]


def draw(name: str, command: str, printed: str) -> None:
    """Write one picture."""
    console = Console(record=True, width=92, file=StringIO(), force_terminal=True)
    console.print(Text.assemble(("$ ", "green"), command))
    console.print(Text.from_ansi(printed))
    svg = console.export_svg(title="credtray", theme=DIMMED_MONOKAI)
    # The fonts would come from somebody's server; every terminal font of the reader does as well.
    svg = _FONT_FACES.sub("", svg).replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")
    (ROOT / "docs" / "images" / f"{name}.svg").write_text(svg)


if __name__ == "__main__":
    sys.exit(main())
