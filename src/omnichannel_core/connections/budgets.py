"""Budgets shared by all connections and all processes of a store.

Every step happens on the one shared state, under a lock, before the request leaves: so no process can spend what
another has spent, and one that dies takes nothing along. Beside SQLite the state is a small file per budget: a step
costs microseconds. On a server it is a row: a step is one short transaction. There are no leases to hand over.

A place among the requests under way at once is a lock on a file, which ends with its process; on a server it is an
entry in a row, which ends after a while.
"""

from __future__ import annotations

import abc
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import anyio
import anyio.to_thread
import attrs
import msgspec

from omnichannel_core import errors
from omnichannel_core.driver import Clock, Reading
from omnichannel_core.remote.buckets import Bucket, Plan
from omnichannel_core.storage import limits
from omnichannel_core.storage.limit_files import Busy, LimitFiles
from omnichannel_core.storage.store import Store

T = TypeVar("T")
FORGET = timedelta(days=30)
PLACE_LIFE = 600.0  # seconds; longer than any request, so that only a process that died leaves one behind
_PAUSE, _PATIENCE = 0.0005, 10.0  # seconds; a process that was stopped in the middle of a step keeps its lock
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Bucket).decode
_Step = Callable[[bytes | None], tuple[bytes, T]]


class _Steps(abc.ABC):
    """The port's steps as functions of a state; where the state is, a subclass knows."""

    @abc.abstractmethod
    async def _change(self, key: str, step: _Step[T]) -> T: ...

    async def take(self, key: str, plan: Plan, cost: float, now: float, *, ahead: float = 0.0) -> tuple[float, int]:
        """See Buckets."""

        def step(state: bytes | None) -> tuple[bytes, tuple[float, int]]:
            bucket = _bucket(state, plan, now)
            wait = bucket.take(plan, cost, now, ahead=ahead)
            return _encode(bucket), (wait, bucket.turn)

        return await self._change(key, step)

    async def give(self, key: str, plan: Plan, cost: float) -> None:
        """See Buckets."""

        def step(state: bytes | None) -> tuple[bytes, None]:
            if not state:
                return b"", None  # what was taken is not known here
            bucket = _decode(state)
            bucket.give(plan, cost)
            return _encode(bucket), None

        await self._change(key, step)

    async def settle(self, key: str, plan: Plan, cost: float, turn: int, reading: Reading | None, now: float) -> None:
        """See Buckets."""

        def step(state: bytes | None) -> tuple[bytes, None]:
            bucket = _bucket(state, plan, now)
            bucket.settle(plan, cost, turn, reading, now)
            return _encode(bucket), None

        await self._change(key, step)

    async def wait(self, key: str, plan: Plan, seconds: float, now: float) -> None:
        """See Buckets."""

        def step(state: bytes | None) -> tuple[bytes, None]:
            bucket = _bucket(state, plan, now)
            bucket.wait(seconds, now)
            return _encode(bucket), None

        await self._change(key, step)


@attrs.define(eq=False)
class FileBudgets(_Steps):
    """Beside a SQLite store."""

    files: LimitFiles

    async def _change(self, key: str, step: _Step[T]) -> T:
        """No thread: the file is in the machine's memory.

        Raises:
            StorageError: a process that was stopped in the middle of a step holds it, or the file cannot be used.
        """
        waited = 0.0
        while True:
            try:
                return self.files.change(key, step)
            except Busy:
                if waited > _PATIENCE:
                    raise errors.StorageError(
                        f"A budget in {self.files.folder} is held by a process that does not go on; end that process."
                    ) from None
            await anyio.sleep(_PAUSE)
            waited += _PAUSE

    async def occupy(self, key: str, places: int, now: float) -> str:
        """See Buckets."""
        return self.files.occupy(key, places)

    async def vacate(self, key: str, place: str) -> None:
        """See Buckets."""
        self.files.vacate(place)

    async def sweep(self, now: datetime) -> int:
        """Forget what nobody has used for long."""
        before = (now - FORGET).timestamp()
        return await anyio.to_thread.run_sync(self.files.sweep, before)

    def close(self) -> None:
        """Everything is written already."""
        self.files.close()


@attrs.define(eq=False)
class StoredBudgets(_Steps):
    """In the store's table."""

    store: Store
    clock: Clock

    async def _change(self, key: str, step: _Step[T]) -> T:
        """Raises:
        StorageError: the store cannot do it now.
        """
        now = self.clock.now()
        return await self.store.write(lambda tx: limits.change(tx, key, now, step))

    async def occupy(self, key: str, places: int, now: float) -> str:
        """See Buckets."""
        mine = secrets.token_hex(8)

        def step(state: bytes | None) -> tuple[bytes, str]:
            held = {one: until for one, until in _places(state).items() if until > now}
            if len(held) >= places:
                return _encode(held), ""
            return _encode(held | {mine: now + PLACE_LIFE}), mine

        return await self._change(f"{key}/places", step)

    async def vacate(self, key: str, place: str) -> None:
        """See Buckets."""

        def step(state: bytes | None) -> tuple[bytes, None]:
            held = _places(state)
            held.pop(place, None)
            return _encode(held), None

        await self._change(f"{key}/places", step)

    async def sweep(self, now: datetime) -> int:
        """Forget what nobody has used for long."""
        return await self.store.write(lambda tx: limits.sweep(tx, now - FORGET))

    def close(self) -> None:
        """Everything is written already."""


def shared(store: Store, clock: Clock) -> FileBudgets | StoredBudgets:
    """What fits an opened store."""
    if store.path is None:
        return StoredBudgets(store, clock)
    return FileBudgets(LimitFiles(store.path.with_name(f"{store.path.name}-limits")))


def _places(state: bytes | None) -> dict[str, float]:
    """Who holds places, and until when at most (seconds since 1970)."""
    return msgspec.json.decode(state, type=dict[str, float]) if state else {}


def _bucket(state: bytes | None, plan: Plan, now: float) -> Bucket:
    """The state; of a lost one it is assumed that all was spent just now."""
    if state:
        return _decode(state)
    bucket = Bucket()
    if state is None:
        bucket.take(plan, plan.burst, now)
        bucket.pending = 0.0
    return bucket
