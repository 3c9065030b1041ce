"""The page of `credtray open`, served by a real agent, in a real browser."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from credtray.page.site import VIEWS
from tests.browser.browsers import CHROMIUM, in_chromium
from tests.end_to_end.house import House, until
from tests.portal import RunningPortal, running

pytestmark = [
    pytest.mark.linux_desktop("Chromium and its driver"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]

AXE = Path(__file__).parents[1] / "js" / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (360, 1280)


@pytest.fixture
def portal() -> Iterator[RunningPortal]:
    with running("--auto-approve", "alice", "--interval", "1") as found:
        yield found


@pytest.fixture
def house(portal: RunningPortal, home: Path) -> Iterator[House]:
    """An agent that runs, with a person signed in and two profiles in use."""
    found = House(home, portal)
    found.configure()
    with found.agent():
        found.run("login")
        found.run("activate", "synderys-readonly", "synderys-dns")
        found.run("switch", "synderys-readonly")
        yield found


@pytest.fixture
def page(context: BrowserContext, house: House) -> Page:
    """The page, open."""
    found = context.new_page()
    complaints: list[str] = []
    found.on("console", lambda message: complaints.append(message.text))
    found.goto(address_of(house))
    expect(found.get_by_role("heading", name="Overview")).to_be_visible()
    expect(found.locator("html.live")).to_have_count(1)  # the script listens
    assert complaints == []
    return found


def address_of(house: House) -> str:
    return house.run("open", "--print").stdout.strip()


def picture(page: Page, name: str) -> None:
    """Keep pictures of the page in both schemes and two widths, where a person wants to look at them."""
    folder = os.environ.get("PICTURES")
    if not folder:
        return
    for scheme in SCHEMES:
        for width in WIDTHS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(folder) / f"{name}-{scheme}-{width}.png", full_page=True)


def test_shows_how_everything_stands(page: Page) -> None:
    picture(page, "overview")

    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[0-9a-f]{16}/", page.url)
    expect(page.get_by_role("heading", name="Time line")).to_be_visible()
    expect(page.get_by_role("heading", name="synderys", exact=True)).to_be_visible()
    expect(page.get_by_text("Signed in until")).to_be_visible()
    expect(page.locator(".rows > li")).to_have_count(3)
    expect(page.locator(".rows > li").first).to_contain_text("synderys-readonly")
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("cell", name="keys of synderys-dns")).to_be_visible()


def row(page: Page, name: str) -> Locator:
    return page.locator(".rows > li", has=page.get_by_text(name, exact=True))


def test_every_button_does_what_its_command_does(page: Page, house: House) -> None:
    expect(row(page, "synderys-dns").get_by_role("switch")).to_have_attribute("aria-checked", "true")
    row(page, "synderys-dns").get_by_role("switch").click()
    expect(page.get_by_text("Keys for synderys-dns are no longer kept fresh")).to_be_visible()
    expect(row(page, "synderys-dns").get_by_role("switch")).to_have_attribute("aria-checked", "false")
    assert "[synderys-dns]" not in house.written()

    page.get_by_role("button", name="Make synderys-security the default").click()
    expect(page.get_by_text("Default profile: synderys-security")).to_be_visible()
    assert house.profile("synderys-security")["default"]

    page.get_by_text("Sign out…").click()
    expect(page.get_by_text("lose their keys in the credentials file")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_text("Signed out of synderys")).to_be_visible()
    assert house.session()["state"] == "signed_out"

    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".session .badge")).to_have_text("Signed in")
    assert house.session()["state"] == "fresh"


@in_chromium
def test_answer_that_was_asked_for_before_does_not_undo_what_a_form_has_shown(page: Page) -> None:
    late: list[Route] = []
    page.add_init_script("window.EventSource = class extends EventTarget { close() {} }")  # all is quiet
    page.reload()
    page.route("**/part/*", lambda route: late.append(route) if not late else route.continue_())
    with page.expect_request("**/part/*"):
        page.evaluate("void document.dispatchEvent(new Event('visibilitychange'))")
    row(page, "synderys-dns").get_by_role("switch").click()
    said = page.get_by_text("Keys for synderys-dns are no longer kept fresh")
    expect(said).to_be_visible()
    with page.expect_response("**/part/?told=*"):  # it asks again, for what came of the form as well
        ours = {"Cross-Origin-Resource-Policy": "same-origin"}  # how the page knows an answer of the agent
        late[0].fulfill(body="<h1>How it was</h1>", headers=ours)

    expect(said).to_be_visible()


def test_works_without_javascript(browser: Browser, house: House) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.route("**/page.js", lambda route: route.abort())  # Firefox cannot be told that for one context
    page = context.new_page()
    page.goto(address_of(house))
    page.get_by_label("Search").fill("dns")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("1 of 3 profiles")).to_be_visible()
    row(page, "synderys-dns").get_by_role("switch").click()
    expect(page.get_by_text("Keys for synderys-dns are no longer kept fresh")).to_be_visible()
    expect(page.locator(".rows > li")).to_have_count(1)
    page.reload()
    expect(page.get_by_text("no longer kept fresh")).to_be_visible()
    context.close()

    assert not house.profile("synderys-dns")["active"]


def test_shows_what_a_command_changes_and_keeps_the_cursor_where_it_is(page: Page, house: House) -> None:
    box = page.get_by_label("Search")
    box.fill("synderys")
    box.evaluate("box => box.setSelectionRange(2, 4)")
    # In one step: what is shown may be exchanged between looking for it and opening it.
    page.evaluate("document.querySelector('li[data-profile=synderys-dns] .more').open = true")
    house.run("deactivate", "synderys-dns")
    expect(row(page, "synderys-dns").get_by_role("switch")).to_have_attribute("aria-checked", "false")

    expect(box).to_be_focused()
    assert box.evaluate("box => [box.selectionStart, box.selectionEnd]") == [2, 4]
    expect(row(page, "synderys-dns").get_by_text("Copy keys for")).to_be_visible()


@in_chromium
def test_search_shows_what_fits_while_it_is_typed(page: Page) -> None:
    page.get_by_label("Search").press_sequentially("net dns")
    expect(page.locator(".rows > li:visible")).to_have_count(1)
    expect(page.get_by_text("1 of 3 profiles")).to_be_visible()
    page.get_by_label("Search").fill("zzz")
    expect(page.get_by_text("No profile matches.")).to_be_visible()


def test_every_thing_can_be_reached_by_the_keyboard(page: Page, house: House) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    switch = row(page, "synderys-security").get_by_role("switch")
    for _ in range(60):
        page.keyboard.press("Tab")
        if switch.evaluate("node => node === document.activeElement"):
            break
    expect(switch).to_be_focused()
    assert switch.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "true")

    expect(switch).to_be_focused()
    assert house.profile("synderys-security")["active"]


ACTIVE = "button, a[href], summary, input:not([type=hidden]), select, textarea, [tabindex='0']"
MARK = f"""() => {{
  const all = [...document.querySelectorAll("{ACTIVE}")].filter((each) => {{
    if (each.type === "radio" && !each.checked && document.querySelector(`[name="${{each.name}}"]:checked`))
      return false;  // the arrows lead there from the one that is chosen
    return !each.disabled && each.checkVisibility({{contentVisibilityAuto: false}});
  }});
  all.forEach((each, place) => each.dataset.place = place);
  return all.length;
}}"""
FOCUSED = """() => {
  const style = getComputedStyle(document.activeElement);
  const shown = style.outlineStyle !== "none" || style.boxShadow !== "none";
  return [document.activeElement.dataset.place ?? "", shown];
}"""


def test_tab_leads_to_everything_that_does_something_and_shows_where_it_is(
    context: BrowserContext, house: House
) -> None:
    context.route("**/page.js", lambda route: route.abort())  # nothing is exchanged meanwhile
    page = context.new_page()
    page.goto(address_of(house))
    base = page.url
    for view in VIEWS:
        page.goto(base + view.name)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        count = page.evaluate(MARK)
        seen = set[str]()
        for _ in range(3 * count + 60):  # Firefox begins where it was, and goes round through its own buttons
            page.keyboard.press("Tab")
            place, visible = page.evaluate(FOCUSED)
            seen |= {place} if visible and place else set()
            if len(seen) == count:
                break
        left_out = [place for place in range(count) if str(place) not in seen]
        shown = [page.locator(f"[data-place='{place}']").evaluate("it => it.outerHTML") for place in left_out]

        assert shown == [], view


def test_says_that_the_agent_is_gone_and_comes_back_by_itself(page: Page, house: House) -> None:
    house.run("restart", "--no-tray")
    away = page.get_by_role("alert")
    expect(away).to_be_hidden(timeout=20_000)
    house.run("switch", "synderys-dns")
    expect(row(page, "synderys-dns").get_by_text("default", exact=True)).to_be_visible()
    house.run("stop")
    expect(away).to_have_text(re.compile("credtray is not running"), timeout=5_000)
    house.run("start", "--no-tray")
    expect(away).to_be_hidden(timeout=20_000)
    house.run("stop")


def test_browser_without_the_cookie_is_told_the_way(page: Page, browser: Browser) -> None:
    stranger = browser.new_context()
    other = stranger.new_page()
    answer = other.goto(page.url)
    assert answer is not None
    expect(other.get_by_role("heading", name="Open credtray again")).to_be_visible()
    picture(other, "stranger")

    assert answer.status == 403
    assert "synderys" not in other.content()
    assert other.locator("main .card").evaluate("node => getComputedStyle(node).borderRadius") == "18px"
    stranger.close()


def test_another_web_page_can_neither_see_nor_press_anything(page: Page, house: House) -> None:
    """In the same browser, with the cookie there: from another site, and from another port of this host."""
    action = page.url + "do/switch"
    token = page.locator("input[name=token]").first.get_attribute("value")
    evil = page.context.new_page()
    with serving(ATTACK.format(page=page.url, action=action, token=token)) as address:
        for origin in (address, address.replace("127.0.0.1", "localhost")):
            evil.goto(origin)
            evil.wait_for_function("window.done === true")

            assert evil.evaluate("window.read") == []
            assert evil.frames[1].get_by_text("Overview").count() == 0

    assert house.profile("synderys-readonly")["default"]


ATTACK = """<!doctype html>
<iframe src="{page}"></iframe><iframe name="target"></iframe><img src="{page}icon.svg">
<form method="post" action="{action}" target="target"><input name="token" value="{token}">
<input name="profile" value="synderys-dns"></form>
<script>
window.read = [];
document.forms[0].submit();
const read = (path) => fetch("{page}" + path, {{credentials: "include"}});
const body = new URLSearchParams({{token: "{token}", profile: "synderys-dns"}});
const post = {{method: "POST", body, credentials: "include", mode: "no-cors"}};
const blind = fetch("{action}", post).then(() => null);
Promise.allSettled([...["", "events", "part/", "page.js"].map(read), blind]).then((all) => {{
  window.read = all.filter((each) => each.status === "fulfilled" && each.value).map((each) => each.value.url);
  setTimeout(() => {{ window.done = true; }}, 500);
}});
</script>"""


@contextmanager
def serving(text: str) -> Iterator[str]:
    """Serve one page of somebody else's on this host."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_no_secret_reaches_the_page_its_addresses_or_the_log(page: Page, house: House) -> None:
    def look() -> None:
        assert "CANARY" not in page.content()
        assert "CANARY" not in page.url

    look()
    row(page, "synderys-dns").locator(".more summary").click()
    look()
    page.get_by_text("Code for another device").click()
    look()
    asked = page.context.new_page()
    for part in ("part/", "style.css", "page.js"):
        found = page.evaluate("async (path) => (await fetch(path)).text()", part)
        assert "CANARY" not in found
    asked.close()
    log = house.log.read_text()

    assert "/enter/" not in log
    assert page.url not in log
    assert page.context.cookies()[0]["value"] not in log
    assert page.context.cookies()[0]["httpOnly"]
    assert page.context.cookies()[0]["sameSite"] == "Strict"
    assert page.context.cookies()[0]["path"] == urlsplit(page.url).path


