"""The pages without JavaScript: every procedure of the manual as a browser's forms send it."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from omnichannel_core.gate import vendor
from omnichannel_core.records import Money, Order
from omnichannel_core.web.app import doors

pytestmark = pytest.mark.anyio
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}&amp;\u202e'


def value_of(page: str, name: str) -> str:
    """Of a hidden input."""
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def entries(page: str) -> list[str]:
    """Of the VIEW menu."""
    return re.findall(r'class="entry[^>]*>\s*<svg.*?</svg>\s*(\w+)</', page, re.DOTALL)


async def test_create(web: Any, site: Any) -> None:
    """Name, driver, credentials, SAVE: back on the list with *Sync triggered*."""
    assert "No connections yet" in (await web.get("/")).text
    form = (await web.get("/new", params={"driver": "echo"})).text
    assert 'name="c.shop"' in form
    assert 'type="password"' in form
    done = await web.post("/new", data={"name": "Mine", "driver": "echo", "c.shop": "a", "c.secret": "hush-echo"})
    assert (done.status_code, done.headers["location"].partition("&")[0]) == (303, "/?said=sync_triggered")
    page = (await web.get(done.headers["location"])).text
    assert "Sync triggered" in page
    assert "Mine" in page


async def test_failed_check_keeps_what_was_typed(web: Any, site: Any) -> None:
    """After a failed check the form is as it was typed, secrets excepted, and nothing is stored."""
    typed = {"name": "Mine", "driver": "echo", "c.shop": "my-shop", "c.secret": "wrong-secret"}
    again = await web.post("/new", data=typed)
    assert again.status_code == 422
    assert 'value="Mine"' in again.text
    assert 'value="my-shop"' in again.text
    assert "wrong-secret" not in again.text
    assert await site.house.connections.list("acme") == []


async def test_missing_fields_are_named(web: Any) -> None:
    """A summary links to each field that is missing, and the field says so itself."""
    again = await web.post("/new", data={"name": "", "driver": "echo"})
    assert 'href="#f-name"' in again.text
    again = await web.post("/new", data={"name": "Mine", "driver": "echo"})
    assert 'href="#f-c-shop"' in again.text
    assert 'aria-invalid="true"' in again.text
    assert (await web.post("/new", data={"name": "Mine"})).status_code == 422


async def test_drivers_that_are_not_available(site: Any, open_house: Any) -> None:
    """Create lists them with the reason, and nothing of them is imported."""
    await site.house.accounts.add("third")
    page = (await site.client("ann/third").get("/new")).text
    assert "Drivers that are not available (2)" in page
    assert "holds no license" in page or "license" in page


async def test_edit_name_and_credentials(web: Any, site: Any) -> None:
    """SAVE takes the typed name; an empty secret keeps the stored one; a fixed field cannot be typed."""
    one = await site.connected()
    page = (await web.get(f"/connections/{one}")).text
    assert "Created" in page
    assert "01/01/2026" in page
    assert "hush-echo" not in page
    assert "Stored. Leave empty to keep it." in page
    data = {"name": "New name", "version": value_of(page, "version"), "c.shop": "evil", "c.secret": ""}
    done = await web.post(f"/connections/{one}", data=data)
    assert done.headers["location"].startswith("/?said=sync_triggered")
    assert (await site.house.connections.get("acme", one)).name == "New name"
    assert (await site.house.connections.credentials("acme", one))["shop"] == "a"


async def test_stale_form(web: Any, site: Any) -> None:
    """A form that was opened before somebody else saved is 409 with the difference, and overwrites nothing."""
    one = await site.connected()
    page = (await web.get(f"/connections/{one}")).text
    await site.house.connections.rename("acme", one, "Theirs")
    data = {"name": "Mine", "version": value_of(page, "version"), "c.secret": ""}
    again = await web.post(f"/connections/{one}", data=data)
    assert again.status_code == 409
    assert "<td>Theirs</td><td>Mine</td>" in again.text
    assert (await site.house.connections.get("acme", one)).name == "Theirs"


async def test_settings(web: Any, site: Any) -> None:
    """*Apply from default* off: own values; on: the default's, and what is typed is ignored."""
    one = await site.connected()
    address = f"/connections/{one}?tab=settings&page=import"
    page = (await web.get(address)).text
    assert re.search(r'name="inherits" value="on" data-inherits checked', page)
    data = {"name": "Shop", "version": value_of(page, "version"), "page_version": value_of(page, "page_version")}
    done = await web.post(address, data={**data, "s.above": "12", "s.status": ""})
    assert done.status_code == 303, done.text
    driver = await site.house.drivers.load("acme", "echo")
    now = await site.house.connections.settings.page("acme", driver, one, "import")
    assert (now.values["above"], now.inherits) == (12, False)
    stale = await web.post(address, data={**data, "s.above": "99", "s.status": ""})
    assert stale.status_code == 409
    assert "<td>12</td><td>99</td>" in stale.text
    page = (await web.get(address)).text
    data["page_version"] = value_of(page, "page_version")
    await web.post(address, data={**data, "inherits": "on", "s.above": "77"})
    now = await site.house.connections.settings.page("acme", driver, one, "import")
    assert (now.values["above"], now.inherits) == (0, True)


