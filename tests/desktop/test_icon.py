"""The icon at the sizes of panels: told apart by shape alone, readable, whole; its pictures up to date."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageColor, ImageStat

from credtray.core.errors import AssetMissing
from credtray.core.icon_state import STEPS, IconState, Shape
from credtray.desktop.icon import (
    GRID,
    RING,
    Panel,
    Pen,
    Point,
    draw,
    layers,
    palettes,
    palettes_from,
    template,
)
from credtray.desktop.paths import asset

ROOT = Path(__file__).parents[2]
SIZES = (16, 22, 24, 32, 48, 64, 512)
PANELS = {
    "light": ("#ffffff", "#e6e6e6", "#dcdad5"),
    "dark": ("#000000", "#2b2b2b", "#3b4045"),
    "auto": ("#ffffff", "#000000"),
}
READABLE = 3.0
"""WCAG 2.1, 1.4.11: what graphics need against their surroundings."""


def pictures() -> Any:
    """Return packaging/icon_pictures.py, which is a script and no part of a package."""
    sys.path.insert(0, str(ROOT / "packaging"))
    try:
        return __import__("icon_pictures")
    finally:
        sys.path.remove(str(ROOT / "packaging"))


def opacity(image: Image.Image, box: tuple[int, int, int, int] | None = None) -> float:
    """Return how much of the image (or of a box in it) is painted, from 0 to 1."""
    alpha = image.getchannel("A")
    return ImageStat.Stat(alpha.crop(box) if box else alpha).mean[0] / 255


def luminance(colour: str) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in ImageColor.getrgb(colour)[:3])
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


# --- shapes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("panel", Panel)
@pytest.mark.parametrize("shape", Shape)
def test_every_shape_is_painted_at_every_size(shape: Shape, panel: Panel, size: int) -> None:
    icon = draw(IconState(shape, 12), size, panel)

    assert (icon.mode, icon.size) == ("RGBA", (size, size))
    assert opacity(icon) > 0.2
    assert [icon.getpixel(at) for at in ((0, 0), (size - 1, 0), (0, size - 1))] == [(0, 0, 0, 0)] * 3


class Outlines(Pen):
    """Keeps the corners of everything that is painted."""

    def __init__(self, grow: float) -> None:
        super().__init__(1, grow)
        self.corners: list[Point] = []

    def fill(self, outline: Iterable[Point], *, cut: bool = False) -> None:
        self.corners += () if cut else outline


@pytest.mark.parametrize("shape", Shape)
def test_nothing_is_cut_off(shape: Shape) -> None:
    for layer in layers(IconState(shape, STEPS), palettes()["auto"]):
        pen = Outlines(layer.grow)
        layer.paint(pen)

        assert pen.corners
        assert all(0 <= x <= GRID and 0 <= y <= GRID for x, y in pen.corners)


@pytest.mark.parametrize("steps", [0, 3, 20])
@pytest.mark.parametrize(("one", "other"), [*itertools.combinations(Shape, 2)])
def test_shapes_are_told_apart_at_22_pixels_without_any_colour(one: Shape, other: Shape, steps: int) -> None:
    first, second = (template(IconState(shape, steps), 22).getchannel("A") for shape in (one, other))
    different = ImageChops.difference(first, second).histogram()[128:]

    assert sum(different) >= 25


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("shape", Shape)
def test_ink_stands_out_against_the_panel(panel: str, shape: Shape) -> None:
    palette = palettes()[panel]
    grounds = (palette.badge,) if palette.badge else PANELS[panel]

    assert min(contrast(palette.inks[shape], ground) for ground in grounds) >= READABLE


@pytest.mark.parametrize("ground", PANELS["auto"])
def test_on_an_unknown_panel_badge_or_ink_stands_out(ground: str) -> None:
    palette = palettes()["auto"]
    badge = palette.badge or ""
    edge = "#{:02x}{:02x}{:02x}".format(*(blended(palette.edge, ground)))

    assert max(contrast(badge, ground), contrast(edge, ground)) >= READABLE


def blended(colour: str, ground: str) -> list[int]:
    *ink, alpha = ImageColor.getrgb(colour)
    below = ImageColor.getrgb(ground)
    return [round(a * alpha / 255 + b * (1 - alpha / 255)) for a, b in zip(ink, below, strict=True)]


def test_template_is_black_with_transparency_only() -> None:
    for shape in Shape:
        colours = template(IconState(shape, 7), 22).convert("RGB").getcolors() or []

        assert [colour for _count, colour in colours] == [(0, 0, 0)]


# --- the ring ----------------------------------------------------------------------------------------


@given(st.integers(0, STEPS - 1), st.sampled_from([22, 32]))
def test_more_time_is_more_ring(steps: int, size: int) -> None:
    less, more = (template(IconState(Shape.FRESH, number), size) for number in (steps, steps + 1))

    assert opacity(more) > opacity(less)


@pytest.mark.parametrize("quarters", range(5))
def test_time_left_runs_clockwise_from_the_top(quarters: int) -> None:
    """The ring is solid where time is left and faint where it is gone."""
    icon = template(IconState(Shape.SIGNING_IN, STEPS * quarters // 4), 440)
    middle, radius = 220, 20 * RING[0]
    seen = []
    for quarter in range(4):
        angle = math.radians(90 * quarter + 45)
        alpha = icon.getpixel(
            (round(middle + radius * math.sin(angle)), round(middle - radius * math.cos(angle)))
        )
        seen.append(isinstance(alpha, tuple) and alpha[3] == 255)

    assert [quarter < quarters for quarter in range(4)] == seen


@pytest.mark.parametrize("shape", [Shape.ENDED, Shape.SIGNED_OUT, Shape.OFFLINE])
def test_shapes_that_tell_no_time_have_no_ring_of_it(shape: Shape) -> None:
    assert template(IconState(shape, 0), 22).tobytes() == template(IconState(shape, 13), 22).tobytes()


# --- the rest ----------------------------------------------------------------------------------------


def test_equal_looks_are_drawn_once() -> None:
    assert draw(IconState(Shape.SOON, 2), 22, Panel.DARK) is draw(IconState(Shape.SOON, 2), 22, Panel.DARK)


def test_pillow_is_loaded_only_when_something_is_drawn() -> None:
    script = (
        "import sys, credtray.desktop.icon; sys.exit(any(name.startswith('PIL') for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0


def test_file_that_is_not_there_is_an_error_of_ours() -> None:
    with pytest.raises(AssetMissing, match=r"nothing\.toml: there is no such file"):
        asset("nothing.toml")


@pytest.mark.parametrize("text", [b"", b"panels = ", b"[panels.light]", b"\xff\xfe", b"panels = 'dark'"])
def test_colours_of_another_version_are_an_error_of_ours(text: bytes) -> None:
    with pytest.raises(AssetMissing, match="not the one that this version needs"):
        palettes_from(text)


def test_every_panel_has_every_ink() -> None:
    assert {*palettes()} == {*(panel.value for panel in Panel), "template"}
    assert all({*palette.inks} == {*Shape} for palette in palettes().values())


@pytest.mark.parametrize("size", [16, 32, 48, 64, 128, 256, 512])
def test_picture_for_lists_of_programs_is_up_to_date(size: int) -> None:
    with Image.open(ROOT / "assets" / f"credtray-{size}.png") as kept:
        assert kept.tobytes() == pictures().app_icon(size).tobytes()


def test_vector_picture_is_up_to_date() -> None:
    assert (ROOT / "assets" / "credtray.svg").read_text() == pictures().app_svg()


def test_picture_of_all_states_is_up_to_date() -> None:
    drawn = pictures().contact_sheet()
    with Image.open(ROOT / "docs" / "images" / "icons.png") as kept:
        for top in range(0, drawn.height, drawn.height // 2):
            icons = (0, top, drawn.width, top + 135)  # the words below depend on the library of fonts

            assert kept.crop(icons).tobytes() == drawn.crop(icons).tobytes()