def test_command_opens_the_browser_and_no_program_was_given_the_way_in(house: House) -> None:
    house.run("open")
    (visit,) = [line for line in house.visits() if "127.0.0.1" in line][-1:]

    assert "/enter/" not in visit


@in_chromium
@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1600])
def test_fits_every_width(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_text("The same as a table").click()

    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture
def empty(portal: RunningPortal, home: Path) -> Iterator[House]:
    """An agent that runs, and nothing is set up."""
    found = House(home, portal)
    with found.agent():
        yield found


@in_chromium
def test_first_run_from_nothing_to_profiles_without_a_typed_command(
    context: BrowserContext, empty: House
) -> None:
    page = context.new_page()
    page.goto(address_of(empty))
    expect(page.get_by_role("heading", name="Welcome to credtray")).to_be_visible()
    picture(page, "add-start")
    page.get_by_label("Start URL", exact=True).fill("https://d-9067000001.awsapps.com/start")
    page.get_by_label("A short name").fill("synderys")
    page.get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("heading", name="Which accounts and roles of synderys?")).to_be_visible(
        timeout=30_000
    )
    page.get_by_label("Search").fill("readonly")
    expect(page.locator(".ticks > li:visible")).to_have_count(1)
    page.get_by_role("checkbox", name="ReadOnly").check()
    page.get_by_label("Search").fill("")
    page.get_by_role("checkbox", name="DNS").check()
    picture(page, "add-choosing")
    page.get_by_role("button", name="Show the changes").click()

    expect(page.get_by_text("Changes to ~/.aws/config")).to_be_visible()
    expect(page.get_by_text("+[profile synderys-readonly]")).to_be_visible()
    assert not empty.config.exists()
    picture(page, "add-preview")
    page.get_by_role("button", name="Write this").click()

    expect(page.get_by_text("Your profiles are set up")).to_be_visible()
    picture(page, "add-written")
    assert "[profile synderys-dns]" in empty.config.read_text()
    page.get_by_role("link", name="To the overview").click()
    expect(page.locator(".rows > li")).to_have_count(2)
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", name="Last 24 hours")).to_be_visible()
    empty.run("undo", "--yes")
    assert "profile" not in empty.config.read_text()


