"""Delivering: what is queued goes out, batch by batch; every record ends in a known state, or says that it does not."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

import anyio
import attrs

from omnichannel_core import errors
from omnichannel_core.connections import checking, outcomes
from omnichannel_core.connections.parts import Parts
from omnichannel_core.driver import (
    Batch,
    Driver,
    Outcome,
    PushStream,
    Session,
)  # fmt: skip
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.model.outbox import Sending
from omnichannel_core.model.process import Process
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.turn import Again, Done, Turn, Wait
from omnichannel_core.records import Cancellation, Invoice, Offer, Price, Record, Shipment, StockLevel
from omnichannel_core.remote import redaction
from omnichannel_core.storage import fulls, hub, sending
from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.sending import Change, Task, What
from omnichannel_core.storage.store import Tx

KIND = "deliver"
DEADLINE = 600.0  # seconds for one call of a driver's push or settle
BUSY = 2.0  # seconds until a stream that somebody else has, or that gives way, is asked for again
URGENCY: Sequence[type[Record]] = (StockLevel, Price, Cancellation, Shipment, Invoice, Offer)
_ALLOWED: tuple[type[errors.OmnichannelError], ...] = (
    *errors.DRIVERS_MAY_RAISE, errors.NotAdmitted, errors.OperatorNeeded, errors.DriverError, errors.Superseded,
)  # fmt: skip
_log = logging.getLogger(__name__)


class Opened(Protocol):
    """An opened session; `left`: something unrepeatable may have arrived since `reset_left`."""

    @property
    def driver(self) -> Driver: ...
    @property
    def session(self) -> Session: ...
    @property
    def connection(self) -> Connection: ...
    @property
    def left(self) -> bool: ...
    def reset_left(self) -> None: ...


class Opens(Protocol):
    """What opens a stored connection (see sessions.Sessions)."""

    def open(self, account: str, connection_id: int) -> AbstractAsyncContextManager[Opened]: ...


def key(connection_id: int, stream: str) -> str:
    """At most one open delivery of a stream of a connection."""
    return f"deliver:{connection_id}:{stream}"


def due_streams(driver: Driver, due: frozenset[str] | None = None) -> list[str]:
    """The driver's outgoing streams, the most urgent first: stock overtakes offers. `due` narrows them."""
    return [name for name in sorted(driver.pushes, key=lambda one: _urgency(driver.pushes[one]))
            if due is None or name in due]  # fmt: skip


def _urgency(stream: PushStream[Any]) -> int:
    return next((at for at, kind in enumerate(URGENCY) if issubclass(stream.takes, kind)), len(URGENCY))


def submit_due(tx: Tx, connection: Connection, stream: str, now: datetime) -> Process | None:
    """Queue a delivery in the caller's transaction where one is needed; one that waits for its own time is woken.

    None when nothing waits, or the connection is not active: then its rows rest.
    """
    status, _ = Connections(tx, connection.account).switches(connection.id)
    at = sending.next_due(tx, connection.account, connection.id, stream)
    if at is None or status is not Status.ACTIVE:
        return None
    process, new = Queue.submit(
        tx, account=connection.account, connection=connection.id, kind=KIND, key=key(connection.id, stream),
        payload={"stream": stream}, now=now, run_at=max(at, now), message=f"{stream}: queued",
    )  # fmt: skip
    if not new and at <= now:
        sending.wake(tx, connection.account, [process.key], now)
    return process


def submit_fulls(tx: Tx, now: datetime) -> int:
    """The worker's door: queue a delivery for every stream whose run of everything is due; how many."""
    found = fulls.due(tx, now)
    for account, connection_id, stream in found:
        Queue.submit(
            tx, account=account, connection=connection_id, kind=KIND, key=key(connection_id, stream),
            payload={"stream": stream}, now=now, message=f"{stream}: everything",
        )  # fmt: skip
    return len(found)


