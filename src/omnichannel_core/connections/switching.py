"""Switching: disable and enable, one or many, and the callbacks that follow the switch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

import attrs

from omnichannel_core import errors
from omnichannel_core.connections import checking, synchronizing
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.sessions import Sessions
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Health, Move, move
from omnichannel_core.storage import audits
from omnichannel_core.storage.connections import Connections, claim_subscriptions
from omnichannel_core.storage.schedules import Schedules
from omnichannel_core.storage.store import Tx

DAILY, HOURLY = timedelta(days=1), timedelta(hours=1)
AT_ONCE = 50  # connections a minute whose callbacks are asked for again


@attrs.frozen
class Moved:
    """A bulk move's answer for one id: what became of it, or why not."""

    id: int
    connection: Connection | None = None
    error: errors.OmnichannelError | None = None


@attrs.define
class Switching:
    """The user's switch. Bulk moves act on those that can, and answer for each id."""

    parts: Parts
    sessions: Sessions

    async def disable(self, account: str, ids: Iterable[int], actor: str = "") -> Sequence[Moved]:
        """Those that can; running work ends at its next page boundary. One answer per id."""
        return [await self._switch(account, one, Move.DISABLE, actor) for one in dict.fromkeys(ids)]

    async def enable(self, account: str, ids: Iterable[int], actor: str = "") -> Sequence[Moved]:
        """Those that can. One answer per id."""
        return [await self._switch(account, one, Move.ENABLE, actor) for one in dict.fromkeys(ids)]

    async def subscribe(self, seen: Connection) -> None:
        """A connection has become active: ask the marketplace to call."""
        await self._subscription(seen, Move.ENABLE)

    async def _switch(self, account: str, connection_id: int, wanted: Move, actor: str) -> Moved:
        try:
            if wanted is Move.ENABLE:
                await self.sessions.admitted(account, connection_id)
            seen = await self.parts.store.write(lambda tx: self._switch_in(tx, account, connection_id, wanted, actor))
        except errors.OmnichannelError as trouble:
            return Moved(connection_id, error=trouble)
        await self._subscription(seen, wanted)
        if wanted is Move.DISABLE:
            await self.sessions.forget(connection_id)
        self.parts.queue.nudge()
        await self.parts.events.tell("connection_moved", connection=seen, move=wanted.value)
        return Moved(connection_id, seen)

    def _switch_in(self, tx: Tx, account: str, connection_id: int, wanted: Move, actor: str) -> Connection:
        mine, now = Connections(tx, account), self.parts.clock.now()
        kept = mine.get(connection_id)
        status = move(connection_id, kept.seen.status, wanted) or kept.seen.status
        seen = attrs.evolve(kept.seen, status=status, version=kept.seen.version + 1)
        if wanted is Move.ENABLE and seen.health is Health.SUSPENDED:
            seen = attrs.evolve(seen, health=Health.OK, health_reason="")
        mine.replace(attrs.evolve(kept, seen=seen))
        if wanted is Move.DISABLE:
            Schedules(tx, account).rest(connection_id)
        else:
            synchronizing.resume(tx, self.parts, account, connection_id)
        audits.note(tx, account, now, f"connection {wanted.value}d", str(connection_id), actor=actor)
        return seen

    async def renew(self) -> None:
        """Over there what they call us for may end by itself: it is asked for again daily, after trouble hourly."""
        if not self.parts.callback_base:
            return
        now = self.parts.clock.now()
        due = await self.parts.store.write(lambda tx: claim_subscriptions(tx, now, now + DAILY, AT_ONCE))
        for account, connection_id in due:
            try:
                kept = await self.parts.store.read(
                    lambda tx, a=account, c=connection_id: Connections(tx, a).get(c)  # type: ignore[misc]
                )
            except errors.NotFound:
                continue
            await self._subscription(kept.seen, Move.ENABLE)

    async def _subscription(self, seen: Connection, wanted: Move) -> None:
        """Callbacks follow the switch where the driver has them; trouble there is told and undoes nothing."""
        if not self.parts.callback_base:
            return
        trouble = ""
        try:
            async with self.sessions.open(seen.account, seen.id) as work:
                calls = work.driver.callbacks
                call = None if calls is None else calls.subscribe if wanted is Move.ENABLE else calls.unsubscribe
                if call is not None:
                    await checking.asked("Callbacks", lambda: call(work.session))
        except errors.NotAdmitted:
            return  # suspended: health says so already
        except errors.OmnichannelError as cause:
            trouble = f"Callbacks could not be changed, schedules go on: {cause}"
        await self.parts.store.write(lambda tx: self._note(tx, seen.account, seen.id, wanted, trouble))

    def _note(self, tx: Tx, account: str, connection_id: int, wanted: Move, trouble: str) -> None:
        mine, now = Connections(tx, account), self.parts.clock.now()
        if wanted is Move.ENABLE:
            mine.subscribe_at(connection_id, now + (HOURLY if trouble else DAILY))
        kept = mine.get(connection_id)
        missing = {name: why for name, why in kept.seen.missing.items() if name != checking.CALLBACKS}
        missing |= {checking.CALLBACKS: trouble} if trouble else {}
        if missing == kept.seen.missing:
            return
        seen = attrs.evolve(kept.seen, missing=missing)
        if seen.health is Health.OK or checking.CALLBACKS in kept.seen.missing:
            health, reason = checking.verdict(missing, seen.expires, now)
            if seen.health in (Health.OK, Health.ATTENTION):
                seen = attrs.evolve(seen, health=health, health_reason=reason)
        mine.replace(attrs.evolve(kept, seen=seen))
