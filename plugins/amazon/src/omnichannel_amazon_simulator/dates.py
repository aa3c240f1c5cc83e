"""Dates as the API writes and reads them: ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate

from omnichannel_amazon_simulator.errors import invalid


def iso(at: float) -> str:
    """`2026-11-21T10:15:00.000Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def offset(at: float) -> str:
    """`2026-11-21T10:15:00+00:00`: how flat-file reports write times."""
    return datetime.fromtimestamp(int(at), UTC).isoformat()


def http(at: float) -> str:
    """The Date header."""
    return formatdate(at, usegmt=True)


def parse(name: str, text: str) -> float:
    """Unix seconds of an ISO 8601 date; no zone means UTC.

    Raises:
        Refused: 400, it is none.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"Value '{text}' for parameter {name} is not a valid ISO 8601 date-time.") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
