"""The settings pages (guide 2.15). Order filters, offers and shipping can be taken from the account's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from omnichannel_core.driver import Settings, SettingsPage, Ui

FINANCIAL = {
    "AUTHORIZED": "Authorized", "EXPIRED": "Expired", "PAID": "Paid", "PARTIALLY_PAID": "Partially paid",
    "PARTIALLY_REFUNDED": "Partially refunded", "PENDING": "Pending", "REFUNDED": "Refunded", "VOIDED": "Voided",
}  # fmt: skip
FULFILLMENT = {
    "FULFILLED": "Fulfilled", "FULFILLMENT_NOT_REQUIRED": "Fulfillment not required", "IN_PROGRESS": "In progress",
    "ON_HOLD": "On hold", "OPEN": "Open", "PARTIALLY_FULFILLED": "Partially fulfilled",
    "PENDING_FULFILLMENT": "Pending fulfillment", "REQUEST_DECLINED": "Request declined", "RESTOCKED": "Restocked",
    "SCHEDULED": "Scheduled", "UNFULFILLED": "Unfulfilled",
}  # fmt: skip
"""OrderDisplayFinancialStatus and OrderDisplayFulfillmentStatus of the schema, with their labels."""

Financial: TypeAlias = Literal[
    "AUTHORIZED", "EXPIRED", "PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "PENDING", "REFUNDED", "VOIDED"
]
Fulfillment: TypeAlias = Literal[
    "FULFILLED", "FULFILLMENT_NOT_REQUIRED", "IN_PROGRESS", "ON_HOLD", "OPEN", "PARTIALLY_FULFILLED",
    "PENDING_FULFILLMENT", "REQUEST_DECLINED", "RESTOCKED", "SCHEDULED", "UNFULFILLED",
]  # fmt: skip


class OrderFilters(Settings):
    """Which orders are imported. They decide on an order's first import; an imported order is followed ever after."""

    financial: Annotated[
        frozenset[Financial],
        Field(title="Import orders with these payment statuses", description="None on: nothing is imported."),
        Ui(options="financial_statuses"),
    ] = frozenset({"PAID", "PARTIALLY_PAID", "PARTIALLY_REFUNDED", "AUTHORIZED"})
    fulfillment: Annotated[
        frozenset[Fulfillment],
        Field(title="... and these fulfillment statuses", description="None on: nothing is imported."),
        Ui(options="fulfillment_statuses"),
    ] = frozenset({"UNFULFILLED", "PARTIALLY_FULFILLED", "IN_PROGRESS", "SCHEDULED", "ON_HOLD", "OPEN"})
    number_greater_than: Annotated[
        int | None,
        Field(
            title="Import only orders with a number greater than",
            description="The number (without prefix) of the last order that stays in Shopify.",
            ge=0,
        ),
    ] = None
    created_after: Annotated[
        date | None,
        Field(
            title="Import only orders created after",
            description="The last day whose orders stay in Shopify; import begins at the next midnight in the shop's "
            "time zone. Orders older than 60 days are visible only with the scope read_all_orders.",
        ),
    ] = None
    archived: Annotated[bool, Field(title="Import archived orders")] = False
    cancelled: Annotated[bool, Field(title="Import cancelled orders")] = False
    test: Annotated[bool, Field(title="Import test orders")] = False


class Offers(Settings):
    """How products are written."""

    publications: Annotated[
        frozenset[str],
        Field(title="Publish new products on", description="Sales channels; none: new products stay unpublished."),
        Ui(options="publications"),
    ] = frozenset()
    only_mapped: Annotated[
        bool,
        Field(
            title="Only push mapped attributes",
            description="Send only those attributes that the data mapping set; the others are left alone.",
        ),
    ] = True
    new_status: Annotated[Literal["DRAFT", "ACTIVE"], Field(title="Status of new products")] = "DRAFT"
    sold_out: Annotated[
        Literal["DENY", "CONTINUE"],
        Field(title="When a new variant is sold out", description="Stop selling it, or go on."),
    ] = "DENY"
    new_variants: Annotated[
        bool,
        Field(
            title="Add variants to existing products",
            description="Off: a variant that an existing product lacks is refused. Variants are never deleted.",
        ),
    ] = True


class Stock(Settings):
    """Where the host's stock lies in the shop."""

    locations: Annotated[
        Mapping[str, Annotated[str, Ui(options="locations")]],
        Field(title="Locations", description="Which location of the shop each warehouse is."),
        Ui(options="host.warehouses"),
    ] = {}
    quantity: Annotated[
        Literal["available", "on_hand"],
        Field(title="Quantity that is set", description="Available to sell, or physically there."),
    ] = "available"
    protect: Annotated[
        bool,
        Field(
            title="Protect sales in between",
            description="Compare with the quantity last seen before it is set; a sale in between is not overwritten.",
        ),
    ] = True


class Shipping(Settings):
    """How shipments are told."""

    notify: Annotated[bool, Field(title="Notify the customer", description="Shopify mails the shipment.")] = False
    carriers: Annotated[
        Mapping[str, Annotated[str, Ui(options="carriers")]],
        Field(title="Carriers", description="What each shipping provider is called by Shopify, letter by letter."),
        Ui(options="host.shipping_providers"),
    ] = {}


PAGES = (
    SettingsPage("orders", "Order filters", OrderFilters, inherits=True),
    SettingsPage("offers", "Offers", Offers, inherits=True),
    SettingsPage("stock", "Stock", Stock, inherits=False, needs="locations"),
    SettingsPage("shipping", "Shipping", Shipping, inherits=True),
)
