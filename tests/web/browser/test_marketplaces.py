"""Marketplaces with a consent page of their own, clicked through: out, agreed to or not, back into the same form."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from omnichannel_core.testing import simulator
from tests.web.browser.conftest import APP, accessible

pytestmark = pytest.mark.parametrize("size", ["desktop", "phone"])
SIMULATORS = ("amazon", "shopify")
GERMANY, FRANCE = "A1PA6795UKMFR9", "A13V1IB3VIYZZH"
TRIES, PAUSE = 80, 500  # of what a worker does meanwhile; milliseconds


def seller(live: Any, name: str) -> str:
    """A simulated seller in Germany, signed in to Seller Central; its id."""
    ident = f"A{name.upper()}SELLER"
    place = live.simulators["amazon"]
    simulator.control(place, "sellers", {"seller_id": ident, "marketplaces": [GERMANY], "orders": 12, "days": 9,
                                         "types": 3, "listings": 6})  # fmt: skip
    simulator.control(place, "sign-in", {"seller_id": ident})
    return ident


def shop(live: Any, name: str, orders: int = 12) -> str:
    """A simulated shop; its domain."""
    simulator.control(live.simulators["shopify"], "stores",
                      {"shop": name, "orders": orders, "products": 4, "bulk_seconds": 0.1})  # fmt: skip
    return f"{name}.myshopify.com"


def filled(page: Page, name: str, driver: str) -> None:
    """The create form up to the credentials."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Driver").select_option(driver)


def synchronized(page: Page, live: Any) -> None:
    """SAVE has triggered the sync, and its orders are there."""
    expect(page.get_by_text("Sync triggered")).to_be_visible()
    for _ in range(TRIES):
        page.goto(f"{live.address}/hub/orders")
        if page.locator("tbody tr").count() >= 3:
            return
        page.wait_for_timeout(PAUSE)
    pytest.fail("no orders came")


def test_authorize_amazon(live: Any, browser: Any, size: str) -> None:
    """AUTHORIZE leads to Seller Central, and back to the same form with Seller ID and token filled in; SAVE, synced."""
    account, ident = live.account("amazon"), seller(live, f"one{size}")
    page = browser(account, "/new", size=size, scheme="dark" if size == "phone" else "light")
    filled(page, "Amazon Germany", "amazon")
    groups = page.locator("#credentials optgroup")
    expect(groups).to_have_count(3)
    assert groups.evaluate_all("all => all.map(one => one.label)") == ["Europe", "North America", "Far East"]
    page.get_by_label("Amazon marketplace").select_option(GERMANY)
    token = page.get_by_label("Access token")
    expect(token).to_have_attribute("readonly", "")
    accessible(page)
    page.get_by_role("button", name="AUTHORIZE").click()
    expect(page).to_have_url(re.compile(r"^http://[a-z.-]*amazon[a-z.]*\.localhost:\d+/apps/authorize/consent\?"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Name")).to_have_value("Amazon Germany")
    expect(page.get_by_label("Seller ID")).to_have_value(ident)
    expect(page.get_by_label("Amazon marketplace")).to_have_value(GERMANY)
    expect(token).to_have_value("Authorized")
    assert "code" not in page.url
    accessible(page)
    if size == "desktop" and "OMNICHANNEL_SCREENSHOTS" in os.environ:
        page.screenshot(path=Path(os.environ["OMNICHANNEL_SCREENSHOTS"]) / "authorize.png")
    page.get_by_role("button", name="SAVE").click()
    synchronized(page, live)


def test_authorize_shopify(live: Any, browser: Any, size: str) -> None:
    """A pasted address of the shop's admin, its consent page, the same form with a token; SAVE, synced."""
    account, domain = live.account("shopify"), shop(live, f"one-{size}")
    page = browser(account, "/new", size=size, scheme="dark" if size == "phone" else "light")
    filled(page, "My shop", "shopify")
    page.get_by_label("Shop URL").fill(f"https://admin.shopify.com/store/one-{size}/orders")
    page.get_by_label("Kind").select_option("install")
    accessible(page)
    page.get_by_role("button", name="AUTHORIZE").click()
    page.get_by_role("link", name="Install app").click()
    expect(page.get_by_label("Shop URL")).to_have_value(domain)
    expect(page.get_by_label("Name")).to_have_value("My shop")
    expect(page.get_by_text("Authorized", exact=True)).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="SAVE").click()
    synchronized(page, live)


def test_refused(live: Any, browser: Any, size: str) -> None:
    """A consent that is refused, and one of another seller, say so and lead back to the filled form."""
    account, domain = live.account("shopify", "amazon"), shop(live, f"no-{size}")
    seller(live, f"other{size}")
    page = browser(account, "/new", size=size)
    filled(page, "Refused", "shopify")
    page.get_by_label("Shop URL").fill(domain)
    page.get_by_role("button", name="AUTHORIZE").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Not authorized")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Back to the form").click()
    expect(page.get_by_label("Shop URL")).to_have_value(domain)
    page.goto(f"{live.address}/new")
    filled(page, "Another", "amazon")
    page.get_by_label("Seller ID").fill("A0MINE")
    page.get_by_label("Amazon marketplace").select_option(GERMANY)
    page.get_by_role("button", name="AUTHORIZE").click()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text(f"Signed in to Amazon as seller AOTHER{size.upper()}SELLER, but")).to_be_visible()
    page.get_by_role("link", name="Back to the form").click()
    expect(page.get_by_label("Seller ID")).to_have_value("A0MINE")
    assert live.call(live.house.connections.list, account) == []