async def test_unset_stays_unset(web: Any, site: Any) -> None:
    """A field that was never set and is left as it stands is not stored by SAVE."""
    one = await site.connected()
    address = f"/connections/{one}?tab=settings&page=import"
    page = (await web.get(address)).text
    data = {"name": "Shop", "version": value_of(page, "version"), "page_version": value_of(page, "page_version")}
    await web.post(address, data={**data, "s.above": "12", "s.status": ""})
    driver = await site.house.drivers.load("acme", "echo")
    now = await site.house.connections.settings.page("acme", driver, one, "import")
    assert now.origin == {"above": "own", "status": "driver"}


async def test_no_settings(web: Any, site: Any) -> None:
    """An address of a page that is not there is 404; wrong values are named at their field."""
    one = await site.connected()
    assert (await web.get(f"/connections/{one}?tab=settings&page=nothing")).status_code == 404
    page = (await web.get(f"/connections/{one}?tab=settings")).text
    data = {"name": "Shop", "version": value_of(page, "version"), "page_version": value_of(page, "page_version")}
    again = await web.post(f"/connections/{one}?tab=settings&page=import", data={**data, "s.above": "many"})
    assert again.status_code == 422
    assert 'href="#f-s-above"' in again.text
    assert 'value="many"' in again.text


async def test_defaults(web: Any, site: Any) -> None:
    """The account's default is in force at once for connections that apply it."""
    one = await site.connected()
    page = (await web.get("/drivers/echo/defaults")).text
    done = await web.post(
        "/drivers/echo/defaults?page=import", data={"page_version": value_of(page, "page_version"), "s.above": "4"}
    )
    assert done.status_code == 303, done.text
    driver = await site.house.drivers.load("acme", "echo")
    assert (await site.house.connections.settings.page("acme", driver, one, "import")).values["above"] == 4


async def test_bulk(web: Any, site: Any) -> None:
    """The toolbar's buttons act on what is selected, the whole list with all its pages when the head is checked."""
    ids = [await site.connected(f"Shop {number}") for number in range(53)]
    page = (await web.get("/")).text
    assert len(re.findall(r'name="id" value=', page)) == 50
    assert "53</span>" in page
    data = {"action": "disable", "everything": "1", "mark": value_of(page, "mark"), "view": ""}
    done = await web.post("/bulk", data=data)
    assert done.headers["location"] == "/?said=disabled&n=53"
    assert {one.status.value for one in await site.house.connections.list("acme")} == {"inactive"}
    done = await web.post("/bulk", data={"action": "enable", "id": ids[:2], "view": ""})
    assert done.headers["location"] == "/?said=enabled&n=2"
    assert (await web.post("/bulk", data={"action": "synchronize", "id": ids[:2]})).status_code == 400
    assert (
        "said=sync_triggered"
        in (await web.post("/bulk", data={"action": "synchronize", "id": ids[0]})).headers["location"]
    )
    refused = await web.post("/bulk", data={"action": "synchronize", "id": ids[5]})
    assert (refused.status_code, "enable it first" in refused.text) == (409, True)


