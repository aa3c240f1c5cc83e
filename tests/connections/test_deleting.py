"""Deleting: only what is inactive, with or without remote and driver, and nothing of it stays."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Any

import anyio
import pytest
import sqlalchemy as sa

from omnichannel_core import errors
from omnichannel_core.driver import Accepted
from omnichannel_core.model.process import State
from omnichannel_core.records import Bad, Line, Order, StockLevel
from omnichannel_core.storage.schema import audit, metadata, process
from tests.connections.lab import TYPED, made, opened, synced

pytestmark = pytest.mark.anyio


def rows_about(tx: Any, connection: int) -> dict[str, int]:
    """How many rows of each table say they are of the connection."""
    found = {}
    for table in metadata.tables.values():
        column = table.c.get("connection_id", table.c.id if table.name == "omni_connection" else None)
        if column is not None:
            found[table.name] = tx.execute(sa.select(sa.func.count()).where(column == connection)).scalar()
    owned = sa.text("SELECT COUNT(*) FROM omni_secret WHERE owner_kind <> 'store' AND owner_id LIKE :one")
    found["omni_secret"] = tx.execute(owned, {"one": f"{connection}%"}).scalar()
    return {name: count for name, count in found.items() if count}


async def test_nothing_stays(open_house: Any) -> None:
    """Records, credentials, settings, drafts and processes go; the process that deleted and audit lines stay."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [
            [Order(id="1", receipt="r", lines={"1": Line(id="1")}), Bad(kind=Order, id="2", reason="x")]
        ]
        lab, other = await made(house), await made(house, shop="b")
        await house.connections.edit("acme", lab, settings={"import": {"above": 2}})
        await synced(house, lab)
        await house.connections.authorize("acme", "lab", TYPED, return_url="https://x.example", connection=lab)
        with pytest.raises(errors.MoveNotAllowed, match="disable it first"):
            await house.connections.delete("acme", lab)
        await house.connections.disable("acme", [lab])
        assert await house.connections.what_goes("acme", lab) == {
            "orders": 1, "returns": 0, "other_records": 0, "pushes_not_sent": 0, "pushes_not_settled": 0,
            "failed_records": 1,
        }  # fmt: skip
        started = await house.connections.delete("acme", lab, actor="ann")
        ended = await house.processes.run_to_end("acme", started.id)
        assert (ended.state, ended.message) == (State.SUCCEEDED, "Deleted.")
        store = house._store  # type: ignore[attr-defined]
        assert store.read_now(lambda tx: rows_about(tx, lab)) == {process.name: 1}
        assert store.read_now(lambda tx: rows_about(tx, other))["omni_connection"] == 1
        lines = store.read_now(lambda tx: tx.execute(sa.select(audit.c.action).where(audit.c.actor == "ann")).all())
        assert [line[0] for line in lines] == ["connection being deleted", "connection deleted"]


