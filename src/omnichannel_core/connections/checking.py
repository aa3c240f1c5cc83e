"""The check: whose account it is, what works, what is missing and why, what expires when."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import anyio
import attrs

from omnichannel_core import errors
from omnichannel_core.connections.parts import Parts
from omnichannel_core.connections.sessions import Sessions, Work
from omnichannel_core.driver import Checkup
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.lifecycle import Health, Move, move
from omnichannel_core.remote import redaction
from omnichannel_core.storage.connections import Connections
from omnichannel_core.storage.store import Tx

if TYPE_CHECKING:
    from omnichannel_core.driver import Credentials

DEADLINE = 30.0  # seconds; a person is waiting
SOON = timedelta(days=14)  # before something ends, it is announced
T = TypeVar("T")


async def asked(what: str, call: Callable[[], Awaitable[T]], deadline: float = DEADLINE) -> T:
    """A driver's function for a person who waits: within a deadline, only errors a driver may raise.

    Raises:
        RemoteUnavailable: no answer in time. ContractBroken: it raised what drivers may not raise.
    """
    try:
        with anyio.fail_after(deadline):
            return await call()
    except TimeoutError as cause:
        raise errors.RemoteUnavailable(f"{what}: no answer within {deadline:.0f} seconds. Try again later.") from cause
    except errors.OmnichannelError as trouble:
        redaction.shown(trouble)
        raise
    except (KeyboardInterrupt, GeneratorExit, BaseExceptionGroup, anyio.get_cancelled_exc_class()) as cause:
        if not isinstance(cause, ExceptionGroup):
            raise  # the host's, or a cancellation
        redaction.shown(cause)
        raise errors.ContractBroken(f"{what}: the driver raised several errors, which it may not.") from cause
    except BaseException as cause:
        redaction.shown(cause)
        raise errors.ContractBroken(f"{what}: the driver raised {type(cause).__name__}, which it may not.") from cause


async def run(work: Work) -> Checkup:
    """The driver's check of a session."""
    found = await asked("Checking credentials", lambda: work.driver.flow.check(work.session))
    if not isinstance(found, Checkup):
        raise errors.ContractBroken("Checking credentials: the driver gave no Checkup.")
    return found


def same_person(form: Credentials, found: Checkup) -> None:
    """What was typed and what the remote says must be the same account.

    Raises:
        CredentialsRejected: they are not.
    """
    said = form.remote_account()
    if said and found.account and said != found.account:
        raise errors.CredentialsRejected(f"These credentials belong to {found.account}, not to {said}: check both.")


def same_account(seen: Connection, form: Credentials, found: Checkup, move_account: bool) -> Connection:
    """A connection with new credentials; another remote account only when that was said.

    Raises:
        CredentialsRejected, RemoteAccountChanged.
    """
    new = found.account or form.remote_account()
    same_person(form, found)
    if seen.remote_account and new != seen.remote_account and not move_account:
        raise errors.RemoteAccountChanged(
            f"Connection {seen.id} belongs to {seen.remote_account}; these credentials lead to {new}. "
            "Create another connection for it, or allow the move explicitly."
        )
    return attrs.evolve(seen, remote_account=form.remote_account() or found.account, channel=form.channel())


def with_checkup(seen: Connection, found: Checkup, now: datetime) -> Connection:
    """A connection as its check says it is; what expires within two weeks is announced."""
    seen = attrs.evolve(
        seen, remote_title=found.title, works=found.works, missing=dict(found.missing), expires=dict(found.expires)
    )
    if seen.health is Health.SUSPENDED:  # the gate's answer is not the remote's to change
        return seen
    health, reason = verdict(seen, now)
    return attrs.evolve(seen, health=health, health_reason=reason)


def verdict(seen: Connection, now: datetime) -> tuple[Health, str]:
    """Health and reason of a connection whose remote answers: what ends soon, then callbacks that were refused."""
    soon = sorted((at, what) for what, at in seen.expires.items() if at - now < SOON)
    if soon:
        at, what = soon[0]
        return Health.ATTENTION, f"The {what} ends on {at:%d/%m/%Y}: renew it before."
    if seen.calls_trouble:
        return Health.ATTENTION, seen.calls_trouble
    return Health.OK, f"Without: {', '.join(sorted(seen.missing))}." if seen.missing else ""


def keep(tx: Tx, account: str, connection_id: int, found: Checkup, now: datetime) -> None:
    """Store what a check found."""
    mine = Connections(tx, account)
    kept = mine.get(connection_id)
    mine.replace(attrs.evolve(kept, seen=with_checkup(kept.seen, found, now)))


@attrs.define
class Checking:
    """The move *check* of a stored connection."""

    parts: Parts
    sessions: Sessions

    async def check(self, account: str, connection_id: int) -> Checkup:
        """Ask the remote; the answer is kept as the connection's health and capabilities.

        Raises:
            NotFound, MoveNotAllowed, NotAdmitted, errors a driver may raise.
        """
        kept = await self.parts.store.read(lambda tx: Connections(tx, account).get(connection_id))
        move(connection_id, kept.seen.status, Move.CHECK)
        try:
            async with self.sessions.open(account, connection_id) as work:
                found = await run(work)
        except errors.AttentionNeeded as trouble:
            await self._note(account, connection_id, Health.ATTENTION, str(trouble))
            raise
        except errors.RemoteError as trouble:
            await self._note(account, connection_id, Health.WAITING, str(trouble))
            raise
        await self.parts.store.write(lambda tx: keep(tx, account, connection_id, found, self.parts.clock.now()))
        return found

    async def _note(self, account: str, connection_id: int, health: Health, reason: str) -> None:
        await self.parts.store.write(
            lambda tx: Connections(tx, account).note(connection_id, health=health, reason=reason)
        )
