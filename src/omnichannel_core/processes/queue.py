"""The queue as the house and its users see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import anyio
import attrs

from omnichannel_core.driver import Clock
from omnichannel_core.model.process import Process, State
from omnichannel_core.storage import processes
from omnichannel_core.storage.store import Store, Tx

POLL = 0.2


@attrs.define
class Queue:
    """Submitting happens inside the caller's transaction; `nudge` afterwards wakes the runner of this process."""

    store: Store
    clock: Clock
    _bell: anyio.Event = attrs.field(factory=anyio.Event, repr=False)

    @staticmethod
    def submit(
        tx: Tx, *, account: str, connection: int | None, kind: str, key: str, payload: Mapping[str, Any], now: datetime,
        run_at: datetime | None = None, message: str = "",
    ) -> tuple[Process, bool]:  # fmt: skip
        """Queue one; the open one of that key when there is one (then False)."""
        return processes.submit(
            tx, account=account, connection=connection, kind=kind, key=key, payload=payload, now=now, run_at=run_at,
            message=message,
        )  # fmt: skip

    def nudge(self) -> None:
        """Something may be due."""
        self._bell.set()
        self._bell = anyio.Event()

    async def nudged(self, at_most: float) -> None:
        """Until a nudge, or so many seconds of real time."""
        bell = self._bell
        with anyio.move_on_after(at_most):
            await bell.wait()

    async def get(self, account: str, process_id: int) -> Process:
        """One.

        Raises:
            NotFound: not in this account.
        """
        return await self.store.read(lambda tx: processes.get(tx, account, process_id))

    async def list(
        self, account: str, *, connection: int | None = None, states: Iterable[State] | None = None,
        kind: str | None = None, before: int | None = None, limit: int = 50,
    ) -> Sequence[Process]:  # fmt: skip
        """Newest first; go on with `before` = the last id."""
        return await self.store.read(
            lambda tx: processes.some(
                tx, account, connection=connection, states=states, kind=kind, before=before, limit=min(limit, 500)
            )
        )

    async def cancel(self, account: str, process_id: int) -> Process:
        """One that waits ends at once; one that runs ends within seconds."""
        found = await self.store.write(lambda tx: processes.cancel(tx, account, process_id, self.clock.now()))
        self.nudge()
        return found

    async def wait(self, account: str, process_id: int, timeout: float | None = None) -> Process:
        """Until it has ended.

        Raises:
            TimeoutError: not within `timeout` seconds. NotFound.
        """
        with anyio.fail_after(timeout):
            while (found := await self.get(account, process_id)).open:
                await self.nudged(POLL)
        return found
