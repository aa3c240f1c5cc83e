"""Pulls through a real house: what is stored, what is not, and where a run ends."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.driver import Page, Wait
from omnichannel_core.model.lifecycle import Health
from omnichannel_core.model.process import State
from omnichannel_core.records import Attribute, Bad, Line, Money, Order
from omnichannel_core.storage import audits
from tests.connections.lab import count, made, opened, order, synced

pytestmark = pytest.mark.anyio
AT = datetime(2026, 1, 1, tzinfo=UTC)


def one(number: str, revision: str = "1", **more: Any) -> Order:
    """An order."""
    return Order(id=number, number=f"N{number}", revision=revision, placed_at=AT, **more)


def lines(*skus: str) -> dict[str, Line]:
    """Lines by id."""
    return {sku: Line(id=sku, sku=sku, quantity=Decimal(1), price=Money(Decimal(1), "EUR")) for sku in skus}


async def test_older_never_overwrites(open_house: Any) -> None:
    """An older revision never overwrites a newer one, in the same page, a later page or a later run."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [
            [one("1", "2", status="new", lines=lines("a")), one("1", "1", status="old", lines=lines("a", "b"))],
            [one("1", "1", status="old")],
        ]
        lab = await made(house)
        await synced(house, lab)
        kept = await order(house, lab, "1")
        assert (kept.revision, kept.status, list(kept.lines or {})) == ("2", "new", ["a"])
        assert [line.sku for line in await house.hub.lines("acme", lab, "1")] == ["a"]


async def test_partial_keeps_what_is_stored(open_house: Any) -> None:
    """Absent fields of a partial record keep what is stored, and its mappings merge by key."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [
            [one("1", "1", status="new", email="x@y.example", lines=lines("a"))],
            [Order(id="1", revision="2", partial=True, status="paid", lines=lines("b"))],
        ]
        lab = await made(house)
        await synced(house, lab)
        kept = await order(house, lab, "1")
        assert (kept.status, kept.email, kept.number, sorted(kept.lines or {})) == (
            "paid", "x@y.example", "N1", ["a", "b"],
        )  # fmt: skip
        assert not kept.partial


async def test_known_only(open_house: Any) -> None:
    """A record that only updates never creates one."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [
            [one("1")],
            [one("1", "2", known_only=True, status="paid"), one("2", known_only=True)],
        ]
        lab = await made(house)
        await synced(house, lab)
        assert await count(house, lab) == 1
        assert (await order(house, lab, "1")).status == "paid"


@pytest.mark.parametrize("together", [True, False])
async def test_replaces(open_house: Any, together: bool) -> None:
    """A record takes the place of others, stored before or in the same page, with their lines."""
    live, closing = one("live", lines=lines("a")), one("closing", replaces=("live",), lines=lines("a"))
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [[live, closing]] if together else [[live], [closing]]
        lab = await made(house)
        await synced(house, lab)
        assert await count(house, lab) == 1
        assert await house.hub.lines("acme", lab, "live") == []


async def test_equal_times_and_doubles(open_house: Any) -> None:
    """Equal times across a page border lose nothing, and an id that comes twice is one record."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [[one("1"), one("2"), one("2")], [one("2"), one("3")]]
        lab = await made(house)
        await synced(house, lab)
        assert await count(house, lab) == 3


async def test_receipts_until_done(open_house: Any) -> None:
    """A receipt is acknowledged after its record is stored, again while that fails, and once it is done never again."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [[one("1", receipt="r1")]]
        bench.trouble["acknowledge"] = errors.RemoteUnavailable("down")
        lab = await made(house)
        assert (await synced(house, lab)).state is State.SUCCEEDED
        assert (await count(house, lab), bench.told) == (1, [])
        bench.trouble.clear()
        house._clock.turn(120)  # type: ignore[attr-defined]
        await synced(house, lab)
        await synced(house, lab)
        assert bench.told == ["1 r1"]
        bench.scripts["orders"] = lambda session, cursor: Page(cursor=cursor, records=[one("1", "2", receipt="r2")])
        await synced(house, lab)
        assert bench.told == ["1 r1", "1 r2"]


