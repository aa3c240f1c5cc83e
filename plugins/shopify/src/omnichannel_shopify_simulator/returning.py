"""Returns of an order: requested, approved, processed, closed; goods and money are apart (guide 2.11)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omnichannel_shopify_simulator import order_acts, order_totals
from omnichannel_shopify_simulator.order_totals import part_id, worth
from omnichannel_shopify_simulator.values import gid, iso, money

Row = dict[str, Any]
REASONS = ("unknown", "size_too_small", "size_too_large", "wrong_item", "defective", "not_as_described", "unwanted")


def reason(handle: str) -> Row:
    """ReturnReasonDefinition."""
    known = handle if handle in REASONS else "unknown"
    return {
        "id": gid("ReturnReasonDefinition", REASONS.index(known) + 1), "handle": known, "deleted": False,
        "name": known.replace("_", " ").capitalize(),
    }  # fmt: skip


def begin(
    row: Row, items: Iterable[tuple[Row, int]], at: float, *, requested: bool = False, why: str = "unwanted",
    note: str = "", shipping_fee: int = 0, restocking_fee: int = 0, unverified: int = 0,
) -> Row:  # fmt: skip
    """A return of units of fulfillment lines; `unverified` adds so many of a thing that no line is known of."""
    made: Row = {
        "id": part_id(row, "Return"), "name": f"{row['name']}-R{len(row['returns']) + 1}", "_order": row["_number"],
        "status": "REQUESTED" if requested else "OPEN", "createdAt": iso(at), "closedAt": None, "_inspected": False,
        "returnShippingFees": [], "exchangeLineItems": [], "returnLineItems": [], "refunds": [],
        "reverseFulfillmentOrders": [],
    }  # fmt: skip
    if shipping_fee:
        made["returnShippingFees"] = [{"id": part_id(row, "ReturnShippingFee"), "amountSet": money(row, shipping_fee)}]
    for item, units in items:
        made["returnLineItems"].append(_line(row, item, units, why, note, restocking_fee))
        item["_returned"] += units
    if unverified:
        made["returnLineItems"].append(
            {
                "id": part_id(row, "UnverifiedReturnLineItem"), "quantity": unverified, "refundableQuantity": 0,
                "refundedQuantity": 0, "customerNote": None, "returnReasonNote": note,
                "returnReasonDefinition": reason(why),
                "unitPrice": {"amount": "5.0", "currencyCode": row["currencyCode"]},
            }
        )  # fmt: skip
    made["totalQuantity"] = sum(line["quantity"] for line in made["returnLineItems"])
    row["returns"].append(made)
    if not requested:
        expect(row, made)
    order_totals.settle(row)
    return made


def _line(row: Row, item: Row, units: int, why: str, note: str, fee: int) -> Row:
    return {
        "id": part_id(row, "ReturnLineItem"), "quantity": units, "refundableQuantity": units, "refundedQuantity": 0,
        "customerNote": None, "returnReasonNote": note, "returnReasonDefinition": reason(why),
        "fulfillmentLineItem": item, "withCodeDiscountedTotalPriceSet": money(row, worth(item["lineItem"], units)),
        "restockingFee": {"id": part_id(row, "RestockingFee"), "amountSet": money(row, fee)} if fee else None,
    }  # fmt: skip


def expect(row: Row, made: Row) -> None:
    """Approved: the goods are expected back."""
    made["reverseFulfillmentOrders"] = [
        {
            "id": part_id(row, "ReverseFulfillmentOrder"), "status": "OPEN",
            "lineItems": [
                {
                    "id": part_id(row, "ReverseFulfillmentOrderLineItem"), "totalQuantity": line["quantity"],
                    "fulfillmentLineItem": line.get("fulfillmentLineItem"), "dispositions": [], "_of": line["id"],
                }
                for line in made["returnLineItems"]
            ],
        }
    ]  # fmt: skip


def dispose(row: Row, made: Row, line: Row, units: int, kind: str, location: int | None) -> Row:
    """What became of the goods. Returns the disposition."""
    where = next(
        each for order in made["reverseFulfillmentOrders"] for each in order["lineItems"] if each["_of"] == line["id"]
    )  # fmt: skip
    said: Row = {
        "id": part_id(row, "ReverseFulfillmentOrderDisposition"), "type": kind, "quantity": units,
        "location": {"id": gid("Location", location)} if location else None,
    }  # fmt: skip
    where["dispositions"].append(said)
    orders = made["reverseFulfillmentOrders"]
    done = all(
        sum(d["quantity"] for d in each["dispositions"]) >= each["totalQuantity"]
        for order in orders
        for each in order["lineItems"]
    )
    made["_inspected"] = done
    if done:
        for order in orders:
            order["status"] = "CLOSED"
    return said


def pay_back(row: Row, made: Row, at: float, units: dict[str, int] | None = None, shipping: int = 0) -> Row:
    """The money of returned lines (all that is refundable, or `units` by return line id)."""
    lines: list[tuple[Row, int, str, int | None]] = []
    for line in made["returnLineItems"]:
        count = (
            line["refundableQuantity"] if units is None else min(units.get(line["id"], 0), line["refundableQuantity"])
        )
        if count and "fulfillmentLineItem" in line:
            line["refundableQuantity"] -= count
            line["refundedQuantity"] += count
            lines.append((line["fulfillmentLineItem"]["lineItem"], count, "NO_RESTOCK", None))
    paid = order_acts.refund(row, lines, at, shipping=shipping, of_return=made["id"])
    made["refunds"].append(paid)
    return paid


def close(row: Row, made: Row, at: float) -> None:
    made["status"], made["closedAt"] = "CLOSED", iso(at)
    order_totals.settle(row)


def whole_story(row: Row, at: float) -> None:
    """One unit of the first shipped line comes back, is restocked and refunded."""
    item = row["fulfillments"][0]["fulfillmentLineItems"][0]
    made = begin(row, [(item, 1)], at, why="size_too_small")
    dispose(row, made, made["returnLineItems"][0], 1, "RESTOCKED", 1)
    pay_back(row, made, at)
    close(row, made, at)
