"""Pushes end in a known state, or say that they do not; nothing is guessed and nothing is sent twice."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import anyio
import attrs
import pytest

from omnichannel_core import errors
from omnichannel_core.connections.delivering import due_streams, key
from omnichannel_core.connections.events import hostimpl
from omnichannel_core.driver import Accepted, Batch, Later, Outcome, Pending, Rejected
from omnichannel_core.driver import Wait as Pause
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.model.outbox import NEVER, Sending
from omnichannel_core.model.process import State
from omnichannel_core.processes.runner import Runner
from omnichannel_core.processes.turn import Again, Done, Wait
from omnichannel_core.records import Invoice, Offer, Price, Shipment, StockLevel
from omnichannel_core.storage import outbox, sending, streams
from omnichannel_core.storage.schema import process

pytestmark = pytest.mark.anyio
QUEUED, UNKNOWN, ACCEPTED = Sending.QUEUED, Sending.UNKNOWN, Sending.ACCEPTED
PENDING, REJECTED, DROPPED = Sending.PENDING, Sending.REJECTED, Sending.DROPPED


class Crash(BaseException):
    """The process dies here."""


def shipment(name: str, order: str = "1") -> Shipment:
    return Shipment(id=name, order_id=order, tracking=f"T{name}", lines={"7": Decimal(1)})


def stock(name: str, quantity: int = 1) -> StockLevel:
    return StockLevel(id=name, sku=name, quantity=Decimal(quantity))


async def accept(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
    return {item.key: Accepted() for item in batch.items}


@attrs.define
class Parcels:
    """A remote that makes shipments, and sometimes does not say so."""

    house: Any
    chance: random.Random
    risk: float = 0.0
    made: list[str] = attrs.field(factory=list)

    def point(self) -> None:
        if self.chance.random() < self.risk:
            raise Crash

    async def push(self, _: Any, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
        self.point()
        (item,) = batch.items
        assert item.order is not None
        assert item.order.id == item.record.order_id
        fate = self.chance.random()
        if fate < 0.2:
            raise errors.RemoteUnavailable("503 before anything left")
        self.house.left = True
        self.made.append(item.record.tracking)
        self.point()
        if fate < 0.5:
            raise errors.RemoteUnavailable("connection lost after it was sent")
        return {item.key: Accepted(remote={"id": str(len(self.made))})}

    async def settle(self, _: Any, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
        self.point()
        return {
            item.key: Accepted() if item.record.tracking in self.made else Later(Pause(1.0)) for item in batch.items
        }


@pytest.mark.parametrize("seed", range(20))
async def test_shipments_never_doubled(house: Any, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Dropped answers, 503 and kills between any two durable steps: every shipment is accepted, none made twice."""
    chance = random.Random(seed)
    remote = Parcels(house, chance, risk=0.1)
    house.stream("shipments", Shipment, remote.push, settle=remote.settle)
    house.orders("1")
    await house.queue("shipments", *(shipment(f"s{n}") for n in range(12)))
    write, kills = house.store.write, 0

    async def deadly(work: Any) -> Any:
        remote.point()
        done = await write(work)
        remote.point()
        return done

    for _ in range(400):
        monkeypatch.setattr(house.store, "write", deadly)
        try:
            answer = await house.turn("shipments")
        except Crash:
            kills += 1
            continue
        except errors.RemoteUnavailable:
            answer = Wait(30.0, "")
        finally:
            monkeypatch.setattr(house.store, "write", write)
        if isinstance(answer, Done):
            break
        house.clock.turn(answer.seconds)
    assert set(await house.states()) == {ACCEPTED}
    assert sorted(remote.made) == sorted(f"Ts{n}" for n in range(12))
    assert kills > 3


