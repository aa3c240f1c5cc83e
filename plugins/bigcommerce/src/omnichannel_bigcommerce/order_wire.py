"""An order as BigCommerce says it, with its lines, consignments and fees (spec orders.v2.oas2.yml, getOrders)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import Struct

from omnichannel_bigcommerce.wire import Amount, Word


class Discount(Struct):
    """A discount as it fell on one line."""

    id: Word = ""
    amount: Amount = None
    name: str | None = ""
    code: str | None = ""
    target: str | None = ""


class ProductOption(Struct):
    """What was chosen for one option of a line."""

    id: int = 0
    display_name: str | None = ""
    display_value: str | None = ""
    value: Any = None
    name: str | None = ""
    type: str | None = ""


class FormField(Struct):
    """A field the merchant added to an address form."""

    name: str | None = ""
    value: Any = None


class Product(Struct):
    """A line of an order; a mere link to it has the id 0."""

    id: int = 0
    product_id: int | None = 0
    variant_id: int | None = None
    order_address_id: int | None = 0
    order_pickup_method_id: int | None = 0
    name: str | None = ""
    sku: str | None = ""
    upc: str | None = ""
    type: str | None = ""
    brand: str | None = ""
    quantity: Decimal = Decimal(0)
    quantity_shipped: Amount = None
    quantity_refunded: Amount = None
    is_refunded: bool | None = None
    return_id: Word = None
    base_price: Amount = None
    price_ex_tax: Amount = None
    price_inc_tax: Amount = None
    price_tax: Amount = None
    total_ex_tax: Amount = None
    total_inc_tax: Amount = None
    total_tax: Amount = None
    discounted_total_inc_tax: Amount = None
    wrapping_name: str | None = ""
    wrapping_message: str | None = ""
    bin_picking_number: str | None = ""
    external_id: Word = None
    parent_order_product_id: int | None = None
    is_bundled_product: bool | None = None
    gift_certificate_id: Word = None
    event_name: str | None = None
    event_date: str | None = None
    applied_discounts: list[Discount] | None = None
    product_options: list[ProductOption] | None = None
    configurable_fields: list[FormField] | None = None


Lines: TypeAlias = list[Product] | Product | None


class Address(Struct):
    """A postal address: billing, or of a shipping consignment or an order's shipping address (with its costs)."""

    id: int = 0
    first_name: str | None = ""
    last_name: str | None = ""
    company: str | None = ""
    street_1: str | None = ""
    street_2: str | None = ""
    city: str | None = ""
    state: str | None = ""
    zip: Word = ""
    country: str | None = ""
    country_iso2: str | None = ""
    phone: Word = ""
    email: str | None = ""
    form_fields: list[FormField] | None = None
    shipping_method: str | None = ""
    shipping_zone_name: str | None = ""
    cost_ex_tax: Amount = None
    cost_inc_tax: Amount = None
    cost_tax: Amount = None
    handling_cost_ex_tax: Amount = None
    handling_cost_inc_tax: Amount = None
    handling_cost_tax: Amount = None
    line_items: Lines = None


class PickupLocation(Struct):
    """Where a pickup waits."""

    id: Word = None
    name: str | None = ""
    code: str | None = ""
    address_line_1: str | None = ""
    address_line_2: str | None = ""
    city: str | None = ""
    state: str | None = ""
    postal_code: Word = ""
    country_alpha2: str | None = ""
    email: str | None = ""
    phone: Word = ""


class Pickup(Struct):
    """A pickup consignment."""

    id: int = 0
    pickup_method_id: Word = None
    pickup_method_display_name: str | None = ""
    location: PickupLocation | None = None
    line_items: Lines = None


class Parcelless(Struct):
    """A download or a gift certificate by e-mail."""

    recipient_email: str | None = ""
    line_items: Lines = None


class Emails(Struct):
    """Consignments by e-mail."""

    gift_certificates: list[Parcelless] | None = None


class Consignments(Struct):
    """How the lines reach the buyer; a mere link to them has a `url`."""

    pickups: list[Pickup] | None = None
    shipping: list[Address] | None = None
    downloads: list[Parcelless] | None = None
    email: Emails | list[Any] | None = None
    url: str = ""
    street_1: str | None = None  # the old array form may list shipping addresses directly


class Fee(Struct):
    """A fee on the order."""

    id: int = 0
    type: str | None = ""
    name: str | None = ""
    display_name_customer: str | None = ""
    display_name_merchant: str | None = ""
    source: str | None = ""
    cost_ex_tax: Amount = None
    cost_inc_tax: Amount = None
    cost_tax: Amount = None


class Order(Struct):
    """`getOrders`, `getOrder` with consignments, their line items and fees included."""

    id: int
    date_created: str
    date_modified: str
    status_id: int
    status: str | None = ""
    custom_status: str | None = ""
    date_shipped: str | None = ""
    is_deleted: bool | None = False
    customer_id: int | None = 0
    channel_id: int | None = None
    currency_code: str | None = ""
    default_currency_code: str | None = ""
    store_default_currency_code: str | None = ""
    store_default_to_transactional_exchange_rate: Word = None
    is_tax_inclusive_pricing: bool | None = None
    total_ex_tax: Amount = None
    total_inc_tax: Amount = None
    total_tax: Amount = None
    shipping_cost_ex_tax: Amount = None
    shipping_cost_inc_tax: Amount = None
    shipping_cost_tax: Amount = None
    handling_cost_ex_tax: Amount = None
    handling_cost_inc_tax: Amount = None
    handling_cost_tax: Amount = None
    wrapping_cost_ex_tax: Amount = None
    wrapping_cost_inc_tax: Amount = None
    wrapping_cost_tax: Amount = None
    discount_amount: Amount = None
    coupon_discount: Amount = None
    store_credit_amount: Amount = None
    gift_certificate_amount: Amount = None
    payment_method: str | None = ""
    payment_provider_id: Word = None
    payment_status: str | None = ""
    tax_provider_id: Word = None
    items_total: Amount = None
    items_shipped: Amount = None
    order_is_digital: bool | None = None
    order_source: str | None = ""
    external_source: Word = None
    external_id: Word = None
    external_order_id: Word = None
    external_merchant_id: Word = None
    cart_id: str | None = ""
    customer_message: str | None = ""
    customer_locale: str | None = ""
    staff_notes: str | None = ""
    ip_address: str | None = ""
    is_email_opt_in: bool | None = None
    billing_address: Address | None = None
    consignments: Consignments | list[Consignments] | None = None
    fees: list[Fee] | Fee | None = None