def test_expired(live: Any, browser: Any, size: str) -> None:
    """Whoever stays at the consent page for longer than ten minutes is told to press AUTHORIZE again, and can."""
    account, domain = live.account("shopify"), shop(live, f"late-{size}")
    page = browser(account, "/new", size=size)
    filled(page, "Late", "shopify")
    page.get_by_label("Shop URL").fill(domain)
    page.get_by_role("button", name="AUTHORIZE").click()
    live.clock.ahead = timedelta(minutes=11)
    try:
        page.get_by_role("link", name="Install app").click()
        expect(page.get_by_text("press AUTHORIZE again")).to_be_visible()
    finally:
        live.clock.ahead = timedelta(0)
    accessible(page)
    page.get_by_role("link", name="Back to the form").click()
    expect(page.get_by_label("Name")).to_have_value("Late")
    expect(page.get_by_label("Shop URL")).to_have_value(domain)
    page.get_by_role("button", name="AUTHORIZE").click()
    page.get_by_role("link", name="Install app").click()
    expect(page.get_by_text("Authorized", exact=True)).to_be_visible()


def test_cancelled_over_there(live: Any, browser: Any, size: str) -> None:
    """Cancel at Amazon stays at Amazon: whoever comes back by himself finds the form that he left."""
    account = live.account("amazon")
    seller(live, f"gone{size}")
    page = browser(account, "/new", size=size)
    filled(page, "Left alone", "amazon")
    page.get_by_label("Amazon marketplace").select_option(GERMANY)
    page.get_by_role("button", name="AUTHORIZE").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("You did not authorize the application.")).to_be_visible()
    page.goto(f"{live.address}/new")
    expect(page.get_by_text("You have not finished “Left alone”.")).to_be_visible()
    accessible(page)
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_label("Name")).to_have_value("Left alone")
    expect(page.get_by_label("Amazon marketplace")).to_have_value(GERMANY)
    page.get_by_role("button", name="Back").click()
    page.get_by_role("link", name="Add connection").first.click()
    expect(page.get_by_text("You have not finished")).to_be_hidden()


