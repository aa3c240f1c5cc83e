"""BigCommerce's own shapes (specs orders.v2.oas2.yml, orders.v3.yml, catalog, inventory, webhooks), as far as used.

Unknown fields are ignored and unknown values of enumerations are kept as they came. Amounts come as strings with four
decimals (v2) or as numbers (v3): both are read exactly. Dates that are not set are "" in v2.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

Amount: TypeAlias = Decimal | None
Word: TypeAlias = str | int | float | None
T = TypeVar("T")


def text(said: object) -> str:
    """Whatever came, as text; None is ''."""
    if said is None:
        return ""
    if isinstance(said, bool):
        return "true" if said else "false"
    return said if isinstance(said, str) else str(said)


def moment(said: str | None) -> datetime | None:
    """An aware UTC time from RFC 2822 (v2) or ISO 8601 (v3); None for '' and None.

    Raises:
        ValueError: it is neither.
    """
    if not said:
        return None
    try:
        found = datetime.fromisoformat(said) if said[:4].isdigit() else parsedate_to_datetime(said)
    except (ValueError, TypeError, IndexError) as cause:
        raise ValueError("not a date") from cause
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as cause:
        raise ValueError("not a date") from cause


class Link(Struct):
    """Where a part that was not included can be fetched."""

    url: str = ""
    resource: str = ""


class Coupon(Struct):
    """`getOrderCoupons`."""

    id: int = 0
    coupon_id: int | None = None
    code: str | None = ""
    amount: Amount = None
    type: Word = None
    discount: Amount = None


class TaxRow(Struct):
    """`getOrderTaxes`: one tax on one line, or on shipping, handling or wrapping."""

    id: int = 0
    order_address_id: int | None = None
    order_product_id: Word = None
    name: str | None = ""
    rate: Amount = None
    line_amount: Amount = None
    priority_amount: Amount = None
    line_item_type: str | None = ""


class Offline(Struct):
    """An offline payment."""

    display_name: str | None = ""


class Custom(Struct):
    """A payment typed by the merchant."""

    payment_method: str | None = ""


class Transaction(Struct):
    """`getOrderTransactions`; its `order_id` is a string."""

    id: int = 0
    event: str | None = ""
    method: str | None = ""
    amount: Amount = None
    currency: str | None = ""
    gateway: str | None = ""
    gateway_transaction_id: str | None = ""
    status: str | None = ""
    date_created: str | None = ""
    test: bool | None = None
    fraud_review: bool | None = None
    reference_transaction_id: Word = None
    offline: Offline | None = None
    custom: Custom | None = None


class RefundItem(Struct):
    """What was paid back for."""

    item_type: str | None = ""
    item_id: int | None = 0
    reason: str | None = ""
    quantity: Amount = None
    requested_amount: Amount = None


class RefundPayment(Struct):
    """How it was paid back."""

    id: int = 0
    provider_id: Word = ""
    amount: Amount = None
    offline: bool | None = None
    is_declined: bool | None = None
    declined_message: str | None = ""
    transaction_id: Word = None


class Refund(Struct):
    """`getOrdersRefunds`."""

    id: int
    order_id: int
    created: str
    reason: str | None = ""
    user_id: int | None = None
    total_amount: Amount = None
    total_tax: Amount = None
    items: list[RefundItem] | None = None
    payments: list[RefundPayment] | None = None


class PageInfo(Struct):
    """Of a v3 list."""

    total: int | None = None
    current_page: int | None = None
    total_pages: int | None = None


class CursorInfo(Struct):
    """Of a v3 list that is paged by cursor."""

    end_cursor: str | None = None


class Meta(Struct):
    """Of a v3 answer."""

    pagination: PageInfo | None = None
    cursor_pagination: CursorInfo | None = None


class Many(Struct, Generic[T]):
    """A v3 list."""

    data: list[T]
    meta: Meta | None = None


class One(Struct, Generic[T]):
    """A v3 thing; `errors` in a 207 names what was not taken."""

    data: T
    errors: Any = None


class ShippedItem(Struct):
    """What of a line is in the parcel."""

    order_product_id: int = 0
    quantity: Decimal = Decimal(0)


class Shipment(Struct):
    """`getOrderShipments`."""

    id: int
    order_address_id: int | None = 0
    tracking_number: str | None = ""
    items: list[ShippedItem] | None = None


class Hook(Struct):
    """`getWebhooks`."""

    id: int
    scope: str = ""
    destination: str = ""
    is_active: bool = True


class Exchanged(Struct):
    """The token end point's answer."""

    access_token: str = ""
    scope: str | None = None
    context: str = ""
    account_uuid: str | None = ""


class Event(Struct):
    """The body of a webhook: which thing, never what it is now."""

    scope: str
    producer: str = ""
    hash: str = ""
    created_at: float | None = None
    data: dict[str, Any] = msgspec.field(default_factory=dict)
