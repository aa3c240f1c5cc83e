"""The list with 10,000 connections is paged, counted, sorted and filtered in the database."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.numbers import next_number
from omnichannel_core.storage.store import Tx
from omnichannel_core.web.pages.listing import PAGE

pytestmark = pytest.mark.anyio
MANY = 10_000


async def test_many_connections(site: Any) -> None:
    """However many there are, a look at the list makes connections of one page's rows only."""
    first = await site.connected("Shop 00000")

    def copy(tx: Tx) -> None:
        mine = Connections(tx, "acme")
        kept = mine.get(first)
        for number in range(1, MANY):
            seen = attrs.evolve(kept.seen, id=next_number(tx, "connection"), name=f"Shop {number:05}")
            mine.add(attrs.evolve(kept, seen=seen, callback_key=f"key-{number}"))

    await site.house._store.write(copy)
    web = site.client()

    async def looked(total: int) -> str:
        page = (await web.get("/")).text
        assert f"{total}</span>" in page
        assert page.count('<tr role="row" data-status') == min(PAGE, total)
        return str(page)

    assert "Shop 00049" in await looked(MANY)
    for _ in range(2):  # ascending, descending
        await web.post("/look", data={"view": "", "what": "sort", "column": "name"})
    assert "Shop 09999" in await looked(MANY)
    given = {"view": "", "what": "filter", "column": "name", "operator": "like", "value": "Shop 070"}
    await web.post("/look", data=given)
    assert "Shop 07099" in await looked(100)
