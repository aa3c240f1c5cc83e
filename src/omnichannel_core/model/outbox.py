"""An outbox row: one record on its way out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
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


NEVER = datetime(9999, 1, 1, tzinfo=UTC)  # due then: waits for a person


@attrs.frozen(kw_only=True)
class OutboxRow:
    """`key` is the idempotency key; `thing` what the record is about (its id): the newest state of a thing wins.

    Attributes:
        kind: class name of the record.
        parent: id of the order it belongs to, '' for none.
        body: canonical JSON; empty once it was erased.
        batch: key of the batch it was last sent in.
        remote: what the remote told when it accepted.
        attempts: how often it was sent or looked for.
        full: the run of everything there is that it belongs to, 0 for none.
    """

    id: int
    connection: int
    stream: str
    kind: str = ""
    key: str
    thing: str
    parent: str = ""
    body: bytes = attrs.field(repr=False)
    state: Sending = Sending.QUEUED
    batch: str = ""
    ticket: str = ""
    reason: str = ""
    remote: Mapping[str, str] = attrs.field(factory=dict)
    attempts: int = 0
    due_at: datetime
    created_at: datetime
    changed_at: datetime
    full: int = 0

    @property
    def for_a_person(self) -> bool:
        """Nobody can find out what became of it: it is retried or dismissed by hand."""
        return self.state is Sending.UNKNOWN and self.due_at >= NEVER
