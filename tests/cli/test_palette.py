"""Every style can be read on every background, and there are no others."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from credtray.cli import main, terminal

ROOT = Path(__file__).parents[2] / "agent" / "credtray"
BACKGROUNDS = {
    "black": "000000",
    "white": "ffffff",
    "Solarized dark": "002b36",
    "Solarized light": "fdf6e3",
    "GNOME dark": "171421",
    "macOS dark": "1e1e1e",
    "VS Code dark": "1f1f1f",
    "Windows PowerShell": "012456",
    "GitHub light": "f6f8fa",
}
LEAST = 3.0
"""The contrast that WCAG 2.2 asks of large text and of marks (1.4.3, 1.4.11); black and white get more."""
AT_THE_ENDS = 3.9


def rgb(number: int) -> tuple[int, int, int]:
    """Return one of xterm's colours 16 to 255: a cube of six steps, then greys."""
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    steps = (0, 95, 135, 175, 215, 255)
    red, rest = divmod(number - 16, 36)
    return steps[red], steps[rest // 6], steps[rest % 6]


def luminance(colour: tuple[int, int, int]) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.met("M2")
@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("name", terminal.NUMBERS)
def test_every_colour_can_be_read_on_every_background(name: str, background: str) -> None:
    behind = tuple(bytes.fromhex(BACKGROUNDS[background]))
    found = contrast(rgb(terminal.NUMBERS[name]), (behind[0], behind[1], behind[2]))

    assert found >= (AT_THE_ENDS if background in {"black", "white"} else LEAST)


def test_no_colour_belongs_to_the_sixteen_that_themes_change() -> None:
    assert all(number >= 16 for number in terminal.NUMBERS.values())
    assert all(
        16 <= int(code) <= 255 for each in terminal.CODES.values() for code in re.findall(r"38;5;(\d+)", each)
    )


@pytest.mark.met("M2")
@pytest.mark.parametrize("folder", ["cli", "demo"])
def test_no_colour_is_named_but_in_the_palette(folder: str) -> None:
    colour = re.compile(
        r"""["'](?:\w+ )*(?:bright_)?(?:black|red|green|yellow|blue|magenta|cyan|white|dim)["']"""
    )
    found = {
        f"{path.name}: {match[0]}"
        for path in (ROOT / folder).rglob("*.py")
        for match in colour.finditer(path.read_text(encoding="utf-8"))
    }

    assert found == set()


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return Screen()


def codes(text: str) -> set[str]:
    return set(re.findall(r"\x1b\[([0-9;]*)m", text))


HELP = [[], *([name] for name in sorted(main.COMMANDS))]


@pytest.mark.met("M2")
@pytest.mark.parametrize("words", HELP, ids=lambda words: " ".join(words) or "credtray")
def test_help_has_no_colours_but_ours(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")

    with redirect_stdout(screen):
        assert main.main([*words, "--help"]) == 0

    assert codes(screen.getvalue()) <= {"0", "1", f"38;5;{terminal.QUIET}", f"38;5;{terminal.BAD}", ""}
    assert "1" in codes(screen.getvalue())


@pytest.mark.met("M2")
@pytest.mark.parametrize("page", ["install", "glossary", "which-keys-win"])
def test_pages_have_no_colours_but_ours(screen: Screen, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")

    with redirect_stdout(screen):
        assert main.main(["help", page]) == 0

    assert codes(screen.getvalue()) <= {"0", "1", f"38;5;{terminal.QUIET}", ""}


NOT_ON_WINDOWS = pytest.mark.posix("TERM: a console of Windows has all colours or none")


@pytest.mark.parametrize(
    ("term", "no_color", "force", "expected"),
    [
        ("xterm-256color", "", "", True),
        ("screen-256color", "", "", True),
        ("xterm-kitty", "", "", True),
        ("xterm-256color", "1", "", False),
        ("xterm-256color", "1", "1", False),
        ("dumb", "", "", False),
        pytest.param("linux", "", "", False, marks=NOT_ON_WINDOWS),
        pytest.param("vt100", "", "", False, marks=NOT_ON_WINDOWS),
    ],
)
def test_colours_are_for_terminals_that_know_them_and_want_them(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, term: str, no_color: str, force: str, *, expected: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("FORCE_COLOR", force)
    with redirect_stdout(screen):
        terminal.console().print("text", style="good")
    painted = terminal.paint("text", "good", screen)

    assert any("38;5" in code for code in codes(screen.getvalue())) is expected
    assert ("38;5" in painted) is expected
    assert not any(re.fullmatch(r"(?:[01];)?[39][0-7]", code) for code in codes(screen.getvalue() + painted))


def test_a_pipe_gets_colours_only_by_force(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with redirect_stdout(pipe):
        terminal.console().print("text", style="good")
    plain = pipe.getvalue()
    monkeypatch.setenv("FORCE_COLOR", "1")
    with redirect_stdout(pipe):
        terminal.console().print("text", style="good")

    assert plain == "text\n"
    assert f"\x1b[38;5;{terminal.GOOD}m" in pipe.getvalue()


@pytest.mark.parametrize("colours", [True, False])
def test_questions_name_no_colour_of_the_sixteen(*, colours: bool) -> None:
    styles = " ".join(terminal.question_styles(colours=colours).values())

    assert "ansi" not in styles
    assert ("#" in styles) is colours