async def test_snapshot_retires_after_complete_run(open_house: Any) -> None:
    """A snapshot that breaks off retires nothing; one that ends retires what it did not contain."""
    async with opened(open_house) as (house, bench):
        bench.scripts["data-model"] = [[Attribute(id="a", label="A")], [Attribute(id="b", label="B")]]
        lab = await made(house)
        await synced(house, lab)
        assert await count(house, lab, "Attribute") == 2

        def breaks(session: Any, cursor: Any) -> Any:
            if cursor.page:
                raise errors.CredentialsRejected("no")
            return Page(cursor=type(cursor)(1), records=[Attribute(id="a", label="A")], more=True)

        bench.scripts["data-model"] = breaks
        assert (await synced(house, lab)).state is State.FAILED
        assert await count(house, lab, "Attribute") == 2
        bench.scripts["data-model"] = [[Attribute(id="a", label="A")], []]
        await synced(house, lab)
        await synced(house, lab)
        assert await count(house, lab, "Attribute") == 1
        bench.scripts["data-model"] = [[Attribute(id="b", label="B")]]
        await synced(house, lab)
        assert await count(house, lab, "Attribute") == 1


async def test_bad_record(open_house: Any) -> None:
    """A bad record is kept with its reason, the page goes on, and retried well the flag is No again."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [[one("1"), Bad(kind=Order, id="2", reason="no total", raw=b"{}"), one("3")]]
        lab = await made(house)
        assert (await synced(house, lab)).state is State.SUCCEEDED
        assert await count(house, lab) == 2
        assert (await house.connections.get("acme", lab)).order_return_errors
        (failure,) = await house.hub.errors("acme", lab)
        assert (failure.remote_id, failure.reason) == ("2", "no total")
        bench.singles["2"] = one("2")
        await house.hub.retry("acme", lab)
        await synced(house, lab)
        assert await count(house, lab) == 3
        assert not (await house.connections.get("acme", lab)).order_return_errors
        assert list(await house.hub.errors("acme", lab)) == []


async def test_bad_record_that_is_gone(open_house: Any) -> None:
    """A failed record that the remote no longer has is settled when it is retried, and the process says so."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [[Bad(kind=Order, id=each, reason="no total", raw=b"{}") for each in "23"]]
        lab = await made(house)
        await synced(house, lab)
        bench.singles["3"] = one("3")
        await house.hub.retry("acme", lab)
        bench.scripts["orders"] = []
        ended = await synced(house, lab)
        assert ended.message.endswith("orders: 1 failed before and gone at the remote")
        assert not (await house.connections.get("acme", lab)).order_return_errors
        assert (list(await house.hub.errors("acme", lab)), await count(house, lab)) == ([], 1)
        kept = await house._store.read(lambda tx: tx.exec_driver_sql("SELECT reason FROM omni_trouble").scalar())  # type: ignore[attr-defined]
        assert kept == "Gone at the remote when it was asked for again. Before: no total"
        told = await house._store.read(lambda tx: audits.lines(tx, "acme"))  # type: ignore[attr-defined]
        assert [line["subject"] for line in told if line["action"] == "failed records gone"] == [str(lab)]
        bench.scripts["orders"] = [[Bad(kind=Order, id="2", reason="again", raw=b"{}")]]
        await house.connections.edit("acme", lab, settings={"import": {"above": 1}})
        await house.connections.edit("acme", lab, settings={"import": {"above": 0}})
        await synced(house, lab)
        assert [each.reason for each in await house.hub.errors("acme", lab)] == ["again"]


