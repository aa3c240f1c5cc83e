"""What a host offers on a remote: offers with variants, prices, stock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from omnichannel_core.records.record import Money, Record


class Value(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An attribute's value, as text. `mapped`: the host's data mapping set it (and not a mere default)."""

    text: str = ""
    texts: tuple[str, ...] = ()  # of an attribute with several values
    mapped: bool = True


class OfferVariant(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One sellable variant. `options` maps an option's name to the value that tells this variant apart."""

    sku: str
    options: Mapping[str, str] = {}
    values: Mapping[str, Value] = {}


class Offer(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A product as it is to stand on the remote. What is left out is left alone there, never deleted."""

    sku: str = ""
    set: str = ""  # attribute set
    values: Mapping[str, Value] = {}
    variants: tuple[OfferVariant, ...] = ()
    colors: Mapping[str, str] = {}  # an option value's color as #rrggbb, where the host knows it


class StockLevel(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A quantity is a state: the newest wins. `location` is the remote's, '' its default one."""

    sku: str = ""
    quantity: Decimal = Decimal(0)
    location: str = ""


class Price(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A price is a state: the newest wins. `list` names a price list of the remote, '' the base price."""

    sku: str = ""
    price: Money | None = None
    sale_price: Money | None = None
    retail_price: Money | None = None
    list: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
