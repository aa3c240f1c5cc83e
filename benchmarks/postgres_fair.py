"""A noisy account, and a noisy connection, beside quiet ones: how long do the quiet ones wait for a slot?

The noisy one has two thousand small processes and forty long ones due. Meanwhile every quarter of a second one of
twenty quiet ones submits a small one. The control takes whoever is due longest.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import anyio
import attrs
import sqlalchemy as sa

from benchmarks.figures import Figure
from benchmarks.postgres import opened
from omnichannel_core.connections.clock import SystemClock
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.runner import Runner
from omnichannel_core.processes.turn import Again, Done, Turn
from omnichannel_core.storage import turns
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.schema import process
from omnichannel_core.storage.store import Store, Tx
from omnichannel_core.testing import postgres

SMALL, LONG, PAGES, PAGE = 2000, 40, 100, 0.02  # processes; pages of a long one; seconds a page
QUIET, ASKED, EVERY, SLOTS = 20, 32, 0.25, 10
MOST, CONTROL = 1.0, 2.0  # seconds: the 95th percentile, and what the control shows at least
Owner = Callable[[int], tuple[str, int]]  # number -> account, connection
NOISY_ACCOUNT: tuple[Owner, Owner] = (lambda at: ("noisy", at % 100), lambda at: (f"quiet-{at % QUIET}", 1))
NOISY_CONNECTION: tuple[Owner, Owner] = (lambda _: ("one", 1), lambda at: ("one", 2 + at % QUIET))


@attrs.define
class Trial:
    """On a store of its own."""

    store: Store
    noisy: Owner
    quiet: Owner

    async def waits(self) -> list[float]:
        """Seconds from due to taken of each quiet process, sorted."""
        await self.store.write(self._flood)
        queue = Queue(self.store, SystemClock())
        runner = Runner(store=self.store, clock=SystemClock(), queue=queue, handlers={"work": _work}, slots=SLOTS)
        asked: list[int] = []
        async with anyio.create_task_group() as group:
            await group.start(runner.serve)
            await anyio.sleep(1.0)
            for at in range(ASKED):
                asked.append(await self.store.write(lambda tx, at=at: _submit(tx, self.quiet(at), 1)))  # type: ignore[misc]
                await anyio.sleep(EVERY)
            with anyio.fail_after(120):
                while len(found := await self.store.read(lambda tx: _taken(tx, asked))) < ASKED:  # noqa: ASYNC110
                    await anyio.sleep(EVERY)
            group.cancel_scope.cancel()
        return sorted(found)

    def _flood(self, tx: Tx) -> None:
        pages = [PAGES] * LONG + [1] * SMALL
        random.Random(5).shuffle(pages)
        for at, some in enumerate(pages):
            _submit(tx, self.noisy(at), some)


def figures(named: str = "") -> Iterable[Figure]:
    """What quiet ones wait, and what they would."""
    note = f"{SMALL} small and {LONG} long ones of the noisy one at {SLOTS} slots, {ASKED} of {QUIET} quiet ones"
    with postgres.running(postgres.FAST, named) as server, tempfile.TemporaryDirectory() as folder:
        for what, (noisy, quiet) in (("account", NOISY_ACCOUNT), ("connection", NOISY_CONNECTION)):
            waits = _run(server, folder, noisy, quiet)
            p95, told = _told(waits)
            yield Figure(f"beside a noisy {what}: wait p95", p95, "s", limit=MOST, side="most", note=f"{note}; {told}")
        fair, turns.fairest = turns.fairest, _oldest  # type: ignore[assignment]
        try:
            waits = _run(server, folder, *NOISY_ACCOUNT)
        finally:
            turns.fairest = fair
        p95, told = _told(waits)
        yield Figure("first come, first served: wait p95", p95, "s", limit=CONTROL, note=f"the control; {told}")


def _told(waits: list[float]) -> tuple[float, str]:
    return waits[int(len(waits) * 0.95)], f"median {waits[len(waits) // 2]:.3f}, worst {waits[-1]:.3f}"


def _run(server: postgres.Server, folder: str, noisy: Owner, quiet: Owner) -> list[float]:
    store = opened(server, folder)
    try:
        return anyio.run(Trial(store, noisy, quiet).waits)
    finally:
        store.close()


async def _work(turn: Turn) -> Done | Again:
    """Page after page, giving way at their borders."""
    left = turn.payload["pages"]
    while left:
        await anyio.sleep(PAGE)
        left -= 1
        await turn.progress(payload={"pages": left})
        if left and (turn.crowded or turn.cancelled):
            return Again()
    return Done()


def _submit(tx: Tx, owner: tuple[str, int], pages: int) -> int:
    account, connection = owner
    made, _ = Processes(tx, account).submit(
        connection=connection, kind="work", key="", payload={"pages": pages}, now=datetime.now(UTC)
    )
    return made.id


def _taken(tx: Tx, ids: list[int]) -> list[float]:
    c = process.c
    rows = tx.execute(sa.select(c.started_at, c.created_at).where(c.id.in_(ids), c.started_at.is_not(None)))
    return [(row[0] - row[1]) / 1e6 for row in rows]


def _oldest(tx: Tx, who: object, now: object, limit: int, busy: object) -> tuple[list[int], int]:
    c = process.c
    due = tx.execute(sa.select(c.id).where(sa.text("state = 'queued'")).order_by(c.run_at, c.id).limit(256)).scalars()
    ids = list(due)
    return ids[:limit], len(ids)
