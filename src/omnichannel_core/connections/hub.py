"""The hub as hosts see it: what was pulled, found and opened; what goes out, pushed and followed; what failed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypedDict, TypeVar, Unpack

import anyio.to_thread
import attrs
import msgspec

from omnichannel_core import errors
from omnichannel_core.connections import delivering, failures, scratch
from omnichannel_core.connections.failures import Failure, Retried
from omnichannel_core.connections.parts import Parts
from omnichannel_core.driver import Driver, PushStream
from omnichannel_core.model.lifecycle import Status
from omnichannel_core.model.outbox import OutboxRow, Sending
from omnichannel_core.records import Order, Record
from omnichannel_core.storage import audits, outbox
from omnichannel_core.storage import hub as stored
from omnichannel_core.storage.bodies import KINDS
from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.hub import Entry, Erased, Found, OrderLine, Position
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import maybe_micros

LIMIT, DAYS_MAX = 500, 36_500
T = TypeVar("T")


class Drivers(Protocol):
    """What lets a driver in (see sessions.Sessions)."""

    async def driver(self, account: str, name: str) -> Driver:
        """Raises leaves of NotAdmitted."""
        ...


@attrs.frozen(kw_only=True)
class Listed(Generic[T]):
    """A page. `next` goes on after it, '' at the end."""

    items: Sequence[T]
    next: str = ""


class Wanted(TypedDict, total=False):
    """What narrows a list: see `storage.hub.Found`; `cursor` goes on after a page's `next`."""

    connection: int | None
    state: str | None
    since: datetime | None
    until: datetime | None
    number: str
    retired: bool
    full: bool
    cursor: str
    limit: int


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    at: int | None
    connection: int
    id: str


