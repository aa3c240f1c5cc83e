"""Things of a point of sale."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import UNSET, UnsetType

from omnichannel_core.records.record import Money, Record


class PosStore(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A thing of the host that brings its own connection."""

    name: str = ""
    address: str = ""
    currency: str = ""
    gross_prices: bool = True


class CashEntry(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Cash put into a till or taken out of it."""

    kind: str = ""
    at: datetime | UnsetType = UNSET
    amount: Money | UnsetType = UNSET
    note: str = ""


class Closing(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A till's closing, the last record of its export."""

    number: int = 0
    at: datetime | UnsetType = UNSET
    totals: Mapping[str, Money] = {}
