"""Processes while somebody looks: all who look share one read of the rows per beat; nobody looking, nothing is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio
import attrs

from omnichannel_core import errors
from omnichannel_core.model.process import Process, State

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel

BEAT, PING, LIFE = 0.3, 15.0, 600.0  # seconds; at most so often, a sign of life, then the browser comes again
SHOWN = 30
BUSY = frozenset({State.RUNNING, State.WAITING})


@attrs.define
class _Look:
    at: float = -1.0
    rows: Sequence[Process] = ()


@attrs.define
class Watch:
    """Belongs to one event loop."""

    house: Omnichannel
    _looks: dict[str, _Look] = attrs.field(factory=dict)
    _lock: anyio.Lock | None = None

    async def rows(self, account: str) -> Sequence[Process]:
        """What runs in an account, however old, and its newest processes: newest first, at most a beat old."""
        if self._lock is None:
            self._lock = anyio.Lock()
        async with self._lock:
            if len(self._looks) > 1_000:
                self._looks.clear()
            look, now = self._looks.setdefault(account, _Look()), anyio.current_time()
            if look.at < 0 or now - look.at >= BEAT:
                look.rows = await self._read(account)
                look.at = anyio.current_time()
            return look.rows

    async def _read(self, account: str) -> Sequence[Process]:
        busy = await self.house.processes.list(account, states=BUSY, limit=SHOWN)
        known = {one.id: one for one in (*busy, *await self.house.processes.list(account, limit=SHOWN))}
        return [known[number] for number in sorted(known, reverse=True)]

    async def _left(self, account: str, seen: Iterable[Process]) -> list[Process]:
        """What became of those that are no longer among the rows."""
        found = []
        for one in seen:
            with suppress(errors.NotFound):
                found.append(await self.house.processes.get(account, one.id))
        return found

    async def changes(self, account: str) -> AsyncIterator[tuple[str, Sequence[Process]]]:
        """("snapshot", all) first, then ("change", those that differ); ("ping", ()) when nothing happens for long."""
        seen = {one.id: one for one in await self.rows(account)}
        yield "snapshot", tuple(seen.values())
        begun = quiet = anyio.current_time()
        while anyio.current_time() - begun < LIFE:
            await anyio.sleep(BEAT)
            rows = await self.rows(account)
            now = {one.id: one for one in rows}
            gone = await self._left(account, [one for one in seen.values() if one.state in BUSY and one.id not in now])
            moved = [one for one in (*rows, *gone) if seen.get(one.id) != one]
            seen = now
            if moved:
                quiet = anyio.current_time()
                yield "change", moved
            elif anyio.current_time() - quiet > PING:
                quiet = anyio.current_time()
                yield "ping", ()