async def test_the_control_that_resends_doubles(house: Any) -> None:
    """A driver that says of everything unknown that it never arrived doubles: the check above can fail."""
    remote = Parcels(house, random.Random(1))

    async def never(_: Any, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
        return {item.key: Later(Pause(1.0)) for item in batch.items}

    house.stream("shipments", Shipment, remote.push, settle=never)
    house.orders("1")
    await house.queue("shipments", *(shipment(f"s{n}") for n in range(12)))
    await house.until_quiet("shipments", turns=400)
    assert len(remote.made) > len(set(remote.made))


async def test_sending_is_durable_first(house: Any) -> None:
    """While the request is on its way the row says so, with fence, attempt and batch key."""
    seen: list[Any] = []

    async def push(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        seen.extend(await house.rows())
        assert batch.key == seen[0].batch
        return await accept(_, batch)

    house.stream("stock", StockLevel, push, state=True)
    await house.queue("stock", stock("a"))
    assert isinstance(await house.turn("stock"), Done)
    assert (seen[0].state, seen[0].attempts) == (Sending.SENDING, 1)
    assert seen[0].batch


async def test_newest_state_wins(house: Any) -> None:
    """Of a stream with a state only the newest goes out, in batches, however many were queued."""
    sent: list[list[tuple[str, Decimal]]] = []

    async def push(_: Any, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
        sent.append([(item.record.id, item.record.quantity) for item in batch.items])
        return await accept(_, batch)

    house.stream("stock", StockLevel, push, state=True, batch=2)
    for quantity in (5, 3, 5):
        await house.queue("stock", stock("a", quantity), stock("b", quantity + 1))
    await house.queue("stock", stock("c"))
    assert isinstance(await house.turn("stock"), Done)
    assert sent == [[("a", Decimal(5)), ("b", Decimal(6))], [("c", Decimal(1))]]
    assert await house.states() == [DROPPED] * 4 + [ACCEPTED] * 3


async def test_enabling_replays_nothing_old(house: Any) -> None:
    """While a connection is inactive nothing leaves; afterwards states go out once, as they are by then."""
    sent: list[Decimal] = []

    async def push(_: Any, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
        sent.extend(item.record.quantity for item in batch.items)
        return await accept(_, batch)

    house.stream("stock", StockLevel, push, state=True)
    house.switch(Status.INACTIVE)
    for quantity in (1, 2, 3):
        await house.queue("stock", stock("a", quantity))
    assert "rests" in (await house.turn("stock")).message
    assert sent == []
    house.switch(Status.ACTIVE)
    await house.turn("stock")
    assert sent == [Decimal(3)]


async def test_suspended_rests(house: Any) -> None:
    """A suspended connection sends nothing."""
    house.stream("stock", StockLevel, accept, state=True)
    await house.queue("stock", stock("a"))
    house.note(Health.SUSPENDED)
    assert isinstance(await house.turn("stock"), Done)
    assert await house.states() == [QUEUED]


async def test_later_is_dropped_when_a_newer_came(house: Any) -> None:
    """A state that was put off is not sent after a newer one."""

    async def push(_: Any, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
        if batch.items[0].record.quantity == 1:
            await house.queue("stock", stock("a", 2))
            return {batch.items[0].key: Later(Pause(60.0))}
        return await accept(_, batch)

    house.stream("stock", StockLevel, push, state=True)
    await house.queue("stock", stock("a", 1))
    await house.until_quiet("stock")
    assert await house.states() == [DROPPED, ACCEPTED]


async def test_same_batch_same_key(house: Any) -> None:
    """No answer, and nothing to look up: the very same batch with the very same key; what came since has another."""
    calls: list[tuple[str, list[str]]] = []

    async def push(_: Any, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
        calls.append((batch.key, [item.record.id for item in batch.items]))
        if len(calls) == 1:
            raise Crash
        if len(calls) == 2:
            raise errors.RemoteUnavailable("no answer")
        return await accept(_, batch)

    house.stream("stock", StockLevel, push, state=True, repeatable=True, batch=10)
    await house.queue("stock", *(stock(f"{n}") for n in range(10)))
    with pytest.raises(Crash):
        await house.turn("stock")
    await house.queue("stock", stock("new"))
    await house.until_quiet("stock")
    fresh = [call for call in calls if call[1] == ["new"]]
    old = [call for call in calls if call[1] != ["new"]]
    assert len({name for name, _ in old}) == 1
    assert [members for _, members in old] == [[f"{n}" for n in range(10)]] * len(old)
    assert len(old) >= 2
    assert {name for name, _ in fresh}.isdisjoint({name for name, _ in old})
    assert set(await house.states()) == {ACCEPTED}


async def test_repeated_whole_though_some_are_known(house: Any) -> None:
    """A batch of which one outcome is missing is repeated with all its members; the known ones keep theirs."""
    calls: list[list[str]] = []

    async def push(_: Any, batch: Batch[Offer]) -> Mapping[str, Outcome]:
        calls.append([item.key for item in batch.items])
        if len(calls) == 1:
            return {calls[0][0]: Accepted(remote={"id": "first"}), calls[0][1]: Rejected("no title")}
        return {name: Accepted(remote={"id": "again"}) for name in calls[-1]}

    house.stream("offers", Offer, push, repeatable=True, batch=3)
    await house.queue("offers", *(Offer(id=f"o{n}") for n in range(3)))
    await house.until_quiet("offers")
    assert calls[1] == calls[0]
    assert [(row.state, row.remote) for row in await house.rows()] == [
        (ACCEPTED, {"id": "first"}), (REJECTED, {}), (ACCEPTED, {"id": "again"}),
    ]  # fmt: skip


async def test_unknown_waits_for_a_person(house: Any) -> None:
    """Where nothing can be looked up or repeated, an unanswered push is never sent again until a person retries it."""
    keys: list[str] = []

    async def push(_: Any, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
        keys.append(batch.key)
        if len(keys) == 1:
            house.left = True
            raise errors.RemoteUnavailable("no answer")
        return await accept(_, batch)

    house.stream("shipments", Shipment, push)
    house.orders("1")
    (row,) = await house.queue("shipments", shipment("s"))
    await house.until_quiet("shipments")
    house.clock.turn(10**6)
    await house.until_quiet("shipments")
    (found,) = await house.rows()
    assert (len(keys), found.state, found.for_a_person) == (1, UNKNOWN, True)
    assert (await house.connection()).order_return_errors
    await house.hub.retry("a", 1, [f"push:{row.id}"])
    assert not (await house.connection()).order_return_errors
    await house.until_quiet("shipments")
    assert await house.states() == [ACCEPTED]
    assert len(set(keys)) == 2


async def test_nothing_left_is_later(house: Any) -> None:
    """A remote that is down before anything left: the row goes on later, when the remote said."""
    calls: list[str] = []

    async def push(_: Any, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
        calls.append(batch.key)
        if len(calls) < 3:
            raise errors.RateLimited("slow down", wait=90.0)
        return await accept(_, batch)

    house.stream("shipments", Shipment, push)
    house.orders("1")
    await house.queue("shipments", shipment("s"))
    with pytest.raises(errors.RateLimited):
        await house.turn("shipments")
    (row,) = await house.rows()
    assert (row.state, row.due_at) == (QUEUED, house.clock.now() + timedelta(seconds=90))
    assert (await house.connection()).health is Health.WAITING
    assert isinstance(await house.turn("shipments"), Wait)
    await house.until_quiet("shipments")
    assert len(set(calls)) == 3
    assert (await house.connection()).health is Health.OK


async def test_back_off_grows(house: Any) -> None:
    """A driver that always says *at once* is asked ever more seldom, at last every half hour."""
    asked: list[Any] = []

    async def push(_: Any, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
        asked.append(house.clock.now())
        return {batch.items[0].key: Later(Pause(0.0))}

    house.stream("shipments", Shipment, push)
    house.orders("1")
    await house.queue("shipments", shipment("s"))
    for _ in range(14):
        answer = await house.turn("shipments")
        house.clock.turn(answer.seconds)
    pauses = [(b - a).total_seconds() for a, b in pairwise(asked)]
    assert pauses[:4] == [1.0, 1.0, 1.0, 30.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 1800.0


async def test_tickets_settle_hours_later(house: Any) -> None:
    """A job with a ticket is pending until it says what became of it, and asked with that ticket."""
    state, tickets = "running", list[str]()

    async def push(_: Any, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
        return {item.key: Pending("job-1", Pause(600.0, "the job runs")) for item in batch.items}

    async def settle(_: Any, batch: Batch[StockLevel]) -> Mapping[str, Outcome]:
        tickets.extend(item.ticket for item in batch.items)
        return {item.key: Accepted() if state == "finished" else Pending("job-1", Pause(600.0)) for item in batch.items}

    house.stream("stock", StockLevel, push, settle=settle, batch=100, state=True)
    await house.queue("stock", *(stock(f"{n}") for n in range(3)))
    first = await house.turn("stock")
    assert isinstance(first, Wait)
    assert first.seconds == 600.0
    house.clock.turn(600)
    await house.turn("stock")
    assert set(await house.states()) == {PENDING}
    state = "finished"
    await house.until_quiet("stock")
    assert set(await house.states()) == {ACCEPTED}
    assert set(tickets) == {"job-1"}


async def test_pending_without_settle_is_unknown(house: Any) -> None:
    """A ticket nobody can ask about is an unknown outcome."""

    async def push(_: Any, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
        return {batch.items[0].key: Pending("t", Pause(1.0))}

    house.stream("shipments", Shipment, push)
    house.orders("1")
    await house.queue("shipments", shipment("s"))
    await house.until_quiet("shipments")
    assert (await house.rows())[0].for_a_person


async def test_refused_alone_and_together(house: Any) -> None:
    """RemoteRejected is a batch of one's rejection; of many nobody knows which, so they are unknown."""

    async def push(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        raise errors.RemoteRejected("the title is too long")

    house.stream("offers", Offer, push, batch=2)
    await house.queue("offers", *(Offer(id=f"o{n}") for n in range(3)))
    await house.until_quiet("offers")
    assert await house.states() == [UNKNOWN, UNKNOWN, REJECTED]
    assert all("too long" in row.reason for row in await house.rows())
    seen = await house.connection()
    assert (seen.order_return_errors, seen.other_errors) == (False, 3)


@pytest.mark.parametrize("said", [None, {"x": Accepted()}, {}, "nonsense", {"k": 5}, {"k": Later(5)}])  # type: ignore[arg-type]
async def test_a_driver_that_lies(house: Any, said: Any) -> None:
    """Whatever a driver answers that is no outcome leaves the row unknown, never accepted."""

    async def push(_: Any, batch: Batch[Any]) -> Any:
        house.left = True
        return said

    house.stream("offers", Offer, push)
    await house.queue("offers", Offer(id="o"), keys=["k"])
    try:
        await house.until_quiet("offers")
    except errors.ContractBroken:
        assert not isinstance(said, dict)
    assert await house.states() == [UNKNOWN]


async def test_a_driver_that_raises(house: Any) -> None:
    """An error drivers may not raise is ContractBroken on the connection; what had not left is queued again."""

    async def push(_: Any, batch: Batch[Any]) -> Any:
        raise ZeroDivisionError

    house.stream("offers", Offer, push)
    await house.queue("offers", Offer(id="o"))
    with pytest.raises(errors.ContractBroken, match="ZeroDivisionError"):
        await house.turn("offers")
    assert await house.states() == [QUEUED]
    assert (await house.connection()).health is Health.ATTENTION


async def test_rejected_credentials_lose_nothing(house: Any) -> None:
    """Where somebody has to act first, what had not left stays queued and the connection says so."""

    async def push(_: Any, batch: Batch[Any]) -> Any:
        raise errors.CredentialsRejected("the token was withdrawn")

    house.stream("offers", Offer, push)
    await house.queue("offers", Offer(id="o"))
    with pytest.raises(errors.CredentialsRejected):
        await house.turn("offers")
    assert await house.states() == [QUEUED]
    assert (await house.connection()).health_reason == "the token was withdrawn"


async def test_the_order_goes_along(house: Any) -> None:
    """A shipment of an order that is not stored is rejected unsent with the reason; retried once it is, it goes."""
    sent: list[str] = []

    async def push(_: Any, batch: Batch[Shipment]) -> Mapping[str, Outcome]:
        (item,) = batch.items
        assert item.order is not None
        sent.append(item.order.number)
        return await accept(_, batch)

    house.stream("shipments", Shipment, push)
    await house.queue("shipments", shipment("s", order="9"))
    await house.until_quiet("shipments")
    (row,) = await house.rows()
    assert row.state is REJECTED
    assert "'9' is not stored" in row.reason
    assert (await house.connection()).order_return_errors
    house.orders("9")
    await house.hub.retry("a", 1)
    await house.until_quiet("shipments")
    assert sent == ["N9"]
    assert not (await house.connection()).order_return_errors


async def test_remote_ids_are_handed_on(house: Any) -> None:
    """What Accepted told about a thing comes with its next push, in its own order, also after an answer without ids."""
    seen: list[Mapping[str, str]] = []

    async def push(_: Any, batch: Batch[Offer]) -> Mapping[str, Outcome]:
        seen.extend(item.remote for item in batch.items)
        assert len({item.record.id for item in batch.items}) == len(batch.items)
        return {item.key: Accepted(remote={"id": "77"} if len(seen) == 1 else {}) for item in batch.items}

    house.stream("offers", Offer, push, batch=10)
    await house.queue("offers", Offer(id="o", sku="1"), Offer(id="o", sku="2"), Offer(id="o", sku="3"))
    await house.until_quiet("offers")
    assert seen == [{}, {"id": "77"}, {"id": "77"}]


async def test_order_within_a_thing(house: Any) -> None:
    """A later version of an offer does not overtake one that was put off."""
    sent: list[str] = []

    async def push(_: Any, batch: Batch[Offer]) -> Mapping[str, Outcome]:
        (item,) = batch.items
        sent.append(item.record.sku)
        return {item.key: Later(Pause(500.0)) if len(sent) == 1 else Accepted()}

    house.stream("offers", Offer, push)
    await house.queue("offers", Offer(id="o", sku="old"), Offer(id="o", sku="new"), Offer(id="p", sku="other"))
    await house.until_quiet("offers")
    assert sent == ["old", "other", "old", "new"]


async def test_takeover_throws_away(house: Any) -> None:
    """Whoever lost the stream while its request was away commits nothing; the new holder asks what became of it."""
    asked: list[str] = []

    async def push(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        await house.store.write(lambda tx: streams.raise_fences(tx, "a", 1))
        return {item.key: Rejected("stale") for item in batch.items}

    async def settle(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        asked.extend(item.key for item in batch.items)
        return await accept(_, batch)

    house.stream("offers", Offer, push, settle=settle)
    (row,) = await house.queue("offers", Offer(id="o"))
    with pytest.raises(errors.Superseded):
        await house.turn("offers")
    assert await house.states() == [Sending.SENDING]
    await house.until_quiet("offers")
    assert asked == [row.key]
    assert await house.states() == [ACCEPTED]


async def test_one_at_a_time(house: Any) -> None:
    """A second process of the same stream waits while the first one runs."""
    house.stream("offers", Offer, accept)
    await house.queue("offers", Offer(id="o"))
    other = await house.store.write(
        lambda tx: tx.execute(
            process.insert().values(account_id="a", kind="x", key="x", state="running")
        ).inserted_primary_key[0]
    )
    await house.store.write(lambda tx: sending.take(tx, "a", 1, "offers", other))
    assert isinstance(await house.turn("offers"), Wait)
    assert await house.states() == [QUEUED]


async def test_cancel_between_batches(house: Any) -> None:
    """Asked to end, it ends after the batch at hand, whose outcome is kept."""
    house.stream("offers", Offer, accept)
    await house.queue("offers", Offer(id="1"), Offer(id="2"))
    house.asked_to_end = True
    assert isinstance(await house.turn("offers"), Again)
    assert await house.states() == [ACCEPTED, QUEUED]


async def test_urgency(house: Any) -> None:
    """Stock goes first, then prices, shipments and invoices, offers last, whatever their names and order."""
    house.stream("zzz", StockLevel, accept)
    house.stream("bills", Invoice, accept)
    house.stream("things", Offer, accept)
    house.stream("parcels", Shipment, accept)
    house.stream("amounts", Price, accept)
    driver = await house.driver("a", "fake")
    assert due_streams(driver) == ["zzz", "amounts", "parcels", "bills", "things"]
    assert due_streams(driver, frozenset({"things", "zzz", "gone"})) == ["zzz", "things"]


async def test_stock_overtakes_offers(house: Any) -> None:
    """Between two batches of offers, stock that is due and about to be sent goes first."""

    async def push(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        await house.hub.push("a", 1, "stock", [stock("a")])
        return await accept(_, batch)

    house.stream("stock", StockLevel, accept, state=True)
    house.stream("offers", Offer, push)
    await house.queue("offers", Offer(id="1"), Offer(id="2"))
    answer = await house.turn("offers")
    assert isinstance(answer, Wait)
    assert "stock goes first" in answer.why
    assert await house.states() == [ACCEPTED, QUEUED, QUEUED]


async def test_a_delivery_that_is_run_alone_gives_way_to_none(house: Any) -> None:
    """Whoever runs one delivery to its end has it end, although stock is due that nobody sends."""
    house.stream("stock", StockLevel, accept, state=True)
    house.stream("offers", Offer, accept)
    await house.hub.push("a", 1, "stock", [stock("a")])
    await house.queue("offers", Offer(id="1"))
    house.alone = True
    assert isinstance(await house.turn("offers"), Done)
    assert await house.states() == [QUEUED, ACCEPTED]


async def test_a_waiting_delivery_is_woken(house: Any) -> None:
    """New records wake a delivery that waits for a ticket, and not one that waits for the remote."""
    house.stream("offers", Offer, accept)
    await house.hub.push("a", 1, "offers", [Offer(id="1")])
    at = house.clock.now() + timedelta(hours=1)

    def look(tx: Any, **values: Any) -> int:
        if values:
            tx.execute(process.update().filter_by(key=key(1, "offers")).values(**values))
        return int(tx.execute(process.select().filter_by(key=key(1, "offers"))).one().run_at)

    far = sending.micros(at)
    await house.store.write(lambda tx: look(tx, state="waiting", run_at=far, error_key="rate_limited"))
    await house.hub.push("a", 1, "offers", [Offer(id="2")])
    assert await house.store.read(look) == far
    await house.store.write(lambda tx: look(tx, error_key=""))
    await house.hub.push("a", 1, "offers", [Offer(id="3")])
    assert await house.store.read(look) == sending.micros(house.clock.now())


async def test_restored(house: Any) -> None:
    """After a backup every open row is unknown: looked up, or for a person; a state is queued anew, once."""
    sent: list[str] = []

    async def push(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        sent.extend(item.record.id for item in batch.items)
        return await accept(_, batch)

    async def settle(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        return {item.key: Accepted() if item.record.id == "arrived" else Later(Pause(1.0)) for item in batch.items}

    house.stream("stock", StockLevel, push, state=True)
    house.stream("shipments", Shipment, push, settle=settle)
    house.stream("invoices", Invoice, push)
    house.orders("1")
    await house.queue("stock", stock("a", 1))
    await house.queue("shipments", shipment("arrived"), shipment("lost"))
    await house.queue("invoices", Invoice(id="i", order_id="1"))
    assert await house.store.write(lambda tx: outbox.restored(tx, None, house.clock.now())) == 4
    assert set(await house.states()) == {UNKNOWN}
    for name in house.pushes:
        await house.until_quiet(name)
    assert sorted(sent) == ["a", "lost"]
    rows = {row.thing: row for row in await house.rows()}
    assert rows["i"].due_at == NEVER
    assert (await house.connection()).order_return_errors


async def test_hosts_are_told(house: Any) -> None:
    """Rejected records of a push are told to the host."""
    told: list[tuple[str, int]] = []

    class Listener:
        @hostimpl
        def records_failed(self, stream: str, count: int) -> None:
            told.append((stream, count))

    async def push(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        return {item.key: Rejected("no") for item in batch.items}

    house.plugins.append(Listener())
    house.stream("offers", Offer, push, batch=5)
    await house.queue("offers", Offer(id="1"), Offer(id="2"))
    await house.until_quiet("offers")
    assert told == [("offers", 2)]


async def test_through_a_runner(house: Any) -> None:
    """A real runner brings a delivery to its end, over a wait of its own, and the process row tells how many."""
    tries: list[int] = []

    async def push(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        tries.append(len(batch.items))
        return {item.key: Later(Pause(5.0)) for item in batch.items} if len(tries) == 1 else await accept(_, batch)

    house.stream("offers", Offer, push, batch=4)
    await house.hub.push("a", 1, "offers", [Offer(id=f"{n}") for n in range(10)])
    parts = house.parts
    runner = Runner(
        store=parts.store, clock=parts.clock, queue=parts.queue, handlers={"deliver": house.delivering.handle}
    )
    (queued,) = await parts.queue.list("a")
    with anyio.fail_after(20):
        ended = await runner.run_to_end("a", queued.id)
    assert (ended.state, ended.done, ended.message) == (State.SUCCEEDED, 10, "offers: 10 accepted")
    assert tries == [4, 4, 2, 4]
    assert set(await house.states()) == {ACCEPTED}
