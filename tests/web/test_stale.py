"""Forms opened before something changed: nothing is overwritten unseen, nothing typed is thrown away as saved."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.test_callbacks import home, out
from tests.web.test_pages import value_of

pytestmark = pytest.mark.anyio


def versions(page: str) -> dict[str, str]:
    """What a settings form sends of what it was opened with."""
    return {name: value_of(page, name) for name in ("version", "page_version")}


async def test_name_on_a_settings_page(web: Any, site: Any) -> None:
    """A stale settings form does not put the old name back; with the same name only the page's version counts."""
    one = await site.connected()
    address = f"/connections/{one}?tab=settings&page=import"
    page = (await web.get(address)).text
    await site.house.connections.disable("acme", [one])
    assert (await web.post(address, data={"name": "Shop", **versions(page), "s.above": "12"})).status_code == 303
    page = (await web.get(address)).text
    await site.house.connections.rename("acme", one, "Theirs")
    stale = await web.post(address, data={"name": "Shop", **versions(page), "s.above": "13"})
    assert (stale.status_code, "<td>Theirs</td><td>Shop</td>" in stale.text) == (409, True)
    assert (await site.house.connections.get("acme", one)).name == "Theirs"
    again = await web.post(address, data={"name": "Shop", **versions(stale.text), "s.above": "13"})
    assert again.status_code == 303


async def test_only_what_was_shown_is_saved_over(web: Any, site: Any) -> None:
    """Where name and page are both stale, the second SAVE still tells the one that the first did not."""
    one = await site.connected()
    address = f"/connections/{one}?tab=settings&page=import"
    page = (await web.get(address)).text
    await site.house.connections.edit("acme", one, name="Theirs", settings={"import": {"above": 5}})
    mine = {"name": "Mine", "s.above": "7"}
    first = await web.post(address, data={**mine, **versions(page)})
    assert (first.status_code, "<td>Theirs</td><td>Mine</td>" in first.text) == (409, True)
    second = await web.post(address, data={**mine, **versions(first.text)})
    assert (second.status_code, "<td>5</td><td>7</td>" in second.text) == (409, True)
    assert (await web.post(address, data={**mine, **versions(second.text)})).status_code == 303


async def test_apply_from_default_meanwhile(web: Any, site: Any) -> None:
    """Somebody else's own values are not given up by a stale *Apply from default* without being told."""
    one = await site.connected()
    address = f"/connections/{one}?tab=settings&page=import"
    page = (await web.get(address)).text
    await site.house.connections.edit("acme", one, settings={"import": {"above": 5}})
    stale = await web.post(address, data={"name": "Shop", **versions(page), "inherits": "on"})
    assert (stale.status_code, "<td>Apply from default</td><td>No</td><td>Yes</td>" in stale.text) == (409, True)
    driver = await site.house.drivers.load("acme", "echo")
    assert (await site.house.connections.settings.page("acme", driver, one, "import")).values["above"] == 5


async def test_schedule(web: Any, site: Any) -> None:
    """A stale schedule overwrites neither the name nor an interval; what is not touched here is left alone."""
    one = await site.connected()
    address = f"/connections/{one}?tab=schedule"
    page = (await web.get(address)).text
    form = {"name": "Shop", "version": value_of(page, "version")}
    orders = {"was.orders": value_of(page, "was.orders"), "minutes.orders": value_of(page, "was.orders")}
    await site.house.connections.schedule("acme", one, "orders", 30)
    assert (await web.post(address, data={**form, **orders})).status_code == 303
    stale = await web.post(address, data={**form, **orders, "minutes.orders": "5"})
    assert (stale.status_code, "<td>30</td><td>5</td>" in stale.text) == (409, True)
    await site.house.connections.rename("acme", one, "Theirs")
    stale = await web.post(address, data=form)
    assert (stale.status_code, "<td>Theirs</td><td>Shop</td>" in stale.text) == (409, True)
    assert (await site.house.connections.get("acme", one)).name == "Theirs"
    kept = {each.stream: each.minutes for each in await site.house.connections.schedules("acme", one)}
    assert kept["orders"] == 30


