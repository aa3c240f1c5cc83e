"""Switching: disable and enable, one or many, and the callbacks that follow the switch."""

from __future__ import annotations

import logging
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
from omnichannel_core.storage.connections import Connections, to_subscribe
from omnichannel_core.storage.schedules import Schedules
from omnichannel_core.storage.store import Tx

DAILY, SOON = timedelta(days=1), timedelta(minutes=10)  # until callbacks are asked for again: after success, after none
AT_ONCE = 100  # connections whose callbacks are renewed in one round
_log = logging.getLogger(__name__)


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

    async def renew_subscriptions(self) -> None:
        """Marketplaces forget callbacks: those of active connections are asked for again every day."""
        if not self.parts.callback_base:
            return
        now = self.parts.clock.now()
        for account, one in await self.parts.store.read(lambda tx: to_subscribe(tx, now, AT_ONCE)):
            seen = (await self.parts.store.read(lambda tx, a=account, i=one: Connections(tx, a).get(i))).seen  # type: ignore[misc]
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
        if wanted is Move.DISABLE:  # nobody wants to be called any more
            mine.calls(connection_id, "")
            seen = attrs.evolve(seen, calls_trouble="")
        let_in = wanted is Move.ENABLE and seen.health is Health.SUSPENDED
        if let_in or _is_about_calls(kept.seen):
            health, reason = checking.verdict(seen, now)
            seen = attrs.evolve(seen, health=health, health_reason=reason)
        mine.replace(attrs.evolve(kept, seen=seen))
        if wanted is Move.DISABLE:
            Schedules(tx, account).rest(connection_id)
        else:
            synchronizing.resume(tx, self.parts, account, connection_id)
        audits.note(tx, account, now, f"connection {wanted.value}d", str(connection_id), actor=actor)
        return seen

    async def _subscription(self, seen: Connection, wanted: Move) -> None:
        """Callbacks follow the switch where the driver has them; trouble there does not undo the move."""
        if not self.parts.callback_base:
            return
        await self._subscribe_again(seen, DAILY)  # first: while this one asks, no other worker does
        try:
            driver = await self.sessions.driver(seen.account, seen.driver)
            calls = driver.callbacks
            call = None if calls is None else calls.subscribe if wanted is Move.ENABLE else calls.unsubscribe
            if call is not None:
                async with self.sessions.open(seen.account, seen.id) as work:
                    await checking.asked("Callbacks", lambda: call(work.session))
            await self._calls(seen, "")
        except errors.NotAdmitted:
            return  # suspended: health says so already
        except errors.RemoteError as trouble:
            _log.info("connection %d: callbacks not changed: %s", seen.id, trouble.key)
            await self._subscribe_again(seen, SOON)
        except errors.OmnichannelError as trouble:
            if wanted is Move.ENABLE:
                await self._calls(seen, f"Callbacks could not be changed: {trouble}")

    async def _calls(self, seen: Connection, trouble: str) -> None:
        """What is wrong with callbacks stays on the connection until they work or nobody wants them."""

        def write(tx: Tx) -> None:
            mine = Connections(tx, seen.account)
            now = mine.get(seen.id).seen
            mine.calls(seen.id, trouble)
            if now.health is Health.OK or _is_about_calls(now):
                health, reason = checking.verdict(attrs.evolve(now, calls_trouble=trouble), self.parts.clock.now())
                mine.note(seen.id, health=health, reason=reason)

        if trouble or seen.calls_trouble:
            await self.parts.store.write(write)

    async def _subscribe_again(self, seen: Connection, wait: timedelta) -> None:
        at = self.parts.clock.now() + wait
        await self.parts.store.write(lambda tx: Connections(tx, seen.account).subscribe_again(seen.id, at))


def _is_about_calls(seen: Connection) -> bool:
    """Whether health says nothing but that callbacks were refused."""
    return bool(seen.calls_trouble) and seen.health_reason == seen.calls_trouble
