"""Fulfillment orders and fulfillments as Shopify says them (admin_2026-10: FulfillmentOrder, Fulfillment)."""

from __future__ import annotations

import msgspec

from omnichannel_shopify.wire import Id, Nodes, Wire


class ShippedLine(Wire):
    """FulfillmentLineItem."""

    id: str = ""
    line_item: Id | None = None
    quantity: int | None = None


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
