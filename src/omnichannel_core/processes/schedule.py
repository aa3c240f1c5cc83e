"""Schedules: each tick submits a synchronize of every stream that is due."""

from __future__ import annotations

import random

import attrs

from omnichannel_core.driver import Clock
from omnichannel_core.processes.queue import Queue
from omnichannel_core.storage import schedules
from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.schedules import Chance, Scheduled
from omnichannel_core.storage.store import Store, Tx

KIND = "synchronize"


def sync_key(connection: int, stream: str) -> str:
    """The key of a scheduled synchronize: a slow one is not joined by a second."""
    return f"sync:{connection}:{stream}"


@attrs.frozen(kw_only=True)
class Schedule:
    """What is due when, for the runner's tick and for hosts."""

    store: Store
    clock: Clock
    queue: Queue
    chance: Chance = random.random

    async def set(self, account: str, connection: int, stream: str, minutes: int) -> None:
        """Every so many minutes (0, 2, 5, 10, 15, 20, 30, 60; 0 is never).

        Raises:
            NotFound: no such connection in this account.
            UsageError: no such interval.
        """
        now = self.clock.now()

        def work(tx: Tx) -> None:
            Connections(tx, account).get(connection)
            schedules.Schedules(tx, account, self.chance).set(connection, stream, minutes, now)

        await self.store.write(work)

    async def list(self, account: str, connection: int) -> list[Scheduled]:
        """All of a connection, by stream.

        Raises:
            NotFound: no such connection in this account.
        """

        def work(tx: Tx) -> list[Scheduled]:
            Connections(tx, account).get(connection)
            return schedules.Schedules(tx, account).of(connection)

        return await self.store.read(work)

    async def tick(self) -> None:
        """Submit what is due. Cheap when nothing is: one read."""
        now = self.clock.now()
        if await self.store.read(lambda tx: schedules.any_due(tx, now)) and await self.store.write(self._submit):
            self.queue.nudge()

    def _submit(self, tx: Tx) -> bool:
        now = self.clock.now()
        due = schedules.claim_due(tx, now, chance=self.chance)
        for account, connection, stream in due:
            self.queue.submit(
                tx, account=account, connection=connection, kind=KIND, key=sync_key(connection, stream),
                payload={"streams": [stream], "scheduled": True}, now=now,
            )  # fmt: skip
        return bool(due)