@attrs.define
class Hub:
    """Every method is of one account; another account's connection is NotFound."""

    parts: Parts
    sessions: Drivers

    # --- what came in
    async def find(self, account: str, found: Found, *, cursor: str = "", limit: int = 50) -> Listed[Entry]:
        """A page of records of one connection or of all, newest first; those without a time come last.

        Raises:
            UsageError: no such kind, a limit out of range, or a cursor that is not ours. NotFound.
        """
        if found.kind not in KINDS:
            raise errors.UsageError(f"There are no records of kind {found.kind!r}; there are {', '.join(KINDS)}.")
        _check(limit)
        for moment in (found.since, found.until):
            if moment is not None and moment.tzinfo is None:
                raise errors.UsageError("A time needs its zone.")
        after = _position(cursor)

        def read(tx: Tx) -> list[Entry]:
            if found.connection is not None:
                Connections(tx, account).switches(found.connection)
            return stored.search(tx, account, found, after, limit + 1)

        return _listed(await self.parts.store.read(read), limit, _entry_cursor)

    async def orders(self, account: str, **wanted: Unpack[Wanted]) -> Listed[Entry]:
        """Orders, newest first; as `find`."""
        return await self._listed(account, "Order", wanted)

    async def returns(self, account: str, **wanted: Unpack[Wanted]) -> Listed[Entry]:
        """Returns, newest first; as `find`."""
        return await self._listed(account, "Return", wanted)

    async def attributes(self, account: str, **wanted: Unpack[Wanted]) -> Listed[Entry]:
        """Attributes of the pulled data models; as `find`."""
        return await self._listed(account, "Attribute", wanted)

    async def attribute_sets(self, account: str, **wanted: Unpack[Wanted]) -> Listed[Entry]:
        """Attribute sets of the pulled data models; as `find`."""
        return await self._listed(account, "AttributeSet", wanted)

    async def _listed(self, account: str, kind: str, wanted: Wanted) -> Listed[Entry]:
        narrow: dict[str, Any] = {name: value for name, value in wanted.items() if name not in ("cursor", "limit")}
        found = Found(kind=kind, **narrow)
        return await self.find(account, found, cursor=wanted.get("cursor", ""), limit=wanted.get("limit", 50))

    async def count(self, account: str, found: Found) -> int:
        """How many there are."""
        return await self.parts.store.read(lambda tx: stored.count(tx, account, found))

    async def record(self, account: str, connection_id: int, kind: str, remote_id: str) -> Record:
        """One in full.

        Raises:
            NotFound.
        """
        return await self.parts.store.read(lambda tx: stored.get(tx, account, connection_id, kind, remote_id))

    async def order(self, account: str, connection_id: int, order_id: str) -> Order:
        """One order in full.

        Raises:
            NotFound.
        """
        found = await self.record(account, connection_id, "Order", order_id)
        if not isinstance(found, Order):
            raise errors.StorageError(f"What is stored as order {order_id!r} is none.")
        return found

    async def lines(self, account: str, connection_id: int, order_id: str) -> Sequence[OrderLine]:
        """Lines of one order."""
        return await self.parts.store.read(lambda tx: stored.lines(tx, account, connection_id, order_id))

    # --- what goes out
    async def push(
        self, account: str, connection_id: int, stream: str, records: Sequence[Record],
        keys: Sequence[str] | None = None,
    ) -> Sequence[OutboxRow]:  # fmt: skip
        """Queue records and a delivery; their rows in the order given. On an inactive connection they rest.

        Args:
            keys: the host's idempotency keys, one a record: the same key again is the same push.

        Raises:
            NotFound, NotAdmitted. MoveNotAllowed: it is being deleted. Conflict: a key used for other content.
            UsageError: the driver has no such stream, or it takes other records.
        """
        driver = await self._driver(account, connection_id)
        found = _stream(driver, stream)
        for record in records:
            if not isinstance(record, found.takes):
                raise errors.UsageError(
                    f"Stream {stream!r} of {driver.name} takes {found.takes.__name__}, not {type(record).__name__}."
                )

        def write(tx: Tx) -> list[OutboxRow]:
            connection = Connections(tx, account).get(connection_id).seen
            if connection.status is Status.DELETING:
                raise errors.MoveNotAllowed(f"Connection {connection_id} is being deleted: nothing is pushed.")
            now = self.parts.clock.now()
            rows = outbox.queue(tx, account, connection_id, found, records, now, keys)
            stored.refresh_flags(tx, account, connection_id)
            delivering.submit_due(tx, connection, stream, now)
            return rows

        rows = await self.parts.store.write(write)
        self.parts.queue.nudge()
        return rows

    async def pushes(
        self, account: str, *, connection: int | None = None, stream: str | None = None,
        states: Collection[Sending] | None = None, keys: Collection[str] | None = None, cursor: str = "",
        limit: int = 50,
    ) -> Listed[OutboxRow]:  # fmt: skip
        """What became of pushes, newest first.

        Raises:
            UsageError: a limit out of range, or a cursor that is not ours.
        """
        _check(limit)
        after = _position(cursor)
        rows = await self.parts.store.read(
            lambda tx: outbox.rows(
                tx, account, connection=connection, stream=stream, states=states, keys=keys,
                before=None if after is None else after.at, limit=limit + 1,
            )
        )  # fmt: skip
        return _listed(rows, limit, lambda row: _Cursor(row.id, row.connection, ""))

    # --- what failed
    async def errors(self, account: str, connection_id: int | None = None, limit: int = LIMIT) -> Sequence[Failure]:
        """Records that failed on their way in or out and are neither retried well nor dismissed, newest first."""
        _check(limit)

        def read(tx: Tx) -> list[Failure]:
            came = stored.troubles(tx, account, connection_id, limit)
            went = outbox.failures(tx, account, connection_id, limit)
            return [failures.came(one) for one in came] + [failures.went(one) for one in went]

        found = await self.parts.store.read(read)
        return sorted(found, key=lambda one: one.since, reverse=True)[:limit]

    async def retry(self, account: str, connection_id: int, ids: Sequence[str] | None = None) -> Retried:
        """Try failed ones again: records with the next synchronize, pushes at once. None is all.

        A push nobody knows the outcome of is sent once more: whoever retries it has looked.

        Raises:
            NotFound. UsageError: an id that is none.
        """
        records, pushes = failures.split(ids)

        def write(tx: Tx) -> Retried:
            connection, now = Connections(tx, account).get(connection_id).seen, self.parts.clock.now()
            again = stored.retry_troubles(tx, account, connection_id, now, records)
            streams = outbox.retry(tx, account, connection_id, now, pushes)
            stored.refresh_flags(tx, account, connection_id)
            submitted = [delivering.submit_due(tx, connection, name, now) for name in sorted(streams)]
            running = [one for one in submitted if one is not None]
            return Retried(records=again, pushes=sum(streams.values()), processes=running)

        done = await self.parts.store.write(write)
        self.parts.queue.nudge()
        return done

    async def dismiss(self, account: str, connection_id: int, ids: Sequence[str] | None = None) -> int:
        """Let failed ones go: they count as errors no more. None is all; how many.

        Raises:
            NotFound. UsageError: an id that is none.
        """
        records, pushes = failures.split(ids)

        def write(tx: Tx) -> int:
            connection, now = Connections(tx, account).get(connection_id).seen, self.parts.clock.now()
            done = stored.dismiss_troubles(tx, account, connection_id, now, records)
            done += outbox.dismiss(tx, account, connection_id, now, pushes)
            stored.refresh_flags(tx, account, connection.id)
            return done

        return await self.parts.store.write(write)

    async def restored(self, account: str | None = None) -> int:
        """A backup came back: open pushes are unknown before anything is sent; how many. None is all accounts.

        To be called before a runner starts.
        """
        return await self.parts.store.write(lambda tx: outbox.restored(tx, account, self.parts.clock.now()))

    # --- what goes
    async def erase(self, account: str, connection_id: int, who: Sequence[str] = (), *, actor: str = "") -> Erased:
        """Blank a customer's personal data (by e-mail or the remote's id), or the whole shop's.

        What is pulled again stays without it, pushes on their way lose it once they are settled, and the connection's
        scratch directory on this machine is emptied.

        Raises:
            NotFound. UsageError: an empty name among others.
        """
        if not all(one.strip() for one in who):
            raise errors.UsageError("Whose data is to be erased? A name is empty; leave all out for the whole shop.")
        done = await self._blank(account, connection_id, "personal data erased", actor, who=who)
        await self._clear_scratch(connection_id, 0)
        return done

    async def retain(self, account: str, connection_id: int, days: Mapping[str, int], *, actor: str = "") -> Erased:
        """Blank or remove what is older than so many days, by stream.

        Raises:
            NotFound. UsageError: fewer than no days, or more than a hundred years.
        """
        if not all(0 <= keep <= DAYS_MAX for keep in days.values()):
            raise errors.UsageError(f"Days to keep are 0 to {DAYS_MAX}.")
        done = await self._blank(account, connection_id, "retention kept", actor, days=days)
        if days:
            await self._clear_scratch(connection_id, min(days.values()))
        return done

    async def _clear_scratch(self, connection_id: int, days: int) -> None:
        folder = scratch.folder(self.parts.store.data, connection_id)
        await anyio.to_thread.run_sync(scratch.clear, folder, timedelta(days=days))

    async def _blank(
        self, account: str, connection_id: int, action: str, actor: str, *, who: Sequence[str] = (),
        days: Mapping[str, int] | None = None,
    ) -> Erased:  # fmt: skip
        def write(tx: Tx) -> Erased:
            Connections(tx, account).get(connection_id)
            now = self.parts.clock.now()
            if days is None:
                done = stored.erase(tx, account, connection_id, who, now)
            else:
                done = stored.retain(tx, account, connection_id, days, now)
            audits.note(tx, account, now, action, str(connection_id), actor=actor, detail=attrs.asdict(done))
            return done

        return await self.parts.store.write(write)

    async def _driver(self, account: str, connection_id: int) -> Driver:
        kept = await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))
        return await self.sessions.driver(account, kept.seen.driver)