async def test_list_changed_under_the_selection(web: Any, site: Any) -> None:
    """*The whole list* is refused when it is shown in another way than when it was selected."""
    await site.connected()
    page = (await web.get("/")).text
    await web.post("/look", data={"view": "", "what": "filter", "column": "name", "operator": "=", "value": "x"})
    data = {"action": "disable", "everything": "1", "mark": value_of(page, "mark"), "view": ""}
    assert (await web.post("/bulk", data=data)).status_code == 409
    assert (await site.house.connections.list("acme"))[0].status.value == "active"


async def test_delete(web: Any, site: Any) -> None:
    """An active one is explained; an inactive one is confirmed with what goes, and stays visible until it is gone."""
    one = await site.connected()
    assert "disable it first" in (await web.get(f"/connections/{one}/delete")).text
    assert (await web.post(f"/connections/{one}/delete", data={"sure": "yes"})).status_code == 409
    await site.house.connections.disable("acme", [one])
    assert "goes for ever" in (await web.get(f"/connections/{one}/delete")).text
    assert (await web.post(f"/connections/{one}/delete", data={})).status_code == 400
    await web.post(f"/connections/{one}/delete", data={"sure": "yes"})
    assert "Deleting" in (await web.get("/")).text
    assert (await web.get(f"/connections/{one}")).status_code == 200


async def test_views(web: Any, site: Any) -> None:
    """Create, change (asterisk), save, rename, publish, unpublish, reset, delete; entries only when they make sense."""
    await site.connected("Alpha")
    await site.connected("Beta")
    assert (await web.post("/views", data={"what": "create", "view": "", "name": " "})).status_code == 422
    made = await web.post("/views", data={"what": "create", "view": "", "name": "Mine"})
    number = re.search(r"view=(\d+)", made.headers["location"])[1]  # type: ignore[index]
    page = (await web.get(f"/?view={number}")).text
    assert "Mine</option>" in page
    assert entries(page) == ["create", "rename", "publish", "save", "delete"]
    await web.post("/look", data={"view": number, "what": "filter", "column": "name", "operator": "=", "value": "Beta"})
    page = (await web.get(f"/?view={number}")).text
    assert "Mine *</option>" in page
    assert "reset" in entries(page)
    assert ">Alpha</a>" not in page
    await web.post("/views", data={"what": "save", "view": number})
    await web.post("/views", data={"what": "publish", "view": number})
    page = (await web.get(f"/?view={number}")).text
    assert entries(page) == ["create", "rename", "unpublish", "save", "delete"]
    assert "Mine</option>" in (await site.client("bob/acme").get("/")).text
    await web.post("/views", data={"what": "rename", "view": number, "name": "Ours"})
    assert "Ours" in (await web.get("/views/delete", params={"view": number})).text
    await web.post("/views", data={"what": "delete", "view": number})
    assert (await web.get(f"/?view={number}")).status_code == 404


async def test_columns_and_sort(web: Any, site: Any) -> None:
    """Columns are shown, hidden and moved by buttons; a press on a head sorts, a second one the other way round."""
    await site.connected("Alpha")
    await site.connected("Beta")
    assert "Columns (7)" in (await web.get("/")).text
    data = {"view": "", "what": "columns", "order": ["name", "status", "driver"], "column": ["name", "driver"]}
    await web.post("/look", data={**data, "move": "driver:up"})
    page = (await web.get("/")).text
    assert "Columns (2)" in page
    await web.post("/look", data={"view": "", "what": "sort", "column": "name"})
    await web.post("/look", data={"view": "", "what": "sort", "column": "name"})
    page = (await web.get("/")).text
    assert page.index(">Beta<") < page.index(">Alpha<")
    assert 'aria-sort="descending"' in page
    assert (await web.post("/look", data={**data, "column": []})).status_code == 422


