"""The page among double clicks, many tabs, hostile names, thieves, and browsers that keep nothing."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.browser.browsers import CHROMIUM, in_chromium, launched_firefox
from tests.browser.test_page import address_of, row
from tests.end_to_end.house import SESSION, House, until
from tests.portal import RunningPortal, running

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium")

MALLORY = 65534
SETPRIV = shutil.which("setpriv")
PYTHON = Path("/usr/bin/python3")


@pytest.fixture
def portal() -> Iterator[RunningPortal]:
    with running("--auto-approve", "alice", "--interval", "1") as found:
        yield found


@pytest.fixture
def house(portal: RunningPortal, home: Path) -> House:
    return House(home, portal)


def opened(context: BrowserContext, house: House) -> Page:
    page = context.new_page()
    page.goto(address_of(house))
    return page


# --- two tabs, two clicks --------------------------------------------------------------------------------


def begun(context: BrowserContext, house: House) -> Page:
    """Return a tab that stands before the choice of roles, and learns nothing by itself."""
    context.route("**/page.js", lambda route: route.abort())
    page = opened(context, house)
    page.get_by_role("link", name="Add profiles").click()
    page.get_by_role("button", name=re.compile("^synderys")).first.click()
    until(lambda: offered(page), 30)
    return page


def offered(page: Page) -> bool:
    page.reload()
    return page.get_by_role("checkbox").count() > 0


@in_chromium
def test_tab_writes_only_the_difference_that_it_shows(context: BrowserContext, house: House) -> None:
    house.configure("synderys-dns")
    with house.agent():
        page = begun(context, house)
        page.get_by_role("checkbox", name="ReadOnly").check()
        page.get_by_role("button", name="Show the changes").click()
        expect(page.get_by_text("sso_role_name = ReadOnly")).to_be_visible()
        other = context.new_page()
        other.goto(page.url.partition("?")[0])
        other.get_by_role("button", name="Back").click()
        other.get_by_role("checkbox", name="Security Synderys").check()
        other.get_by_role("button", name="Show the changes").click()
        expect(other.get_by_text("sso_role_name = Security")).to_be_visible()
        page.get_by_role("button", name="Write this").click()
        expect(page.get_by_text("Something changed in another tab")).to_be_visible()
        assert "Security" not in house.config.read_text()
        page.get_by_role("button", name="Write this").click()  # now this one shows it, too
        expect(page.get_by_text("Your profile")).to_be_visible()

    assert "sso_role_name = Security" in house.config.read_text()
    assert "sso_role_name = ReadOnly" not in house.config.read_text()


@in_chromium
def test_choice_of_a_run_that_another_tab_began_anew_picks_nothing(
    context: BrowserContext, house: House
) -> None:
    """The numbers of its ticks are those of other roles now."""
    house.configure("synderys-dns")
    with house.agent():
        page = begun(context, house)
        other = context.new_page()
        other.goto(page.url.partition("?")[0])
        other.get_by_role("button", name="Cancel").click()
        other.get_by_role("button", name=re.compile("^synderys")).first.click()
        until(lambda: offered(other), 30)
        page.get_by_role("checkbox", name="ReadOnly").check()
        page.get_by_role("button", name="Show the changes").click()
        expect(page.get_by_text("Something changed in another tab")).to_be_visible()
        expect(page.get_by_role("heading", name="Which accounts and roles")).to_be_visible()


@in_chromium
def test_two_tabs_at_once_are_both_answered_and_nothing_is_lost(
    context: BrowserContext, house: House
) -> None:
    house.configure()
    with house.agent():
        house.run("login")
        page, other = opened(context, house), opened(context, house)
        act = "**/do/activate"
        with page.expect_response(act) as first, other.expect_response(act) as second:
            row(page, "synderys-dns").get_by_role("switch").evaluate("button => button.click()")
            row(other, "synderys-security").get_by_role("switch").evaluate("button => button.click()")
        assert "Keys for synderys-dns are kept fresh" in first.value.text()
        assert "Keys for synderys-security are kept fresh" in second.value.text()
        for tab in (page, other):
            for name in ("synderys-dns", "synderys-security"):
                expect(row(tab, name).get_by_role("switch")).to_have_attribute("aria-checked", "true")
        until(lambda: house.written().count("aws_access_key_id") == 2)


def test_ten_tabs_take_no_connection_from_one_another(context: BrowserContext, house: House) -> None:
    """A browser has six connections to one address: a tab that listens to us for ever keeps one of them."""
    house.configure("synderys-dns")
    with house.agent():
        house.run("login")
        tabs = [opened(context, house)]
        for _ in range(9):
            tabs.append(context.new_page())
            tabs[-1].goto(tabs[0].url)
        row(tabs[0], "synderys-dns").get_by_role("switch").click()
        for tab in (tabs[0], tabs[4], tabs[9]):
            switch = row(tab, "synderys-dns").get_by_role("switch")
            expect(switch).to_have_attribute("aria-checked", "true")


def test_form_that_is_sent_twice_is_carried_out_once(context: BrowserContext, house: House) -> None:
    house.configure()
    with house.agent():
        page = opened(context, house)
        page.get_by_role("button", name="Sign in", exact=True).dblclick()
        expect(page.locator(".session .badge")).to_have_text("Signed in")
        row(page, "synderys-dns").get_by_role("switch").evaluate("b => { b.click(); b.click(); }")
        expect(page.get_by_text("kept fresh").first).to_be_visible()
        expect(row(page, "synderys-dns").get_by_role("switch")).to_have_attribute("aria-checked", "true")

        assert house.profile("synderys-dns")["active"]
        assert house.calls("CreateToken") == 1


# --- ten thousand, and names of every kind ---------------------------------------------------------------


def write_profiles(house: House, accounts: Mapping[str, str]) -> None:
    house.config.parent.mkdir(mode=0o700)
    with house.config.open("w") as file:
        file.write(SESSION)
        for name, account in accounts.items():
            file.write(f"\n[profile {shlex.quote(name)}]\nsso_session = synderys\n")
            file.write(f"sso_account_id = {account}\nsso_role_name = DNS\n")


def scrolled_to_the_end(page: Page) -> bool:
    """Turn the wheel once more: rows that were never on the screen have a height that is guessed."""
    page.mouse.wheel(0, 100_000)
    last = page.locator("li[data-profile=p00999]").bounding_box()
    return last is not None and last["y"] < 900


@in_chromium
def test_ten_thousand_profiles_open_are_searched_and_scroll(context: BrowserContext, house: House) -> None:
    write_profiles(house, {f"p{number:05}": f"{number:012}" for number in range(10_000)})
    with house.agent():
        until(lambda: house.run("status", code=None).returncode == 0)  # they have been read
        page = opened(context, house)
        expect(page.locator("#found")).to_have_text(
            "10000 profiles; the first 1000 are shown: search for the others"
        )
        expect(page.locator(".rows > li")).to_have_count(1000)
        page.mouse.move(600, 600)
        until(lambda: scrolled_to_the_end(page))
        page.get_by_label("Search").fill("p09999")
        expect(row(page, "p09999")).to_be_visible()
        expect(page.locator("#found")).to_have_text("1 of 10000 profiles")
        row(page, "p09999").get_by_role("switch").click()
        expect(page.locator("#told")).to_contain_text("p09999")


UNPRINTABLE = {
    "backwards": "safe\N{RIGHT-TO-LEFT OVERRIDE}nimda",
    "isolated": "a\N{RIGHT-TO-LEFT ISOLATE}b",
    "escape": "red\x1b[31m",
    "bell": "a\x07b",
}
"""No profile can have these names: doctor says so."""
HOSTILE = {
    "markup": "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>",
    "attribute": "\"' onfocus=window.pwned=1 autofocus x='",
    "template": "{{ 7 * 7 }}{% raw %}",
    "hebrew": "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET} 7",
    "long": "W" * 500,
    "zalgo": "z" + "\N{COMBINING GRAVE ACCENT}" * 60,
}


def active(house: House) -> list[str]:
    return [each["name"] for each in house.status()["profiles"] if each["active"]]


@pytest.mark.parametrize("width", [360, 1280])
def test_hostile_names_are_only_text(context: BrowserContext, house: House, width: int) -> None:
    write_profiles(house, dict.fromkeys((HOSTILE | UNPRINTABLE).values(), "111100000002"))
    with house.agent():
        page = opened(context, house)
        page.set_viewport_size({"width": width, "height": 900})
        expect(page.locator(".rows > li")).to_have_count(len(HOSTILE))
        shown = page.locator(".rows").text_content() or ""
        box = page.get_by_label("Search")
        box.fill("onfocus")
        expect(page.locator(".rows > li:visible")).to_have_count(1)
        page.locator(".rows > li:visible").get_by_role("switch").click()
        until(lambda: active(house) == [HOSTILE["attribute"]])

        assert HOSTILE["template"] in shown
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b\x07]", shown)
        assert "W" * 100 not in shown
        assert page.evaluate("window.pwned") is None
        assert page.locator("main img, main script").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width


# --- the agent goes, and the port --------------------------------------------------------------------------


def test_says_within_seconds_that_the_agent_was_killed_and_goes_on_with_the_next_one(
    context: BrowserContext, house: House
) -> None:
    house.configure()
    house.run("start", "--no-tray")
    page = opened(context, house)
    expect(row(page, "synderys-dns")).to_be_visible()
    os.kill(house.status()["agent"]["pid"], signal.SIGKILL)
    expect(page.get_by_role("alert")).to_contain_text("credtray is not running", timeout=5_000)
    row(page, "synderys-dns").get_by_role("switch").click()  # in vain, and it says so
    expect(page.get_by_role("alert")).to_be_visible()
    house.run("start", "--no-tray")
    expect(page.get_by_role("alert")).to_be_hidden()
    row(page, "synderys-security").get_by_role("switch").click()
    expect(row(page, "synderys-security").get_by_role("switch")).to_have_attribute("aria-checked", "true")
    house.run("stop")


@contextmanager
def somebody_else_at(port: int) -> Iterator[list[str]]:
    """Let another program answer there, as servers of programmers do: with one page, whatever is asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<h1>Somebody else</h1>")

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@in_chromium
def test_port_that_was_taken_meanwhile_shows_nothing_of_who_took_it(
    context: BrowserContext, house: House
) -> None:
    house.configure()
    house.run("start", "--no-tray")
    page = opened(context, house)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    port = urlsplit(page.url).port
    assert port is not None
    house.run("stop")
    with somebody_else_at(port) as asked:
        house.run("start", "--no-tray")
        expect(page.get_by_role("alert")).to_have_text(
            "This page has been closed. Open credtray again from its icon, or run: credtray open"
        )
        assert asked
        assert page.get_by_text("Somebody else").count() == 0
        again = opened(context, house)
        expect(again.get_by_role("heading", name="Overview")).to_be_visible()
        assert urlsplit(again.url).port != port
    house.run("stop")


