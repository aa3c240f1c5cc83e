"""Synchronizing: data model, pulls, due pushes; and what a process of that kind does in each of its turns."""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import attrs

from omnichannel_core import errors
from omnichannel_core.connections import checking, delivering, pulling
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.pulling import Ended, Pull, Stopped
from omnichannel_core.connections.sessions import Sessions, Work
from omnichannel_core.driver import Driver, PullStream
from omnichannel_core.model.lifecycle import Health, Move, Status, move
from omnichannel_core.model.process import Process
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.turn import Again, Done, Turn, Wait
from omnichannel_core.storage import audits, hub, pages, sending, streams
from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.schedules import Schedules
from omnichannel_core.storage.store import Tx

KIND = "synchronize"
FAR = timedelta(days=365)  # whatever waits, whenever it is due
BUSY = 1.0  # seconds until a stream that another process has is asked for again
_log = logging.getLogger(__name__)


def key(connection_id: int) -> str:
    """At most one open synchronize of a connection."""
    return f"sync:{connection_id}"


def submit(tx: Tx, parts: Parts, account: str, connection_id: int, *, initial: bool = False, **payload: Any) -> Process:
    """Queue one in the caller's transaction; the open one when there is one."""
    process, _ = Queue.submit(
        tx, account=account, connection=connection_id, kind=KIND, key=key(connection_id),
        payload={"initial": initial, **payload}, now=parts.clock.now(),
    )  # fmt: skip
    return process


def suspend(tx: Tx, account: str, connection_id: int, reason: str) -> None:
    """The gate has closed: schedules rest until it opens again."""
    Connections(tx, account).note(connection_id, health=Health.SUSPENDED, reason=reason)
    Schedules(tx, account).rest(connection_id)


def resume(tx: Tx, parts: Parts, account: str, connection_id: int, *, spread: timedelta = timedelta(0)) -> None:
    """Enabled, or let in again: schedules go on, what waited to be pushed too, and a first sync that never ended."""
    now, mine = parts.clock.now(), Connections(tx, account)
    seen = mine.get(connection_id).seen
    Schedules(tx, account).wake(connection_id, now)
    for stream in sorted(sending.due(tx, account, connection_id, now + FAR)):
        delivering.submit_due(tx, seen, stream, now)
    if seen.last_synced_at is None:
        Queue.submit(
            tx, account=account, connection=connection_id, kind=KIND, key=key(connection_id),
            payload={"initial": True}, now=now, run_at=now + spread * random.random(),
        )  # fmt: skip


