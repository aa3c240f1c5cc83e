"""What a host tells a remote about an order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from omnichannel_core.records.record import Record


class Shipment(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A parcel. `lines` maps order line ids to quantities; empty is everything that is still open."""

    order_id: str = ""
    carrier: str = ""
    method: str = ""
    tracking: str = ""
    tracking_url: str = ""
    shipped_at: datetime | None = None
    lines: Mapping[str, Decimal] = {}
    note: str = ""


class Invoice(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An invoice or credit note as PDF."""

    order_id: str = ""
    number: str = ""
    pdf: bytes = b""
    kind: Literal["invoice", "credit_note"] = "invoice"


class Cancellation(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An order, or some of its lines, will not be fulfilled. Empty `lines` is the whole order."""

    order_id: str = ""
    reason: str = ""
    lines: Mapping[str, Decimal] = {}
