"""Deleting: only what is inactive; resumable, works without driver or remote, and ends."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta

import anyio.to_thread
import attrs

from omnichannel_core import errors
from omnichannel_core.connections import checking
from omnichannel_core.connections.delivering import Delivering
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.sessions import Sessions
from omnichannel_core.model.lifecycle import Move, move
from omnichannel_core.model.process import Process
from omnichannel_core.processes.queue import Queue
from omnichannel_core.processes.turn import Again, Done, Turn, Wait
from omnichannel_core.storage import audits, drafts, purge, sending, streams
from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.grants import Grants
from omnichannel_core.storage.processes import Processes
from omnichannel_core.storage.store import Tx

KIND = "delete"
PATIENCE, STEP = timedelta(minutes=15), timedelta(seconds=30)  # for pushes to be known, and between two looks
REMOTE_TRIES = 3  # the remote's clean-up is tried so often; then the connection goes without it
CHUNK = 2_000
_log = logging.getLogger(__name__)


@attrs.define
class Deleting:
    """The move, and the handler. `patience`: what may have arrived at the remote is asked for so long, then it goes."""

    parts: Parts
    sessions: Sessions
    delivering: Delivering
    patience: timedelta = PATIENCE

    async def what_goes(self, account: str, connection_id: int) -> Mapping[str, int]:
        """Counts for the confirmation: orders, returns, other records, pushes not sent, pushes not settled, errors.

        Pushes that were not sent never will be; of those not settled the outcome is asked for until a deadline.

        Raises:
            NotFound, MoveNotAllowed (active: disable it first).
        """

        def read(tx: Tx) -> Mapping[str, int]:
            move(connection_id, Connections(tx, account).get(connection_id).seen.status, Move.DELETE)
            return purge.census(tx, account, connection_id)

        return await self.parts.store.read(read)

    async def delete(self, account: str, connection_id: int, *, actor: str = "") -> Process:
        """From now on *deleting*, which allows no other move; pressed again it goes on where it stopped.

        Raises:
            NotFound, MoveNotAllowed.
        """
        seen, process = await self.parts.store.write(lambda tx: self._begin(tx, account, connection_id, actor))
        await self.sessions.forget(connection_id)
        self.parts.queue.nudge()
        await self.parts.events.tell("connection_moved", connection=seen, move="delete")
        return process

    def _begin(self, tx: Tx, account: str, connection_id: int, actor: str) -> tuple[object, Process]:
        mine, now = Connections(tx, account), self.parts.clock.now()
        kept = mine.get(connection_id)
        status = move(connection_id, kept.seen.status, Move.DELETE) or kept.seen.status
        seen = attrs.evolve(kept.seen, status=status, version=kept.seen.version + 1)
        mine.replace(attrs.evolve(kept, seen=seen, fence=kept.fence + 1))
        streams.raise_fences(tx, account, connection_id)
        process, _ = Queue.submit(
            tx, account=account, connection=connection_id, kind=KIND, key=f"delete:{connection_id}",
            payload={"actor": actor, "name": kept.seen.name, "driver": kept.seen.driver}, now=now,
        )  # fmt: skip
        Processes(tx, account).fence_off(connection_id, now, keep=[process.id])
        audits.note(tx, account, now, "connection being deleted", str(connection_id), actor=actor)
        return seen, process

    async def handle(self, turn: Turn) -> Done | Again | Wait:
        """Remote clean-up where it can be, then everything of ours in chunks, the row last."""
        account, connection_id = turn.process.account, turn.process.connection or 0
        try:
            kept = await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))
        except errors.NotFound:
            return Done(message="Deleted.")
        if wait := await self._settle(turn, account, connection_id):
            return wait
        if not turn.payload.get("remote"):
            tries = turn.payload["tries"] = turn.payload.get("tries", 0) + 1
            trouble, again = await self._disconnect(account, connection_id)
            if again and tries < REMOTE_TRIES:
                return Wait(30.0 * tries, f"cleaning up at the marketplace: {trouble}", turn.payload)
            turn.payload["remote"] = trouble or "done"
            counts = await self.parts.store.read(lambda tx: purge.census(tx, account, connection_id))
            turn.payload["unsettled"] = counts["pushes_not_settled"]
            await turn.progress(payload=turn.payload)
        while gone := await self.parts.store.write(lambda tx: self._purge(tx, turn, account, connection_id)):
            turn.payload["gone"] = turn.payload.get("gone", 0) + gone
            if turn.cancelled or turn.crowded:
                return Again(payload=turn.payload)
        folder = self.sessions.folder(connection_id)
        await anyio.to_thread.run_sync(lambda: shutil.rmtree(folder, ignore_errors=True))
        await self.parts.store.write(lambda tx: self._finish(tx, turn, account, connection_id, kept.grant))
        await self.parts.events.tell("connection_moved", connection=kept.seen, move="deleted")
        left, unknown = turn.payload["remote"], turn.payload.get("unsettled", 0)
        said = [] if left == "done" else [f"Left at the marketplace: {left}"]
        said += [f"Pushes whose outcome is not known: {unknown}."] if unknown else []
        return Done(message=" ".join(["Deleted.", *said]))

    async def _settle(self, turn: Turn, account: str, connection_id: int) -> Wait | None:
        """What may have arrived over there gets a deadline to be known; None when all is, or the time is over."""
        now = self.parts.clock.now()
        until = datetime.fromisoformat(turn.payload.setdefault("settle_until", (now + self.patience).isoformat()))
        open_ = await self.parts.store.read(lambda tx: sending.unsettled(tx, account, connection_id))
        if not open_ or now >= until or turn.payload.get("remote"):
            return None
        why, known = "", set[str]()
        try:
            async with self.sessions.open(account, connection_id) as work:
                known = {name for name, one in work.driver.pushes.items() if one.settle is not None}
                await self.delivering.settle(turn, work, sorted(known & set(open_)))
        except errors.RemoteError as trouble:
            why = f" ({trouble})"
        except errors.Superseded:
            raise
        except errors.OmnichannelError as trouble:
            _log.info("connection %s goes without asking for its pushes: %s", connection_id, trouble.key)
            return None
        open_ = await self.parts.store.read(lambda tx: sending.unsettled(tx, account, connection_id))
        left = [at for name, at in open_.items() if name in known] if not why else [*open_.values()]
        if not left:
            return None
        seconds = (min(max(min(left), now + STEP), until) - now).total_seconds()
        return Wait(seconds, f"asking what became of pushes until {until:%H:%M} UTC{why}", turn.payload)

    async def _disconnect(self, account: str, connection_id: int) -> tuple[str, bool]:
        """What we left over there is taken back: '' when done, else why not; and whether to try again."""
        try:
            async with self.sessions.open(account, connection_id) as work:
                flow, callbacks = work.driver.flow, work.driver.callbacks
                if callbacks is not None and callbacks.unsubscribe is not None:
                    unsubscribe = callbacks.unsubscribe
                    await checking.asked("Callbacks", lambda: unsubscribe(work.session))
                if flow.disconnect is not None:
                    disconnect = flow.disconnect
                    await checking.asked("Disconnecting", lambda: disconnect(work.session))
        except errors.RemoteError as trouble:
            return str(trouble), True
        except errors.OmnichannelError as trouble:
            _log.info("connection %s goes without clean-up at the marketplace: %s", connection_id, trouble.key)
            return str(trouble), False
        return "", False

    def _purge(self, tx: Tx, turn: Turn, account: str, connection_id: int) -> int:
        gone = purge.some(tx, account, connection_id, CHUNK)
        done = int(turn.payload.get("gone", 0)) + gone
        turn.beat(tx, done=done, message=f"{done} rows removed")
        return gone

    def _finish(self, tx: Tx, turn: Turn, account: str, connection_id: int, grant: int) -> None:
        move(connection_id, Connections(tx, account).get(connection_id).seen.status, Move.FINISH_DELETE)
        self.parts.vault.drop(tx, account, "connection", connection_id)
        drafts.remove_of(tx, account, connection_id)
        Processes(tx, account).forget(connection_id, keep=[turn.process.id])
        Connections(tx, account).remove(connection_id)
        if grant and Grants(tx, account, self.parts.vault).sweep(grant):
            self.sessions.tokens.forget(grant)
        turn.beat(tx)
        audits.note(
            tx, account, self.parts.clock.now(), "connection deleted", str(connection_id),
            actor=str(turn.payload.get("actor", "")),
            detail={"name": turn.payload.get("name", ""), "driver": turn.payload.get("driver", ""),
                    "rows": turn.payload.get("gone", 0), "unsettled_pushes": turn.payload.get("unsettled", 0)},
        )  # fmt: skip