@attrs.define
class Synchronizing:
    """The move, and the handler."""

    parts: Parts
    sessions: Sessions

    async def synchronize(self, account: str, connection_id: int) -> Process:
        """Data model, pulls, due pushes. Pressed again it answers with the running process.

        Raises:
            NotFound, MoveNotAllowed (inactive: enable it first), NotAdmitted.
        """
        kept = await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))
        move(connection_id, kept.seen.status, Move.SYNCHRONIZE)
        await self.parts.gate.admit(account, kept.seen.driver)
        process = await self.parts.store.write(lambda tx: self._submit(tx, account, connection_id))
        self.parts.queue.nudge()
        return process

    def _submit(self, tx: Tx, account: str, connection_id: int) -> Process:
        move(connection_id, Connections(tx, account).get(connection_id).seen.status, Move.SYNCHRONIZE)
        return submit(tx, self.parts, account, connection_id)

    async def handle(self, turn: Turn) -> Done | Again | Wait:
        """One turn of a synchronize process: the steps that are left, as far as the turn goes."""
        account, connection_id = turn.process.account, turn.process.connection or 0
        try:
            async with self.sessions.open(account, connection_id) as work:
                if work.connection.status is not Status.ACTIVE:
                    return Done(message="The connection is inactive.")
                return attrs.evolve(await self._steps(turn, work), payload=turn.payload)
        except Stopped:
            return Done(message="Ended at a page boundary: the connection was switched off.")
        except errors.NotAdmitted as closed:
            await self.parts.store.write(lambda tx, why=str(closed): suspend(tx, account, connection_id, why))  # type: ignore[misc]
            raise
        except errors.AttentionNeeded as trouble:
            await self._note(account, connection_id, Health.ATTENTION, str(trouble))
            raise
        except errors.RemoteError as trouble:
            await self._note(account, connection_id, Health.WAITING, str(trouble))
            raise
        except (errors.OperatorNeeded, errors.DriverError) as trouble:
            await self._note(account, connection_id, Health.ATTENTION, str(trouble))
            raise

    async def _steps(self, turn: Turn, work: Work) -> Done | Again | Wait:
        left: list[str] = turn.payload.setdefault("left", plan(work.driver, turn.payload))
        while left:
            try:
                outcome = await self._step(turn, work, left[0])
            except errors.AccessMissing as refused:  # of this step: other work goes on
                turn.payload.setdefault("refused", {})[left[0]] = str(refused)
                outcome = None
            if outcome is not None:
                return outcome
            left.pop(0)
            await turn.progress(payload=turn.payload)
            if turn.cancelled:
                return Again()
        without = "; ".join(f"{step}: {said}" for step, said in turn.payload.get("refused", {}).items())
        if without and not turn.payload.get("stored"):
            raise errors.AccessMissing(without)
        await self._finished(turn, work, without)
        return Done(message="; ".join(filter(None, (_summary(turn.payload), without))))

    async def _step(self, turn: Turn, work: Work, step: str) -> Again | Wait | None:
        """None when the step has come to its end."""
        if step == "check":
            await self._check(turn, work)
            return None
        if step == "retry":
            await self._retry(turn, work)
            return None
        if step == "push":
            for name in delivering.due_streams(work.driver):
                await self.parts.store.write(
                    lambda tx, n=name: delivering.submit_due(tx, work.connection, n, self.parts.clock.now())  # type: ignore[misc]
                )
            self.parts.queue.nudge()
            return None
        stream = work.driver.pulls.get(step)
        if stream is None:
            return None
        try:
            ended = await self._pull(turn, work, stream)
        except streams.Busy:
            return Wait(BUSY, f"{step}: another process has this stream")
        _count(turn.payload, step, "stored", ended.stored)
        _count(turn.payload, step, "bad", ended.bad)
        if ended.complete:
            return None
        if ended.wait is not None:
            return Wait(ended.wait.seconds, f"{step}: {ended.wait.why}")
        return Again()

    async def _pull(self, turn: Turn, work: Work, stream: PullStream[Any]) -> Ended:
        if stream.pull is not None:
            return await Pull(self.parts, turn, stream, {work.connection.channel: work}).run()
        async with _Group(self.parts, self.sessions, work) as members:
            return await Pull(self.parts, turn, stream, members).run()

    async def _check(self, turn: Turn, work: Work) -> None:
        found = await checking.run(work)

        def write(tx: Tx) -> None:
            turn.beat(tx)
            checking.keep(tx, work.connection.account, work.connection.id, found, self.parts.clock.now())

        await self.parts.store.write(write)

    async def _retry(self, turn: Turn, work: Work) -> None:
        """Records that failed, or that a callback named: fetched by id and stored without moving a cursor."""
        wanted: dict[str, list[str]] = {name: list(ids) for name, ids in turn.payload.get("fetch", {}).items()}
        connection = work.connection
        troubles = await self.parts.store.read(lambda tx: hub.troubles_to_retry(tx, connection.account, connection.id))
        for name, ids in troubles.items():
            wanted.setdefault(name, []).extend(ids)
        for name, ids in wanted.items():
            stream = work.driver.pulls.get(name)
            if stream is None or stream.fetch is None:
                continue
            for at in range(0, len(ids), 50):
                part = list(dict.fromkeys(ids[at : at + 50]))
                fetch = stream.fetch
                found = await pulling.guarded(f"Stream {name}", lambda f=fetch, p=part: f(work.session, p))  # type: ignore[misc]
                pulling.check_records(stream, found)
                here = {name for one in found for name in (one.id, *getattr(one, "replaces", ()))}
                gone = [one for one in part if one not in here]
                await self.parts.store.compute(partial(self._store_single, turn, work, stream, found, gone))

    def _store_single(
        self, turn: Turn, work: Work, stream: PullStream[Any], found: Sequence[Any], gone: Sequence[str]
    ) -> None:
        with pulling.honest(None, stream.name):
            ready = pages.prepare(found)

        def write(tx: Tx) -> None:
            connection, now = work.connection, self.parts.clock.now()
            pulling.must_go_on(tx, connection.account, connection.id)
            run = streams.current_run(tx, connection.id, stream.name) if stream.snapshot else 0
            with pulling.honest(tx, stream.name):
                one = pages.store(tx, connection.account, connection.id, stream.name, ready, run=run, now=now)
            if self.parts.sink is not None:
                written = [record for kind in ready.by_kind for record in ready.of(kind, one.ids.get(kind, ()))]
                self.parts.sink(tx, connection, stream.name, written)
            settled = hub.settle_gone(tx, connection.account, connection.id, stream.name, gone, now)
            if settled:
                _count(turn.payload, stream.name, "gone", settled)
                said = {"stream": stream.name, "ids": list(gone)}
                audits.note(tx, connection.account, now, "failed records gone", str(connection.id), detail=said)
            hub.refresh_flags(tx, connection.account, connection.id)
            turn.beat(tx)

        self.parts.store.write_now(write)

    async def _finished(self, turn: Turn, work: Work, without: str) -> None:
        now, connection = self.parts.clock.now(), work.connection
        synced = None if turn.payload.get("called") else now

        def write(tx: Tx) -> None:
            turn.beat(tx)
            mine = Connections(tx, connection.account)
            seen = mine.get(connection.id).seen
            health, reason = checking.verdict(seen, now)
            if without:
                health, reason = Health.ATTENTION, without
            if seen.health is Health.SUSPENDED:  # the gate's answer is not the remote's to change
                health, reason = seen.health, seen.health_reason
            mine.note(connection.id, health=health, reason=reason, synced_at=synced)

        await self.parts.store.write(write)

    async def _note(self, account: str, connection_id: int, health: Health, reason: str) -> None:
        try:
            await self.parts.store.write(
                lambda tx: Connections(tx, account).note(connection_id, health=health, reason=reason)
            )
        except errors.NotFound:
            _log.info("connection %s is gone", connection_id)


