from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from credtray.demo.identity_center import pages
from credtray.demo.identity_center.exchange import Response

HOSTILE = "<script>alert(1)</script>\"'&"

PAGES = {
    "sign_in": pages.sign_in(HOSTILE, reason=HOSTILE, wrong=True),
    "consent": pages.consent(HOSTILE, HOSTILE, HOSTILE, [HOSTILE], user_code=HOSTILE),
    "device": pages.device(wrong=True),
    "done": pages.done(HOSTILE, HOSTILE, good=True),
    "problem": pages.problem(HOSTILE, HOSTILE),
    "portal": pages.portal(HOSTILE, HOSTILE, [(HOSTILE, HOSTILE, HOSTILE, [HOSTILE])]),
}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def _tags(page: Response) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page.body.decode())
    return parser.tags


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_foreign_text_never_becomes_markup(page: Response) -> None:
    tags = _tags(page)

    assert "script" not in {tag for tag, _ in tags}
    assert not [name for _, given in tags for name in given if name.startswith("on")]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_page_is_labelled_as_a_demo_and_loads_nothing(page: Response) -> None:
    text = page.body.decode()
    headers = dict(page.headers)

    assert "· demo Identity Center</title>" in text
    assert "It is not AWS" in text
    assert re.findall(r"https?://|url\(|@import", text) == []
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_page_knows_light_and_dark(page: Response) -> None:
    text = page.body.decode()
    colours = set(re.findall(r"(--[a-z-]+):", text))
    dark = text.partition("prefers-color-scheme:dark")[2].partition("}}")[0]

    assert "color-scheme:light dark" in text
    assert set(re.findall(r"(--[a-z-]+):", dark)) == colours


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())
def test_every_visible_field_has_a_label(page: Response) -> None:
    tags = _tags(page)
    labelled = {given.get("for") for tag, given in tags if tag == "label"}
    fields = {given.get("id") for tag, given in tags if tag == "input" and given.get("type") != "hidden"}

    assert fields <= labelled


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("text", "card", 7.0),
        ("text", "page", 7.0),
        ("muted", "card", 4.5),
        ("muted", "page", 4.5),
        ("on-accent", "accent", 4.5),
        ("accent", "soft", 4.5),
        ("text", "soft", 7.0),
        ("bad", "bad-soft", 4.5),
        ("good", "good-soft", 4.5),
        ("edge", "card", 3.0),
    ],
)
def test_contrast_is_good_enough(mode: str, front: str, back: str, least: float) -> None:
    """WCAG 2.2: 4.5 for text, 3 for the edges of controls."""
    text = PAGES["sign_in"].body.decode()
    light, _, dark = text.partition("prefers-color-scheme:dark")
    colours = dict(
        re.findall(r"--([a-z-]+):(#[0-9a-f]+)", light if mode == "light" else dark.partition("}}")[0])
    )
    high, low = sorted((_luminance(colours[front]), _luminance(colours[back])), reverse=True)

    assert (high + 0.05) / (low + 0.05) >= least