@in_chromium
def test_ticks_stay_while_the_page_changes_and_a_second_tab_shows_the_same(
    context: BrowserContext, house: House
) -> None:
    page, other = context.new_page(), context.new_page()
    page.goto(address_of(house))
    page.get_by_role("link", name="Add profiles").click()
    page.get_by_role("button", name=re.compile("^synderys")).first.click()
    expect(page.get_by_role("checkbox").first).to_be_visible(timeout=30_000)
    unticked = page.locator(".ticks input:not(:checked)").first
    name = unticked.get_attribute("id")
    unticked.check()
    house.run("deactivate", "synderys-dns")
    other.goto(page.url)
    expect(other.get_by_role("checkbox").first).to_be_visible()

    assert page.locator(f"#{name}").is_checked()
    page.get_by_role("button", name="Cancel").click()
    expect(other.get_by_role("heading", name="Which sign-in?")).to_be_visible()


@in_chromium
def test_start_url_that_is_none_is_refused_in_words(context: BrowserContext, empty: House) -> None:
    page = context.new_page()
    page.goto(address_of(empty))
    page.get_by_label("Start URL", exact=True).fill("https://evil.example/start")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text(re.compile("access portal|start URL"))).not_to_have_count(0)
    expect(page.locator(".told.bad")).to_be_visible(timeout=20_000)
    assert not empty.config.exists()


