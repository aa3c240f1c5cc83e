"""The pages in Chromium: a house that works, simulators in child processes, a host with a login by cookie."""

from __future__ import annotations

import importlib.resources
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import attrs
import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import BrowserContext, Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route

from omnichannel_core.app import Omnichannel
from omnichannel_core.gate import loader, vendor
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.testing import simulator
from omnichannel_core.web import Actor, create_web
from omnichannel_core.web.actors import EVERYTHING
from tests.conftest import DRIVERS, Plug

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]  # fmt: skip
AT = "/omnichannel"
APP = {"client_id": "app-client", "client_secret": "app-client-secret-987654321"}
SELLING = {"client_id": "amzn1.application-oa2-client.pages", "client_secret": "amzn1.oa2-cs.v1.pages",
           "application_id": "amzn1.sellerapps.app.pages"}  # fmt: skip
APPLICATIONS = {
    "bigcommerce": {"client_id": APP["client_id"], "client_secrets": [APP["client_secret"]]},
    "shopify": {"client_id": APP["client_id"], "client_secrets": [APP["client_secret"]]},
    "amazon": {"application_id": SELLING["application_id"], "client_id": SELLING["client_id"],
               "client_secrets": [SELLING["client_secret"]]},
}  # fmt: skip
TOKEN = "token-of-the-store-0123456789"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"desktop": (1280, 820), "phone": (390, 780)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser these say so, loudly; where CI must have one, they fail."""
    for item in items:
        if not CHROMIUM and "browser" in item.path.parts and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason="NO CHROMIUM HERE: the pages were not clicked through"))


async def resolve(request: Request) -> Actor | None:
    """The cookie `actor`: ann/acme."""
    name, _, account = request.cookies.get("actor", "").partition("-at-")
    return Actor(id=name, account=account, permissions=EVERYTHING, display=name.title()) if account else None


async def market(request: Request) -> Response:
    """A marketplace on another site: signs the seller in, and sends the browser back."""
    back, state = request.query_params["back"], request.query_params["state"]
    return HTMLResponse(
        f'<!doctype html><html lang="en"><title>Market</title><link rel="icon" href="data:,"><h1>Market</h1>'
        f'<a id="yes" href="{back}?state={state}&code=c0de">Allow</a> '
        f'<a id="no" href="{back}?state={state}&error=access_denied">Refuse</a>'
    )  # fmt: skip


class Ahead:
    """The real time, which a test may put ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


@attrs.define
class Live:
    """A running host. `call` runs house functions on its loop."""

    address: str
    house: Omnichannel
    call: Callable[..., Any]
    keys: Any
    simulators: dict[str, str]
    clock: Ahead
    accounts: int = 0

    def account(self, *drivers: str) -> str:
        """A new account with these drivers installed."""
        self.accounts += 1
        name = f"acme{self.accounts}"
        self.call(self.house.accounts.add, name, f"ACME {self.accounts}")
        for driver in drivers:
            text = vendor.issue(
                self.keys[0], account=name, driver=driver, distribution=f"omnichannel-{driver}", now=datetime.now(UTC),
                application=f"app-{name}-{driver}" if driver in APPLICATIONS else "",
            )  # fmt: skip
            self.call(self.house.licenses.add, name, text)
            if driver in APPLICATIONS:
                values = APPLICATIONS[driver]
                document = {"name": f"app-{name}-{driver}", "driver": driver, "version": 1, "values": values}
                self.call(self.house.licenses.add_application, name, document)
            self.call(self.house.drivers.install, name, driver)
        return name

    def store(self, name: str, orders: int = 30) -> str:
        """A simulated BigCommerce store; its hash."""
        simulator.control(self.simulators["bigcommerce"], "stores",
                          {"hash": name, "token": TOKEN, "orders": orders, "products": 6, "quota": 450})  # fmt: skip
        return name


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The host, for all tests of a module, with the simulators that it names."""
    folder, port, clock = tmp_path_factory.mktemp("live"), _free_port(), Ahead()
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        names = getattr(request.module, "SIMULATORS", ("bigcommerce",))
        places = {name: stack.enter_context(simulator.running(name)) for name in names}
        catalog = _plugged(patch, folder)
        address = f"http://127.0.0.1:{port}"
        _registered(places, address + AT)
        keys = vendor.keygen()
        house = Omnichannel(
            folder / "shop.db", trust=vendor.key_set(keys[1]), catalog=catalog, endpoints=places, clock=clock,
            callback_base=f"{address}{AT}", host_lists={"shipping_providers": lambda _: {"dhl": "DHL", "ups": "UPS"}},
        )  # fmt: skip
        _trips(patch, port, address)
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(house):
            app = Starlette(routes=[Route("/market", market), Mount(AT, create_web(house, resolve=resolve))])
            config = uvicorn.Config(app, port=port, log_level="warning", lifespan="off", ws="none", access_log=False,
                                    timeout_graceful_shutdown=1)  # fmt: skip
            server = uvicorn.Server(config)
            serving = portal.start_task_soon(server.serve)
            yield Live(address + AT, house, _caller(portal), keys, places, clock)
            server.should_exit = True
            serving.result(20)


def _registered(places: Mapping[str, str], base: str) -> None:
    """The vendor's applications, with the addresses that the pages are reached at."""
    apps = {
        "bigcommerce": {**APP, "auth_callback": f"{base}/callbacks/bigcommerce/auth"},
        "amazon": {**SELLING, "redirect_uris": [f"{base}/oauth/amazon"]},
        "shopify": {**APP, "redirect_urls": [f"{base}/oauth/shopify"], "app_url": f"{base}/callbacks/shopify/app"},
    }
    for name, address in places.items():
        simulator.control(address, "apps", apps[name])


