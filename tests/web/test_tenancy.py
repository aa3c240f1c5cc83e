"""Another account's things are 404 on every address, found from the table of addresses itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from omnichannel_core.model.view import Look
from omnichannel_core.records import Order
from omnichannel_core.web.app import doors
from tests.test_tenancy import changed, snapshot

pytestmark = pytest.mark.anyio
WITH_ID = [one for one in doors() if ":int}" in one.path]
BODIES: dict[str, Any] = {
    "/schedules/": {"minutes": 5}, "/look": {}, "/confirm": {"claim": "x"}, "/pushes/": {"records": []},
    "/receipts": {"receipts": [{}]},
    "/retention": {"days": {"orders": 1}}, "/erasures": {"who": []}, "/errors/": {},
}  # fmt: skip
WORDS = {"page": "import", "stream": "orders", "order": "1", "kind": "orders", "record": "1"}


def body(path: str) -> Any:
    """What the address takes."""
    if path.endswith("/views/{id:int}"):
        return {"name": "Theirs"}
    return next((one for part, one in BODIES.items() if part in path), {})


@pytest.mark.parametrize("door", WITH_ID, ids=lambda one: one.name)
async def test_foreign_id(site: Any, shop: Any, door: Any) -> None:
    """With another account's ids every address says 404 and nothing is touched."""
    shop.orders = [Order(id="1")]
    one = await site.connected()
    process = await site.house.connections.synchronize("acme", one)
    await site.house.processes.run_to_end("acme", process.id)
    view = await site.house.views.create("acme", "ann", "Mine", Look())
    draft = await site.house.connections.authorize(
        "acme", "lab", {"shop": "a", "secret": "s"}, return_url="https://host.example/oauth/lab", actor="ann"
    )
    kinds = {"connections": one, "views": view.id, "processes": process.id, "drafts": draft.draft,
             "install": draft.draft, "hub": one, "stores": one}  # fmt: skip
    room = next(name for name in kinds if f"/{name}/" in door.path)
    path = door.path.replace("{id:int}", str(kinds[room]))
    path = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: WORDS[found[1]], path)
    before = snapshot(site.house)
    client = site.client("ann/other")
    sent = {"json": body(door.path)} if door.machine else {"data": {"sure": "yes", "version": "1", "name": "x"}}
    answer = await client.request(door.method, path, **(sent if door.method not in ("GET", "DELETE") else {}))
    if door.name == "GET /install/{id:int}":
        assert answer.status_code == 200  # only asks; it tells nothing of the draft
    else:
        assert answer.status_code == 404, answer.text
    assert "Shop" not in answer.text
    assert changed(before, snapshot(site.house)) == []


async def test_foreign_ids_in_bodies(site: Any) -> None:
    """Ids in bodies and queries of another account are refused one by one, or not found."""
    one = await site.connected()
    client = site.client("ann/other")
    (moved,) = (await client.post("/api/v1/connections/disable", json={"ids": [one]})).json()
    assert moved["error"] == "not_found"
    rest = ("errors", "pushes", "hub/orders", "hub/orders/export")
    for path in (*(f"/api/v1/{name}" for name in rest), "/errors", "/processes", "/hub/orders"):
        assert (await client.get(path, params={"connection": one})).status_code == 404, path
    assert (await client.post("/bulk", data={"action": "synchronize", "id": one})).status_code == 404
    assert (
        await client.post("/errors", data={"action": "retry", "connection": one, "id": "record:1"})
    ).status_code == 404
    typed = {"driver": "lab", "credentials": {"shop": "a", "secret": "s"}, "connection": one}
    assert (await client.post("/api/v1/authorizations", json=typed)).status_code == 404


async def test_somebody_elses_views(site: Any) -> None:
    """A view that is not published does not exist for others of the same account; a published one is not theirs."""
    view = await site.house.views.create("acme", "ann", "Mine", Look())
    bob = site.client("bob/acme")
    assert (await bob.get(f"/api/v1/views/{view.id}")).status_code == 404
    await site.house.views.publish("acme", "ann", view.id)
    assert (await bob.get(f"/api/v1/views/{view.id}")).status_code == 200
    assert (await bob.delete(f"/api/v1/views/{view.id}")).status_code == 409