# --- who is not to come in ---------------------------------------------------------------------------------


def test_one_time_address_that_was_used_leads_nowhere(
    context: BrowserContext, browser: Browser, house: House
) -> None:
    house.configure()
    with house.agent():
        address = house.run("open", "--print").stdout.strip()
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        thief = browser.new_context()
        other = thief.new_page()
        answer = other.goto(address)
        assert answer is not None
        expect(other.get_by_role("heading", name="Open credtray again")).to_be_visible()

        assert answer.status == 410
        assert "synderys" not in other.content()
        assert thief.cookies() == []
        thief.close()


def test_browser_that_keeps_no_cookies_reads_why(
    playwright: Playwright, house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house.configure()
    prefs: dict[str, str | float | bool] = {"network.cookie.cookieBehavior": 2}
    with house.agent(), launched_firefox(playwright, tmp_path_factory.mktemp("firefox"), prefs) as browser:
        page = browser.new_page()
        answer = page.goto(house.run("open", "--print").stdout.strip())
        assert answer is not None
        expect(page.get_by_role("heading", name="Open credtray again")).to_be_visible()
        expect(page.get_by_text("your browser keeps no cookies of 127.0.0.1")).to_be_visible()

        assert answer.status == 403


SNOOP = """
import http.client, os, sys
state, address, host, cookie, origin = sys.argv[1:]
path = "/" + address.split("/", 3)[3]
room = "/" + path.split("/")[1] + "/"
def tried(name, work):
    try:
        print(name, work())
    except OSError as error:
        print(name, type(error).__name__)
def asked(method, path, body=None, **more):
    connection = http.client.HTTPConnection(host, timeout=60)
    headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Cookie": cookie}
    connection.request(method, path, body, headers | {k.replace("_", "-"): v for k, v in more.items()})
    answer = connection.getresponse()
    return answer.status, answer.read()
def walked():
    return [open(os.path.join(at, name)).read() for at, _, names in os.walk(state) for name in names]
tried("listed", lambda: os.listdir(state))
tried("walked", walked)
tried("asked", lambda: asked("GET", path, Sec_Fetch_Site="none"))
tried("asked", lambda: asked("GET", room, Sec_Fetch_Site="none"))
tried("asked", lambda: asked("GET", room + "style.css", Sec_Fetch_Site="same-origin"))
tried("asked", lambda: asked("POST", room + "do/switch", "profile=synderys-dns", Origin=origin,
    Sec_Fetch_Site="same-origin", Content_Type="application/x-www-form-urlencoded"))
"""


@pytest.fixture
def open_home(portal: RunningPortal) -> Iterator[House]:
    """A home that everybody can look into: nothing protects the page but what we do ourselves."""
    directory = Path(tempfile.mkdtemp(prefix="credtray-test-"))
    directory.chmod(0o755)
    found = House(directory, portal)
    for each in (directory / "run", directory / ".local" / "state" / "credtray"):
        each.mkdir(parents=True, exist_ok=True)
        each.chmod(0o755)
    yield found
    shutil.rmtree(directory)


@in_chromium
@pytest.mark.skipif(
    os.geteuid() != 0 or SETPRIV is None or not PYTHON.exists(), reason="root, setpriv and a system Python"
)
def test_another_user_of_this_computer_gets_nothing_even_with_the_address_and_the_cookie(
    context: BrowserContext, open_home: House
) -> None:
    house = open_home
    house.configure()
    with house.agent():
        house.run("login")
        page = opened(context, house)
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        (cookie,) = context.cookies()
        unused = house.run("open", "--print").stdout.strip()
        host = urlsplit(page.url).netloc
        state = house.home / ".local" / "state" / "credtray"
        stolen = [state, unused, host, f"{cookie['name']}={cookie['value']}", f"http://{host}"]
        asker = [str(SETPRIV), f"--reuid={MALLORY}", f"--regid={MALLORY}", "--clear-groups"]
        asker += [str(PYTHON), "-I", "-c", SNOOP, *map(str, stolen)]
        told = subprocess.run(asker, capture_output=True, check=True, cwd="/", text=True).stdout
        said = [line.partition(" ")[::2] for line in told.splitlines()]

        assert [what for name, what in said if name == "listed"] == ["PermissionError"]
        assert [what for name, what in said if name == "asked"] == ["(404, b'Not Found\\n')"] * 4
        assert "synderys" not in told
        assert cookie["value"] not in told
        assert not house.profile("synderys-dns")["default"]
        page.goto(unused)  # it was not used up by who had no right to it
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
