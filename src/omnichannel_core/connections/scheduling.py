"""Schedules as people set them, and the regular tasks of a working house."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import anyio
import anyio.to_thread
import attrs

from omnichannel_core import errors
from omnichannel_core.connections import checking, delivering, scratch, synchronizing
from omnichannel_core.connections.authorizing import Authorizing
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.sessions import Sessions
from omnichannel_core.connections.switching import Switching
from omnichannel_core.model.lifecycle import Health, Move, Status, move
from omnichannel_core.processes import schedule
from omnichannel_core.storage import erasure, fulls, grants, setback
from omnichannel_core.storage.connections import Connections, all_ids
from omnichannel_core.storage.schedules import Schedule, Schedules
from omnichannel_core.storage.store import Tx

KEEP_PROCESSES = timedelta(days=30)
SPREAD = timedelta(minutes=15)  # over which connections return that the gate had closed together
SWEEP = 3600.0  # seconds
_log = logging.getLogger(__name__)


@attrs.define
class Scheduling:
    """Every (connection, stream) has an interval; 0 is never."""

    parts: Parts
    sessions: Sessions
    authorizing: Authorizing
    switching: Switching
    _swept_again_at: float = -math.inf  # in seconds of the event loop

    async def list(self, account: str, connection_id: int) -> Sequence[Schedule]:
        """Of one connection.

        Raises:
            NotFound.
        """

        def read(tx: Tx) -> Sequence[Schedule]:
            Connections(tx, account).get(connection_id)
            return Schedules(tx, account).list(connection_id)

        return await self.parts.store.read(read)

    async def set(self, account: str, connection_id: int, stream: str, minutes: int) -> None:
        """0 (never), 2, 5, 10, 15, 20, 30 or 60 minutes.

        Raises:
            NotFound, MoveNotAllowed (being deleted), UsageError (no such stream or interval).
        """
        kept = await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))
        driver = await self.sessions.driver(account, kept.seen.driver)
        if stream not in driver.pulls:
            raise errors.UsageError(f"Driver {driver.name!r} pulls no stream {stream!r}: {', '.join(driver.pulls)}.")
        now = self.parts.clock.now()

        def write(tx: Tx) -> None:
            move(connection_id, Connections(tx, account).get(connection_id).seen.status, Move.EDIT)
            Schedules(tx, account).set(connection_id, stream, minutes, now)

        await self.parts.store.write(write)

    # --- regular tasks
    async def tick(self) -> None:
        """Queue what is due."""
        await schedule.tick(self.parts.store, self.parts.clock, self.parts.queue)

    async def housekeeping(self) -> None:
        """Everything that is looked at once a minute; what fails hinders nothing else, and is raised at the end."""
        failed: Exception | None = None
        for step in (
            self._full_pushes, self._mend, self.authorizing.sweep, self._prune, self._sweep_scratch, self.watch_gate,
            self.renew_tokens, self.switching.renew_subscriptions,
        ):  # fmt: skip
            try:
                await step()
            except Exception as cause:  # noqa: BLE001 - raised below
                failed = failed or cause
        if failed is not None:
            raise failed

    async def _full_pushes(self) -> None:
        now = self.parts.clock.now()
        if await self.parts.store.read(lambda tx: fulls.due(tx, now)):
            await self.parts.store.write(lambda tx: delivering.submit_fulls(tx, now))
            self.parts.queue.nudge()

    async def _mend(self) -> None:
        """Times of a clock that was set back; pushes about erased orders that are settled now."""
        now = self.parts.clock.now()
        if await self.parts.store.read(lambda tx: setback.found(tx, now) or erasure.left(tx)):
            await self.parts.store.write(lambda tx: (setback.mend(tx, now), erasure.finish(tx)))
            self.parts.queue.nudge()

    async def _prune(self) -> None:
        await self.parts.queue.prune(KEEP_PROCESSES)

    async def _sweep_scratch(self) -> None:
        """Once an hour; every machine its own."""
        if anyio.current_time() >= self._swept_again_at:
            self._swept_again_at = anyio.current_time() + SWEEP
            await anyio.to_thread.run_sync(scratch.sweep, self.parts.store.data)

    async def watch_gate(self) -> None:
        """Lapsed or removed: suspended with the reason; back: they go on, spread over one interval."""
        rows = [row for row in await self.parts.store.read(all_ids) if row[3] != Status.DELETING]
        judged = await self.parts.gate.closed((account, driver) for account, _, driver, _, _ in rows)
        for account, connection_id, driver, status, health in rows:
            why = judged[account, driver]
            with suppress(errors.NotFound):  # deleted meanwhile
                if why and health != Health.SUSPENDED:
                    await self._suspend(account, connection_id, why)
                elif not why and health == Health.SUSPENDED:
                    await self._return(account, connection_id, status == Status.ACTIVE)

    async def _suspend(self, account: str, connection_id: int, reason: str) -> None:
        await self.parts.store.write(lambda tx: synchronizing.suspend(tx, account, connection_id, reason))
        await self._tell(account, connection_id, "suspended")

    async def _return(self, account: str, connection_id: int, active: bool) -> None:
        def write(tx: Tx) -> None:
            mine = Connections(tx, account)
            mine.let_in(connection_id, *checking.verdict(mine.get(connection_id).seen, self.parts.clock.now()))
            if active:
                synchronizing.resume(tx, self.parts, account, connection_id, spread=SPREAD)

        await self.parts.store.write(write)
        self.parts.queue.nudge()
        await self._tell(account, connection_id, "returned")

    async def _tell(self, account: str, connection_id: int, what: str) -> None:
        seen = (await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))).seen
        _log.info("connection %d %s", connection_id, what)
        await self.parts.events.tell("connection_moved", connection=seen, move=what)

    async def renew_tokens(self) -> None:
        """Tokens are renewed ahead of time, also of inactive connections; trouble shows on the connections."""
        soon = self.parts.clock.now() + timedelta(minutes=5)
        for account, grant, name in await self.parts.store.read(lambda tx: grants.ending(tx, soon)):
            sharing = await self.parts.store.read(lambda tx, a=account, g=grant: Connections(tx, a).sharing(g))  # type: ignore[misc]
            for kept in sharing[:1]:
                try:
                    async with self.sessions.open(account, kept.seen.id) as work:
                        await work.session.token(name)
                except errors.AttentionNeeded as trouble:
                    for other in sharing:
                        await self._attention(account, other.seen.id, str(trouble))
                except errors.OmnichannelError as trouble:
                    _log.info("token %s of grant %d not renewed: %s", name, grant, trouble.key)

    async def _attention(self, account: str, connection_id: int, reason: str) -> None:
        await self.parts.store.write(
            lambda tx: Connections(tx, account).note(connection_id, health=Health.ATTENTION, reason=reason)
        )
