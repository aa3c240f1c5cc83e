"""The three settings pages; none of them inherits."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from omnichannel_core.driver import Settings, SettingsPage, Ui

DEFAULT_STATUSES = frozenset({3, 8, 9, 10, 11, 14})
"""Partially shipped, awaiting pickup and shipment, completed, awaiting fulfillment, partially refunded."""

OptionType: TypeAlias = Literal["rectangles", "radio_buttons", "dropdown", "swatch"]


class Variants(Settings):
    """How new variant options are shown in the store."""

    option_type: Annotated[
        OptionType,
        Field(
            title="Variant option type used for variants",
            description="For new options only; an existing option keeps its type. Swatch needs a color for every "
            "value: an option without them becomes Rectangles.",
        ),
    ] = "rectangles"


class OrderFilters(Settings):
    """Which orders are imported. They decide on an order's first import; an imported order is followed ever after."""

    statuses: Annotated[
        frozenset[Annotated[int, Field(ge=0, le=14)]],
        Field(
            title="Filter orders to import by",
            description="Orders in a status that is switched on are imported. None on: nothing is imported.",
        ),
        Ui(options="order_statuses"),
    ] = DEFAULT_STATUSES
    id_greater_than: Annotated[
        int | None,
        Field(
            title="Import only orders with an ID greater than",
            description="The ID of the last order that stays in BigCommerce; the one after it is the first imported.",
            ge=0,
        ),
    ] = None
    created_after: Annotated[
        date | None,
        Field(
            title="Import only orders created after",
            description="The last day whose orders stay in BigCommerce; import begins at the next midnight in the "
            "store's time zone.",
        ),
    ] = None
    archived: Annotated[
        bool,
        Field(title="Import archived orders", description="Also import orders that have been archived."),
    ] = False


class Offers(Settings):
    """What of an offer is sent."""

    only_mapped: Annotated[
        bool,
        Field(
            title="Only push mapped attributes",
            description="Send only those attributes that the data mapping set; the others are left alone.",
        ),
    ] = False


PAGES = (
    SettingsPage("variants", "Variant option type", Variants, inherits=False),
    SettingsPage("orders", "Order filters", OrderFilters, inherits=False),
    SettingsPage("offers", "Offers", Offers, inherits=False),
)