@in_chromium
def test_history_tells_the_last_day(page: Page) -> None:
    page.get_by_role("link", name="History").click()
    expect(page.locator(".happened li").first).to_be_visible()
    picture(page, "history")
    expect(page.get_by_text("became the default profile")).to_be_visible()


def test_click_on_the_application_opens_the_setup_only_where_nothing_is_set_up(empty: House) -> None:
    empty.run("start", "--clicked")
    assert len(empty.visits()) == 1

    empty.configure()
    until(lambda: bool(empty.status()["sessions"]))
    empty.run("start", "--clicked")
    assert len(empty.visits()) == 1


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: sh packaging/environment.sh tools")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_judge_of_accessibility_finds_nothing(
    chromium: Browser, house: House, scheme: Literal["light", "dark"]
) -> None:
    context = chromium.new_context(bypass_csp=True, color_scheme=scheme)  # the judge is a script of its own
    page = context.new_page()
    page.goto(address_of(house))
    found = []
    for view in ("Overview", "Add profiles", "Check-up", "History", "Settings"):
        page.get_by_role("link", name=view, exact=True).click()
        expect(page.get_by_role("link", name=view, exact=True)).to_have_attribute("aria-current", "page")
        page.evaluate(AXE.read_text())
        broken = page.evaluate("axe.run().then((result) => result.violations)")
        found += [(view, each["id"], each["nodes"][0]["html"]) for each in broken]
    context.close()

    assert found == []
