"""Processes while somebody looks: what runs is told, however much has begun since."""

from __future__ import annotations

import importlib
from typing import Any

import anyio
import pytest

from omnichannel_core.driver import Page
from omnichannel_core.model.process import State
from omnichannel_core.web import watching
from omnichannel_core.web.watching import Watch

pytestmark = pytest.mark.anyio


async def test_long_run(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long sync stays told while others begin, in the stream and to those who ask again; its end is told, too."""
    monkeypatch.setattr(watching, "SHOWN", 3)
    monkeypatch.setattr(watching, "BEAT", 0.005)
    lab, begun, over = importlib.import_module("omnichannel_lab.bench"), anyio.Event(), anyio.Event()

    async def long(session: Any, cursor: Any) -> Any:
        begun.set()
        await over.wait()
        return Page(cursor=cursor, records=(), more=False)

    lab.BENCH.scripts["orders"] = long
    made = await site.house.connections.create("acme", "lab", "Lab", {"shop": "a", "secret": "hush-lab"})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(site.house.processes.run_to_end, "acme", made.process.id)
        await begun.wait()
        for number in range(5):
            await site.connected(f"Shop {number}")
        look = Watch(site.house).changes("acme")
        kind, rows = await anext(look)
        assert (kind, len(rows), rows[-1].id) == ("snapshot", 4, made.process.id)
        asked = await site.client().get("/processes", headers={"x-part": "rows"})
        assert f'data-process="{made.process.id}" data-state="running"' in asked.text
        over.set()
        with anyio.fail_after(20):
            while rows[-1].id != made.process.id or rows[-1].open:
                _, rows = await anext(look)
        assert rows[-1].state is State.SUCCEEDED
        await look.aclose()