async def test_defaults(web: Any) -> None:
    """Stale defaults are 409 with the difference; only then does SAVE go over them."""
    address = "/drivers/echo/defaults?page=import"
    data = {"page_version": value_of((await web.get(address)).text, "page_version")}
    assert (await web.post(address, data={**data, "s.above": "4"})).status_code == 303
    stale = await web.post(address, data={**data, "s.above": "9"})
    assert (stale.status_code, "<td>4</td><td>9</td>" in stale.text) == (409, True)
    data = {"page_version": value_of(stale.text, "page_version")}
    assert (await web.post(address, data={**data, "s.above": "9"})).status_code == 303


@pytest.mark.parametrize("tab", ["credentials", "settings", "schedule"])
async def test_driver_gone_meanwhile(web: Any, site: Any, tab: str) -> None:
    """What was typed for a driver that is not let in any more is refused with the reason, not taken for saved."""
    one = await site.connected()
    page = (await web.get(f"/connections/{one}?tab={tab}")).text
    for held in await site.house.licenses.list("acme"):
        if held.driver == "echo":
            await site.house.licenses.remove("acme", held.id)
    data = {"name": "New", "version": value_of(page, "version"), "c.shop": "a", "c.secret": "hush-other"}
    refused = await web.post(f"/connections/{one}?tab={tab}", data=data)
    assert (refused.status_code, "This was not saved" in refused.text) == (403, True)
    assert (await site.house.connections.get("acme", one)).name == "Shop"
    assert (await web.post(f"/connections/{one}", data=data)).status_code == 303  # a name needs no driver


async def test_draft_over(site: Any, clock: Any) -> None:
    """SAVE and AUTHORIZE with a draft that is over keep what was typed, secrets excepted, and make nothing."""
    web = site.client()
    number = re.search(r"draft=(\d+)", (await home(web, await out(web))).headers["location"])[1]  # type: ignore[index]
    clock.turn(3_700)
    typed = {"name": "Typed for long", "driver": "lab", "c.shop": "my-shop", "c.secret": "hush-lab"}
    for address in ("/new", "/new/authorize"):
        kept = await web.post(address, data={**typed, "draft": number})
        assert (kept.status_code, "begin again" in kept.text) == (404, True)
        assert 'value="Typed for long"' in kept.text
        assert 'value="my-shop"' in kept.text
        assert "hush-lab" not in kept.text
        assert value_of(kept.text, "draft") == ""
    assert await site.house.connections.list("acme") == []
    assert await out(web, draft="")


async def test_draft_of_an_edit_over(site: Any, clock: Any) -> None:
    """The same of an AUTHORIZE for a connection that is there: it stays as it is."""
    web = site.client()
    made = await site.house.connections.create("acme", "lab", "Lab", {"shop": "a", "secret": "hush-lab"})
    here = f"/connections/{made.connection.id}"
    asked = {"tab": "credentials", "draft": "999"}
    typed = {"name": "Typed for long", "version": "1", "c.shop": "my-shop", "c.secret": "hush-other"}
    for address in (here, f"{here}/authorize"):
        kept = await web.post(address, params=asked, data=typed)
        assert (kept.status_code, "begin again" in kept.text) == (404, True)
        assert 'value="Typed for long"' in kept.text
        assert 'value="my-shop"' in kept.text
        assert "hush-other" not in kept.text
        assert "draft=999" not in kept.text
    assert (await site.house.connections.get("acme", made.connection.id)).name == "Lab"
    assert (await web.get(here, params=asked)).status_code == 404


async def test_create_with_a_driver_gone_meanwhile(web: Any, site: Any) -> None:
    """The typed name stays, with the reason."""
    await site.house.drivers.uninstall("acme", "echo")
    kept = await web.post("/new", data={"name": "Typed", "driver": "echo", "c.shop": "a", "c.secret": "hush-echo"})
    assert (kept.status_code, 'value="Typed"' in kept.text, "not installed" in kept.text) == (403, True, True)
