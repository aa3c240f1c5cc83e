"""Outcomes: what a driver said or raised, as what becomes of each record that was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Later, Outcome, Pending, PushStream, Rejected
from omnichannel_core.driver import Wait as Pause
from omnichannel_core.model.outbox import NEVER, OutboxRow, Sending
from omnichannel_core.remote import redaction
from omnichannel_core.storage.sending import Change, Task

BACKOFF = (30.0, 1800.0)  # seconds: first and longest
PATIENT = 3  # so many times a driver's own wait is taken at its word
REASON_MAX = 2000  # characters


def pushed(
    task: Task, stream: PushStream[Any], said: Mapping[str, Outcome], trouble: errors.OmnichannelError | None,
    now: datetime, *, left: bool,
) -> list[Change]:  # fmt: skip
    """After a push: a raise is an outcome too, and where nothing says otherwise, what was sent is unknown.

    Args:
        left: something that may not be repeated may have arrived.
    """
    repeats = stream.settle is None and stream.repeatable
    refused = isinstance(trouble, errors.RemoteRejected)
    if refused and len(task.batch.items) == 1:
        said = {task.batch.items[0].key: Rejected(str(trouble))}
    wait = trouble.wait if isinstance(trouble, errors.RemoteError) else None
    unsent = trouble is not None and not refused and not left and not repeats
    hopeless = stream.settle is None and (refused or not stream.repeatable)
    changes = []
    for row in task.rows:
        outcome = said.get(row.key)
        if outcome is None and unsent:
            at = now + _later(wait, row.attempts) if isinstance(trouble, errors.RemoteError) else now
            changes.append(Change(row=row, state=Sending.QUEUED, due_at=at, reason=_cut(str(trouble))))
        elif (known := _known(row, outcome, now, can_settle=stream.settle is not None)) is not None:
            changes.append(known)
        else:
            why = _cut(str(trouble)) if trouble is not None else "The driver named no outcome."
            at = NEVER if hopeless else now + _later(wait, row.attempts)
            changes.append(Change(row=row, state=Sending.UNKNOWN, due_at=at, reason=why, batch=row.batch))
    return changes


def settled(
    task: Task, said: Mapping[str, Outcome], trouble: errors.OmnichannelError | None, now: datetime
) -> list[Change]:
    """After looking: where nothing was found out, it is looked again later."""
    changes = []
    for row in task.rows:
        known = _known(row, said.get(row.key), now, can_settle=True)
        if known is None:
            wait = trouble.wait if isinstance(trouble, errors.RemoteError) else None
            reason = row.reason if trouble is None else _cut(str(trouble))
            known = Change(
                row=row, state=row.state, due_at=now + _later(wait, row.attempts + 1), reason=reason,
                ticket=row.ticket, batch=row.batch, tried=True,
            )  # fmt: skip
        changes.append(known)
    return changes


def shown(one: Outcome) -> Outcome:
    """What a remote wrote is shown to people: without secrets."""
    return Rejected(redaction.clean(one.reason)) if isinstance(one, Rejected) else one


def well_formed(outcome: object) -> bool:
    """One that says something else than its type promises is no outcome: what was sent is then unknown."""
    match outcome:
        case Accepted(remote=remote, note=note):
            return isinstance(remote, Mapping) and isinstance(note, str)
        case Rejected(reason=reason):
            return isinstance(reason, str)
        case Pending(ticket=ticket, wait=wait):
            return isinstance(ticket, str) and isinstance(wait, Pause)
        case Later(wait=wait):
            return isinstance(wait, Pause)
    return False


def _known(row: OutboxRow, outcome: object, now: datetime, *, can_settle: bool) -> Change | None:
    """An outcome as what becomes of the row; None for one that is none."""
    match outcome:
        case Accepted(remote=remote, note=note):
            told = {str(name): str(value) for name, value in remote.items()}
            return Change(row=row, state=Sending.ACCEPTED, due_at=now, remote=told, reason=_cut(note), batch=row.batch)
        case Rejected(reason=reason):
            return Change(row=row, state=Sending.REJECTED, due_at=now, reason=_cut(str(reason)), batch=row.batch)
        case Pending(ticket=ticket, wait=wait) if can_settle:
            at = now + timedelta(seconds=max(errors.bounded(wait.seconds), 1.0))
            return Change(
                row=row, state=Sending.PENDING, due_at=at, reason=_cut(wait.why), ticket=ticket, batch=row.batch
            )
        case Later(wait=wait):
            at = now + _later(wait.seconds, row.attempts)
            return Change(row=row, state=Sending.QUEUED, due_at=at, reason=_cut(wait.why))
    return None


def _later(wait: float | None, attempts: int) -> timedelta:
    """What was said; and where nothing was, or it was said too often, 30 s doubling to 30 min."""
    wait = None if wait is None else errors.bounded(wait)
    first, longest = BACKOFF
    often = attempts - PATIENT if wait is not None else attempts
    own = min(first * 2.0 ** min(often - 1, 16), longest) if often > 0 else 0.0
    return timedelta(seconds=max(wait or 0.0, own, 1.0))


def _cut(text: str) -> str:
    return text.replace("\0", "")[:REASON_MAX]
