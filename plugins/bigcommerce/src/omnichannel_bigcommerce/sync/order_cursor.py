"""Where an order pull goes on: pure, so that it can be tested without a remote (guide bigcommerce-and-shopify 1.10).

The first import walks by id, which is stable. Later runs walk by date of change with an overlap for late records; each
page begins at the last time seen, inclusively, so that equal times across a page border lose nothing, and what was
taken already is recognized by its digest. More equal times than a page holds are walked by id within that second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from omnichannel_bigcommerce.settings import OrderFilters
from omnichannel_core import errors
from omnichannel_core.driver import Settings

OVERLAP = timedelta(minutes=10)
SECOND = timedelta(seconds=1)
REMEMBERED = 1000
PASSED = "~"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Seen(NamedTuple):
    """What is remembered of a row: enough to know it again. `passed`: the filters did not admit it."""

    id: int
    modified: datetime | None
    digest: str = ""
    passed: bool = False

    def mark(self) -> str:
        """Its digest, marked when it was passed by."""
        return f"{PASSED}{self.digest}" if self.passed else self.digest


class Track(Struct, frozen=True):
    """One walk over the orders: first by id, then by date of change.

    Attributes:
        after_id: the last id the first import took.
        start: the newest change in the store when the first import began: where later runs begin.
        since: the newest change taken by a complete run.
        at: where the next page of this run begins; None is `since` less the overlap.
        tie_after: all of the second `at` is being walked by id, after this one.
        seen: rows taken lately, by id.
    """

    phase: Literal["new", "first", "changes"] = "new"
    after_id: int = 0
    start: datetime | None = None
    since: datetime | None = None
    at: datetime | None = None
    tie_after: int | None = None
    seen: Mapping[str, tuple[datetime, str]] = msgspec.field(default_factory=dict)


class Backfill(Struct, frozen=True):
    """A walk by id over what a widened filter newly admits; orders that are stored are passed by.

    Attributes:
        upto: the last id that can be new.
        created_before: orders created after this day have been looked at before.
        status: the one status that is new, where it is one.
    """

    after_id: int = 0
    upto: int | None = None
    created_before: date | None = None
    status: int | None = None
    pages: int = 0


class OrderCursor(Struct, frozen=True):
    """Where the orders stream goes on."""

    live: Track = Track()
    archived: Track = Track()
    archived_ignored: bool = False  # the store does not know the archive filter
    backfill: Backfill | None = None
    stage: Literal["live", "archived", "backfill"] = "live"


def iso(moment: datetime) -> str:
    """As the date filters take it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def beginning(track: Track) -> datetime | None:
    """Where a page of changes begins; None where the store had no order."""
    if track.at is not None:
        return track.at
    return None if track.since is None else track.since - OVERLAP


def horizon(track: Track) -> datetime | None:
    """Rows changed since then are remembered, as a later page may bring them again."""
    newest = track.since or track.start
    return None if newest is None else newest - OVERLAP


def query(track: Track, filters: OrderFilters, midnight: datetime | None) -> dict[str, str]:
    """The parameters of this track's next page."""
    if track.phase != "changes":
        asked = {"sort": "id:asc", "min_id": str(max(track.after_id, filters.id_greater_than or 0) + 1)}
        return asked | ({"min_date_created": iso(midnight)} if midnight else {})
    at = beginning(track)
    if track.tie_after is not None and at is not None:
        same = {"min_date_modified": iso(at), "max_date_modified": iso(at)}
        return {"sort": "id:asc", "min_id": str(track.tie_after + 1), **same}
    return {"sort": "date_modified:asc"} | ({"min_date_modified": iso(at)} if at else {})


def is_new(track: Track, row: Seen) -> bool:
    """Whether this very state of the row has not been taken yet."""
    if row.modified is None or str(row.id) not in track.seen:
        return True
    modified, mark = track.seen[str(row.id)]
    return (modified, mark.removeprefix(PASSED)) != (row.modified, row.digest)


def followed(track: Track) -> frozenset[str]:
    """Ids taken lately: stored, or on the way into the store."""
    return frozenset(key for key, (_, mark) in track.seen.items() if not mark.startswith(PASSED))


