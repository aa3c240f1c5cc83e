"""Where an order poll goes on: pure, so that it can be tested without a remote (guide amazon 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from omnichannel_amazon.client import iso

OVERLAP = timedelta(minutes=10)
"""Late indexing; what comes twice is recognized by its revision."""

LAG = timedelta(minutes=3)
"""Amazon refuses what ends less than two minutes ago; the third is for clocks (guide 15, 4)."""

STEP = timedelta(minutes=3)
"""The bucket refills once in so long: a shorter window is not worth a request."""

SLICE, MOST = timedelta(days=2), timedelta(days=30)
LEAST = timedelta(hours=1)
BETWEEN = timedelta(minutes=30)
"""While history is being imported, changes are looked at so often."""

HISTORY = timedelta(days=729)
SECOND = timedelta(minutes=5)
"""A refusal is believed when it is repeated so much later: whole regions have been refused for minutes (guide 3.1)."""

PLAIN = timedelta(hours=24)
"""For so long personal parts that were refused are left out."""

YOUNG = timedelta(hours=1)
"""A token of a window begun anew so lately has not died of age: tokens live a day (guide 4.1)."""

MOST_AHEAD = 86400.0
RECONCILE, AGAIN = timedelta(hours=24), timedelta(hours=48)
"""Once a day the last two days are asked for again: orders have been missing from lists (guide 15, 5)."""


class Window(Struct, frozen=True):
    """The query that a page token is bound to: repeated unchanged, dropped when the token dies."""

    by: Literal["created", "lastUpdated"]
    since: datetime
    until: datetime
    channels: tuple[str, ...]
    page: str = ""

    def query(self) -> dict[str, str]:
        """Parameters of `searchOrders`, without `includedData`."""
        asked = {
            f"{self.by}After": iso(self.since),
            f"{self.by}Before": iso(self.until),
            "marketplaceIds": ",".join(self.channels),
        }
        return asked | ({"paginationToken": self.page} if self.page else {})


class OrderCursor(Struct, frozen=True):
    """One connection's place in the poll it shares.

    Attributes:
        begun: when the first import began: changes begin here.
        history: orders created before are in; None when there is none left to import.
        upto: history ends here; where it began anew for a kind that is switched on, changes passed by what was created
            before. None: at `begun`.
        changes: changes before are in.
        window: the query being paged through.
        slice: seconds that a window of history spans: doubled after one that was a single page, halved whenever a
            token died before the end of its window. Of changes that were not looked at for long, two days at most.
        reconciled: when the last two days were asked for again.
        denied: when access was refused and not granted since.
        plain: when personal parts were refused: without them orders come, a day later they are asked for again.
        alone: when marketplaces were refused together: for a day each is asked for by itself.
        restarted: when a window was begun anew because its token had died.
        ahead: seconds that our clock is ahead of Amazon's, which refuses what is not two minutes old there.
    """

    begun: datetime | None = None
    history: datetime | None = None
    changes: datetime | None = None
    window: Window | None = None
    slice: float = SLICE.total_seconds()
    reconciled: datetime | None = None
    denied: datetime | None = None
    plain: datetime | None = None
    ahead: float = 0.0
    upto: datetime | None = None
    alone: datetime | None = None
    restarted: datetime | None = None

    @property
    def end(self) -> datetime | None:
        """Where history ends."""
        return self.upto or self.begun

    @property
    def span(self) -> timedelta:
        """Of changes, what is asked for at once: a window has to end within a token's life."""
        return min(SLICE, timedelta(seconds=self.slice))


def start(cursor: OrderCursor, now: datetime, earliest: datetime | None) -> OrderCursor:
    """The first import begins now; `earliest` is what settings admit at all, None when nothing.

    One that began when nobody knew that our clock is ahead began later than Amazon's now: it is brought back.
    """
    begun = (now - LAG).replace(microsecond=0)
    if cursor.begun is not None:
        changes = min(cursor.changes or begun, begun)
        return cursor if cursor.begun <= begun else replace(cursor, begun=begun, changes=changes)
    history = None if earliest is None else max(earliest, now - HISTORY)
    return OrderCursor(begun=begun, changes=begun, reconciled=begun,
                       history=history if history is not None and history < begun else None)  # fmt: skip