async def test_errors(web: Any, site: Any, shop: Any) -> None:
    """*Yes* leads to the reason, with retry and dismiss."""
    one = await site.connected()
    data = {"records": [{"id": "p1", "order_id": "404", "carrier": "dhl", "tracking": "1"}]}
    await web.post(f"/api/v1/connections/{one}/pushes/shipments", json=data)
    for process in await site.house.processes.list("acme", connection=one):
        await site.house.processes.run_to_end("acme", process.id)
    page = (await web.get("/errors", params={"connection": one})).text
    (failed,) = await site.house.hub.errors("acme", one)
    assert failed.reason in html.unescape(page)
    assert f'/errors?connection={one}">Yes</a>' in (await web.get("/")).text
    again = await web.post("/errors", data={"connection": one, "id": failed.id, "action": "retry"})
    assert again.headers["location"] == "/errors?said=retried&n=1"
    for process in await site.house.processes.list("acme", connection=one):
        if process.open:
            await site.house.processes.run_to_end("acme", process.id)
    await web.post("/errors", data={"connection": one, "everything": "1", "within": "1", "action": "dismiss"})
    assert "Nothing failed" in (await web.get("/errors", params={"connection": one})).text


async def test_processes(web: Any, site: Any) -> None:
    """What waits can be cancelled, and says in words how it ended."""
    await site.connected()
    page = (await web.get("/processes")).text
    number = re.search(r'data-process="(\d+)"', page)[1]  # type: ignore[index]
    assert "Queued" in page
    done = await web.post(f"/processes/{number}/cancel")
    assert done.headers["location"] == "/processes?said=cancelled"
    assert "Cancelled" in (await web.get("/processes", headers={"x-part": "rows"})).text
    process = await site.house.connections.synchronize("acme", (await site.house.connections.list("acme"))[0].id)
    await site.house.processes.run_to_end("acme", process.id)
    assert re.search(r"Data model: \d+, Orders: \d+", (await web.get("/processes")).text)


async def test_drivers(site: Any, open_house: Any) -> None:
    """Install, uninstall (refused while connections exist), a license added and removed, with the reason in words."""
    web = site.client("ann/acme")
    one = await site.connected()
    refused = await web.post("/drivers/echo", data={"action": "uninstall"})
    assert refused.status_code == 409
    assert (await web.post("/drivers/lab", data={"action": "uninstall"})).headers[
        "location"
    ] == "/drivers?said=uninstalled"
    assert (await web.post("/drivers/lab", data={"action": "install"})).headers["location"] == "/drivers?said=installed"
    assert (await web.post("/licenses", data={"license": "nonsense"})).status_code in (403, 422)
    text = vendor.issue(open_house.keys[0], account="acme", driver="echo", distribution="omnichannel-echo",
                        now=open_house.clock.now(), days=30)  # fmt: skip
    assert (await web.post("/licenses", data={"license": text})).headers["location"] == "/drivers?said=license_added"
    held = await site.house.licenses.list("acme")
    mine = [license_ for license_ in held if license_.driver == "echo"]
    assert "Another license covers this driver" in (await web.get(f"/licenses/{mine[0].id}/remove")).text
    assert (await web.post(f"/licenses/{mine[0].id}/remove")).status_code == 400
    assert len(await site.house.licenses.list("acme")) == len(held)
    for license_ in mine:
        last = await web.get(f"/licenses/{license_.id}/remove")
        await web.post(f"/licenses/{license_.id}/remove", data={"sure": "yes"})
    assert "No other license covers this driver" in last.text
    assert "<dd>1</dd>" in last.text
    assert (await web.get(f"/licenses/{mine[0].id}/remove")).status_code == 404
    assert "suspended" in str((await site.house.connections.get("acme", one)).health)
    page = await web.get(f"/connections/{one}")
    assert page.status_code == 200
    assert "license" in page.text


async def test_hostile_strings(web: Any, site: Any, shop: Any) -> None:
    """Markup in names, orders, errors and views stays text on every page."""
    name = HOSTILE[:200].replace("\u202e", "")
    shop.orders = [Order(id="1", number=HOSTILE, status=HOSTILE)]
    one = await site.connected(name)
    process = await site.house.connections.synchronize("acme", one)
    await site.house.processes.run_to_end("acme", process.id)
    await site.house.views.create("acme", "ann", name)
    await web.post(
        "/look", data={"view": "", "what": "filter", "column": "name", "operator": "like", "value": "script"}
    )
    paths = [one_.path for one_ in doors() if one_.method == "GET" and not one_.machine and "events" not in one_.path]
    for path in [*paths, "/hub/orders/1/1", "/?view=1"]:
        filled = re.sub(r"\{id:int\}", str(one), path).replace("{kind}", "orders").replace("{record:path}", "1")
        filled = filled.replace("{what}", "create").replace("{driver}", "echo")
        text = (await web.get(filled)).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "49&amp;" not in text, path
    said = (await web.get("/", params={"said": HOSTILE, "process": HOSTILE, "n": HOSTILE})).text
    assert "<script>alert" not in said


