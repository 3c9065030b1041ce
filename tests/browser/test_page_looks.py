"""The page of an eventful day in a real browser, at every width: nothing hides anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from credtray.core.errors import RoleRefused
from credtray.core.events import Activated, ConfigLoaded, Fetched, FetchFailed
from credtray.core.models import AwsConfig, Profile
from credtray.core.state import State
from credtray.history.entries import Entry, Kind
from tests.browser.browsers import CHROMIUM, SWITCHES
from tests.core.making import MINUTE, after, fetching, keys
from tests.page import scene
from tests.page.still_page import Served, serving

pytestmark = [
    pytest.mark.linux_desktop("Chromium and its driver"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]

WIDTHS = (320, 360, 561, 768, 901, 1280)
WORDS = """() => [...document.querySelectorAll("svg.line text")].map((node) => {
  const box = node.getBoundingClientRect();
  return [node.textContent, box.left, box.top, box.right, box.bottom];
}).filter((each) => each[3] > each[1])"""
"""What is written in the time line, and where."""
OUTSIDE = """(width) => [...document.querySelectorAll("main *")].filter((node) => {
  const box = node.getBoundingClientRect();
  const hidden = !node.checkVisibility() || node.closest(".sr, .scroll, svg");
  return !hidden && box.right >= 0 && (box.left < 0 || box.right > width + 0.5);
}).map((node) => node.outerHTML.slice(0, 120))"""
"""What cannot be seen whole without scrolling to the side; what is far off is so on purpose."""


@dataclass(frozen=True, slots=True)
class Words:
    """One text of the picture."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Words) -> bool:
        """Tell whether a reader would see one upon the other."""
        beside = self.right <= other.left or other.right <= self.left
        return not beside and self.top + 1 < other.bottom - 1 and other.top + 1 < self.bottom - 1


def crowd() -> State:
    """The same, with a dozen active profiles of the longest names, and roles that are refused."""
    state = scene.state()
    names = [f"{'name-of-a-profile-' * 4}{number:02}" for number in range(14)]
    more = {name: Profile(name, "synderys", "111100000001", "R" * 60) for name in names}
    config = AwsConfig(state.config.sessions, {**state.config.profiles, **more})
    state = after(state, ConfigLoaded(config), Activated(tuple(names)), now=scene.NOW)
    for name in names[:7]:
        state = after(state, fetching(name), Fetched(name, keys(scene.NOW)), now=scene.NOW)
    for name in names[7:]:
        refused = FetchFailed(name, RoleRefused(name).problem)
        state = after(state, fetching(name), refused, now=scene.NOW)
    return state


def bad_day() -> list[Entry]:
    """The same, with failures close to one another, and the last of them now."""
    failures = [
        Entry(
            at=scene.NOW - 3 * number * MINUTE,
            kind=kind,
            session="synderys",
            profile=f"{'name-of-a-profile-' * 4}{number:02}",
            text="The portal could not be reached, for a reason that takes many words to tell" * 2,
        )
        for number, kind in enumerate([Kind.KEYS_REFUSED, Kind.KEYS_FAILED, Kind.SIGN_IN_FAILED] * 3)
    ]
    return sorted([*scene.history(), *failures], key=lambda entry: entry.at)


def many() -> State:
    """More profiles than one answer has."""
    state = scene.state()
    more = {f"p{number:04}": Profile(f"p{number:04}", "lab", "222200000001", "R") for number in range(1200)}
    return after(state, ConfigLoaded(AwsConfig(state.config.sessions, more)), now=scene.NOW)


DAYS: Mapping[str, Callable[[], tuple[State, list[Entry]]]] = {
    "eventful": lambda: (scene.state(), scene.history()),
    "crowded": lambda: (crowd(), bad_day()),
    "many": lambda: (many(), []),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Served]]:
    """The pages of all days."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        found = {}
        for name, day in DAYS.items():
            patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp(name)))
            found[name] = stack.enter_context(serving(*day(), scene.NOW))
        yield found


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, served: Mapping[str, Served]) -> Iterator[Browser]:
    """A browser, which ends before those it is connected to."""
    assert served
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
    yield browser
    browser.close()


@pytest.fixture
def page(chromium: Browser, served: Mapping[str, Served], request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page of one of the days, open."""
    context = chromium.new_context()
    found = context.new_page()
    found.goto(served[request.param].entrance())
    yield found
    context.close()


def shown(page: Page, width: int, query: str) -> list[Words]:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{page.url.partition('?')[0]}{query}")
    return [Words(*each) for each in page.evaluate(WORDS)]


@pytest.mark.parametrize("page", ["eventful", "crowded"], indirect=True)
@pytest.mark.parametrize("query", ["", "?back=day"])
def test_no_words_of_the_time_line_stand_upon_others_or_leave_the_page(page: Page, query: str) -> None:
    for width in WIDTHS:
        words = shown(page, width, query)

        assert any("you sign in" in each.text for each in words)
        assert [(one, other) for one, other in combinations(words, 2) if one.meets(other)] == []
        assert [each for each in words if each.left < 0 or each.right > width] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("page", ["crowded"], indirect=True)
def test_everything_is_inside_the_page_with_every_menu_open(page: Page) -> None:
    for width in WIDTHS:
        shown(page, width, "")
        for number in range(page.locator("main details").count()):
            page.locator("main details").nth(number).evaluate("node => { node.open = true; }")

            assert page.evaluate(OUTSIDE, width) == []
            page.locator("main details").nth(number).evaluate("node => { node.open = false; }")


@pytest.mark.parametrize("page", ["many"], indirect=True)
def test_search_finds_what_is_not_on_the_page(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Search").fill("p1199")
    expect(page.locator(".rows > li:visible")).to_have_count(1)
    expect(page.get_by_text("1 of 1200 profiles")).to_be_visible()

    assert any(url.endswith("q=p1199") for url in asked)


@pytest.mark.parametrize("page", ["eventful"], indirect=True)
def test_search_among_all_there_are_asks_nobody(page: Page) -> None:
    asked: list[str] = []
    expect(page.locator("html.live")).to_have_count(1)
    page.on("request", lambda request: asked.append(request.url))
    page.clock.install()
    page.get_by_label("Search").fill("dns")
    page.clock.run_for(1000)
    expect(page.locator(".rows > li:visible")).to_have_count(1)

    assert [url for url in asked if "q=" in url] == []
