"""Failures: what failed on its way in or out, as operators see it and name it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import attrs

from omnichannel_core import errors
from omnichannel_core.model.outbox import OutboxRow
from omnichannel_core.model.process import Process
from omnichannel_core.storage.hub import Trouble


@attrs.frozen(kw_only=True)
class Failure:
    """A record that failed. `id` is what `retry` and `dismiss` take: `record:12` came in, `push:12` goes out.

    Attributes:
        remote_id: of the record; of a push, what it is about.
        order: id of the order a push belongs to, '' for none.
        unknown: a push nobody knows the outcome of.
        retrying: it is asked for again by the next synchronize.
    """

    id: str
    connection: int
    stream: str
    kind: str
    remote_id: str
    order: str = ""
    reason: str
    unknown: bool = False
    retrying: bool = False
    attempts: int
    since: datetime


@attrs.frozen(kw_only=True)
class Retried:
    """`synchronize` is what asks for the records again; pushes are on their way already."""

    records: int
    pushes: int
    processes: Sequence[Process] = ()


def came(one: Trouble) -> Failure:
    """One on its way in."""
    return Failure(
        id=f"record:{one.id}", connection=one.connection, stream=one.stream, kind=one.kind, remote_id=one.remote_id,
        reason=one.reason, retrying=one.retrying, attempts=one.attempts, since=one.changed_at,
    )  # fmt: skip


def went(one: OutboxRow) -> Failure:
    """One on its way out."""
    return Failure(
        id=f"push:{one.id}", connection=one.connection, stream=one.stream, kind=one.kind, remote_id=one.thing,
        order=one.parent, reason=one.reason, unknown=one.for_a_person, attempts=one.attempts, since=one.changed_at,
    )  # fmt: skip


def split(ids: Sequence[str] | None) -> tuple[list[int] | None, list[int] | None]:
    """Ids of failures as (records, pushes); None is all."""
    if ids is None:
        return None, None
    parts: dict[str, list[int]] = {"record": [], "push": []}
    for one in ids:
        what, _, number = one.partition(":")
        if what not in parts or not (number.isascii() and number.isdecimal() and len(number) < 19):
            raise errors.UsageError(f"{one!r} is no failure: ids look like record:12 or push:12.")
        parts[what].append(int(number))
    return parts["record"], parts["push"]
