"""New roles on the page, in a real browser: offered, ticked, written; or put aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.browsers import CHROMIUM, in_chromium
from tests.browser.test_page import address_of, picture
from tests.end_to_end.house import ROLES, House, until
from tests.end_to_end.test_roles import DNS, NEW, look_again, remembered, working
from tests.portal import RunningPortal, running

pytestmark = [
    pytest.mark.linux_desktop("Chromium and its driver"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]
ACCOUNT, ROLE = ROLES[DNS]


@pytest.fixture
def house(home: Path) -> Iterator[House]:
    """An agent that has seen a role come, and another one go."""
    with running("--auto-approve", "alice", "--interval", "1") as portal:
        found = House(home, portal)
        found.configure()
        with found.agent():
            working(found)
            change(portal)
            look_again(found)
            yield found


def change(portal: RunningPortal) -> None:
    portal.command("assign", account_id=ACCOUNT, role_name=NEW)
    portal.command("remove", account_id=ACCOUNT, role_name=ROLE)


@pytest.fixture
def page(context: BrowserContext, house: House) -> Page:
    found = context.new_page()
    found.goto(address_of(house))
    return found


@in_chromium
def test_new_role_is_offered_ticked_and_written_without_asking_aws(page: Page, house: House) -> None:
    expect(page.locator(".rows > li", has=page.get_by_text(DNS, exact=True))).to_contain_text(
        "no longer assigned to you"
    )
    picture(page, "roles-gone")
    page.get_by_role("link", name="Add profiles").click()
    expect(page.get_by_role("heading", name="New roles for you at synderys")).to_be_visible()
    picture(page, "roles-new")
    asked = house.calls("ListAccounts"), house.calls("ListAccountRoles"), len(house.visits())
    page.get_by_role("button", name="Add profiles").click()
    first = page.locator(".ticks li").first
    expect(first).to_contain_text(NEW)
    expect(first).to_contain_text("new")
    expect(first.get_by_role("checkbox")).to_be_checked()
    picture(page, "roles-ticked")
    page.get_by_role("button", name="Show the changes").click()
    page.get_by_role("button", name="Write this").click()
    expect(page.get_by_text("set up", exact=False).first).to_be_visible()

    assert f"sso_role_name = {NEW}" in house.config.read_text()
    assert f"sso_role_name = {ROLE}" in house.config.read_text()  # nothing is deleted
    assert (house.calls("ListAccounts"), house.calls("ListAccountRoles"), len(house.visits())) == asked
    until(lambda: not remembered(house)[0].get("new"))


@in_chromium
def test_role_that_is_put_aside_on_the_page_is_not_offered_again(page: Page, house: House) -> None:
    page.get_by_role("link", name="Add profiles").click()
    page.get_by_role("button", name="Not now").click()
    expect(page.get_by_text("You will not be asked again about these roles")).to_be_visible()
    expect(page.get_by_role("heading", name="New roles for you at synderys")).to_have_count(0)

    until(lambda: remembered(house)[0].get("hidden") == [[ACCOUNT, NEW]])


@in_chromium
def test_address_of_a_notice_leads_to_the_ticked_role(page: Page) -> None:
    page.goto(f"{page.url}add?new=synderys")
    expect(page.locator(".ticks li").first.get_by_role("checkbox")).to_be_checked()

    assert page.url.endswith("/add")
    page.goto(f"{page.url}?new=nobody-knows")
    expect(page.locator(".ticks li").first).to_contain_text(NEW)  # what was there stays