def _stream(driver: Driver, name: str) -> PushStream[Any]:
    if name in driver.pushes:
        return driver.pushes[name]
    why = driver.not_supported.get(name)
    known = ", ".join(driver.pushes) or "none"
    raise errors.UsageError(f"Driver {driver.name} has no outgoing stream {name!r}: {why or 'it has ' + known}.")


def _check(limit: int) -> None:
    if not 1 <= limit <= LIMIT:
        raise errors.UsageError(f"A page has 1 to {LIMIT} items, not {limit}.")


def _listed(items: Sequence[T], limit: int, cursor: Callable[[T], _Cursor]) -> Listed[T]:
    page = items[:limit]
    return Listed(items=page, next=_text(cursor(page[-1])) if len(items) > limit else "")


def _entry_cursor(one: Entry) -> _Cursor:
    return _Cursor(maybe_micros(one.at), one.connection, one.id)


def _text(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _position(text: str) -> Position | None:
    if not text:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        said = msgspec.json.decode(raw, type=_Cursor)
    except (binascii.Error, ValueError, msgspec.DecodeError) as cause:
        raise errors.UsageError("This cursor is none of ours: begin again without one.") from cause
    for number in (said.at, said.connection):
        if number is not None and abs(number) >= 2**63:
            raise errors.UsageError("This cursor is none of ours: begin again without one.")
    return Position(said.at, said.connection, said.id)
