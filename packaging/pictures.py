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

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import icon_pictures  # noqa: E402 - beside this file

from tests.end_to_end.house import House  # noqa: E402 - the checkout is not installed
from tests.portal import running  # noqa: E402 - the same

_FONT_FACES = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


def main() -> None:
    """Run the commands and draw what they print; draw the icon."""
    icon_pictures.main()
    with tempfile.TemporaryDirectory() as home, running("--auto-approve", "alice") as portal:
        house = House(Path(home), portal)
        house.environ |= {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "92"}
        house.configure()
        with house.agent():
            house.run("login")
            house.run("activate", "synderys-readonly", "synderys-dns", "synderys-security")
            house.run("switch", "synderys-dns")
            draw("status", "credtray status", house.run("status").stdout)


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
    main()