def _caller(portal: Any) -> Callable[..., Any]:
    from functools import partial

    return lambda function, *args, **kwargs: portal.call(partial(function, *args, **kwargs))


def _plugged(patch: pytest.MonkeyPatch, folder: Path) -> Catalog:
    """Echo and lab beside what is installed."""
    site = folder / "site"
    site.mkdir()
    patch.setattr(sys, "path", [str(site), *sys.path])
    patch.setattr(loader, "_LOADED", {})
    plug = Plug(site)
    for name in ("echo", "lab"):
        plug.ready(name)
        patch.syspath_prepend(str(DRIVERS / name))
    remote = importlib.import_module("omnichannel_echo.remote")
    patch.setattr(remote, "SHOPS", {"a": remote.Remote()})
    return Catalog(lambda: metadata.distributions(path=[str(site), *sys.path]))


def _trips(patch: pytest.MonkeyPatch, port: int, address: str) -> None:
    """The lab's marketplace is on another site: localhost is none of 127.0.0.1's."""
    driver = importlib.import_module("omnichannel_lab.driver")

    async def begin(_: Any, trip: Any) -> str:
        return f"http://localhost:{port}/market?back={trip.return_url}&state={trip.state}"

    made = attrs.evolve(driver.authorization_flow(), begin=begin)
    patch.setattr(driver, "authorization_flow", driver.hookimpl(lambda: made))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@attrs.define
class Browser:
    """Opens pages as somebody; in the end nothing was said on the console and nothing was asked off the machine."""

    live: Live
    chromium: Any
    contexts: list[BrowserContext] = attrs.field(factory=list)
    said: list[str] = attrs.field(factory=list)
    away: list[str] = attrs.field(factory=list)

    def __call__(
        self, account: str, path: str = "/", *, size: str = "desktop", scheme: str = "light", actor: str = "ann",
        locale: str = "en-US",
        **more: Any,
    ) -> Page:  # fmt: skip
        """A page, loaded."""
        width, height = SIZES[size]
        context = self.chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale,
            reduced_motion="reduce", **more,
        )  # fmt: skip
        self.contexts.append(context)
        if account:
            context.add_cookies([{"name": "actor", "value": f"{actor}-at-{account}", "url": self.live.address,
                                  "sameSite": "Strict"}])  # fmt: skip
        page: Page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda one: self.said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda one: self.said.append(str(one)))
        page.on("dialog", lambda one: (self.said.append(f"dialog {one.message}"), one.dismiss()))
        page.on("request", lambda one: self._asked(one.url))
        page.goto(self.live.address + path)
        return page

    def _asked(self, url: str) -> None:
        host = urlsplit(url).hostname or ""
        if not url.startswith("data:") and host not in ("127.0.0.1", "localhost") and not host.endswith(".localhost"):
            self.away.append(url)


@pytest.fixture
def browser(live: Live, chromium: Any) -> Iterator[Browser]:
    """See Browser."""
    opened = Browser(live, chromium)
    yield opened
    for context in opened.contexts:
        context.close()
    expected = [one for one in opened.said if "status of 4" not in one]  # a refused form is told as such
    assert expected == []
    assert opened.away == []


AXE = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text()


def accessible(page: Page, within: str = "html") -> None:
    """No violation of WCAG 2.2 AA, nor of best practice."""
    page.evaluate(AXE)
    found = page.evaluate(
        "([tags, within]) => axe.run(within, {runOnly: {type: 'tag', values: tags}})", [AXE_TAGS, within]
    )
    assert [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]] == []
