"""A turn: one stretch of a process between taking its slot and giving it back. What a handler gets, and answers."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import anyio
import attrs

from omnichannel_core.driver import Clock
from omnichannel_core.model.process import Process
from omnichannel_core.storage.processes import Beat, Processes
from omnichannel_core.storage.store import Store, Tx

PAGES = 10  # beats of a turn before it gives way (guide engine-and-storage 1.4: small ones wait 0.6 s, not 5 s)
PATIENCE = 5.0  # or so many seconds, when pages are slow


@attrs.frozen
class Done:
    """The process has reached its end. An empty message leaves what stands."""

    message: str = ""
    payload: Mapping[str, Any] | None = None


@attrs.frozen
class Again:
    """There is more to do: the slot goes to whoever waits longest. Also the answer to `Turn.cancelled`."""

    message: str = ""
    payload: Mapping[str, Any] | None = None


@attrs.frozen
class Wait:
    """Nothing can be done for so many seconds."""

    seconds: float
    why: str
    payload: Mapping[str, Any] | None = None


class Turn:
    """A process in this worker's hands.

    Attributes:
        process: its row as it was taken.
        payload: what is remembered between turns. Change it freely: it is stored when the turn ends, and at once when
            given to `beat`; a turn that is cut off leaves what was stored before.
        alone: nobody runs other processes beside it here (`Runner.run_to_end`): it gives way to none.
    """

    def __init__(
        self, process: Process, *, store: Store, clock: Clock, lease: float, crowd: Callable[[], bool],
        alone: bool = False,
    ) -> None:  # fmt: skip
        self.process, self.alone = process, alone
        self.payload: dict[str, Any] = dict(process.payload)
        self._stored = json.dumps(self.payload)
        self.scope = anyio.CancelScope(shield=True)  # the host's cancellation ends a turn at a page border first
        self.lost = False
        self.progressed = False
        self._store, self._clock, self._lease, self._crowd = store, clock, timedelta(seconds=lease), crowd
        self._asked = False
        self._beats = 0
        self._began = anyio.current_time()
        self._older = False

    @property
    def fence(self) -> int:
        """The number that whoever commits for this process must hold."""
        return self.process.fence

    @property
    def cancelled(self) -> bool:
        """Asked to end (cancelled, taken over, or the host closes): answer `Again` at the next page border."""
        return self._asked

    @property
    def crowded(self) -> bool:
        """Others wait for a slot and this turn has had its pages: answer `Again` at the next page border."""
        if self._beats >= PAGES:
            return self._crowd()
        return self._beats > 0 and self._older and self._crowd()

    def beat(
        self, tx: Tx, *, done: int | None = None, total: int | None = None, message: str | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """One page border, inside the caller's write transaction (in its thread).

        Verifies the fence, stores progress, prolongs the lease, reads whether to end. None leaves a thing as it is.

        Raises:
            Superseded: somebody else has the process; the transaction must be undone.
        """
        told = Beat(done=done, total=total, message=message, payload=payload)
        until = self._clock.now() + self._lease
        ask = Processes(tx, self.process.account).beat(self.process.id, self.fence, told, until)
        self._beats += 1
        self.progressed = self.progressed or told.progress
        self._asked = self._asked or ask
        if payload is not None:
            self.payload = dict(payload)
            self._stored = json.dumps(self.payload)

    async def progress(
        self, *, done: int | None = None, total: int | None = None, message: str | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """`beat` in a transaction of its own.

        Raises:
            Superseded: somebody else has the process.
        """
        await self._store.write(lambda tx: self.beat(tx, done=done, total=total, message=message, payload=payload))

    # --- the runner's
    def changed(self) -> Mapping[str, Any] | None:
        """The payload when the handler changed it and has not stored it, else None."""
        return None if json.dumps(self.payload) == self._stored else self.payload

    def ask(self, grace: float) -> None:
        """Ask it to end; after so many real seconds it is cancelled wherever it is."""
        if self.scope.deadline == float("inf"):
            self.scope.deadline = anyio.current_time() + grace
        self._asked = True

    def lose(self) -> None:
        """Somebody else has it: whatever it does is in vain."""
        self.lost = self._asked = True
        self.scope.cancel()

    def grow(self) -> None:
        """Told now and then, on the loop: has it lasted long?"""
        self._older = anyio.current_time() - self._began > PATIENCE


Handler = Callable[[Turn], Awaitable[Done | Again | Wait]]