async def test_scratch_comes_and_goes(open_house: Any) -> None:
    """A connection's scratch folder is there whenever its session is opened, and goes with the connection."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [[]]
        lab = await made(house)
        folder = house._sessions.folder(lab)  # type: ignore[attr-defined]
        for _ in range(2):
            async with house._sessions.open("acme", lab) as work:  # type: ignore[attr-defined]
                assert work.session.scratch.is_dir()
            shutil.rmtree(folder)
        await synced(house, lab)
        assert (folder / "scratch").is_dir()
        await house.connections.disable("acme", [lab])
        started = await house.connections.delete("acme", lab)
        await house.processes.run_to_end("acme", started.id)
        assert not folder.exists()


@pytest.mark.parametrize("trouble", ["down", "refused", "raises"])
async def test_without_the_remote(open_house: Any, shop: Any, trouble: str) -> None:
    """Whatever the remote says, deleting ends, and tells what is left over there."""
    async with open_house() as house:
        await open_house.settle(house)
        saved = await house.connections.create("acme", "echo", "Shop", {"shop": "a", "secret": "hush-echo"})
        one = saved.connection.id
        await house.connections.disable("acme", [one])
        shop.trouble = {
            "down": errors.RemoteUnavailable("The shop is down."),
            "refused": errors.CredentialsRejected("The shop refuses us."),
            "raises": ZeroDivisionError("x"),
        }[trouble]
        shop.calls.clear()
        started = await house.connections.delete("acme", one)
        ended = await house.processes.run_to_end("acme", started.id)
        assert ended.state is State.SUCCEEDED
        assert ended.message.startswith("Deleted. Left at the marketplace:")
        assert shop.calls.count("disconnect") == (3 if trouble == "down" else 1)
        assert await house.connections.list("acme") == []


async def test_running_work_commits_nothing_more(open_house: Any, shop: Any) -> None:
    """Pushes that wait go too, and what was queued for the connection ends."""
    async with open_house() as house:
        await open_house.settle(house)
        saved = await house.connections.create("acme", "echo", "Shop", {"shop": "a", "secret": "hush-echo"})
        one = saved.connection.id
        await house.hub.push("acme", one, "stock", [StockLevel(id="s", sku="s", quantity=1)])
        await house.connections.disable("acme", [one])
        assert (await house.connections.what_goes("acme", one))["pushes_not_sent"] == 1
        started = await house.connections.delete("acme", one)
        assert {each.state for each in await house.processes.list("acme") if each.id != started.id} == {State.CANCELLED}
        with pytest.raises(errors.MoveNotAllowed):
            await house.hub.push("acme", one, "stock", [StockLevel(id="s", sku="s", quantity=2)])
        await house.processes.run_to_end("acme", started.id)
        assert shop.stock == {}


async def pending(house: Any) -> int:
    """An inactive connection with stock `a` pending at the remote, and `b` not sent."""
    lab = await made(house)
    await synced(house, lab)
    await house.hub.push("acme", lab, "stock", [StockLevel(id="a", sku="a", quantity=1)])
    (process,) = await house.processes.list("acme", kind="deliver")
    with anyio.CancelScope() as scope:

        def seen(one: Any) -> None:
            if one.state is State.WAITING:
                scope.cancel()

        await house.processes.run_to_end("acme", process.id, seen=seen)
    await house.connections.disable("acme", [lab])
    await house.hub.push("acme", lab, "stock", [StockLevel(id="b", sku="b", quantity=1)])
    counts = await house.connections.what_goes("acme", lab)
    assert (counts["pushes_not_sent"], counts["pushes_not_settled"]) == (1, 1)
    return lab


async def test_pushes_get_a_deadline(open_house: Any, clock: Any) -> None:
    """What may have arrived is asked for before all goes; what was not sent is not sent any more."""
    async with opened(open_house) as (house, bench):
        lab = await pending(house)
        bench.told.clear()
        bench.outcome = Accepted()
        started = await house.connections.delete("acme", lab)
        ended = await house.processes.run_to_end("acme", started.id)
        assert (ended.state, ended.message) == (State.SUCCEEDED, "Deleted.")
        assert [what for what in bench.asked if what.startswith("settle")][-1] == "settle a"
        assert "stock b" not in bench.told


@pytest.mark.parametrize("trouble", ["says nothing", "down", "raises"])
async def test_the_deadline_ends(open_house: Any, clock: Any, trouble: str) -> None:
    """A remote that does not tell what became of a push is asked until the deadline, and then it is said so."""
    async with opened(open_house, delete_patience=timedelta(minutes=5)) as (house, bench):
        lab = await pending(house)
        if trouble != "says nothing":
            bench.trouble["settle"] = errors.RemoteUnavailable("down") if trouble == "down" else ValueError("x")
        began = clock.now()
        started = await house.connections.delete("acme", lab)
        ended = await house.processes.run_to_end("acme", started.id)
        assert (ended.state, ended.message) == (
            State.SUCCEEDED, "Deleted. Pushes whose outcome is not known: 1."
        )  # fmt: skip
        waited = clock.now() - began
        assert waited < timedelta(minutes=7)
        assert (waited >= timedelta(minutes=5)) is (trouble != "raises")
        assert await house.connections.list("acme") == []
