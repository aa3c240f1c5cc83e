"""An order changed: `updatedAt` moves, subscriptions hear of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omnichannel_shopify_simulator.values import number

if TYPE_CHECKING:
    from omnichannel_shopify_simulator.store import Store

Row = dict[str, Any]


def order_payload(row: Row) -> Row:
    """The REST-shaped payload, as far as receivers look at it: numeric ids, names, states (guide 2.14)."""
    return {
        "id": row["_number"], "admin_graphql_api_id": row["id"], "name": row["name"], "order_number": row["number"],
        "created_at": row["createdAt"], "updated_at": row["updatedAt"], "cancelled_at": row["cancelledAt"],
        "closed_at": row["closedAt"], "financial_status": (row["displayFinancialStatus"] or "").lower(),
        "email": row["email"], "currency": row["currencyCode"], "test": row["test"],
        "total_price": row["totalPriceSet"]["shopMoney"]["amount"],
        "line_items": [
            {"id": number(line["id"]), "sku": line["sku"], "quantity": line["quantity"]} for line in row["lineItems"]
        ],
    }  # fmt: skip


def part_payload(row: Row, part: Row) -> Row:
    """Of a refund, return or fulfillment."""
    return {
        "id": number(part["id"]), "admin_graphql_api_id": part["id"], "order_id": row["_number"],
        "order": {"id": row["_number"], "admin_graphql_api_id": row["id"]}, "created_at": part["createdAt"],
        "updated_at": row["updatedAt"], "status": (part.get("status") or "").lower(),
    }  # fmt: skip


def changed(store: Store, row: Row, at: float, *topics: str, part: Row | None = None, part_topic: str = "") -> None:
    """Index, `updatedAt`, and ORDERS_UPDATED beside what else is told."""
    store.orders.touch(row["_number"], at)
    payload = order_payload(row)
    for topic in (*topics, "ORDERS_UPDATED"):
        store.hooks.emit(topic, payload)
    if part_topic and part is not None:
        store.hooks.emit(part_topic, part_payload(row, part))
