"""Stock: absolute and relative writes with compare-and-set, activation (guide 2.13)."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.idempotency import once
from omnichannel_shopify_simulator.requests import Problem, Request
from omnichannel_shopify_simulator.values import error, gid, iso, number

Row = dict[str, Any]
MOST = 1_000_000_000
BATCH = 250
REASONS = frozenset(
    [
        "correction",
        "cycle_count_available",
        "damaged",
        "movement_created",
        "movement_updated",
        "movement_received",
        "movement_canceled",
        "other",
        "promotion",
        "quality_control",
        "received",
        "reservation_created",
        "reservation_updated",
        "reservation_deleted",
        "restock",
        "safety_stock",
        "shrinkage",
    ]
)


@resolves("Mutation", "inventorySetQuantities")
def set_quantities(request: Request, row: Row, args: Row) -> Row:
    words = args["input"]
    _must_compare(words["quantities"], "quantities")
    return once(request, "inventorySetQuantities", args, lambda: _set(request, words))


@resolves("Mutation", "inventoryAdjustQuantities")
def adjust_quantities(request: Request, row: Row, args: Row) -> Row:
    words = args["input"]
    _must_compare(words["changes"], "changes")
    return once(request, "inventoryAdjustQuantities", args, lambda: _adjust(request, words))


def _must_compare(rows: list[Row], field: str) -> None:
    """The argument may be null, but it must be there. Raises Problem."""
    if len(rows) > BATCH:
        raise Problem(
            f"The input array size of {len(rows)} is greater than the maximum allowed of {BATCH}.",
            "MAX_INPUT_SIZE_EXCEEDED",
        )
    for n, one in enumerate(rows):
        if "changeFromQuantity" not in one:
            message = f"{field}.{n} must include the following argument: changeFromQuantity."
            raise Problem(message, "INVALID_FIELD_ARGUMENTS")


def _set(request: Request, words: Row) -> Row:
    if words["name"] not in {"available", "on_hand"}:
        return _refused(
            [error("The quantity name must be either available or on_hand.", ["input", "name"], "INVALID_NAME")]
        )
    return _write(request, words, words["quantities"], "quantities", absolute=True)


def _adjust(request: Request, words: Row) -> Row:
    return _write(request, words, words["changes"], "changes", absolute=False)


def _refused(errors: list[Row]) -> Row:
    return {"inventoryAdjustmentGroup": None, "userErrors": errors}


def _write(request: Request, words: Row, rows: list[Row], field: str, *, absolute: bool) -> Row:
    """All or nothing."""
    errors = []
    if words["reason"] not in REASONS:
        errors.append(error("The specified reason is invalid.", ["input", "reason"], "INVALID_REASON"))
    uri = words.get("referenceDocumentUri")
    if uri is not None and (":" not in uri or uri.startswith("gid://shopify/")):
        said = error(
            "The reference document is invalid.", ["input", "referenceDocumentUri"], "INVALID_REFERENCE_DOCUMENT"
        )
        errors.append(said)
    seen: set[tuple[str, str]] = set()
    for n, one in enumerate(rows):
        wrong = _wrong(request, words["name"], one, seen, absolute=absolute)
        if wrong:
            errors.append(error(wrong[1], ["input", field, str(n), wrong[2]], wrong[0]))
    if errors:
        return _refused(errors)
    changes = [_apply(request, words["name"], one, absolute=absolute) for one in rows]
    group = {
        "id": gid("InventoryAdjustmentGroup", next(request.store.catalog.ids)), "createdAt": iso(request.now),
        "reason": words["reason"], "changes": [each for some in changes for each in some],
    }  # fmt: skip
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


def _wrong(
    request: Request, name: str, one: Row, seen: set[tuple[str, str]], *, absolute: bool
) -> tuple[str, str, str] | None:
    """Code, message, field of what does not fit."""
    item = request.store.catalog.items.get(number(one["inventoryItemId"]))
    place = request.store.locations.get(number(one["locationId"]))
    if item is None:
        return "INVALID_INVENTORY_ITEM", "The specified inventory item could not be found.", "inventoryItemId"
    if item["_bundle"]:
        return (
            "NON_MUTABLE_INVENTORY_ITEM",
            "The specified inventory item is not allowed to be adjusted via API.",
            "inventoryItemId",
        )
    if place is None or not place["isActive"]:
        return "INVALID_LOCATION", "The specified location could not be found.", "locationId"
    if place["isFulfillmentService"]:
        return "INVALID_LOCATION", "The location belongs to another fulfillment service.", "locationId"
    level = item["levels"].get(number(one["locationId"]))
    if level is None or not level["isActive"]:
        return "INVALID_LOCATION", "The inventory item is not stocked at the location.", "locationId"
    pair = (one["inventoryItemId"], one["locationId"])
    if pair in seen:
        message = "The combination of inventoryItemId and locationId must be unique."
        return "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", message, "locationId"
    seen.add(pair)
    if name not in level["_quantities"]:
        return "INVALID_QUANTITY_NAME", "The quantity name is invalid.", "name"
    wanted = one["quantity"] if absolute else level["_quantities"][name] + one["delta"]
    if absolute and wanted < 0 and name == "on_hand":
        return "INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.", "quantity"
    if abs(wanted) > MOST:
        code = "INVALID_QUANTITY_TOO_HIGH" if wanted > 0 else "INVALID_QUANTITY_TOO_LOW"
        return code, "The quantity is out of range.", "quantity"
    known = one["changeFromQuantity"]
    if known is not None and known != level["_quantities"][name]:
        message = "The changeFromQuantity value does not match the persisted quantity."
        return "CHANGE_FROM_QUANTITY_STALE", message, "changeFromQuantity"
    return None


def _apply(request: Request, name: str, one: Row, *, absolute: bool) -> list[Row]:
    item = request.store.catalog.items[number(one["inventoryItemId"])]
    level = item["levels"][number(one["locationId"])]
    delta = one["quantity"] - level["_quantities"][name] if absolute else one["delta"]
    return put(request, item, level, name, delta)


def put(request: Request, item: Row, level: Row, name: str, delta: int) -> list[Row]:
    """Adds `delta`; on hand and available move together. An item that is not tracked takes nothing, silently."""
    if not item["tracked"]:
        return []
    found = []
    names = [name, *({"available": ["on_hand"], "on_hand": ["available"]}.get(name, []))]
    for each in names:
        level["_quantities"][each] += delta
        level["_changed"][each] = request.now
        found.append(
            {
                "name": each, "delta": delta, "quantityAfterChange": level["_quantities"][each], "item": item,
                "location": request.store.locations[level["_location"]],
            }
        )  # fmt: skip
    payload = {
        "inventory_item_id": number(item["id"]), "location_id": level["_location"],
        "available": level["_quantities"]["available"], "updated_at": iso(request.now),
        "admin_graphql_api_id": level["id"],
    }  # fmt: skip
    request.store.hooks.emit("INVENTORY_LEVELS_UPDATE", payload)
    return found


@resolves("Mutation", "inventoryActivate")
def activate(request: Request, row: Row, args: Row) -> Row:
    return once(request, "inventoryActivate", args, lambda: _activate(request, args))


def _activate(request: Request, args: Row) -> Row:
    shelf = request.store.catalog
    item = shelf.items.get(number(args["inventoryItemId"]))
    place = request.store.locations.get(number(args["locationId"]))
    if item is None:
        return _inactive("The inventory item couldn't be found.", "inventoryItemId")
    if place is None or not place["isActive"]:
        return _inactive("The location couldn't be found.", "locationId")
    if place["isFulfillmentService"]:
        return _inactive("The location belongs to another fulfillment service.", "locationId")
    known = item["levels"].get(number(args["locationId"]))
    if known is not None and known["isActive"] and args.get("available") is not None:
        return _inactive(
            "Not allowed to set available quantity when the item is already active at the location.", "available"
        )
    level = shelf.level(item, number(args["locationId"]))
    level["isActive"] = True
    if args.get("available"):
        put(request, item, level, "available", args["available"])
    request.store.hooks.emit("INVENTORY_LEVELS_CONNECT", {"inventory_item_id": number(item["id"])})
    return {"inventoryLevel": level, "userErrors": []}


def _inactive(message: str, field: str) -> Row:
    return {"inventoryLevel": None, "userErrors": [error(message, [field])]}
