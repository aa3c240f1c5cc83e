"""Orders, returns, refunds and fulfillment orders as Shopify says them (admin_2026-10: Order, LineItem, Return...)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from omnichannel_shopify.wire import Bag, Id, Nodes, Pair, Wire


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
