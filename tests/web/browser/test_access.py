"""Every screen in its states, light and dark, wide and narrow, judged by axe; screenshots of the main ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from omnichannel_core.records import Shipment
from tests.web.browser.conftest import TOKEN, accessible

pytestmark = pytest.mark.timeout(600)  # seconds: of many screens on a machine that is busy


@pytest.fixture(scope="module")
def filled(live: Any) -> dict[str, Any]:
    """An account with everything to look at."""
    account, store = live.account("bigcommerce", "echo", "lab"), live.store("access", orders=40)
    house, call = live.house, live.call
    made = call(house.connections.create, account, "bigcommerce", "Demo store",
                {"store_hash": store, "access_token": TOKEN})  # fmt: skip
    call(house.processes.wait, account, made.process.id, 300)
    echo = call(house.connections.create, account, "echo", "Echo shop", {"shop": "a", "secret": "hush-echo"})
    call(house.processes.wait, account, echo.process.id, 300)
    call(house.connections.disable, account, [echo.connection.id])
    lost = Shipment(id="p1", order_id="404", carrier="dhl", tracking="1")
    call(house.hub.push, account, made.connection.id, "shipments", [lost])
    for process in call(house.processes.list, account, kind="deliver"):
        call(house.processes.wait, account, process.id, 300)
    order = call(house.hub.orders, account, connection=made.connection.id).items[0].id
    (license_, *_) = call(house.licenses.list, account)
    return {"account": account, "one": made.connection.id, "off": echo.connection.id, "order": order,
            "license": license_.id}  # fmt: skip


SCREENS = (
    "/", "/new", "/new?driver=bigcommerce", "/new?driver=lab", "/connections/{one}", "/connections/{one}?tab=settings",
    "/connections/{one}?tab=settings&page=orders", "/connections/{one}?tab=schedule",
    "/connections/{off}?tab=settings", "/connections/{one}/delete", "/connections/{off}/delete", "/processes",
    "/errors", "/errors?connection={off}", "/drivers", "/licenses/{license}/remove", "/drivers/echo/defaults",
    "/drivers/bigcommerce/defaults",
    "/hub/orders", "/hub/returns", "/hub/orders/{one}/{order}", "/views/create", "/stores", "/nothing",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_screens(browser: Any, filled: dict[str, Any], size: str, scheme: str) -> None:
    """No screen violates WCAG 2.2 AA or scrolls sideways."""
    page = browser(filled["account"], size=size, scheme=scheme)
    for screen in SCREENS:
        page.goto(browser.live.address + screen.format(**filled))
        accessible(page)
        wide = page.evaluate(
            "[...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1"
            " && !one.closest('.frame, .scroll, nav, .list thead, .hidden')).map(one => one.outerHTML.slice(0, 90))"
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (screen, wide[:3])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_states(browser: Any, filled: dict[str, Any], size: str, scheme: str) -> None:
    """Menus open, a selection, errors in forms, a toast, an empty list, signed out: none violates it either."""
    page = browser(filled["account"], size=size, scheme=scheme)
    for menu in page.locator("details.menu").all():
        menu.locator("summary").click()
        accessible(page, "details.menu[open]")  # what lies below it is no target now
        page.keyboard.press("Escape")
    page.get_by_label("Select Demo store").check()
    accessible(page)
    page.keyboard.press("Escape")
    _refused(page, browser.live.address)
    page.goto(f"{browser.live.address}/?said=sync_triggered&process=1")
    accessible(page)
    for account in (browser.live.account("echo"), browser.live.account(), ""):
        accessible(browser(account, size=size, scheme=scheme))


def _refused(page: Page, address: str) -> None:
    page.goto(f"{address}/new?driver=bigcommerce")
    page.get_by_role("button", name="SAVE").click()
    page.get_by_role("alert").wait_for()
    accessible(page)


def test_german(browser: Any, filled: dict[str, Any]) -> None:
    """A German browser is shown German, a driver's labels, helps and reasons of errors included."""
    page = browser(filled["account"], "/new?driver=bigcommerce", locale="de-DE")
    expect(page.get_by_label("Zugriffstoken")).to_be_visible()
    expect(page.get_by_text("Der Teil nach stores/ im API-Pfad")).to_be_visible()
    page.get_by_role("button", name="SPEICHERN").click()
    expect(page.get_by_role("alert")).to_contain_text("Einen Namen eingeben.")
    accessible(page)
    page.goto(f"{browser.live.address}/errors")
    expect(page.get_by_text("ist für diese Verbindung nicht gespeichert")).to_be_visible()
    page.goto(browser.live.address + "/connections/{one}?tab=settings&page=orders".format(**filled))
    expect(page.get_by_label("Archivierte Bestellungen importieren")).to_be_attached()
    accessible(page)


def test_screenshots(browser: Any, filled: dict[str, Any], tmp_path: Path) -> None:
    """The main screens as pictures, for the documentation when OMNICHANNEL_SCREENSHOTS names a folder."""
    folder = Path(os.environ.get("OMNICHANNEL_SCREENSHOTS", tmp_path))
    house, call = browser.live.house, browser.live.call
    for name in ("Outlet", "Wholesale", "Pop-up store in the old harbor"):
        made = call(house.connections.create, filled["account"], "echo", name, {"shop": "a", "secret": "hush-echo"})
        call(house.processes.wait, filled["account"], made.process.id, 300)
    page = browser(filled["account"])
    shots = {"connections": "/", "drivers": "/drivers", "processes": "/processes",
             "settings": "/connections/{one}?tab=settings&page=orders"}  # fmt: skip
    for name, path in shots.items():
        page.goto(browser.live.address + path.format(**filled))
        _shot(page, folder / f"{name}.png")
    _shot(browser(filled["account"], size="phone", scheme="dark"), folder / "phone.png")


def _shot(page: Page, file: Path) -> None:
    """As far down as there is something to see."""
    below = page.evaluate("Math.max(...[...document.querySelectorAll('main > *')]"
                          ".map(one => one.getBoundingClientRect().bottom)) + 24")  # fmt: skip
    size = page.viewport_size
    assert size is not None
    height = min(below, size["height"])
    page.screenshot(path=file, clip={"x": 0, "y": 0, "width": size["width"], "height": height})
    assert file.stat().st_size > 5_000
