"""What tests of pushes and of the hub share: a real store, a fake driver, turns of real processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import attrs
import pytest

from omnichannel_core import errors
from omnichannel_core.connections.delivering import Delivering, key
from omnichannel_core.connections.events import Events
from omnichannel_core.connections.hub import Hub
from omnichannel_core.connections.parts import Parts
from omnichannel_core.driver import Batch, Driver, Outcome, PushStream
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.model.outbox import OutboxRow, Sending
from omnichannel_core.model.process import Process
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.turn import Again, Done, Turn, Wait
from omnichannel_core.records import Line, Order, Record
from omnichannel_core.storage import outbox, pages
from omnichannel_core.storage.connections import Connections, Kept
from omnichannel_core.storage.schema import account, process
from omnichannel_core.storage.schema import outbox as table
from omnichannel_core.storage.store import Store, Tx

Pushing = Callable[[Any, Batch[Any]], Awaitable[Mapping[str, Outcome]]]


@attrs.define
class Opened:
    """A session that leaves nothing but what the test says."""

    driver: Driver
    connection: Connection
    house: House
    session: Any = None

    @property
    def left(self) -> bool:
        return self.house.left

    def reset_left(self) -> None:
        self.house.left = False


@attrs.define
class House:
    """One account `a` with connection 1, and what a test asks of it."""

    store: Store
    clock: Any
    pushes: dict[str, PushStream[Any]] = attrs.field(factory=dict)
    left: bool = False
    plugins: list[object] = attrs.field(factory=list)
    asked_to_end: bool = False
    alone: bool = False

    def __attrs_post_init__(self) -> None:
        self.store.write_now(self._seed)

    def _seed(self, tx: Tx) -> None:
        for name in ("a", "b"):
            tx.execute(account.insert().values(id=name, name=name))
        for owner, number in (("a", 1), ("a", 2), ("b", 3)):
            seen = Connection(
                id=number, account=owner, driver="fake", name="Shop", status=Status.ACTIVE, created_at=self.clock.now()
            )
            kept = Kept(seen=seen, credentials={}, grant=0, subject="", callback_key="", fence=0, arrived_at=None)
            Connections(tx, owner).add(kept)

    # --- what the house is made of
    @property
    def parts(self) -> Parts:
        made = SimpleNamespace(
            store=self.store, clock=self.clock, queue=Queue(self.store, self.clock), events=Events(self.plugins)
        )
        return cast("Parts", made)

    @property
    def delivering(self) -> Delivering:
        return Delivering(self.parts, cast("Any", self))

    @property
    def hub(self) -> Hub:
        return Hub(self.parts, self)

    async def driver(self, account: str, name: str) -> Driver:
        """As the gate would."""
        return self._driver()

    def _driver(self) -> Driver:
        none = cast("Any", None)
        return Driver(
            name="fake", title="Fake", version="1", distribution="omnichannel-fake", credentials=none, flow=none,
            pages={}, pulls={}, pushes=self.pushes, not_supported={"invoices": "the remote has no way for them"},
        )  # fmt: skip

    @asynccontextmanager
    async def open(self, account: str, connection_id: int) -> AsyncIterator[Opened]:
        """As sessions would."""
        kept = await self.store.read(lambda tx: Connections(tx, account).get(connection_id))
        yield Opened(self._driver(), kept.seen, self)

    def stream(self, name: str, takes: type[Record], push: Pushing, **more: Any) -> PushStream[Any]:
        """Declare an outgoing stream."""
        made: PushStream[Any] = PushStream(name=name, takes=takes, push=push, **more)
        self.pushes[name] = made
        return made

    # --- what a test does
    def orders(self, *ids: str) -> None:
        """Store orders."""
        ready = pages.prepare(Order(id=one, number=f"N{one}", lines={"7": Line(id="7")}) for one in ids)
        self.store.write_now(lambda tx: pages.store(tx, "a", 1, "orders", ready, run=0, now=self.clock.now()))

    async def queue(self, stream: str, *records: Record, keys: list[str] | None = None) -> list[OutboxRow]:
        """Queue and nothing else."""
        now = self.clock.now()
        return await self.store.write(lambda tx: outbox.queue(tx, "a", 1, self.pushes[stream], records, now, keys))

    async def turn(self, stream: str) -> Done | Again | Wait:
        """One turn of the stream's delivery, as a runner would give it."""
        mine = await self.store.write(lambda tx: self._take(tx, stream))
        turn = Turn(mine, store=self.store, clock=self.clock, lease=60.0, crowd=lambda: False, alone=self.alone)
        if self.asked_to_end:
            turn.ask(1.0)
        return await self.delivering.handle(turn)

    def _take(self, tx: Tx, stream: str) -> Process:
        found, _ = Queue.submit(
            tx, account="a", connection=1, kind="deliver", key=key(1, stream), payload={"stream": stream},
            now=self.clock.now(),
        )  # fmt: skip
        row = tx.execute(
            process.update().filter_by(id=found.id).values(state="running", fence=process.c.fence + 1)
            .returning(process.c.fence)
        ).one()  # fmt: skip
        return attrs.evolve(found, fence=row.fence)

    async def until_quiet(self, stream: str, turns: int = 50) -> Done | Again | Wait:
        """Turn after turn, the clock going on as each wait says, until the delivery ends."""
        for _ in range(turns):
            try:
                answer = await self.turn(stream)
            except errors.RemoteError as trouble:
                answer = Wait(trouble.wait or 30.0, str(trouble))
            if isinstance(answer, Done):
                return answer
            if isinstance(answer, Wait):
                self.clock.turn(answer.seconds)
        msg = f"{stream} does not come to an end"
        raise AssertionError(msg)

    async def rows(self) -> list[OutboxRow]:
        """All of them, in the order queued."""
        found = await self.store.read(lambda tx: outbox.rows(tx, "a", limit=10_000))
        return found[::-1]

    async def states(self) -> list[Sending]:
        """Their states, in the order queued."""
        return [row.state for row in await self.rows()]

    async def connection(self) -> Connection:
        """As it is now."""
        return (await self.store.read(lambda tx: Connections(tx, "a").get(1))).seen

    def switch(self, status: Status) -> None:
        """Enable, disable, delete."""

        def write(tx: Tx) -> None:
            kept = Connections(tx, "a").get(1)
            Connections(tx, "a").replace(attrs.evolve(kept, seen=attrs.evolve(kept.seen, status=status)))

        self.store.write_now(write)

    def note(self, health: Health) -> None:
        """What the world says."""
        self.store.write_now(lambda tx: Connections(tx, "a").let_in(1, health, ""))

    def set(self, row: OutboxRow, **values: Any) -> None:
        """Reach into a row, as a kill or a restored backup would leave it."""
        self.store.write_now(lambda tx: tx.execute(table.update().filter_by(id=row.id).values(**values)))


@pytest.fixture
def house(store: Store, clock: Any) -> House:
    """Accounts `a` (connections 1 and 2) and `b` (connection 3)."""
    return House(store, clock)
