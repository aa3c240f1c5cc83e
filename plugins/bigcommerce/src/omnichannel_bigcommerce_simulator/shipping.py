"""What a shipment does to an order: quantities, status, the shipment's own row (orders.v2.oas2.yml, guide 1.11)."""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator.dates import rfc2822
from omnichannel_bigcommerce_simulator.order_record import OrderRecord
from omnichannel_bigcommerce_simulator.order_words import PROVIDER_NAMES

Row = dict[str, Any]

_PERSON = (
    "first_name",
    "last_name",
    "company",
    "street_1",
    "street_2",
    "city",
    "state",
    "zip",
    "country",
    "country_iso2",
    "phone",
    "email",
)


def ship(record: OrderRecord, address_id: int, items: dict[int, int], words: Row, at: int) -> Row:
    """Ships `items` (order product id -> quantity) of one address; the status becomes Shipped or Partially Shipped.

    Returns:
        The shipment's row, also appended to the order.
    """
    address = record.address(address_id) or {}
    for product in record.products:
        product["quantity_shipped"] += items.get(product["id"], 0)
    if address:
        address["items_shipped"] += sum(items.values())
    shippable = [row for row in record.products if row["order_address_id"]]
    whole = all(row["quantity_shipped"] >= row["quantity"] - row["quantity_refunded"] for row in shippable)
    record.order["items_shipped"] += sum(items.values())
    record.order["status_id"] = 2 if whole else 3
    record.shipped_at = at if whole else record.shipped_at
    shipment = _row(record, address, address_id, items, words, at)
    record.shipments.append(shipment)
    return shipment


def _row(record: OrderRecord, address: Row, address_id: int, items: dict[int, int], words: Row, at: int) -> Row:
    number = max((row["id"] for row in record.shipments), default=record.id * 100) + 1
    provider = words.get("shipping_provider", "")
    tracking = words.get("tracking_number", "")
    link = words.get("tracking_link", "")
    return {
        "id": number,
        "order_id": record.id,
        "customer_id": record.order["customer_id"],
        "order_address_id": address_id,
        "date_created": rfc2822(at),
        "tracking_number": tracking,
        "merchant_shipping_cost": words.get("merchant_shipping_cost", "0.0000"),
        "shipping_method": words.get("shipping_method", address.get("shipping_method", "")),
        "comments": words.get("comments", ""),
        "shipping_provider": provider,
        "tracking_carrier": words.get("tracking_carrier", ""),
        "tracking_link": link,
        "billing_address": {key: record.order["billing_address"].get(key, "") for key in _PERSON},
        "shipping_address": {key: address.get(key, "") for key in _PERSON},
        "items": [
            {"order_product_id": row["id"], "product_id": row["product_id"], "quantity": items[row["id"]]}
            for row in record.products
            if items.get(row["id"])
        ],
        "shipping_provider_display_name": PROVIDER_NAMES.get(provider, provider),
        "generated_tracking_link": link or (f"https://tracking.example.com/{provider}/{tracking}" if tracking else ""),
    }
