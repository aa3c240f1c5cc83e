"""One pull: page by page, the next one fetched while this one is stored; cursor, fence and page in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import anyio
import attrs
import msgspec

from omnichannel_core import errors, telemetry
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.sessions import Work
from omnichannel_core.driver import Page, PullStream, Wait
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.processes.turn import Turn
from omnichannel_core.records import Bad, Record
from omnichannel_core.remote import redaction
from omnichannel_core.storage import hub, pages, receipts, streams
from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.store import Tx

DEADLINE = 300.0  # seconds for one call of a driver's pull
T = TypeVar("T")


class Stopped(Exception):
    """The connection was disabled, suspended or is being deleted: end at this page boundary."""


@attrs.frozen
class Ended:
    """How a pull ended: all done, in the middle (the slot is given back), or waiting."""

    complete: bool
    wait: Wait | None = None
    stored: int = 0
    bad: int = 0


@attrs.define
class Pull:
    """One stream of one connection, or of all connections of its grant, during one turn of a process."""

    parts: Parts
    turn: Turn
    stream: PullStream[Any]
    works: Mapping[str, Work]  # by channel; one for a stream with `pull`
    taken: dict[str, streams.Taken] = attrs.field(factory=dict)
    gone: set[str] = attrs.field(factory=set)  # channels of other members that were switched off meanwhile
    stored: int = 0
    bad: int = 0
    _mores: Sequence[bool | Wait] = ()  # of the page that came last

    async def run(self) -> Ended:
        """Until the end, a wait, or the slot is wanted by others.

        Raises:
            Busy: another process has the stream. Stopped. Superseded. Errors a driver may raise; ContractBroken.
        """
        await self.parts.store.write(self._take)
        try:
            return await self._pages()
        finally:
            with anyio.CancelScope(shield=True):
                await self.parts.store.write(lambda tx: streams.give_back(tx, self.taken.values()))

    async def _pages(self) -> Ended:
        out, into = anyio.create_memory_object_stream[dict[str, Page[Any]]](0)
        failed: list[BaseException] = []
        async with anyio.create_task_group() as group:
            group.start_soon(self._ask, out, failed)
            async with into:
                async for found in into:
                    self._mores = [page.more for page in found.values()]
                    try:
                        await self._commit(found)
                    except errors.OmnichannelError as trouble:
                        failed.append(trouble)
                    except Stopped as stop:
                        failed.append(stop)
                    if failed:
                        break
            group.cancel_scope.cancel()
        if failed:
            raise failed[0]
        return await self._end()

    async def _ask(self, out: Any, failed: list[BaseException]) -> None:
        """The producer: at most one page ahead of the commit. It stops where the turn should end."""
        cursors = {channel: self._cursor(taken) for channel, taken in self.taken.items()}
        async with out:
            try:
                while True:
                    found = await self._call(cursors)
                    moved = {channel: page.cursor for channel, page in found.items()}
                    go_on = any(page.more is True for page in found.values())
                    if go_on and all(moved[channel] == cursors[channel] for channel in moved):
                        raise errors.ContractBroken(
                            f"Stream {self.stream.name} says there is more and does not move on."
                        )
                    cursors |= moved
                    await out.send(found)
                    if not go_on or self.turn.cancelled or self.turn.crowded:
                        return
            except errors.OmnichannelError as trouble:
                failed.append(trouble)
            except anyio.BrokenResourceError:
                return  # the commit failed, and says why

    async def _call(self, cursors: Mapping[str, Any]) -> dict[str, Page[Any]]:
        """Ask the driver, within a deadline; what it raises and what it gives are checked."""
        found = await guarded(f"Stream {self.stream.name}", lambda: self._page_of(cursors))
        self._check(found)
        return dict(found)

    async def _page_of(self, cursors: Mapping[str, Any]) -> Mapping[str, Page[Any]]:
        if self.stream.pull is not None:
            ((channel, work),) = self.works.items()
            return {channel: await self.stream.pull(work.session, cursors[channel])}
        asked = {channel: (self.works[channel].session, cursors[channel]) for channel in self.taken}
        return await self.stream.pull_together(asked)  # type: ignore[misc]

    def _check(self, found: Mapping[str, Page[Any]]) -> None:
        name = self.stream.name
        if not isinstance(found, Mapping) or not set(found) <= set(self.taken):
            raise errors.ContractBroken(f"Stream {name} answered for channels nobody asked for.")
        for page in found.values():
            if not isinstance(page, Page) or not isinstance(page.cursor, self.stream.cursor):
                raise errors.ContractBroken(f"Stream {name} gave no Page with a {self.stream.cursor.__name__}.")
            if not isinstance(page.more, bool | Wait):
                raise errors.ContractBroken(f"Stream {name} gave a Page whose `more` is neither a bool nor a Wait.")
            if not isinstance(page.total, int | None) or not 0 <= (page.total or 0) < 2**63:
                raise errors.ContractBroken(f"Stream {name} gave a Page whose `total` is no number.")
            check_records(self.stream, page.records)

    # --- transactions
    def _take(self, tx: Tx) -> None:
        """All streams of the group; those of other members that are busy are left out, our own must be free."""
        mine = self.turn.process.connection
        for channel, work in self.works.items():
            try:
                taken = streams.take(
                    tx, work.connection.account, work.connection.id, self.stream.name, self.turn.process.id
                )
            except streams.Busy:
                if work.connection.id == mine:
                    raise
                continue
            if self.stream.snapshot and streams.ended(tx, taken):
                taken = streams.begin_run(tx, taken)
            self.taken[channel] = taken

    def _cursor(self, taken: streams.Taken) -> Any:
        if taken.cursor is None:
            return self.stream.cursor()
        try:
            return msgspec.json.decode(taken.cursor, type=self.stream.cursor)
        except msgspec.DecodeError as cause:
            raise errors.ContractBroken(
                f"Stream {self.stream.name}: the stored cursor does not fit {self.stream.cursor.__name__} any more."
            ) from cause

    async def _commit(self, found: dict[str, Page[Any]]) -> None:
        ready = await self.parts.store.compute(lambda: self._commit_now(found))
        for channel, one in ready.items():
            connection = self.works[channel].connection
            if one.ids:
                await self.parts.events.tell(
                    "page_stored",
                    account=connection.account,
                    connection=connection.id,
                    stream=self.stream.name,
                    ids=one.ids,
                )
            counted = {"driver": connection.driver, "stream": self.stream.name}
            telemetry.count("omnichannel.records", sum(map(len, one.ids.values())), outcome="stored", **counted)
            telemetry.count("omnichannel.records", one.bad, outcome="bad", **counted)
            if one.bad:
                await self.parts.events.tell(
                    "records_failed", account=connection.account, connection=connection.id, stream=self.stream.name,
                    count=one.bad,
                )  # fmt: skip
        if self.stream.acknowledge is not None:
            await self._acknowledge()

    def _commit_now(self, found: dict[str, Page[Any]]) -> dict[str, pages.Stored]:
        """In the writers' lane: encode first, then the shortest transaction there can be.

        Takes the pages out of `found`: their records end here, not on the event loop, and before the next page is
        decoded in this lane. So one page is in memory as objects, and the next one gets the memory it leaves.
        """
        with honest(None, self.stream.name):
            prepared = {channel: (page, pages.prepare(page.records)) for channel, page in found.items()}
        found.clear()
        return self.parts.store.write_now(lambda tx: self._write(tx, prepared))

    def _goes_on(self, tx: Tx, channel: str) -> bool:
        """False when another member of the group was switched off: its pages wait for its return.

        Raises:
            Stopped: it was our own connection.
        """
        connection = self.works[channel].connection
        try:
            must_go_on(tx, connection.account, connection.id)
        except (Stopped, errors.NotFound):
            if connection.id == self.turn.process.connection:
                raise
            self.gone.add(channel)
        return channel not in self.gone

    def _write(self, tx: Tx, prepared: Mapping[str, tuple[Page[Any], pages.Prepared]]) -> dict[str, pages.Stored]:
        now, done = self.parts.clock.now(), dict[str, pages.Stored]()
        for channel, (page, ready) in prepared.items():
            connection, taken = self.works[channel].connection, self.taken[channel]
            if not self._goes_on(tx, channel):
                continue
            run = taken.run if self.stream.snapshot else 0
            with honest(tx, self.stream.name):
                one = pages.store(tx, connection.account, connection.id, self.stream.name, ready, run=run, now=now)
                at = msgspec.json.encode(page.cursor)
            why = page.more.why or "waiting" if isinstance(page.more, Wait) else ""
            streams.commit(tx, taken, at, records=one.new + one.changed, waiting=why)
            if one.bad or one.troubled:
                hub.refresh_flags(tx, connection.account, connection.id)
            if self.parts.sink is not None:
                written = [record for kind in ready.by_kind for record in ready.of(kind, one.ids.get(kind, ()))]
                if written:
                    self.parts.sink(tx, connection, self.stream.name, written)
            done[channel] = one
            self.stored += one.new + one.changed
            self.bad += one.bad
        total = max((page.total or 0 for page, _ in prepared.values()), default=0) or None
        self.turn.beat(
            tx,
            done=self.stored + self._before,
            total=total,
            message=f"{self.stream.name}: {self.stored + self._before}",
        )
        return done

    @property
    def _before(self) -> int:
        return int(self.turn.payload.get("stored", {}).get(self.stream.name, 0))

    async def _end(self) -> Ended:
        if any(more is True for more in self._mores):
            return Ended(complete=False, stored=self.stored, bad=self.bad)
        waits = [more for more in self._mores if isinstance(more, Wait)]
        if waits:
            return Ended(complete=False, wait=min(waits, key=lambda one: one.seconds), stored=self.stored, bad=self.bad)
        await self.parts.store.write(self._end_run)
        return Ended(complete=True, stored=self.stored, bad=self.bad)

    def _end_run(self, tx: Tx) -> None:
        now = self.parts.clock.now()
        for channel, taken in self.taken.items():
            if channel in self.gone:
                continue
            streams.end_run(tx, taken, now)
            if self.stream.snapshot:
                kinds = [kind.__name__ for kind in self.stream.yields]
                pages.retire(tx, self.works[channel].connection.id, kinds, taken.run, now)

    # --- after the commit
    async def _acknowledge(self) -> None:
        """Each new receipt once it is stored, until done; trouble there is tried again with a later page or run."""
        for channel, taken in self.taken.items():
            work = self.works[channel]
            account, connection = work.connection.account, work.connection.id
            if channel in self.gone:
                continue
            due = await self.parts.store.read(
                lambda tx, a=account, c=connection: receipts.receipts_due(
                    tx, a, c, self.stream.name, self.parts.clock.now()
                )  # type: ignore[misc]
            )
            for record, receipt in due:
                done = await self._tell(work, msgspec.structs.replace(record, receipt=receipt))
                await self.parts.store.write(
                    lambda tx, t=taken, r=record, p=receipt, d=done: receipts.receipt_done(  # type: ignore[misc]
                        tx, t.connection, self.stream.name, r, p, d, self.parts.clock.now()
                    )
                )

    async def _tell(self, work: Work, record: Record) -> bool:
        acknowledge = self.stream.acknowledge
        try:
            await guarded("Acknowledging", lambda: acknowledge(work.session, record))  # type: ignore[misc]
        except (errors.RemoteError, errors.RemoteRejected):
            return False
        return True


async def guarded(what: str, call: Callable[[], Awaitable[T]], deadline: float = DEADLINE) -> T:
    """A driver's function while it works: within a deadline, only errors a driver may raise.

    Raises:
        RemoteUnavailable: no answer in time. ContractBroken: it raised what drivers may not raise.
        What the house itself raises under it (StorageError, Superseded, NotAdmitted...).
    """
    try:
        with anyio.fail_after(deadline):
            return await call()
    except TimeoutError as cause:
        raise errors.RemoteUnavailable(f"{what}: no answer within {deadline:.0f} seconds.") from cause
    except _ALLOWED as trouble:
        redaction.shown(trouble)
        raise
    except (KeyboardInterrupt, GeneratorExit, BaseExceptionGroup, anyio.get_cancelled_exc_class()) as cause:
        if not isinstance(cause, ExceptionGroup):
            raise  # the host's, or a cancellation
        redaction.shown(cause)
        raise errors.ContractBroken(f"{what} raised several errors, which drivers may not raise.") from cause
    except BaseException as cause:
        redaction.shown(cause)
        raise errors.ContractBroken(f"{what} raised {type(cause).__name__}, which drivers may not raise.") from cause


_ALLOWED: tuple[type[Exception], ...] = (
    *errors.DRIVERS_MAY_RAISE, errors.NotAdmitted, errors.OperatorNeeded, errors.DriverError,
)  # fmt: skip


def check_records(stream: PullStream[Any], records: Sequence[Record | Bad]) -> None:
    """What a driver gave, against what it declares.

    Raises:
        ContractBroken: something else than records, an undeclared kind, or no id.
    """
    if not isinstance(records, Sequence):
        raise errors.ContractBroken(f"Stream {stream.name} gave no sequence of records.")
    for record in records:
        kind = record.kind if isinstance(record, Bad) else type(record)
        if kind not in stream.yields:
            what = getattr(kind, "__name__", "something")
            raise errors.ContractBroken(f"Stream {stream.name} gave a {what} it does not declare.")
        if not isinstance(record.id, str) or not (record.id or isinstance(record, Bad)):
            raise errors.ContractBroken(f"Stream {stream.name} gave a {kind.__name__} without id.")


@contextmanager
def honest(tx: Tx | None, stream: str) -> Iterator[None]:
    """What cannot be encoded or stored is its driver's fault, not the store's."""
    try:
        yield
    except errors.OmnichannelError:
        raise
    except Exception as cause:
        if tx is not None and isinstance(cause, _operational(tx)):
            raise
        raise errors.ContractBroken(
            f"Stream {stream} gave a record that cannot be stored: {type(cause).__name__}."
        ) from cause


def _operational(tx: Tx) -> type[Exception]:
    """The database driver's class of errors that are nobody's data: full, locked, gone."""
    found: type[Exception] = tx.dialect.loaded_dbapi.OperationalError
    return found


def must_go_on(tx: Tx, account: str, connection_id: int) -> None:
    """Raises Stopped when the user or the gate has switched the connection off."""
    status, health = Connections(tx, account).switches(connection_id)
    if status is not Status.ACTIVE or health is Health.SUSPENDED:
        raise Stopped