async def test_fetch_that_raises(open_house: Any) -> None:
    """What a driver may not raise while it fetches single records is its contract broken, with its own key."""
    async with opened(open_house) as (house, bench):
        bench.scripts["orders"] = [[Bad(kind=Order, id="2", reason="no total")]]
        lab = await made(house)
        await synced(house, lab)
        bench.trouble["fetch"] = ValueError("secret inside")
        await house.hub.retry("acme", lab)
        ended = await synced(house, lab)
        assert (ended.state, ended.error_key) == (State.FAILED, "contract_broken")
        assert "secret inside" not in ended.error


async def test_at_most_one_ahead(open_house: Any) -> None:
    """The next page is asked for while one is stored, and never more than one ahead of the commit."""
    async with opened(open_house) as (house, bench):
        ahead: list[int] = []
        lab = 0

        async def pull(session: Any, cursor: Any) -> Any:
            ahead.append(cursor.page - await count(house, lab))
            return Page(cursor=type(cursor)(cursor.page + 1), records=[one(str(cursor.page))], more=cursor.page < 20)

        bench.scripts["orders"] = pull
        lab = await made(house)
        await synced(house, lab)
        assert await count(house, lab) == 21
        assert max(ahead) <= 2  # one is being stored, one waits to be


@pytest.mark.parametrize("how", ["disable", "cancel"])
async def test_stops_at_a_page_border(open_house: Any, how: str) -> None:
    """Disabled or cancelled in the middle, a run ends at a page border; later it goes on and nothing is lost."""
    async with opened(open_house) as (house, bench):

        async def pull(session: Any, cursor: Any) -> Any:
            if cursor.page == 3 and how == "disable":
                await house.connections.disable("acme", [lab])
            if cursor.page == 3 and how == "cancel":
                (running,) = await house.processes.list("acme", states=[State.RUNNING])
                await house.processes.cancel("acme", running.id)
            return Page(cursor=type(cursor)(cursor.page + 1), records=[one(str(cursor.page))], more=cursor.page < 9)

        lab = await made(house)
        bench.scripts["orders"] = pull
        ended = await synced(house, lab)
        assert not ended.open
        stored = await count(house, lab)
        assert 0 < stored < 10
        bench.scripts["orders"] = lambda session, cursor: Page(
            cursor=type(cursor)(cursor.page + 1), records=[one(str(cursor.page))], more=cursor.page < 9
        )
        if how == "disable":
            await house.connections.enable("acme", [lab])
        await synced(house, lab)
        assert await count(house, lab) == 10
        pages = [asked for asked in bench.asked if asked.startswith("orders")]
        assert len(pages) - len(set(pages)) <= 2


async def test_wait_is_a_visible_state(open_house: Any) -> None:
    """A page that says wait gives the slot back: the process waits, says why, and goes on at its time."""
    async with opened(open_house) as (house, bench):

        def pull(session: Any, cursor: Any) -> Any:
            last = cursor.page == 1
            return Page(
                cursor=type(cursor)(cursor.page + 1), records=[one(str(cursor.page))],
                more=False if last else Wait(600, "a report is being made"),
            )  # fmt: skip

        bench.scripts["orders"] = pull
        lab = await made(house)
        seen: list[str] = []
        process = await house.connections.synchronize("acme", lab)
        ended = await house.processes.run_to_end(
            "acme", process.id, seen=lambda at: seen.append(f"{at.state} {at.message}")
        )
        assert ended.state is State.SUCCEEDED
        assert any("waiting orders: a report is being made" in line for line in seen)
        assert await count(house, lab) == 2