@attrs.define
class Delivering:
    """The handler of deliveries. `payload` of a process: {"stream": name}, and counts it keeps."""

    parts: Parts
    sessions: Opens

    async def handle(self, turn: Turn) -> Done | Again | Wait:
        """One turn: until nothing is due, a slot is wanted by others, or something has to be waited for.

        Raises:
            RemoteError: the remote is down or says slow down (the rows know when to go on). NotAdmitted,
            AttentionNeeded, OperatorNeeded, DriverError: somebody has to act. Superseded: taken over.
        """
        account, connection_id = turn.process.account, turn.process.connection or 0
        try:
            async with self.sessions.open(account, connection_id) as work:
                return await self._turn(turn, work)
        except errors.NotAdmitted as closed:
            await self._note(account, connection_id, Health.SUSPENDED, closed)
            raise
        except errors.RemoteError as trouble:
            await self._note(account, connection_id, Health.WAITING, trouble)
            raise
        except (errors.AttentionNeeded, errors.OperatorNeeded, errors.DriverError) as trouble:
            await self._note(account, connection_id, Health.ATTENTION, trouble)
            raise

    async def _turn(self, turn: Turn, work: Opened) -> Done | Again | Wait:
        name = str(turn.payload["stream"])
        stream = work.driver.pushes.get(name)
        if stream is None:
            return Done(f"The driver no longer has a stream {name!r}; its records rest.")
        try:
            taken = await self.parts.store.write(lambda tx: self._take(tx, turn, work.connection.id, stream))
        except sending.Busy:
            return Wait(BUSY, f"{name}: another process has this stream")
        answer = await _Cycle(self, turn, work, stream, taken).run()
        return attrs.evolve(answer, payload=turn.payload)

    def _take(self, tx: Tx, turn: Turn, connection_id: int, stream: PushStream[Any]) -> sending.Taken:
        taken = sending.take(tx, turn.process.account, connection_id, stream.name, turn.process.id)
        status, _ = Connections(tx, turn.process.account).switches(connection_id)
        if stream.full_every is not None and status is Status.ACTIVE:
            fulls.plan(tx, connection_id, stream.name, stream.full_every, self.parts.clock.now())
        return taken

    async def settle(self, turn: Turn, work: Opened, names: Collection[str]) -> None:
        """Of a connection that is going: ask what became of what is due in these streams; nothing is sent.

        Raises:
            RemoteError and whatever else a driver may raise: what was not answered is asked for again later.
            Superseded.
        """
        for name in names:
            stream = work.driver.pushes.get(name)
            if stream is None or stream.settle is None:
                continue
            taken = await self.parts.store.write(
                lambda tx, n=name: sending.take(tx, turn.process.account, work.connection.id, n, turn.process.id)  # type: ignore[misc]
            )
            await _Cycle(self, turn, work, stream, taken, settling=True).run()

    async def _note(self, account: str, connection_id: int, health: Health, trouble: Exception) -> None:
        def write(tx: Tx) -> None:
            Connections(tx, account).note(connection_id, health=health, reason=str(trouble))

        await self.parts.store.write(write)


@attrs.frozen
class _Stop:
    """The cycle ends with this answer."""

    answer: Done | Wait