def test_on_the_way(live: Any, browser: Any, size: str) -> None:
    """The page that leads out, for browsers that do not go on by themselves, is plain to use."""
    account, domain = live.account("shopify"), shop(live, f"way-{size}")
    page = browser(account, "/new", size=size)
    page.route(re.compile(r"\.localhost:"), lambda route: route.fulfill(status=204))  # the browser stays where it is
    filled(page, "On the way", "shopify")
    page.get_by_label("Shop URL").fill(domain)
    page.get_by_role("button", name="AUTHORIZE").click()
    expect(page.get_by_role("heading", name="To the marketplace")).to_be_visible()
    accessible(page)
    onward = page.get_by_role("link", name="Continue").get_attribute("href") or ""
    assert re.match(rf"http://{re.escape(domain)}\.localhost:\d+/admin/oauth/authorize\?", onward)


def test_installed_at_shopify(live: Any, browser: Any, size: str) -> None:
    """Opened in Shopify's admin: only that first page may be framed; the shop is filled in; AUTHORIZE, SAVE."""
    account, domain = live.account("shopify"), shop(live, f"from-{size}")
    place = live.simulators["shopify"]
    said = simulator.control(place, f"apps/{APP['client_id']}/open", {"shop": domain})
    page = browser(account, size=size)
    answer = page.goto(said["url"])
    ancestors = "frame-ancestors https://admin.shopify.com https://*.myshopify.com"
    assert answer.headers["content-security-policy"].endswith(ancestors)
    accessible(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Confirm the connection")).to_be_visible()
    accessible(page)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Shop URL")).to_have_value(domain)
    page.get_by_label("Name").fill("Installed")
    page.get_by_role("button", name="AUTHORIZE").click()
    page.get_by_role("link", name="Install app").click()
    expect(page.get_by_label("Name")).to_have_value("Installed")
    page.get_by_role("button", name="SAVE").click()
    synchronized(page, live)


def to(page: Page, wanted: Locator) -> None:
    """By the Tab key alone."""
    for _ in range(40):
        if wanted.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail("the Tab key does not lead there")


def test_by_keyboard(live: Any, browser: Any, size: str) -> None:
    """Create, AUTHORIZE, agree and SAVE without a pointer."""
    account, ident = live.account("amazon"), seller(live, f"keys{size}")
    page = browser(account, "/new", size=size)
    to(page, page.get_by_label("Name"))
    page.keyboard.type("By keys")
    to(page, page.get_by_label("Driver"))
    page.keyboard.type("Amazon")
    place = page.get_by_label("Amazon marketplace")
    expect(place).to_be_visible()
    to(page, place)
    page.keyboard.type("Amazon.de")
    expect(place).to_have_value(GERMANY)
    to(page, page.get_by_role("button", name="AUTHORIZE"))
    page.keyboard.press("Enter")
    to(page, page.get_by_role("button", name="Confirm"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Seller ID")).to_have_value(ident)
    to(page, page.get_by_role("button", name="SAVE"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Sync triggered")).to_be_visible()


def test_store(live: Any, browser: Any, size: str) -> None:
    """A store is added with name, address, currency and tax setting, and brings its connection; what is wrong is said
    at its field; its name can be changed, its currency cannot."""
    account = live.account("pos")
    page = browser(account, "/stores", size=size, scheme="dark" if size == "phone" else "light")
    accessible(page)
    page.get_by_label("Name").fill("Corner shop")
    page.get_by_label("Address").fill("Main street 1\n8001 Zurich")
    page.get_by_label("Currency").fill("E1")
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_label("Currency")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Name")).to_have_value("Corner shop")
    accessible(page)
    page.get_by_label("Currency").fill("chf")
    page.get_by_label("Prices are with tax").uncheck(force=True)
    page.get_by_role("button", name="SAVE").click()
    row = page.locator("tbody tr", has_text="Corner shop")
    for text in ("Main street 1", "CHF", "without tax", "POS store Corner shop"):
        expect(row).to_contain_text(text)
    accessible(page)
    row.get_by_role("link", name="Corner shop", exact=True).click()
    expect(page.get_by_label("Currency")).to_have_attribute("readonly", "")
    page.get_by_label("Name").fill("Market square")
    accessible(page)
    page.get_by_role("button", name="SAVE").click()
    expect(page.get_by_role("link", name="POS store Market square")).to_be_visible()
