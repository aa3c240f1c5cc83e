"""Times as the store keeps them: microseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_START = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """An aware time as an integer."""
    return (at - _START) // _TICK


def maybe_micros(at: datetime | None) -> int | None:
    """The same, None stays None."""
    return None if at is None else micros(at)


def moment(value: int) -> datetime:
    """An integer as an aware time."""
    return _START + timedelta(microseconds=value)


def maybe_moment(value: int | None) -> datetime | None:
    """The same, None stays None."""
    return None if value is None else moment(value)
