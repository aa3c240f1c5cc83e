"""Dates as the two API versions write them: RFC-2822 in UTC (v2) and ISO-8601 (v3); readers of both."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_ONLY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@lru_cache(maxsize=4096)
def _day(days: int) -> str:
    at = datetime.fromtimestamp(days * 86400, UTC)
    return f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year}"


def rfc2822(at: float) -> str:
    """`Wed, 10 Jan 2018 21:05:30 +0000`: how v2 answers dates, always in UTC (guide 1.10)."""
    days, seconds = divmod(int(at), 86400)
    return f"{_day(days)} {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d} +0000"


def iso(at: float) -> str:
    """`2018-01-10T21:05:30+00:00`: how v3 answers dates."""
    return datetime.fromtimestamp(int(at), UTC).isoformat()


def parse(text: str) -> float:
    """Unix seconds of an RFC-2822 or ISO-8601 date, no zone meaning UTC.

    Raises:
        ValueError: the text is neither.
    """
    text = text.strip()
    try:
        if text[:1].isdigit() and len(text) > 4 and text[4] == "-":
            at = datetime.fromisoformat(text)
        else:
            at = parsedate_to_datetime(text)
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError(f"not a date: {text!r}") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def parse_v3(text: str, now: float) -> float:
    """Like `parse`, with the catalog's oddity: a day without a time gets the current time of day (guide 1.9)."""
    at = parse(text)
    return at + now % 86400 if _DAY_ONLY.match(text.strip()) else at