LIES: dict[str, Any] = {
    "no page": lambda cursor: "page",
    "foreign cursor": lambda cursor: Page(cursor="3"),
    "undeclared kind": lambda cursor: Page(cursor=cursor, records=[Attribute(id="a")]),
    "no id": lambda cursor: Page(cursor=cursor, records=[Order(id="")]),
    "a dict": lambda cursor: Page(cursor=cursor, records=[{"id": "1"}]),
    "not a list": lambda cursor: Page(cursor=cursor, records=5),  # type: ignore[arg-type]
    "stands still": lambda cursor: Page(cursor=cursor, more=True),
    "odd more": lambda cursor: Page(cursor=cursor, more="yes"),  # type: ignore[arg-type]
    "naive time": lambda cursor: Page(cursor=cursor, records=[Order(id="1", placed_at=datetime(2026, 1, 1))]),  # noqa: DTZ001
    "revision of no text": lambda cursor: Page(cursor=cursor, records=[Order(id="1", revision=None)]),  # type: ignore[arg-type]
    "lone surrogate": lambda cursor: Page(cursor=cursor, records=[Order(id="\ud800")]),
    "odd number": lambda cursor: Page(cursor=cursor, records=[Order(id="1", number=["x"])]),  # type: ignore[arg-type]
    "raises": lambda cursor: 1 / 0,
}


@pytest.mark.parametrize("lie", LIES)
async def test_lies(open_house: Any, lie: str) -> None:
    """What a driver may not do is ContractBroken on its own connection, and nothing of it is stored."""
    async with opened(open_house) as (house, bench):
        lab = await made(house)
        bench.scripts["orders"] = lambda session, cursor: LIES[lie](cursor)
        ended = await synced(house, lab)
        assert (ended.state, ended.error_key) == (State.FAILED, "contract_broken")
        assert (await house.connections.get("acme", lab)).health is Health.ATTENTION
        assert await count(house, lab) == 0


async def test_a_sink_is_not_called_for_nothing(open_house: Any) -> None:
    """A page that brings nothing new is none of the sink's business."""
    told: list[int] = []

    def sink(tx: Any, connection: Any, stream: str, records: Any) -> None:
        told.append(len(records))

    async with opened(open_house, sink=sink) as (house, bench):
        bench.scripts["orders"] = [[one("1", "2")], [], [one("1", "1")]]
        lab = await made(house)
        assert (await synced(house, lab)).state is State.SUCCEEDED
        assert told == [1]


async def test_sink_in_the_same_transaction(open_house: Any) -> None:
    """A host's sink writes with the page; when it raises, neither the page nor its cursor is there."""
    told: list[str] = []

    def sink(tx: Any, connection: Any, stream: str, records: Any) -> None:
        told.extend(record.id for record in records)
        if "2" in told:
            msg = "the host's table is full"
            raise RuntimeError(msg)

    async with opened(open_house, sink=sink) as (house, bench):
        bench.scripts["orders"] = [[one("1")], [one("2")]]
        lab = await made(house)
        assert (await synced(house, lab)).state is State.FAILED
        assert (told, await count(house, lab)) == (["1", "2"], 1)
        told.clear()
        bench.scripts["orders"] = [[], [one("3")]]
        await synced(house, lab)
        assert told == ["3"]


async def test_widened_while_it_runs(open_house: Any) -> None:
    """A filter widened in the middle of a run sets the cursor back, and the same process goes on from there."""
    async with opened(open_house) as (house, bench):
        lab = await made(house)
        await house.connections.edit("acme", lab, settings={"import": {"above": 5}})
        await synced(house, lab)

        async def pull(session: Any, cursor: Any) -> Any:
            if cursor.page == 3 and bench.asked.count("orders 3") == 1:
                await house.connections.edit("acme", lab, settings={"import": {"above": 0}})
            return Page(cursor=type(cursor)(cursor.page + 1), records=[one(str(cursor.page))], more=cursor.page < 5)

        bench.scripts["orders"], bench.asked[:] = pull, []
        process = await house.connections.synchronize("acme", lab)
        ended = await house.processes.run_to_end("acme", process.id)
        assert (ended.state, ended.id) == (State.SUCCEEDED, process.id)
        assert await count(house, lab) == 6
