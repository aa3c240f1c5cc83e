"""Orders API 2026-01-01 as msgspec shapes: only five fields are sure, everything else may be absent (guide 4.3)."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import Struct

from omnichannel_core import records


class Money(Struct, rename="camel"):
    """`Money`: the amount is text, with as many decimals as the currency has."""

    amount: str
    currency_code: str

    def value(self) -> records.Money | None:
        """None when the amount is no number."""
        try:
            found = Decimal(self.amount)
        except InvalidOperation:
            return None
        return records.Money(found, self.currency_code) if found.is_finite() else None


class Alias(Struct, rename="camel"):
    """`Alias`."""

    alias_id: str = ""
    alias_type: str = ""


class Associated(Struct, rename="camel"):
    """`AssociatedOrder`."""

    order_id: str = ""
    association_type: str = ""


class Channel(Struct, rename="camel"):
    """`SalesChannel`."""

    channel_name: str = ""
    marketplace_id: str = ""


class Buyer(Struct, rename="camel"):
    """`Buyer`."""

    buyer_name: str | None = None
    buyer_email: str | None = None
    buyer_company_name: str | None = None
    buyer_purchase_order_number: str | None = None


class Address(Struct, rename="camel"):
    """`CustomerAddress`."""

    name: str | None = None
    company_name: str | None = None
    address_line1: str | None = None
    address_line2: str | None = None
    address_line3: str | None = None
    city: str | None = None
    district_or_county: str | None = None
    state_or_region: str | None = None
    municipality: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    phone: str | None = None
    address_type: str | None = None


class Preference(Struct, rename="camel"):
    """`DeliveryPreference`."""

    drop_off_location: str | None = None
    address_instruction: str | None = None


class Recipient(Struct, rename="camel"):
    """`Recipient`."""

    delivery_address: Address | None = None
    delivery_preference: Preference | None = None


class Detail(Struct, rename="camel"):
    """`ItemProceedsDetailedBreakdown`."""

    subtype: str = ""
    value: Money | None = None


class Breakdown(Struct, rename="camel"):
    """`ItemProceedsBreakdown` and `OrderProceedsBreakdown`."""

    type: str = ""
    subtotal: Money | None = None
    detailed_breakdowns: list[Detail] | None = None


class Proceeds(Struct, rename="camel"):
    """`OrderProceeds`."""

    grand_total: Money | None = None
    breakdowns: list[Breakdown] | None = None


class ItemProceeds(Struct, rename="camel"):
    """`ItemProceeds`."""

    proceeds_total: Money | None = None
    breakdowns: list[Breakdown] | None = None


class Range(Struct, rename="camel"):
    """`DateTimeRange`."""

    earliest_date_time: str | None = None
    latest_date_time: str | None = None


class Fulfillment(Struct, rename="camel"):
    """`OrderFulfillment`."""

    fulfillment_status: str = ""
    fulfilled_by: str = ""
    fulfillment_service_level: str = ""
    ship_by_window: Range | None = None
    deliver_by_window: Range | None = None


class Registration(Struct, rename="camel"):
    """`OrderTaxRegistration`."""

    entity_type: str = ""
    legal_name: str | None = None
    tax_registration_type: str = ""
    tax_registration_number: str = ""


class Tax(Struct, rename="camel"):
    """`OrderTax`."""

    tax_registrations: list[Registration] | None = None


class Price(Struct, rename="camel"):
    """`ItemPrice`."""

    unit_price: Money | None = None
    price_designation: str | None = None


class Custom(Struct, rename="camel"):
    """`ItemCustomization`."""

    customized_url: str | None = None


class Product(Struct, rename="camel"):
    """`ItemProduct`."""

    asin: str | None = None
    title: str | None = None
    seller_sku: str | None = None
    price: Price | None = None
    customization: Custom | None = None


class Gift(Struct, rename="camel"):
    """`GiftOption`."""

    gift_message: str | None = None
    gift_wrap_level: str | None = None


class Packing(Struct, rename="camel"):
    """`ItemPacking`."""

    gift_option: Gift | None = None


class International(Struct, rename="camel"):
    """`ItemInternationalShipping`."""

    ioss_number: str | None = None


class Shipping(Struct, rename="camel"):
    """`ItemShipping`."""

    international_shipping: International | None = None


class ItemFulfillment(Struct, rename="camel"):
    """`ItemFulfillment`."""

    quantity_fulfilled: int | None = None
    quantity_unfulfilled: int | None = None
    packing: Packing | None = None
    shipping: Shipping | None = None


class Request(Struct, rename="camel"):
    """`ItemCancellationRequest`."""

    requester: str | None = None
    cancel_reason: str | None = None


class Cancellation(Struct, rename="camel"):
    """`ItemCancellation`."""

    cancellation_request: Request | None = None


class Collection(Struct, rename="camel"):
    """`ItemTaxCollection`."""

    model: str | None = None


class Scheme(Struct, rename="camel"):
    """`ItemTaxCalculationBreakdown`."""

    reporting_scheme: str | None = None


class ItemTax(Struct, rename="camel"):
    """`ItemTax`."""

    tax_collections: list[Collection] | None = None
    tax_calculation_breakdowns: list[Scheme] | None = None


class Item(Struct, rename="camel"):
    """`OrderItem`."""

    order_item_id: str
    quantity_ordered: int = 0
    product: Product = msgspec.field(default_factory=Product)
    proceeds: ItemProceeds | None = None
    fulfillment: ItemFulfillment | None = None
    cancellation: Cancellation | None = None
    tax: ItemTax | None = None


class PackageItem(Struct, rename="camel"):
    """`PackageItem`."""

    order_item_id: str = ""
    quantity: int = 0


class Package(Struct, rename="camel"):
    """`OrderPackage`."""

    package_reference_id: str
    carrier: str | None = None
    tracking_number: str | None = None
    ship_time: str | None = None
    package_items: list[PackageItem] | None = None


class Order(Struct, rename="camel"):
    """`Order`."""

    order_id: str
    created_time: str
    last_updated_time: str
    sales_channel: Channel = msgspec.field(default_factory=Channel)
    order_items: list[Item] = []
    order_aliases: list[Alias] | None = None
    programs: list[str] | None = None
    associated_orders: list[Associated] | None = None
    buyer: Buyer | None = None
    recipient: Recipient | None = None
    proceeds: Proceeds | None = None
    tax: Tax | None = None
    fulfillment: Fulfillment | None = None
    packages: list[Package] | None = None

    @property
    def status(self) -> str:
        """'' when fulfillment was not asked for or is not there."""
        return self.fulfillment.fulfillment_status if self.fulfillment else ""

    @property
    def by_amazon(self) -> bool:
        """Amazon ships it."""
        return self.fulfillment is not None and self.fulfillment.fulfilled_by == "AMAZON"

    def has(self, program: str) -> bool:
        """Whether it is in a program."""
        return program in (self.programs or ())


class One(Struct, rename="camel"):
    """`GetOrderResponse`."""

    order: Order


class Paging(Struct, rename="camel"):
    """`Pagination`."""

    next_token: str | None = None


class Head(Struct, rename="camel"):
    """What a page says besides its orders, which are read one by one."""

    pagination: Paging | None = None


def ident(raw: bytes) -> str:
    """The id of an order that cannot be read otherwise; '' when not even that."""
    try:
        found: Any = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return ""
    name = found.get("orderId") if isinstance(found, dict) else None
    return name if isinstance(name, str) else ""