def advance(track: Track, rows: Sequence[Seen], *, full: bool) -> tuple[Track, bool]:
    """The track after these rows, and whether its run goes on.

    Args:
        full: there may be more where these came from.

    Raises:
        RemoteUnavailable: a full page of rows without ids: going on would never end.
    """
    taken = _remember(track, rows)
    if track.phase != "changes":
        return _advance_first(taken, rows, full)
    newest = max([row.modified for row in rows if row.modified] + ([track.since] if track.since else []), default=None)
    if track.tie_after is not None:
        return _advance_tie(taken, rows, full), True
    if not full:
        return replace(taken, since=newest, at=None), False
    last = max((row.modified for row in rows if row.modified), default=None)
    if last is None:
        raise errors.RemoteUnavailable("getOrders: a whole page of orders cannot be read")
    begun = beginning(track)
    if begun is None or last > begun:
        return replace(taken, at=last), True
    return replace(taken, at=begun, tie_after=0), True


def _advance_first(track: Track, rows: Sequence[Seen], full: bool) -> tuple[Track, bool]:
    last = max([row.id for row in rows] + [track.after_id])
    if not full:
        return replace(track, phase="changes", after_id=last, since=track.start), True
    if last <= track.after_id:
        raise errors.RemoteUnavailable("getOrders: a whole page of orders cannot be read")
    return replace(track, phase="first", after_id=last), True


def _advance_tie(track: Track, rows: Sequence[Seen], full: bool) -> Track:
    last = max((row.id for row in rows), default=0)
    if full and last > (track.tie_after or 0):
        return replace(track, tie_after=last)
    return replace(track, tie_after=None, at=(track.at or BEGINNING) + SECOND)


def _remember(track: Track, rows: Sequence[Seen]) -> Track:
    floor = horizon(track)
    seen = dict(track.seen)
    for row in rows:
        if row.modified is not None and (floor is None or row.modified >= floor):
            seen[str(row.id)] = (row.modified, row.mark())
    if track.phase == "changes" and seen:
        newest = max(modified for modified, _ in seen.values())
        seen = {key: value for key, value in seen.items() if value[0] >= newest - OVERLAP}
    if len(seen) > REMEMBERED:
        seen = dict(sorted(seen.items(), key=lambda item: item[1][0])[-REMEMBERED:])
    return replace(track, seen=seen)


def widen(cursor: OrderCursor, before: Settings, now: Settings) -> OrderCursor | None:
    """A cursor that also walks over what the new filters newly admit; None where nothing widened or nothing began."""
    if not isinstance(before, OrderFilters) or not isinstance(now, OrderFilters) or cursor.live.phase == "new":
        return None
    lower = (now.id_greater_than or 0) < (before.id_greater_than or 0)
    old, new = before.created_after, now.created_after
    earlier = old is not None and (new is None or new < old)
    statuses = sorted(now.statuses - before.statuses)
    archive = now.archived and not before.archived
    if not (lower or earlier or statuses or archive):
        return None
    kinds = [lower, earlier, bool(statuses), archive].count(True)
    if kinds > 1 or archive or len(statuses) > 1 or cursor.backfill is not None:
        backfill = Backfill()
    else:
        backfill = Backfill(
            upto=before.id_greater_than if lower else None,
            created_before=old if earlier else None,
            status=statuses[0] if statuses else None,
        )
    return replace(cursor, backfill=backfill, archived=Track() if now.archived else cursor.archived)


def backfill_query(
    backfill: Backfill, filters: OrderFilters, midnight: datetime | None, before: datetime | None
) -> dict[str, str]:
    """The parameters of a back-fill's next page."""
    asked = {"sort": "id:asc", "min_id": str(max(backfill.after_id, filters.id_greater_than or 0) + 1)}
    if backfill.upto is not None:
        asked["max_id"] = str(backfill.upto)
    if midnight is not None:
        asked["min_date_created"] = iso(midnight)
    if before is not None:
        asked["max_date_created"] = iso(before)
    if backfill.status is not None:
        asked["status_id"] = str(backfill.status)
    return asked


def advance_backfill(backfill: Backfill, rows: Sequence[Seen], *, full: bool) -> Backfill | None:
    """The back-fill after these rows; None when it is done."""
    last = max([row.id for row in rows] + [backfill.after_id])
    if not full:
        return None
    if last <= backfill.after_id:
        raise errors.RemoteUnavailable("getOrders: a whole page of orders cannot be read")
    return replace(backfill, after_id=last, pages=backfill.pages + 1)
