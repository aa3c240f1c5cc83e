"""A worker process for tests: `worker.py URL DATA PAGES [asyncio|trio]` runs processes of kind `import`.

Each page writes one row into `page` in the transaction of its beat. Prints `ready` when it serves. Stops itself
(SIGSTOP) at a page border when there is a file `DATA/pause`: in the writers' lane, so that it holds no lock.
"""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import anyio

from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.runner import Runner
from omnichannel_core.processes.turn import Again, Done, Turn
from omnichannel_core.storage.pages import Raw
from omnichannel_core.storage.store import Store, Tx


class RealClock:
    """The machine's."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Really."""
        await anyio.sleep(seconds)


def stop_if_asked(pause: Path) -> None:
    """Stopped until somebody sends SIGCONT."""
    if pause.exists():
        pause.unlink()
        os.kill(os.getpid(), signal.SIGSTOP)


async def main(url: str, data: Path, pages: int) -> None:
    """Until killed."""
    store = Store(url, data)
    store.open()
    clock, pause = RealClock(), data / "pause"

    async def work(turn: Turn) -> Done | Again:
        done = turn.payload.get("done", 0)
        while done < pages:
            if turn.cancelled or turn.crowded:
                return Again()
            await store.compute(lambda: stop_if_asked(pause))
            done += 1
            await anyio.sleep(0.005)

            def page(tx: Tx, number: int = done) -> None:
                turn.beat(tx, done=number, payload={"done": number})
                row = (turn.process.id, number, store.presence.name)
                Raw(tx).one("INSERT INTO page (process, number, worker) VALUES (?, ?, ?)", row)

            await store.write(page)
        return Done()

    runner = Runner(store=store, clock=clock, queue=Queue(store, clock), handlers={"import": work}, slots=4, lease=1.5)
    async with anyio.create_task_group() as group:
        await group.start(runner.serve)
        sys.stdout.write("ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), backend=sys.argv[4])
