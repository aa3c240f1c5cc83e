"""An outbox row: one record on its way out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import attrs


class Sending(StrEnum):
    """Where a row stands."""

    QUEUED = "queued"
    SENDING = "sending"
    PENDING = "pending"  # taken by the remote, outcome known later (ticket)
    UNKNOWN = "unknown"  # sent, no answer
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DISMISSED = "dismissed"
    DROPPED = "dropped"  # a newer state took its place


UNSETTLED = frozenset({Sending.QUEUED, Sending.SENDING, Sending.PENDING, Sending.UNKNOWN})


@attrs.frozen(kw_only=True)
class OutboxRow:
    """`key` is the idempotency key; `thing` what the record is about (its id): the newest state of a thing wins."""

    id: int
    connection: int
    stream: str
    key: str
    thing: str
    body: bytes = attrs.field(repr=False)
    state: Sending = Sending.QUEUED
    batch: str = ""
    ticket: str = ""
    reason: str = ""
    attempts: int = 0
    due_at: datetime
    created_at: datetime
    changed_at: datetime