async def test_languages(site: Any) -> None:
    """German by Accept-Language or by the host's word; what is not known is English."""
    await site.connected()
    german = (await site.client(**{"accept-language": "fr;q=1, de-AT;q=0.8, en;q=0.5"}).get("/")).text
    assert '<html lang="de">' in german
    assert "Verbindungen" in german
    assert "Verbindung hinzufügen" in german
    assert '<html lang="en">' in (await site.client(**{"accept-language": "fr"}).get("/")).text
    assert '<html lang="en">' in (await site.client(**{"accept-language": "de;q=x, ;q="}).get("/")).text
    for asked, language in (("de; q=0.9, en; q=0.5", "de"), ("fr, de ;q = 0.8", "de"), ("de;q=0, fr", "en"),
                            ("*, de;q=0.1", "de")):  # fmt: skip
        assert f'<html lang="{language}">' in (await site.client(**{"accept-language": asked}).get("/")).text, asked


async def test_stores(web: Any) -> None:
    """The page of stores is there where none is, and says why one cannot be added."""
    page = await web.get("/stores")
    assert (page.status_code, "No driver for stores" in page.text) == (200, True)
    assert 'href="/stores"' not in page.text
    refused = await web.post("/stores", data={"name": "Corner shop", "currency": "eur", "gross_prices": "on"})
    assert refused.status_code >= 400
    assert "A store needs a driver that is made for stores" in refused.text
    wrong = await web.post("/stores", data={"name": "", "currency": "E1"})
    assert (wrong.status_code, wrong.text.count('aria-invalid="true"')) == (422, 1)


async def test_nothing_there(web: Any, site: Any) -> None:
    """An address of no page says so within the pages of who is signed in, and without them to others."""
    known = await web.get("/nowhere")
    assert (known.status_code, "There is no such page." in known.text) == (404, True)
    assert "/hub/orders" in known.text
    unknown = await site.client("").get("/nowhere")
    assert (unknown.status_code, "/hub/orders" in unknown.text) == (404, False)


async def test_drivers_by_their_title(web: Any, site: Any) -> None:
    """The list calls a driver what its distribution calls it; long names keep their whole text in reach."""
    name = "Long " * 40
    await site.connected(name.strip())
    page = (await web.get("/")).text
    assert 'class="c-driver">Echo</td>' in page
    assert f'title="{name.strip()}"' in page


async def test_hub_in_words(web: Any, site: Any, shop: Any) -> None:
    """Orders are listed by their shared state with the remote's own beside it; dates are typed as everywhere else; one
    in full shows amounts, times and yes or no as people write them."""
    at = datetime(2026, 1, 5, 10, 30, tzinfo=UTC)
    shop.orders = [Order(id="1", number="A1", status="7", state="shipped", placed_at=at, archived=False,
                         gross=Money(Decimal("165.2400"), "EUR"))]  # fmt: skip
    one = await site.connected()
    process = await site.house.connections.synchronize("acme", one)
    await site.house.processes.run_to_end("acme", process.id)
    page = (await web.get("/hub/orders", params={"since": "05.01.2026", "until": "06.01.2026"})).text
    assert re.search(r'Shipped\s+<span class="muted">7</span>', page)
    assert 'value="05.01.2026"' in page
    assert "Nothing fits" in (await web.get("/hub/orders", params={"since": "06.01.2026"})).text
    assert (await web.get("/hub/orders", params={"since": "31.02.2026"})).status_code == 422
    assert (await web.get("/hub/orders", params={"since": "2026"})).status_code == 422  # no count of seconds
    full = (await web.get(f"/hub/orders/{one}/1")).text
    for text in ("165.24 EUR", "05.01.2026 10:30 UTC", "<dd>No"):
        assert text in re.sub(r">\s+", ">", full), text
