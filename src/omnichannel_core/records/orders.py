"""Orders and returns, as marketplaces, shops and tills have them in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from omnichannel_core.records.record import Money, Record


class Tax(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One tax. `rate` in percent (19 is 19 %)."""

    name: str = ""
    rate: Decimal | None = None
    amount: Money | None = None


class Address(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A postal address. `country` is ISO 3166-1 alpha-2 where the remote says it."""

    id: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    street1: str = ""
    street2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""
    extra: Mapping[str, str] = {}


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One line of an order. Prices are per unit; `net`, `gross` and `tax` are of the whole line after discounts."""

    id: str
    sku: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    quantity: Decimal | UnsetType = UNSET
    price: Money | UnsetType = UNSET
    net: Money | UnsetType = UNSET
    gross: Money | UnsetType = UNSET
    tax: Money | UnsetType = UNSET
    taxes: tuple[Tax, ...] = ()
    discount: Money | UnsetType = UNSET
    shipped: Decimal | UnsetType = UNSET
    refunded: Decimal | UnsetType = UNSET
    kind: str = "product"  # product, gift_card, digital, fee, deposit...
    ship_to: str = ""  # id of one of the order's addresses
    options: Mapping[str, str] = {}
    extra: Mapping[str, str] = {}


class Charge(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What is paid besides the lines (shipping, handling, fee, wrapping) or taken off (discount, coupon; negative)."""

    id: str
    kind: str
    name: str = ""
    net: Money | UnsetType = UNSET
    gross: Money | UnsetType = UNSET
    taxes: tuple[Tax, ...] = ()
    extra: Mapping[str, str] = {}


class Payment(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One movement of money: authorization, capture, purchase, refund, void."""

    id: str
    kind: str
    method: str = ""
    status: str = ""
    amount: Money | UnsetType = UNSET
    at: datetime | None = None
    reference: str = ""
    extra: Mapping[str, str] = {}


class Order(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """An order. Times carry their zone. `status` is the remote's own word; `state` is what all remotes share."""

    number: str = ""
    channel: str = ""
    placed_at: datetime | UnsetType = UNSET
    status: str | UnsetType = UNSET
    state: Literal["open", "paid", "shipped", "completed", "cancelled", "refunded", "unknown"] | UnsetType = UNSET
    complete: bool = True  # not offered to the host before it is
    business: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    shipped_by_remote: bool | UnsetType = UNSET
    customer: str | UnsetType = UNSET  # the remote's id of the buyer, '' is a guest
    email: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    prices_include_tax: bool | UnsetType = UNSET
    net: Money | UnsetType = UNSET
    gross: Money | UnsetType = UNSET
    tax: Money | UnsetType = UNSET
    bill_to: Address | UnsetType = UNSET
    addresses: Mapping[str, Address] | UnsetType = UNSET  # ship-to addresses by id
    lines: Mapping[str, Line] | UnsetType = UNSET
    charges: Mapping[str, Charge] | UnsetType = UNSET
    payments: Mapping[str, Payment] | UnsetType = UNSET
    note: str | UnsetType = UNSET


class ReturnLine(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What of one order line came back, or was paid back without coming back."""

    id: str
    order_line: str = ""
    quantity: Decimal | UnsetType = UNSET
    amount: Money | UnsetType = UNSET
    kind: str = "product"  # product, shipping, handling, fee, order...
    restock: bool | None = None  # None: the remote does not say
    reason: str = ""
    extra: Mapping[str, str] = {}


class Return(Record, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A return, or a refund where the remote knows no returns."""

    number: str = ""
    order_id: str = ""
    at: datetime | UnsetType = UNSET
    status: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    amount: Money | UnsetType = UNSET
    tax: Money | UnsetType = UNSET
    lines: Mapping[str, ReturnLine] = {}
    payments: Mapping[str, Payment] = {}
