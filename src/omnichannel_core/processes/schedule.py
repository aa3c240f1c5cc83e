"""The schedule's tick: a synchronize of every stream that is due."""

from __future__ import annotations

import random

from omnichannel_core.driver import Clock
from omnichannel_core.processes.queue import Queue
from omnichannel_core.storage import schedules
from omnichannel_core.storage.schedules import Chance
from omnichannel_core.storage.store import Store, Tx

KIND = "synchronize"


def sync_key(connection: int, stream: str) -> str:
    """The key of a scheduled synchronize: a slow one is not joined by a second."""
    return f"sync:{connection}:{stream}"


async def tick(store: Store, clock: Clock, queue: Queue, chance: Chance = random.random) -> None:
    """Submit what is due, in the transaction that moves it on. Cheap when nothing is: one read."""
    now = clock.now()

    def work(tx: Tx) -> None:
        for account, connection, stream in schedules.claim_due(tx, now, chance=chance):
            queue.submit(
                tx, account=account, connection=connection, kind=KIND, key=sync_key(connection, stream),
                payload={"streams": [stream], "scheduled": True}, now=now,
            )  # fmt: skip

    if await store.ask(lambda tx: schedules.any_due(tx, now)):
        await store.write(work)
        queue.nudge()
