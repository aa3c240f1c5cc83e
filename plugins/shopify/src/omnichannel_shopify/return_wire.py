"""Returns and refunds as Shopify says them (admin_2026-10: Return, Refund, ReverseFulfillmentOrder)."""

from __future__ import annotations

import msgspec

from omnichannel_shopify.fulfillment_wire import ShippedLine
from omnichannel_shopify.order_wire import Movement
from omnichannel_shopify.wire import Bag, Id, MoneyV2, Nodes, Wire


class Disposition(Wire):
    """What became of goods that came back."""

    id: str = ""
    type: str = ""
    quantity: int = 0
    location: Id | None = None


class ReverseLine(Wire):
    """ReverseFulfillmentOrderLineItem."""

    id: str = ""
    total_quantity: int = 0
    fulfillment_line_item: ShippedLine | None = None
    dispositions: list[Disposition] = []


class Reverse(Wire):
    """ReverseFulfillmentOrder."""

    id: str
    status: str = ""
    line_items: Nodes[ReverseLine] = msgspec.field(default_factory=Nodes[ReverseLine])


class Reason(Wire):
    """ReturnReasonDefinition."""

    handle: str | None = None
    name: str | None = None


class Restocking(Wire):
    """A fee kept from what is paid back."""

    id: str = ""
    amount_set: Bag | None = None


class ReturnLine(Wire):
    """ReturnLineItemType; only a verified one knows the order's line."""

    id: str
    type: str = msgspec.field(default="", name="__typename")
    quantity: int = 0
    refundable_quantity: int | None = None
    refunded_quantity: int | None = None
    customer_note: str | None = None
    return_reason_note: str | None = None
    return_reason_definition: Reason | None = None
    fulfillment_line_item: ShippedLine | None = None
    with_code_discounted_total_price_set: Bag | None = None
    restocking_fee: Restocking | None = None
    unit_price: MoneyV2 | None = None


class Sold(Wire):
    """A line of the order that an exchange made."""

    sku: str | None = None
    title: str | None = None


class Exchange(Wire):
    """ExchangeLineItem; it has lines once it is processed."""

    id: str = ""
    quantity: int = 0
    variant_id: str | None = None
    line_items: list[Sold] | None = None

    @property
    def name(self) -> str:
        """SKU or title, else the variant's id."""
        made = self.line_items[0] if self.line_items else Sold()
        return made.sku or made.title or self.variant_id or self.id


class OrderOf(Wire):
    """The order a return belongs to."""

    id: str = ""
    name: str = ""
    updated_at: str = ""


class Return(Wire):
    """Return."""

    id: str
    name: str = ""
    status: str = ""
    created_at: str | None = None
    closed_at: str | None = None
    total_quantity: int = 0
    order: OrderOf | None = None
    return_shipping_fees: list[Restocking] = []
    exchange_line_items: Nodes[Exchange] = msgspec.field(default_factory=Nodes[Exchange])
    reverse_fulfillment_orders: Nodes[Reverse] = msgspec.field(default_factory=Nodes[Reverse])
    return_line_items: Nodes[ReturnLine] = msgspec.field(default_factory=Nodes[ReturnLine])
    refunds: Nodes[Id] = msgspec.field(default_factory=Nodes[Id])


class RefundLine(Wire):
    """RefundLineItem."""

    id: str | None = None
    quantity: int = 0
    restock_type: str = ""
    restocked: bool | None = None
    location: Id | None = None
    line_item: Id | None = None
    subtotal_set: Bag | None = None
    total_tax_set: Bag | None = None


class RefundedShipping(Wire):
    """RefundShippingLine."""

    id: str
    subtotal_amount_set: Bag | None = None
    tax_amount_set: Bag | None = None


class Adjustment(Wire):
    """OrderAdjustment."""

    id: str
    reason: str | None = None
    amount_set: Bag | None = None
    tax_amount_set: Bag | None = None


class RefundedDuty(Wire):
    """RefundDuty."""

    amount_set: Bag | None = None


class Refund(Wire):
    """Refund."""

    id: str
    created_at: str | None = None
    updated_at: str | None = None
    note: str | None = None
    of_return: Id | None = msgspec.field(default=None, name="return")
    total_refunded_set: Bag | None = None
    duties: list[RefundedDuty] | None = None
    refund_line_items: Nodes[RefundLine] = msgspec.field(default_factory=Nodes[RefundLine])
    refund_shipping_lines: Nodes[RefundedShipping] = msgspec.field(default_factory=Nodes[RefundedShipping])
    order_adjustments: Nodes[Adjustment] = msgspec.field(default_factory=Nodes[Adjustment])
    transactions: Nodes[Movement] = msgspec.field(default_factory=Nodes[Movement])
