"""Queries of stock."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.requests import Request
from omnichannel_shopify_simulator.values import iso, number

Row = dict[str, Any]


@resolves("QueryRoot", "inventoryItem")
def inventory_item(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.items.get(number(args["id"]))


@resolves("InventoryItem", "sku")
def item_sku(request: Request, row: Row, args: Row) -> str | None:
    sku: str | None = row["_sku"]
    return sku


@resolves("InventoryItem", "duplicateSkuCount")
def duplicates(request: Request, row: Row, args: Row) -> int:
    return request.store.catalog.duplicates(row)


@resolves("InventoryItem", "variants")
def item_variants(request: Request, row: Row, args: Row) -> list[Row]:
    found = request.store.catalog.variants.get(row["_variant"])
    return [found] if found else []


@resolves("InventoryItem", "inventoryLevels")
def levels(request: Request, row: Row, args: Row) -> list[Row]:
    return [one for one in row["levels"].values() if one["isActive"] or args.get("includeInactive")]


@resolves("InventoryItem", "inventoryLevel")
def level(request: Request, row: Row, args: Row) -> Row | None:
    found: Row | None = row["levels"].get(number(args["locationId"]))
    return found if found and (found["isActive"] or args.get("includeInactive")) else None


@resolves("InventoryLevel", "item")
def level_item(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.items.get(row["_item"])


@resolves("InventoryLevel", "location")
def level_location(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.locations.get(row["_location"])


@resolves("InventoryLevel", "quantities")
def quantities(request: Request, row: Row, args: Row) -> list[Row]:
    return [
        {
            "id": f"{row['id']}&name={name}", "name": name, "quantity": row["_quantities"][name],
            "updatedAt": iso(row["_changed"][name]) if name in row["_changed"] else None,
        }
        for name in args["names"]
        if name in row["_quantities"]
    ]  # fmt: skip