@attrs.define
class _Cycle:
    """One stream of one connection during one turn. Every step is a transaction, a call, a transaction."""

    house: Delivering
    turn: Turn
    work: Opened
    stream: PushStream[Any]
    taken: sending.Taken
    settling: bool = False  # only ask, send nothing

    async def run(self) -> Done | Again | Wait:
        while True:
            task = await self.house.parts.store.write(self._next)
            if isinstance(task, _Stop):
                return task.answer
            await self._perform(task)
            if self.turn.cancelled or self.turn.crowded:
                return Again()

    # --- before the call
    def _next(self, tx: Tx) -> Task | _Stop:
        now, name, connection = self.house.parts.clock.now(), self.stream.name, self.work.connection
        sending.verify(tx, self.taken)
        self.turn.beat(tx)
        if self.settling:
            sending.recover(tx, self.taken)
            task = sending.next_settling(tx, connection.account, self.taken, self.stream, now)
            return task or _Stop(Done())
        status, health = Connections(tx, connection.account).switches(connection.id)
        if status is not Status.ACTIVE or health is Health.SUSPENDED:
            return _Stop(Done(f"{name}: the connection is switched off; what is queued rests."))
        urgent = "" if self.turn.alone else sending.overtaken(tx, connection.account, connection.id, self._above(), now)
        if urgent:
            return _Stop(Wait(BUSY, f"{name}: {urgent} goes first"))
        sending.recover(tx, self.taken)
        task = sending.next_task(tx, connection.account, self.taken, self.stream, now)
        if task is not None:
            return task
        hub.refresh_flags(tx, connection.account, connection.id)
        at = sending.next_due(tx, connection.account, connection.id, name, ordered=not self.stream.state)
        if at is None:
            return _Stop(Done(f"{name}: {self.turn.payload.get('accepted', 0)} accepted"))
        return _Stop(Wait(max((at - now).total_seconds(), 1.0), f"{name}: waiting for its time"))

    def _above(self) -> Mapping[str, str]:
        mine = _urgency(self.stream)
        pushes = self.work.driver.pushes.values()
        return {one.name: key(self.work.connection.id, one.name) for one in pushes if _urgency(one) < mine}

    # --- the call, and what it means
    async def _perform(self, task: Task) -> None:
        settle = task.what is What.SETTLE
        call = self.stream.settle if settle else self.stream.push
        self.work.reset_left()
        said, trouble = await self._ask(call, task.batch)
        now = self.house.parts.clock.now()
        decided = (
            outcomes.settled(task, said, trouble, now)
            if settle
            else outcomes.pushed(task, self.stream, said, trouble, now, left=self.work.left)
        )
        with anyio.CancelScope(shield=True):  # an outcome that is known is not thrown away
            await self.house.parts.store.write(lambda tx: self._commit(tx, decided))
        rejected = sum(one.state is Sending.REJECTED for one in decided)
        if rejected:
            await self.house.parts.events.tell(
                "records_failed", account=self.work.connection.account, connection=self.work.connection.id,
                stream=self.stream.name, count=rejected,
            )  # fmt: skip
        if trouble is not None and not isinstance(trouble, errors.RemoteRejected):
            raise trouble

    async def _ask(
        self, call: Callable[[Session, Batch[Any]], Awaitable[Mapping[str, Outcome]]] | None, batch: Batch[Any]
    ) -> tuple[Mapping[str, Outcome], errors.OmnichannelError | None]:
        """Outcomes by key, and what was raised instead. What a driver may not raise or say is its author's fault."""
        name = self.stream.name
        assert call is not None  # noqa: S101 - a batch is settled only where the stream can
        try:
            with anyio.fail_after(DEADLINE):
                said = await call(self.work.session, batch)
        except TimeoutError:
            return {}, errors.RemoteUnavailable(f"Stream {name}: no outcome within {DEADLINE:.0f} seconds.")
        except _ALLOWED as trouble:
            redaction.shown(trouble)
            return {}, trouble
        except Exception as cause:  # noqa: BLE001 - a driver's fault is committed as an outcome first, then raised
            _log.warning("stream %s of driver %s raised", name, self.work.driver.name, exc_info=cause)
            return {}, errors.ContractBroken(
                f"Stream {name} raised {type(cause).__name__}, which drivers may not raise."
            )
        if not isinstance(said, Mapping):
            return {}, errors.ContractBroken(f"Stream {name} answered no mapping of outcomes.")
        return {name: outcomes.shown(one) for name, one in said.items() if outcomes.well_formed(one)}, None

    # --- after the call
    def _commit(self, tx: Tx, changes: Sequence[Change]) -> None:
        connection, now = self.work.connection, self.house.parts.clock.now()
        sending.verify(tx, self.taken)
        sending.apply(tx, self.taken, self.stream, changes, now)
        accepted = sum(one.state is Sending.ACCEPTED for one in changes)
        total = int(self.turn.payload.get("accepted", 0)) + accepted
        self.turn.payload["accepted"] = total
        if any(one.state in (Sending.REJECTED, Sending.UNKNOWN) or one.row.state is Sending.UNKNOWN for one in changes):
            hub.refresh_flags(tx, connection.account, connection.id)
        mine = Connections(tx, connection.account)
        if accepted and mine.switches(connection.id)[1] is Health.WAITING:
            health, reason = checking.verdict(mine.get(connection.id).seen, now)
            mine.note(connection.id, health=health, reason=reason)
        self.turn.beat(tx, done=total, message=f"{self.stream.name}: {total} accepted", payload=self.turn.payload)
