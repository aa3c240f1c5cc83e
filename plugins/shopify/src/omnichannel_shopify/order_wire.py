"""Orders, returns, refunds and fulfillment orders as Shopify says them (admin_2026-10: Order, LineItem, Return...)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from omnichannel_shopify.wire import Bag, Id, MoneyV2, Nodes, Pair, Wire


class Address(Wire):
    """MailingAddress."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    zip: str | None = None
    province: str | None = None
    province_code: str | None = None
    country: str | None = None
    country_code: str | None = msgspec.field(default=None, name="countryCodeV2")
    phone: str | None = None


class TaxLine(Wire):
    """TaxLine; `rate_percentage` is 19 for 19 %."""

    title: str = ""
    rate_percentage: Decimal | None = None
    price_set: Bag | None = None


class Email(Wire):
    """CustomerEmailAddress."""

    email_address: str | None = None


class Phone(Wire):
    """CustomerPhoneNumber."""

    phone_number: str | None = None


class Customer(Wire):
    """Customer."""

    id: str = ""
    first_name: str | None = None
    last_name: str | None = None
    default_email_address: Email | None = None
    default_phone_number: Phone | None = None


class Allocation(Wire):
    """DiscountAllocation."""

    allocated_amount_set: Bag | None = None


class Duty(Wire):
    """Duty on a line."""

    id: str = ""
    price: Bag | None = None
    tax_lines: list[TaxLine] = []


class Group(Wire):
    """LineItemGroup: the bundle a line is part of."""

    id: str = ""
    title: str | None = None


class Line(Wire):
    """LineItem."""

    id: str
    sku: str | None = None
    name: str | None = None
    title: str | None = None
    variant_title: str | None = None
    vendor: str | None = None
    quantity: int = 0
    current_quantity: int | None = None
    refundable_quantity: int | None = None
    unfulfilled_quantity: int | None = None
    requires_shipping: bool | None = None
    is_gift_card: bool | None = None
    taxable: bool | None = None
    product: Id | None = None
    variant: Id | None = None
    line_item_group: Group | None = None
    original_unit_price_set: Bag | None = None
    discounted_total_set: Bag | None = None
    tax_lines: list[TaxLine] = []
    discount_allocations: list[Allocation] = []
    duties: list[Duty] = []
    custom_attributes: list[Pair] = []


class Carriage(Wire):
    """ShippingLine."""

    id: str | None = None
    title: str | None = None
    code: str | None = None
    source: str | None = None
    carrier_identifier: str | None = None
    is_removed: bool = False
    original_price_set: Bag | None = None
    discounted_price_set: Bag | None = None
    tax_lines: list[TaxLine] = []


class Movement(Wire):
    """OrderTransaction."""

    id: str
    kind: str = ""
    status: str = ""
    gateway: str | None = None
    formatted_gateway: str | None = None
    payment_id: str | None = None
    processed_at: str | None = None
    test: bool = False
    amount_set: Bag | None = None
    parent_transaction: Id | None = None


class Fee(Wire):
    """AdditionalFee."""

    id: str
    name: str | None = None
    price: Bag | None = None
    tax_lines: list[TaxLine] = []


class Rounding(Wire):
    """CashRoundingAdjustment."""

    payment_set: Bag | None = None


class Kind(Wire):
    """Something whose type alone is asked for."""

    type: str = msgspec.field(default="", name="__typename")


class Order(Wire):
    """Order, with the first entries of its parts."""

    id: str
    updated_at: str
    created_at: str
    name: str = ""
    number: int = 0
    confirmation_number: str | None = None
    processed_at: str | None = None
    closed_at: str | None = None
    cancelled_at: str | None = None
    cancel_reason: str | None = None
    test: bool = False
    edited: bool = False
    display_financial_status: str | None = None
    display_fulfillment_status: str | None = None
    return_status: str | None = None
    currency_code: str = ""
    presentment_currency_code: str = ""
    taxes_included: bool | None = None
    tax_exempt: bool | None = None
    duties_included: bool | None = None
    subtotal_line_items_quantity: int | None = None
    source_name: str | None = None
    source_identifier: str | None = None
    tags: list[str] = []
    note: str | None = None
    po_number: str | None = None
    email: str | None = None
    phone: str | None = None
    customer_locale: str | None = None
    discount_codes: list[str] = []
    payment_gateway_names: list[str] = []
    app: Id | None = None
    customer: Customer | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    purchasing_entity: Kind | None = None
    current_total_price_set: Bag | None = None
    total_price_set: Bag | None = None
    total_tax_set: Bag | None = None
    current_total_tax_set: Bag | None = None
    total_refunded_set: Bag | None = None
    total_tip_received_set: Bag | None = None
    total_outstanding_set: Bag | None = None
    original_total_duties_set: Bag | None = None
    current_total_duties_set: Bag | None = None
    additional_fees: list[Fee] = []
    total_cash_rounding_adjustment: Rounding | None = None
    custom_attributes: list[Pair] = []
    line_items: Nodes[Line] = msgspec.field(default_factory=Nodes[Line])
    shipping_lines: Nodes[Carriage] = msgspec.field(default_factory=Nodes[Carriage])
    transactions: list[Movement] = []
    refunds: list[Id] = []
    returns: Nodes[Id] = msgspec.field(default_factory=Nodes[Id])


class ShippedLine(Wire):
    """FulfillmentLineItem."""

    id: str = ""
    line_item: Id | None = None
    quantity: int | None = None


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


class Action(Wire):
    """FulfillmentOrderSupportedAction."""

    action: str = ""


class Hold(Wire):
    """FulfillmentHold."""

    id: str = ""
    reason: str = ""
    display_reason: str | None = None


class Place(Wire):
    """FulfillmentOrderAssignedLocation."""

    name: str = ""
    location: Id | None = None


class ToShip(Wire):
    """FulfillmentOrderLineItem."""

    id: str
    total_quantity: int = 0
    remaining_quantity: int = 0
    line_item: Id | None = None


class FulfillmentOrder(Wire):
    """FulfillmentOrder: never stored, always read just before it is used."""

    id: str
    status: str = ""
    request_status: str = ""
    assigned_location: Place | None = None
    supported_actions: list[Action] = []
    fulfillment_holds: list[Hold] = []
    line_items: Nodes[ToShip] = msgspec.field(default_factory=Nodes[ToShip])


class Tracking(Wire):
    """FulfillmentTrackingInfo."""

    company: str | None = None
    number: str | None = None
    url: str | None = None


class Fulfillment(Wire):
    """Fulfillment."""

    id: str
    status: str = ""
    created_at: str | None = None
    tracking_info: list[Tracking] = []
    fulfillment_line_items: Nodes[ShippedLine] = msgspec.field(default_factory=Nodes[ShippedLine])
