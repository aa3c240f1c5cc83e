"""Locations of a shop: two of the merchant's, one of somebody else's fulfillment service, one that is closed."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator.values import gid

Row = dict[str, Any]


def location(number: int, name: str, city: str, code: str, *, active: bool = True, service: Row | None = None) -> Row:
    return {
        "id": gid("Location", number), "name": name, "isActive": active, "fulfillsOnlineOrders": active,
        "shipsInventory": active, "isFulfillmentService": service is not None, "fulfillmentService": service,
        "address": {
            "address1": f"{number} Dock Rd", "city": city, "zip": code, "countryCode": "US", "provinceCode": "IL",
        },
    }  # fmt: skip


def furnished() -> dict[int, Row]:
    service = {
        "id": gid("FulfillmentService", 1), "handle": "parcel-partner", "serviceName": "Parcel Partner",
        "type": "THIRD_PARTY",
    }  # fmt: skip
    return {
        1: location(1, "Main warehouse", "Chicago", "60601"),
        2: location(2, "Store Milwaukee", "Milwaukee", "53202"),
        3: location(3, "Parcel Partner", "Memphis", "38103", service=service),
        4: location(4, "Old barn", "Peoria", "61602", active=False),
    }
