"""The manual's procedures, clicked through."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from omnichannel_core.testing import simulator
from tests.web.browser.conftest import APP, TOKEN

pytestmark = [pytest.mark.parametrize("size", ["desktop", "phone"]), pytest.mark.timeout(600)]
LONG = 40_000  # milliseconds; a sync on a busy machine


def connected(live: Any, account: str, name: str = "Echo shop") -> int:
    """A connection of the echo driver, made past the pages."""
    typed = {"shop": "a", "secret": "hush-echo"}
    return int(live.call(live.house.connections.create, account, "echo", name, typed).connection.id)


def test_create(live: Any, browser: Any, size: str) -> None:
    """Create: name, Apply, driver, credentials; a wrong token is told, a right one triggers the sync."""
    account, store = live.account("bigcommerce"), live.store(f"create{size}")
    page = browser(account, size=size)
    page.get_by_role("link", name="Add connection").first.click()
    page.get_by_label("Name").fill("My store")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_label("Name")).to_have_attribute("readonly", "")
    page.get_by_label("Driver").select_option("bigcommerce")
    page.get_by_label("Store hash").fill(store)
    page.get_by_label("Access token").fill("wrong-token")
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Store hash")).to_have_value(store)
    expect(page.get_by_label("Access token")).to_have_value("")
    page.get_by_label("Access token").fill(TOKEN)
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_role("status").filter(has_text="Sync triggered")).to_be_visible()
    page.locator("summary", has_text="Processes" if size == "desktop" else "").locator("visible=true").first.click()
    drawer = page.locator("[data-drawer]")
    expect(drawer.locator("tr[data-state=succeeded]")).to_have_count(1, timeout=LONG)


def test_edit(live: Any, browser: Any, size: str) -> None:
    """Edit: a row opens it; the name in place; settings on their page with a date; Credentials keep their secret."""
    account, store = live.account("bigcommerce"), live.store(f"edit{size}")
    typed = {"store_hash": store, "access_token": TOKEN}
    saved = live.call(live.house.connections.create, account, "bigcommerce", "Old name", typed)
    live.call(live.house.processes.wait, account, saved.process.id, 300)
    page = browser(account, size=size)
    page.locator("tbody tr").first.locator("td").nth(3).click()
    expect(page.get_by_role("heading", name="Edit connection")).to_be_visible()
    expect(page.get_by_text(re.compile(r"\d\d/\d\d/\d{4}"))).to_be_visible()
    page.locator("[data-edit]").click()
    page.get_by_label("Name").fill("New name")
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_text("Sync triggered")).to_be_visible()
    page.get_by_role("link", name="New name").click()
    page.get_by_role("link", name="Settings", exact=True).click()
    page.get_by_role("link", name="Order filters").click()
    page.get_by_label("Shipped", exact=True).check()
    page.get_by_label("Import only orders created after").fill("24.12.2025")
    page.get_by_label("Import archived orders").check(force=True)
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_text("Sync triggered")).to_be_visible()
    driver = live.call(live.house.drivers.load, account, "bigcommerce")
    now = live.call(live.house.connections.settings.page, account, driver, saved.connection.id, "orders").values
    assert (now["created_after"], now["archived"], 2 in now["statuses"]) == ("2025-12-24", True, True)


def test_switch_and_delete(live: Any, browser: Any, size: str) -> None:
    """Synchronize, disable, enable, delete by the toolbar, which shows what the selection allows and nothing else."""
    account = live.account("echo")
    for name in ("First", "Second", "Third"):
        connected(live, account, name)
    page = browser(account, size=size)
    bar = page.get_by_role("toolbar")
    expect(bar).to_be_hidden()
    page.get_by_label("Select First").check()
    for name, there in (("SYNCHRONIZE", True), ("Edit", True), ("DELETE", True), ("DISABLE", True), ("ENABLE", False)):
        expect(bar.get_by_role("button", name=name, exact=True)).to_be_visible(visible=there)
    bar.get_by_role("button", name="SYNCHRONIZE").click()
    expect(page.get_by_text("Sync triggered")).to_be_visible()
    page.get_by_label("Select First").check()
    page.get_by_label("Select Second").check()
    expect(bar.get_by_role("button", name="SYNCHRONIZE")).to_be_hidden()
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="DISABLE").click()
    expect(page.locator("tr[data-status=inactive]")).to_have_count(2)
    page.get_by_label("Select the whole list, further pages included").check()
    expect(bar).to_contain_text("3 selected")
    expect(bar.get_by_role("button", name="DISABLE")).to_be_visible()
    bar.get_by_role("button", name="ENABLE").click()
    expect(page.locator("tr[data-status=active]")).to_have_count(3)
    _deleted(page, bar)


def _deleted(page: Any, bar: Any) -> None:
    page.get_by_label("Select Second").check()
    bar.get_by_role("button", name="DELETE").click()
    expect(page.get_by_text("disable it first")).to_be_visible()
    page.get_by_role("button", name="DISABLE").click()
    page.get_by_label("Select Second").check()
    bar.get_by_role("button", name="DELETE").click()
    expect(page.get_by_text("goes for ever")).to_be_visible()
    page.get_by_role("button", name="DELETE").click()
    for _ in range(60):
        page.get_by_role("link", name="Refresh").first.click()
        if page.locator("tbody tr").count() == 2:
            break
        page.wait_for_timeout(300)
    expect(page.locator("tbody tr")).to_have_count(2)


def test_views(live: Any, browser: Any, size: str) -> None:
    """The VIEW menu: create, asterisk, reset, save, rename, publish, unpublish, delete."""
    account = live.account("echo")
    connected(live, account, "Alpha")
    connected(live, account, "Beta")
    page = browser(account, size=size)
    menu = page.locator("summary[title='View menu']")

    def entry(name: str) -> None:
        menu.click()
        page.locator(".sheet.narrow .entry", has_text=re.compile(rf"^\s*{name}\s*$")).click()

    entry("create")
    page.get_by_label("Name").fill("Mine")
    page.get_by_role("button", name="SAVE").click()
    chosen = page.locator("#view option:checked")
    expect(chosen).to_have_text("Mine")
    page.get_by_role("button", name="Name", exact=True).click()
    expect(chosen).to_have_text("Mine *")
    entry("reset")
    expect(chosen).to_have_text("Mine")
    page.locator("summary", has_text="Columns (7)").click()
    page.locator(".columns").get_by_label("Driver").uncheck()
    page.locator(".columns").get_by_role("button", name="Apply").last.click()
    expect(page.locator("summary", has_text="Columns (6)")).to_be_visible()
    page.keyboard.press("Escape")
    expect(chosen).to_have_text("Mine *")
    page.locator("h1").click()
    entry("save")
    expect(chosen).to_have_text("Mine")
    entry("publish")
    entry("unpublish")
    entry("rename")
    page.get_by_label("Name").fill("Ours")
    page.get_by_role("button", name="SAVE").click()
    expect(chosen).to_have_text("Ours")
    page.locator("#view").select_option("")
    expect(page.locator("#view option:checked")).to_have_text("All connections")
    page.locator("#view").select_option(label="Ours")
    entry("delete")
    page.get_by_role("button", name="DELETE").click()
    expect(page.locator("#view option")).to_have_count(1)


def test_filter(live: Any, browser: Any, size: str) -> None:
    """A filter narrows the list, is paused, used again and removed."""
    account = live.account("echo")
    connected(live, account, "Alpha")
    connected(live, account, "Beta")
    page = browser(account, size=size)
    page.locator("summary", has_text="Add filter").click()
    page.get_by_label("Value").fill("alph")
    page.locator(".filter").get_by_role("button", name="Apply").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Pause the filter").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Use the filter again").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Remove the filter").click()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_apply_from_default(live: Any, browser: Any, size: str) -> None:
    """*Apply from default* locks the fields; off, they are free and saved; on again, the default counts."""
    account = live.account("echo")
    one = connected(live, account)
    page = browser(account, "/drivers/echo/defaults", size=size)
    page.get_by_label("Above").fill("3")
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.goto(f"{live.address}/connections/{one}?tab=settings")
    expect(page.get_by_label("Above")).to_be_disabled()
    expect(page.get_by_label("Above")).to_have_value("3")
    page.get_by_label("Apply from default").uncheck(force=True)
    expect(page.get_by_label("Above")).to_be_enabled()
    page.get_by_label("Above").fill("5")
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_text("Sync triggered")).to_be_visible()
    page.goto(f"{live.address}/connections/{one}?tab=settings")
    expect(page.get_by_label("Above")).to_have_value("5")
    page.get_by_label("Apply from default").check(force=True)
    page.get_by_role("button", name="SAVE").click()
    page.goto(f"{live.address}/connections/{one}?tab=settings")
    expect(page.get_by_label("Above")).to_have_value("3")


def test_authorize(live: Any, browser: Any, size: str) -> None:
    """AUTHORIZE: out to another site, refused, back to the filled form; out again, allowed, saved. The host's session
    cookie is SameSite=Strict."""
    account = live.account("lab")
    page = browser(account, "/new", size=size)
    page.get_by_label("Name").fill("Lab shop")
    page.get_by_label("Driver").select_option("lab")
    page.get_by_label("Shop").fill("a")
    page.get_by_label("Secret").fill("hush-lab")
    page.get_by_role("button", name="AUTHORIZE").click()
    page.locator("#no").click()
    expect(page.get_by_text("The seller said no.")).to_be_visible()
    page.get_by_role("link", name="Back to the form").click()
    expect(page.get_by_label("Shop")).to_have_value("a")
    page.get_by_role("button", name="AUTHORIZE").click()
    page.locator("#yes").click()
    expect(page.get_by_label("Name")).to_have_value("Lab shop")
    expect(page.get_by_label("Key")).to_have_value("brought")
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_text("Sync triggered")).to_be_visible()


def test_install_from_the_marketplace(live: Any, browser: Any, size: str) -> None:
    """The app is installed at BigCommerce: the browser comes, is asked, and finds the form filled."""
    account, store = live.account("bigcommerce"), live.store(f"install{size}")
    said = simulator.control(live.simulators["bigcommerce"], f"apps/{APP['client_id']}/install", {"hash": store})
    page = browser(account, size=size)
    page.goto(said["url"])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Confirm the connection")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Store hash")).to_have_value(store)
    page.get_by_label("Name").fill("Installed")
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_text("Sync triggered")).to_be_visible()


def test_stale_form(live: Any, browser: Any, size: str) -> None:
    """Two people edit: the second sees what differs, and nothing is overwritten."""
    account = live.account("echo")
    one = connected(live, account)
    ann, bob = (browser(account, f"/connections/{one}?tab=settings", size=size, actor=who) for who in ("ann", "bob"))
    for page, above in ((ann, "5"), (bob, "7")):
        page.get_by_label("Apply from default").uncheck(force=True)
        page.get_by_label("Above").fill(above)
        page.get_by_role("button", name="SAVE").click()
    expect(ann.get_by_text("Sync triggered")).to_be_visible()
    expect(bob.get_by_text("Somebody saved this meanwhile")).to_be_visible()
    expect(bob.get_by_role("cell", name="5")).to_be_visible()


def test_without_scripts(live: Any, browser: Any, size: str) -> None:
    """List, create, edit and save work where scripts are switched off."""
    account = live.account("echo")
    page = browser(account, size=size, java_script_enabled=False)
    page.get_by_role("link", name="Add connection").first.click()
    page.get_by_label("Driver").select_option("echo")
    page.get_by_role("button", name="Show its fields").click()
    page.get_by_label("Name").fill("Plain")
    page.get_by_label("Shop").fill("a")
    page.get_by_label("Secret").fill("hush-echo")
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_text("Sync triggered")).to_be_visible()
    page.get_by_role("link", name="Plain").click()
    page.get_by_label("Name").fill("Plainer")
    page.get_by_role("button", name="SAVE").click()
    page.get_by_label("Select Plainer").check()
    page.get_by_role("button", name="DISABLE").click()
    expect(page.locator("tr[data-status=inactive]")).to_have_count(1)


def test_keyboard(live: Any, browser: Any, size: str) -> None:
    """Create, select, disable and a menu by keyboard alone; Escape gives the focus back."""
    account = live.account("echo")
    page = browser(account, "/new", size=size)
    asked = list[str]()
    page.on("request", lambda one: asked.append(one.url))
    page.get_by_label("Name").focus()
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    expect(page.locator("[data-edit]")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Driver")).to_be_focused()
    page.keyboard.type("Echo")
    expect(page.get_by_label("Shop")).to_be_visible()
    for text in ("a", "hush-echo"):
        page.keyboard.press("Tab")
        while page.evaluate("document.activeElement.tagName") != "INPUT":
            page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sync triggered")).to_be_visible()
    assert "hush-echo" not in "".join(asked)
    page.get_by_label("Select By keys").focus()
    page.keyboard.press("Space")
    button = page.get_by_role("button", name="DISABLE")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-status=inactive]")).to_have_count(1)
    menu = page.locator("summary[title='View menu']")
    menu.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="create", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()


def test_hostile_names(live: Any, browser: Any, size: str) -> None:
    """Markup in a name runs nowhere, not in the live drawer either."""
    account = live.account("echo")
    connected(live, account, '<img src=x onerror="alert(1)"><script>alert(2)</script>')
    page = browser(account, size=size)
    page.locator("[data-drawer] summary").click()
    expect(page.locator("[data-drawer] tr")).to_have_count(1)
    assert page.locator("img, main script").count() == 0
    page.goto(f"{live.address}/processes")
    expect(page.locator(".processes tr[data-state=succeeded]")).to_have_count(1, timeout=LONG)
    assert page.locator("img").count() == 0