def plan(driver: Driver, payload: Mapping[str, Any]) -> list[str]:
    """The steps of a run: a schedule or a call says what is wanted; else everything, the data model first."""
    if payload.get("check"):
        return ["check"]
    if payload.get("streams") or payload.get("called"):
        return ["retry", *payload.get("streams", ())]
    model = [stream.name for stream in driver.model_streams()]
    rest = [stream.name for stream in driver.record_streams()]
    return [*model, "retry", *rest, "push"]


def _count(payload: dict[str, Any], stream: str, what: str, more: int) -> None:
    if more or what == "stored":
        counts = payload.setdefault(what, {})
        counts[stream] = counts.get(stream, 0) + more


def _summary(payload: Mapping[str, Any]) -> str:
    bad = payload.get("bad", {})
    parts = [
        f"{name}: {count}" + (f" ({bad[name]} failed)" if name in bad else "")
        for name, count in payload.get("stored", {}).items()
    ]
    parts += [
        f"{name}: {count} failed before and gone at the remote" for name, count in payload.get("gone", {}).items()
    ]
    return ", ".join(parts)


@attrs.define
class _Group:
    """All active connections of one grant, by channel, each with its session."""

    parts: Parts
    sessions: Sessions
    work: Work
    _stack: Any = None

    async def __aenter__(self) -> Mapping[str, Work]:
        from contextlib import AsyncExitStack

        self._stack = AsyncExitStack()
        mine, kept = self.work.connection, self.work.kept
        members = {mine.channel: self.work}
        if kept is None or kept.grant == 0:
            return members
        sharing = await self.parts.store.read(lambda tx: Connections(tx, mine.account).sharing(kept.grant))
        for other in sharing:
            seen = other.seen
            usable = seen.status is Status.ACTIVE and seen.health is not Health.SUSPENDED
            if usable and seen.driver == mine.driver and seen.channel not in members:
                try:
                    opened = await self._stack.enter_async_context(self.sessions.open(mine.account, seen.id))
                except errors.OmnichannelError as trouble:  # its own sync tells what is wrong with it
                    _log.info("connection %d is left out of its group: %s", seen.id, trouble.key)
                else:
                    members[seen.channel] = opened
        return members

    async def __aexit__(self, *raised: object) -> None:
        await self._stack.aclose()


DEFAULT_MINUTES = 15


def default_minutes(stream: PullStream[Any]) -> int:
    """Orders, returns and other records every 15 minutes; the data model on synchronize only."""
    return 0 if stream.name == "data-model" else max(DEFAULT_MINUTES, int(stream.every / timedelta(minutes=1)))
