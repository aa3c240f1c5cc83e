"""Where an order pull goes on: pure, so that it can be tested without a remote (guide bigcommerce-and-shopify 2.9).

History (the first import, and what a widened filter newly admits) comes first; then changes since the moment it began,
by `updatedAt`. Shopify's cursor sorts by `updatedAt` and then id, so that equal times over a page border lose nothing.
Every run begins ten minutes earlier, inclusively; what was taken already is known by id and `updatedAt`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from omnichannel_core.driver import Settings
from omnichannel_shopify.settings import OrderFilters

OVERLAP = timedelta(minutes=10)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REMEMBERED = 2000
SETTLES = timedelta(seconds=5)
PAGES_PER_WINDOW = 200
"""A walk ends at 25,000 objects (guide 2.5): before that a new window is begun."""


class Seen(NamedTuple):
    """What is remembered of a row."""

    id: str
    updated: datetime


class Track(Struct, frozen=True):
    """Changes, by `updatedAt`.

    Attributes:
        since: the newest change taken by a complete run; None: history is not through yet.
        at: where this run's window begins; None is `since` less the overlap.
        after: Shopify's cursor within the window.
        last: the newest change seen in this run.
        seen: orders taken lately, by id.
    """

    since: datetime | None = None
    at: datetime | None = None
    after: str = ""
    pages: int = 0
    last: datetime | None = None
    seen: Mapping[str, datetime] = msgspec.field(default_factory=dict)


class History(Struct, frozen=True):
    """All orders that the filters admit, by a bulk operation or page by page.

    Attributes:
        start: the newest change in the shop when it began: where changes begin afterwards.
        begun: by our clock; names the bulk operation that belongs to it. None: not begun.
        way: how; "ask" is to be decided by the count.
        operation: the bulk operation's id.
        parts: into how many parts the file was split; 0 is not yet.
        part, skip: where in them it goes on.
        after_id: the last order's number, page by page.
        failures: bulk operations that did not end well; after some it goes page by page.
    """

    start: datetime | None = None
    begun: datetime | None = None
    way: Literal["ask", "bulk", "paged"] = "ask"
    operation: str = ""
    parts: int = 0
    part: int = 0
    skip: int = 0
    after_id: int = 0
    failures: int = 0
    total: int = 0
    pages: int = 0


class OrderCursor(Struct, frozen=True):
    """Where the orders stream goes on.

    Attributes:
        turn: changes are looked at in between while a later history is on its way.
        pause: seconds history wants to wait, once changes are through.
    """

    changes: Track = Track()
    history: History | None = History()
    turn: Literal["history", "changes"] = "history"
    pause: float = 0.0


def stamp(moment: datetime) -> str:
    """As a search filter takes it, in quotes: it holds colons."""
    return f"'{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"


def beginning(track: Track) -> datetime:
    """Where the window begins."""
    if track.at is not None:
        return track.at
    return track.since - OVERLAP if track.since is not None else EPOCH


def is_new(track: Track, row: Seen) -> bool:
    """Whether this very state of the order has not been taken yet."""
    return track.seen.get(row.id) != row.updated


def advance(
    track: Track, rows: Sequence[Seen], *, end_cursor: str, more: bool, settled: datetime | None = None
) -> Track:
    """The track after a page.

    Args:
        settled: rows changed after that moment are not remembered: `updatedAt` counts seconds, and within the same one
            such an order may change again.
    """
    last = max([row.updated for row in rows] + ([track.last] if track.last else []), default=None)
    newest = max([one for one in (last, track.since) if one is not None], default=None)
    sure = {row.id: row.updated for row in rows if settled is None or row.updated <= settled}
    seen = remembered({**track.seen, **sure}, newest)
    if not more:
        return Track(since=newest or track.since, seen=seen)
    pages = track.pages + 1
    if pages >= PAGES_PER_WINDOW and last is not None and last > beginning(track):
        return Track(since=track.since, at=last, last=last, seen=seen)
    return replace(track, at=beginning(track), after=end_cursor, pages=pages, last=last, seen=seen)


def remembered(seen: Mapping[str, datetime], newest: datetime | None) -> Mapping[str, datetime]:
    """Only what a later run may bring again, and not endlessly much of it."""
    if newest is not None:
        seen = {key: at for key, at in seen.items() if at >= newest - OVERLAP}
    if len(seen) > REMEMBERED:
        seen = dict(sorted(seen.items(), key=lambda item: item[1])[-REMEMBERED:])
    return seen


def forgotten(track: Track) -> Track | None:
    """The remote does not know its cursor any more: the window again from the last change seen; None: it was there."""
    if not track.after or (track.last is not None and track.last == track.at and track.pages == 0):
        return None
    return replace(track, at=track.last or beginning(track), after="", pages=0)


def finished(cursor: OrderCursor) -> OrderCursor:
    """History is through: changes begin where it began."""
    history = cursor.history or History()
    starts = [one for one in (cursor.changes.since, history.start) if one is not None]
    since = min(starts) if starts else history.begun
    track = replace(cursor.changes, since=since, at=None, after="", pages=0, last=None)
    return OrderCursor(changes=track, history=None)


def again(history: History, *, paged: bool) -> History:
    """After a bulk operation that did not end well: another one, or page by page."""
    return History(
        start=history.start,
        begun=history.begun if paged else None,
        way="paged" if paged else "ask",
        failures=history.failures + 1,
    )


def widen(cursor: OrderCursor, before: Settings, now: Settings) -> OrderCursor | None:
    """A history of what is newly admitted; None when nothing widened."""
    if not isinstance(before, OrderFilters) or not isinstance(now, OrderFilters) or not wider(before, now):
        return None
    start = cursor.history.start if cursor.history is not None else None
    return replace(cursor, history=History(start=start), turn="history", pause=0.0)


def wider(before: OrderFilters, now: OrderFilters) -> bool:
    """Whether something is admitted that was not."""
    if now.financial - before.financial or now.fulfillment - before.fulfillment:
        return True
    if any(getattr(now, name) and not getattr(before, name) for name in ("archived", "cancelled", "test")):
        return True
    if before.number_greater_than is not None and (now.number_greater_than or 0) < before.number_greater_than:
        return True
    if before.created_after is None:
        return False
    return now.created_after is None or now.created_after < before.created_after
