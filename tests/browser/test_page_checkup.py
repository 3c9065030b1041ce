"""The check-up and the settings on the page of `credtray open`, served by a real agent, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.browsers import CHROMIUM, in_chromium
from tests.browser.test_page import AXE, SCHEMES, address_of, picture, row
from tests.end_to_end.house import House
from tests.portal import RunningPortal, running

pytestmark = [
    pytest.mark.linux_desktop("Chromium and its driver"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]

LEGACY = """
# by hand
[profile old-admin]
sso_start_url = https://d-9067000001.awsapps.com/start
sso_region = us-east-1
sso_account_id = 111100000001
sso_role_name = ReadOnly
"""
OLD = "sso_start_url = https://d-9067000001.awsapps.com/start\nsso_region = us-east-1\n"
NEW = "sso_session = synderys\n"
CHECKED = 60_000
"""Milliseconds for a check-up on a busy computer."""


@pytest.fixture
def portal() -> Iterator[RunningPortal]:
    with running("--auto-approve", "alice", "--interval", "1") as found:
        yield found


@pytest.fixture
def house(portal: RunningPortal, home: Path) -> Iterator[House]:
    """An agent that runs, with a profile that can be repaired and a settings file with comments."""
    found = House(home, portal)
    found.configure(more=LEGACY)
    with found.agent():
        found.run("login", "synderys")
        yield found


@pytest.fixture
def page(context: BrowserContext, house: House) -> Page:
    found = context.new_page()
    found.goto(address_of(house))
    expect(found.locator("html.live")).to_have_count(1)
    return found


def settings_file(house: House) -> Path:
    return house.home / ".config" / "credtray" / "settings.toml"


def to_view(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute("aria-current", "page")
    page.wait_for_load_state()  # the script listens from then on, if there is one


def checked(page: Page) -> None:
    to_view(page, "Check-up")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text(re.compile("^Checked at"))).to_be_visible(timeout=CHECKED)


def test_repair_is_shown_before_it_is_written_and_taken_back_afterwards(page: Page, house: House) -> None:
    to_view(page, "Check-up")
    picture(page, "check-up-before")
    checked(page)
    before = house.config.read_bytes()
    page.get_by_role("button", name="Show the change").click()
    expect(page.get_by_text("+sso_session = synderys")).to_be_visible(timeout=CHECKED)
    picture(page, "check-up")
    assert house.config.read_bytes() == before
    page.get_by_role("button", name="Write this").click()
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=CHECKED)
    written = house.config.read_text()
    assert written.endswith("# by hand\n" + LEGACY.partition("# by hand\n")[2].replace(OLD, "") + NEW)
    expect(page.get_by_text("credtray login synderys")).to_be_visible()
    expect(page.get_by_text(re.compile("^Checked at"))).to_be_visible(timeout=CHECKED)
    expect(page.get_by_text("Profiles use the old form")).to_have_count(0)
    picture(page, "check-up-done")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("Restored: profile old-admin")).to_be_visible(timeout=CHECKED)

    assert house.config.read_bytes() == before


@in_chromium
def test_file_that_changed_since_the_preview_is_not_written(page: Page, house: House) -> None:
    checked(page)
    page.get_by_role("button", name="Show the change").click()
    expect(page.get_by_text("+sso_session = synderys")).to_be_visible(timeout=CHECKED)
    house.config.write_text(house.config.read_text().replace("old-admin", "older-admin"))
    there = house.config.read_bytes()
    page.get_by_role("button", name="Write this").click()
    expect(page.get_by_text("no longer what was previewed")).to_be_visible(timeout=CHECKED)
    expect(page.get_by_text("[profile older-admin]")).to_be_visible()

    assert house.config.read_bytes() == there
    page.get_by_role("button", name="Write this").click()
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=CHECKED)


@in_chromium
def test_page_tells_which_keys_a_tool_would_use(page: Page) -> None:
    row(page, "synderys-dns").locator(".more summary").click()
    page.get_by_role("button", name="Which keys would my tool use?").click()
    expect(page.get_by_role("heading", name="Check-up of synderys-dns")).to_be_visible()
    expect(page.get_by_role("heading", name="Which keys your tools use")).to_be_visible(timeout=CHECKED)
    picture(page, "which-keys")

    expect(page.get_by_role("heading", name=re.compile("AWS CLI v2"))).to_be_visible()
    expect(page.get_by_text("SSO (sso-session)").first).to_be_visible()


MARKUP = "<img src=x onerror=document.title='owned'>"
HOSTILE = ("--all", MARKUP, "\u0645\u0631\u062d\u0628\u0627-prod", "x" * 500, "a&of=b")


@in_chromium
def test_hostile_names_are_checked_like_any_other(page: Page, house: House) -> None:
    more = "".join(
        f'\n[profile "{name}"]\nsso_session = synderys\nsso_account_id = 11110000000{number}\n'
        "sso_role_name = ReadOnly\n"
        for number, name in enumerate(HOSTILE)
    )
    house.configure(more=more)
    expect(page.locator(".rows > li")).to_have_count(3 + len(HOSTILE), timeout=20_000)
    for name in HOSTILE:
        line = page.locator(f'.rows > li[data-profile="{name}"]')
        line.locator(".more summary").click()
        line.get_by_role("button", name="Which keys would my tool use?").click()
        expect(page.get_by_role("heading", name="Which keys your tools use")).to_be_visible(timeout=CHECKED)
        expect(page.get_by_text("SSO (sso-session)").first).to_be_visible()
        assert page.title() == "Check-up · credtray"
        page.get_by_role("link", name="Overview", exact=True).click()


@in_chromium
def test_check_up_by_the_keyboard_keeps_its_place(page: Page) -> None:
    checked(page)
    expect(page.get_by_role("button", name="Check again")).to_be_focused()
    page.get_by_role("button", name="Show the change").press("Enter")
    plan = page.locator("section#repair-legacy_profiles")
    expect(plan).to_be_focused(timeout=CHECKED)
    page.keyboard.press("Tab")  # the difference, which scrolls
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Write this")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Done.", exact=True)).to_be_focused(timeout=CHECKED)


@in_chromium
def test_command_is_copied(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    to_view(page, "Settings")
    page.get_by_role("button", name="Copy the command").click()
    expect(page.get_by_text("Copied")).to_be_visible()

    assert page.evaluate("navigator.clipboard.readText()") == "credtray settings"


@in_chromium
def test_check_up_works_without_javascript(browser: Browser, house: House) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address_of(house))
    checked(page)  # the page loads itself again until it is done
    page.get_by_role("button", name="Show the change").click()
    expect(page.get_by_text("+sso_session = synderys")).to_be_visible(timeout=CHECKED)
    page.get_by_role("button", name="Write this").click()
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=CHECKED)
    to_view(page, "Settings")
    page.get_by_label("Warn before a sign-in ends").fill("2h")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_text("Saved")).to_be_visible()
    context.close()

    assert 'warn_before = ["2h"]' in settings_file(house).read_text()


def test_settings_are_changed_in_the_file_and_comments_stay(page: Page, house: House) -> None:
    settings_file(house).parent.mkdir(parents=True, exist_ok=True)
    settings_file(house).write_text("# mine\nhistory = true # why not\n")
    to_view(page, "Settings")
    picture(page, "settings")
    page.get_by_role("switch", name="Keep a history").click()
    expect(page.get_by_role("switch", name="Keep a history")).to_have_attribute("aria-checked", "false")
    expect(page.get_by_role("switch", name="Keep a history")).to_be_focused()
    assert settings_file(house).read_text() == "# mine\nhistory = false # why not\n"
    page.get_by_label("Warn before a sign-in ends").fill("1h 5m")
    page.keyboard.press("Enter")
    expect(page.get_by_text('warn_before = ["1h", "5m"]')).to_be_visible()
    expect(page.get_by_label("Warn before a sign-in ends")).to_have_value("1h, 5m")
    page.get_by_label("Browser for synderys").fill("firefox -P work %s")
    page.keyboard.press("Enter")
    expect(page.get_by_text('sessions.synderys.browser = "firefox')).to_be_visible()
    assert '[sessions.synderys]\nbrowser = "firefox -P work %s"' in settings_file(house).read_text()
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.get_by_label("Browser for synderys")).to_have_value("")
    page.get_by_label("Colours of the icon").select_option("dark")
    page.get_by_label("Colours of the icon").press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text('icon = "dark"')).to_be_visible()

    assert "# mine" in settings_file(house).read_text()


@in_chromium
def test_value_that_is_none_is_refused_as_by_the_command(page: Page, house: House) -> None:
    said = house.run("settings", "set", "warn_before", "soon", code=2).stderr
    to_view(page, "Settings")
    page.get_by_label("Warn before a sign-in ends").fill("soon")
    page.keyboard.press("Enter")
    told = page.locator("#told strong")
    expect(told).to_be_visible()

    assert said.startswith(f"error: {told.text_content()}")
    expect(page.get_by_label("Warn before a sign-in ends")).to_have_value("soon")
    assert not settings_file(house).exists()


@in_chromium
def test_later_one_of_two_tabs_sees_what_the_other_changed(
    context: BrowserContext, page: Page, house: House
) -> None:
    other = context.new_page()
    for tab in (page, other):
        tab.goto(address_of(house))
        to_view(tab, "Settings")
    label = "Warn before a sign-in ends"
    page.get_by_label(label).fill("5m")
    other.get_by_label(label).fill("2h")
    other.keyboard.press("Enter")
    expect(other.get_by_text("Saved")).to_be_visible()
    expect(page.locator("input[value='2h']")).to_have_count(1)  # it has come here, too
    expect(page.get_by_label(label)).to_have_value("5m")
    page.get_by_label(label).press("Enter")
    expect(page.get_by_text('warn_before is ["2h"] now')).to_be_visible()
    assert 'warn_before = ["2h"]' in settings_file(house).read_text()
    page.get_by_label(label).press("Enter")
    expect(page.get_by_text('warn_before = ["5m"]')).to_be_visible()

    expect(other.get_by_label(label)).to_have_value("5m")


@in_chromium
def test_broken_and_closed_settings_files_say_so(page: Page, house: House) -> None:
    file = settings_file(house)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("warn_before = 3\n")
    to_view(page, "Settings")
    expect(page.get_by_text("(at line 1)")).to_be_visible()
    expect(page.get_by_role("switch", name="Keep a history")).to_be_disabled()
    picture(page, "settings-broken")
    file.write_text("# fine again\n")
    expect(page.get_by_role("switch", name="Keep a history")).to_be_enabled(timeout=20_000)
    file.chmod(0o400)
    page.reload()
    expect(page.get_by_role("heading", name="The settings cannot be changed")).to_be_visible()
    expect(page.get_by_text(re.compile("chmod u"))).to_be_visible()

    assert file.read_text() == "# fine again\n"


@in_chromium
def test_start_at_login_is_switched_on_and_off(page: Page, house: House) -> None:
    to_view(page, "Settings")
    switch = page.get_by_role("switch", name="Start credtray at login")
    for wanted in ("true", "false"):
        switch.click()
        expect(switch).to_have_attribute("aria-checked", wanted)
        status = house.run("autostart", "status").stdout
        assert ("starts at login" in status) is (wanted == "true")


@in_chromium
def test_no_secret_is_in_the_check_up_and_the_settings(page: Page) -> None:
    checked(page)
    assert "CANARY" not in page.content()
    page.get_by_text(re.compile(r"checks? passed$")).click()
    assert "CANARY" not in page.content()
    to_view(page, "Settings")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    assert "CANARY" not in page.content()


@pytest.mark.skipif(not AXE.exists(), reason="needs axe-core: sh packaging/environment.sh tools")
@in_chromium
@pytest.mark.parametrize("scheme", SCHEMES)
def test_judge_of_accessibility_finds_nothing_in_what_was_found(
    browser: Browser, house: House, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)  # the judge is a script of its own
    page = context.new_page()
    page.goto(address_of(house))
    row(page, "synderys-dns").locator(".more summary").click()
    page.get_by_role("button", name="Which keys would my tool use?").click()
    expect(page.get_by_role("heading", name="Which keys your tools use")).to_be_visible(timeout=CHECKED)
    found = judged(page)
    page.get_by_role("link", name="Check everything").click()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text(re.compile("^Checked at"))).to_be_visible(timeout=CHECKED)
    page.get_by_text(re.compile(r"checks? passed$")).click()
    page.get_by_role("button", name="Show the change").click()
    expect(page.get_by_text("+sso_session = synderys")).to_be_visible(timeout=CHECKED)
    found += judged(page)
    page.get_by_role("button", name="Write this").click()
    expect(page.get_by_text("Done.", exact=True)).to_be_visible(timeout=CHECKED)
    found += judged(page)
    settings_file(house).parent.mkdir(parents=True, exist_ok=True)
    settings_file(house).write_text("warn_before = 3\n")
    to_view(page, "Settings")
    found += judged(page)
    context.close()

    assert found == []


def judged(page: Page) -> list[tuple[str, str]]:
    page.evaluate(AXE.read_text())
    broken = page.evaluate("axe.run().then((result) => result.violations)")
    return [(each["id"], each["nodes"][0]["html"]) for each in broken]


@in_chromium
@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1600])
def test_fits_every_width(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    checked(page)
    page.get_by_role("button", name="Show the change").click()
    expect(page.get_by_text("+sso_session = synderys")).to_be_visible(timeout=CHECKED)
    page.get_by_text(re.compile(r"checks? passed$")).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    to_view(page, "Settings")
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= width
