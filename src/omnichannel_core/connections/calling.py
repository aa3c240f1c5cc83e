"""Calls from outside: verified and translated by the driver; deduped, refetched and answered here."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import attrs

from omnichannel_core import errors
from omnichannel_core.connections import checking, synchronizing
from omnichannel_core.connections.authorizing import Authorizing
from omnichannel_core.connections.doors import Doors
from omnichannel_core.connections.managing import Managing
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.sessions import Sessions, Work
from omnichannel_core.driver import Arrived, Call, Changed, Left
from omnichannel_core.model.lifecycle import Health, Status
from omnichannel_core.storage import audits, calls, hub
from omnichannel_core.storage.connections import Connections, by_callback, by_remote_account
from omnichannel_core.storage.store import Tx

SEEN_FOR = timedelta(days=3)


@attrs.frozen(kw_only=True)
class CallAnswer:
    """What to answer: a status; for a browser the draft a signed-in user is to confirm, or the connections it means.

    `claim` goes to that browser only (a cookie, not an address): `confirm` asks for it. `framed_by`: origins that may
    show the answer within a frame; `remote`: whose account over there it is about.
    """

    status: int = 200
    draft: int | None = None
    claim: str = attrs.field(default="", repr=False)
    connections: Sequence[int] = ()
    message: str = ""
    remote: str = ""
    framed_by: Sequence[str] = ()


@attrs.define
class Calling:
    """One door for all marketplaces; framework-free."""

    parts: Parts
    sessions: Sessions
    authorizing: Authorizing
    managing: Managing
    doors: Doors = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.doors = Doors(self.parts)

    async def receive(self, driver: str, call: Call, key: str = "") -> CallAnswer:
        """A request to `/callbacks/{driver}/{key}/...` (key: one connection's) or `/callbacks/{driver}/...`.

        Args:
            call: `path` is what comes after driver and key; the body is raw.

        Raises:
            CallRefused: forged, stale or malformed: answer 401. NotFound: answer 404.
        """
        last: errors.OmnichannelError = errors.NotFound(f"Nobody here is called back by {driver!r}.")
        for account, connection_id in await self._doors(driver, key):
            try:
                async with self._door(account, driver, connection_id) as work:
                    callbacks = work.driver.callbacks
                    if callbacks is None:
                        raise errors.NotFound(f"Driver {driver!r} takes no calls.")
                    said = await checking.asked("Call", lambda c=callbacks, w=work: c.receive(w.session, call))  # type: ignore[misc]
            except errors.OmnichannelError as refusal:
                last = last if isinstance(last, errors.CallRefused) else refusal
                continue
            answer = await self._act(driver, account, connection_id, said)
            return attrs.evolve(answer, framed_by=tuple(callbacks.framed_by), remote=said[-1].account if said else "")
        raise last

    async def hand_over(self, account: str, connection_id: int, call: Call) -> CallAnswer:
        """A call that the host itself brings for one connection of an account; the host vouches for the caller.

        Raises:
            NotFound: not in this account, or its driver takes no calls. CallRefused: malformed. NotAdmitted.
        """
        async with self._door(account, "", connection_id) as work:
            callbacks = work.driver.callbacks
            if callbacks is None:
                raise errors.NotFound(f"Driver {work.driver.name!r} takes no calls.")
            said = await checking.asked("Call", lambda: callbacks.receive(work.session, call))
        return await self._act(work.driver.name, account, connection_id, said)

    async def _doors(self, driver: str, key: str) -> list[tuple[str, int | None]]:
        """One connection by its key; else an account for each application of the driver."""
        if key:
            found = await self.parts.store.read(lambda tx: by_callback(tx, driver, key))
            return [found] if found else []
        return [(one, None) for one in await self.doors.of(driver)]

    @asynccontextmanager
    async def _door(self, account: str, driver: str, connection_id: int | None) -> AsyncIterator[Work]:
        if connection_id is not None:
            async with self.sessions.open(account, connection_id) as work:
                yield work
        else:
            declared = await self.sessions.driver(account, driver)
            async with self.sessions.draft(account, declared, 0, None) as work:
                yield work

    async def _act(
        self, driver: str, account: str, connection_id: int | None, said: Sequence[Changed | Arrived | Left]
    ) -> CallAnswer:
        answer = CallAnswer()
        for one in said:
            targets = await self._targets(driver, account, connection_id, one.account)
            if isinstance(one, Changed):
                answer = await self._changed(targets, one)
            elif isinstance(one, Arrived):
                answer = await self._arrived(driver, targets, one)
            else:
                answer = await self._left(targets, one)
        return answer

    async def _targets(
        self, driver: str, account: str, connection_id: int | None, remote: str
    ) -> list[tuple[str, int]]:
        """Whoever holds one connection's key speaks for its account only; an application for all that share it."""
        if connection_id is not None and not remote:
            return [(account, connection_id)]
        found = await self.parts.store.read(lambda tx: by_remote_account(tx, driver, remote))
        return found if connection_id is None else [target for target in found if target[0] == account]

    async def _changed(self, targets: Sequence[tuple[str, int]], one: Changed) -> CallAnswer:
        told = [
            target for target in targets if await self.parts.store.write(partial(self._queue, target=target, one=one))
        ]
        self.parts.queue.nudge()
        return CallAnswer(connections=[number for _, number in told])

    def _queue(self, tx: Tx, target: tuple[str, int], one: Changed) -> bool:
        """Not twice for the same key; nothing for a connection that is switched off."""
        (account, connection_id), now = target, self.parts.clock.now()
        if one.key and not calls.first_time(tx, connection_id, one.key, now, SEEN_FOR):
            return False
        if Connections(tx, account).get(connection_id).seen.status is not Status.ACTIVE:
            return False
        if not one.stream:
            self._submit(tx, target, "check", {"check": True})
            return True
        what = one.key or hashlib.sha256(repr((one.stream, sorted(one.ids))).encode()).hexdigest()[:24]
        wanted = {"fetch": {one.stream: list(one.ids)}} if one.ids else {"streams": [one.stream]}
        self._submit(tx, target, what, wanted)
        return True

    def _submit(self, tx: Tx, target: tuple[str, int], what: str, payload: Mapping[str, object]) -> None:
        account, connection_id = target
        self.parts.queue.submit(
            tx, account=account, connection=connection_id, kind=synchronizing.KIND,
            key=f"sync:{connection_id}:call:{what}", now=self.parts.clock.now(), payload={**payload, "called": True},
        )  # fmt: skip

    async def _arrived(self, driver: str, known: Sequence[tuple[str, int]], one: Arrived) -> CallAnswer:
        """A known account's connections are updated, each after a check; an unknown one waits for a person."""
        if not known:
            if not one.fields and one.token is None:
                raise errors.NotFound(f"Nobody here is connected to {one.account}: install the app again.")
            draft, claim = await self.authorizing.arrived(driver, one.account, one.fields, one.token, one.context)
            return CallAnswer(draft=draft, claim=claim, message="Sign in and confirm to finish the connection.")
        done, refused = list[int](), list[errors.OmnichannelError]()
        for account, connection_id in known:
            try:
                if one.fields or one.token is not None:
                    await self.managing.arrived(account, connection_id, one.fields, one.token)
                    await self.parts.store.write(
                        partial(self._mark_arrived, account=account, connection_id=connection_id)
                    )
                done.append(connection_id)
            except errors.OmnichannelError as refusal:
                refused.append(refusal)
                if one.token is None and isinstance(refusal, errors.AttentionNeeded):  # it was installed anew
                    await self.parts.store.write(
                        partial(self._note_refused, target=(account, connection_id), reason=str(refusal))
                    )
        if refused and not done:
            raise refused[0]
        return CallAnswer(connections=done)

    def _note_refused(self, tx: Tx, target: tuple[str, int], reason: str) -> None:
        Connections(tx, target[0]).note(target[1], health=Health.ATTENTION, reason=reason)

    def _mark_arrived(self, tx: Tx, account: str, connection_id: int) -> None:
        mine = Connections(tx, account)
        mine.replace(attrs.evolve(mine.get(connection_id), arrived_at=self.parts.clock.now()))

    async def _left(self, known: Sequence[tuple[str, int]], one: Left) -> CallAnswer:
        told = [
            number for account, number in known
            if await self.parts.store.write(partial(self._leave, target=(account, number), one=one))
        ]  # fmt: skip
        return CallAnswer(connections=told)

    def _leave(self, tx: Tx, target: tuple[str, int], one: Left) -> bool:
        account, connection_id = target
        mine, now = Connections(tx, account), self.parts.clock.now()
        kept = mine.get(connection_id)
        if one.at is not None and kept.arrived_at is not None and one.at < kept.arrived_at.replace(microsecond=0):
            return False  # remotes tell whole seconds
        if one.erase is not None:
            hub.erase(tx, account, connection_id, list(one.erase), now)
        else:
            mine.note(
                connection_id, health=Health.ATTENTION,
                reason="The app was uninstalled at the marketplace: authorize again, or delete this connection.",
            )  # fmt: skip
        audits.note(tx, account, now, "left", str(connection_id), actor="marketplace")
        return True