def open_window(now: datetime, cursors: Mapping[str, OrderCursor]) -> Window | None:
    """Changes before history, unless they were just looked at; whoever may share the question joins. None: all in.

    Who was away for long catches up alone, step by step, while the others go on.
    """
    until = (now - LAG).replace(microsecond=0)
    away = {c: one for c, one in cursors.items() if one.changes is not None and until - one.changes > one.span}
    near = {channel: one for channel, one in cursors.items() if channel not in away}
    oldest = min((one.changes for one in near.values() if one.changes is not None), default=until)
    has_history = any(one.history is not None for one in cursors.values())
    if until - oldest >= (BETWEEN if has_history or away else STEP):
        again = [one.reconciled for one in near.values() if one.reconciled is not None]
        daily = bool(again) and now - min(again) >= RECONCILE and not has_history
        since = min(oldest - OVERLAP, until - AGAIN) if daily else oldest - OVERLAP
        return Window("lastUpdated", since, until, tuple(sorted(near)))
    if away:
        return _missed(away)
    return _history(cursors) if has_history else None


def _missed(cursors: Mapping[str, OrderCursor]) -> Window:
    """The oldest changes, for all who stand at about the same place."""
    places = {channel: one.changes for channel, one in cursors.items() if one.changes is not None}
    first = min(places.values())
    group = sorted(channel for channel, at in places.items() if at - first <= OVERLAP)
    return Window("lastUpdated", first - OVERLAP, first + min(cursors[one].span for one in group), tuple(group))


def _history(cursors: Mapping[str, OrderCursor]) -> Window:
    """The oldest slice, for all who stand at about the same place."""
    left = {channel: one for channel, one in cursors.items() if one.history is not None and one.end is not None}
    first = min(one.history for one in left.values() if one.history is not None)
    group = {c: one for c, one in left.items() if one.history is not None and one.history - first <= OVERLAP}
    span = timedelta(seconds=min(one.slice for one in group.values()))
    until = min(first + span, *(one.end for one in group.values() if one.end is not None))
    return Window("created", first, until, tuple(sorted(group)))


def advance(cursor: OrderCursor, window: Window, page: str, now: datetime) -> OrderCursor:
    """After a page of the window: on to the next, or the window is done."""
    if page:
        return replace(cursor, window=replace(window, page=page))
    if window.by == "lastUpdated":
        daily = window.until - window.since >= AGAIN
        reconciled = now if daily else cursor.reconciled
        return replace(
            cursor, changes=max(window.until, cursor.changes or window.until), window=None, reconciled=reconciled
        )
    done = cursor.end is None or window.until >= cursor.end
    span = cursor.slice if window.page else min(cursor.slice * 2, MOST.total_seconds())
    left, upto = (None, None) if done else (window.until, cursor.upto)
    return replace(cursor, history=left, upto=upto, window=None, slice=span)


def restart(cursor: OrderCursor, now: datetime) -> OrderCursor:
    """The token died: the window anew, in smaller steps, so that the next one ends in time. The last two days are asked
    for again tomorrow only."""
    window, shorter = cursor.window, max(LEAST.total_seconds(), cursor.slice / 2)
    daily = window is not None and window.by == "lastUpdated" and window.until - window.since >= AGAIN
    reconciled = window.until if daily and window else cursor.reconciled
    return replace(cursor, window=None, slice=shorter, reconciled=reconciled, restarted=now)


def hurried(cursor: OrderCursor) -> OrderCursor | None:
    """Amazon's clock is behind ours by more than we knew; None when it cannot be the clock any more."""
    ahead = max(120.0, cursor.ahead * 2)
    return None if ahead > MOST_AHEAD else replace(cursor, ahead=ahead, window=None)


def seen(cursor: OrderCursor, ahead: float | None) -> OrderCursor:
    """Access was granted; what the answer told of Amazon's clock, where it did."""
    return replace(cursor, denied=None, ahead=cursor.ahead if ahead is None else ahead)


def widened(cursor: OrderCursor, earliest: datetime | None) -> OrderCursor | None:
    """A cursor that also imports what was passed by, up to where changes are in; None when nothing was."""
    end = max((one for one in (cursor.changes, cursor.upto) if one is not None), default=cursor.begun)
    if cursor.begun is None or end is None or earliest is None or earliest >= end:
        return None
    history = earliest if cursor.history is None else min(earliest, cursor.history)
    return replace(cursor, history=history, upto=end, window=None)


def joins(cursor: OrderCursor, window: Window) -> bool:
    """Whether the window's next page is this one's next page: in the middle nobody gets on."""
    return cursor.window == window or (cursor.window is None and not window.page)


def current(cursors: Iterable[OrderCursor]) -> Window | None:
    """The window that some of them are in the middle of; the oldest when they were separated."""
    windows = [one.window for one in cursors if one.window is not None]
    return min(windows, key=lambda one: (one.until, one.since), default=None)
