"""Amounts and states of an order, always computed from what it consists of."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator.values import gid, money

Row = dict[str, Any]


def taxed(row: Row, value: int) -> int:
    """The tax in or on `value` cents."""
    rate = row["_tax_rate"]
    if not rate or value <= 0:
        return 0
    return int(round(value - value / (1 + rate)) if row["taxesIncluded"] else round(value * rate))


def tax_lines(row: Row, tax: int) -> list[Row]:
    if not tax:
        return []
    rate = row["_tax_rate"]
    line = {
        "title": "VAT" if row["taxesIncluded"] else "State tax", "rate": rate, "ratePercentage": round(rate * 100, 4),
        "priceSet": money(row, tax), "_cents": tax,
    }  # fmt: skip
    return [line]


def worth(line: Row, units: int) -> int:
    """What `units` of a line cost after all discounts; all of them are exactly the line."""
    whole = int(line["_unit"] * line["quantity"] - line["_discount"] - line["_code"])
    return whole if units == line["quantity"] else round(whole * units / line["quantity"]) if line["quantity"] else 0


def price(row: Row) -> None:
    """Prices of lines and shipping, and the totals as placed (edits count as placed later)."""
    subtotal = tax = discounts = 0
    for line in row["lineItems"]:
        _price_line(row, line)
        subtotal += worth(line, line["quantity"])
        tax += line["_tax"]
        discounts += line["_discount"] + line["_code"]
    shipping = 0
    for one in row["shippingLines"]:
        value = 0 if one["isRemoved"] else one["_cents"]
        one["_tax"] = taxed(row, value)
        one["originalPriceSet"] = one["discountedPriceSet"] = money(row, one["_cents"])
        one["taxLines"] = tax_lines(row, one["_tax"])
        shipping += value
        tax += one["_tax"]
    tip = 0 if any(line["_tip"] for line in row["lineItems"]) else row["_tip"]
    extra = tip + row["_duties"] + row["_fees"] + row["_rounding"]
    total = subtotal + shipping + extra + (0 if row["taxesIncluded"] else tax)
    row |= {
        "_subtotal": subtotal, "_shipping": shipping, "_tax": tax, "_total_placed": total,
        "subtotalPriceSet": money(row, subtotal), "totalShippingPriceSet": money(row, shipping),
        "totalTaxSet": money(row, tax), "totalDiscountsSet": money(row, discounts), "totalPriceSet": money(row, total),
        "totalTipReceivedSet": money(row, row["_tip"]),
        "originalTotalDutiesSet": money(row, row["_duties"]) if row["_duties"] else None,
        "totalCashRoundingAdjustment": {"paymentSet": money(row, row["_rounding"])},
    }  # fmt: skip


def _price_line(row: Row, line: Row) -> None:
    whole = worth(line, line["quantity"])
    line["_tax"] = taxed(row, whole) if line["taxable"] else 0
    line["taxLines"] = tax_lines(row, line["_tax"])
    line["originalUnitPriceSet"] = money(row, line["_unit"])
    line["_plain"] = money(row, whole + line["_code"])
    line["_with_codes"] = money(row, whole)
    line["discountedUnitPriceAfterAllDiscountsSet"] = money(row, round(whole / max(1, line["quantity"])))
    line["discountAllocations"] = [
        {"allocatedAmountSet": money(row, cents)} for cents in (line["_discount"], line["_code"]) if cents
    ]


def settle(row: Row) -> None:
    """Quantities, current totals, payments and states, from lines, transactions, refunds and fulfillments."""
    gone = 0
    for line in row["lineItems"]:
        line["currentQuantity"] = line["quantity"] - line["_removed"]
        line["refundableQuantity"] = max(0, line["quantity"] - max(line["_refunded"], line["_removed"]))
        line["unfulfilledQuantity"] = max(0, line["currentQuantity"] - line["_fulfilled"])
        if line["_removed"]:
            gone += worth(line, line["_removed"]) + (
                0 if row["taxesIncluded"] else round(line["_tax"] * line["_removed"] / line["quantity"])
            )
    _payments(row, gone)
    row["subtotalLineItemsQuantity"] = sum(line["quantity"] for line in row["lineItems"] if not line["_tip"])
    row["displayFulfillmentStatus"] = fulfillment_status(row)
    row["returnStatus"] = return_status(row)


def _payments(row: Row, gone: int) -> None:
    received = refunded = authorized = voided = 0
    for one in row["transactions"]:
        if one["status"] != "SUCCESS":
            continue
        match one["kind"]:
            case "SALE" | "CAPTURE":
                received += one["_cents"]
            case "REFUND":
                refunded += one["_cents"]
            case "AUTHORIZATION":
                authorized += one["_cents"]
            case "VOID":
                voided += one["_cents"]
    extra_refunds = sum(each.get("_other", 0) for each in row["refunds"])
    duties = row["_duties"] - sum(each.get("_duties", 0) for each in row["refunds"])
    total = max(0, row["_total_placed"] - gone - extra_refunds)
    left_tax = sum(
        round(line["_tax"] * line["currentQuantity"] / max(1, line["quantity"])) for line in row["lineItems"]
    )  # fmt: skip
    tax = left_tax + sum(one["_tax"] for one in row["shippingLines"])
    left = 0 if row["cancelledAt"] else max(0, total - (received - refunded))
    row |= {
        "_received": received, "_refunded_total": refunded, "_current": total,
        "currentTotalPriceSet": money(row, total), "currentTotalTaxSet": money(row, tax),
        "currentSubtotalPriceSet": money(row, sum(worth(line, line["currentQuantity"]) for line in row["lineItems"])),
        "currentTotalDutiesSet": money(row, duties) if row["_duties"] else None,
        "totalRefundedSet": money(row, refunded), "totalReceivedSet": money(row, received),
        "netPaymentSet": money(row, received - refunded), "totalOutstandingSet": money(row, left),
        "displayFinancialStatus": financial_status(row, received, refunded, authorized, voided),
        "fullyPaid": received >= row["_total_placed"], "unpaid": received == 0 and authorized == 0,
        "capturable": authorized > voided + received and not row["_expired"],
        "paymentGatewayNames": list(dict.fromkeys(one["gateway"] for one in row["transactions"])),
    }  # fmt: skip


def financial_status(row: Row, received: int, refunded: int, authorized: int, voided: int) -> str:
    if refunded and refunded >= received:
        return "REFUNDED"
    if refunded:
        return "PARTIALLY_REFUNDED"
    if received:
        return "PAID" if received >= row["_total_placed"] else "PARTIALLY_PAID"
    if authorized:
        if voided >= authorized:
            return "VOIDED"
        return "EXPIRED" if row["_expired"] else "AUTHORIZED"
    return "PAID" if row["_total_placed"] <= 0 else "VOIDED" if row["cancelledAt"] else "PENDING"


def fulfillment_status(row: Row) -> str:
    """From the fulfillment orders where they are there already, else from what the order began with."""
    to_do = [line for line in row["lineItems"] if line["requiresShipping"] and line["currentQuantity"]]
    shipped = sum(line["_fulfilled"] for line in row["lineItems"])
    left = sum(line["unfulfilledQuantity"] for line in to_do)
    if not shipped and row["cancelledAt"] is None and not to_do:
        return "FULFILLED" if row["lineItems"] else "UNFULFILLED"
    if shipped and left == 0:
        return "FULFILLED"
    if shipped:
        return "PARTIALLY_FULFILLED"
    states = {one["status"] for one in row.get("fulfillmentOrders", ())} - {"CLOSED", "CANCELLED"}
    if row["_hold"] or states == {"ON_HOLD"}:
        return "ON_HOLD"
    if row["_scheduled"] or states == {"SCHEDULED"}:
        return "SCHEDULED"
    if "IN_PROGRESS" in states:
        return "IN_PROGRESS"
    return "RESTOCKED" if row["cancelledAt"] and not left and to_do == [] else "UNFULFILLED"


def return_status(row: Row) -> str:
    states = [one["status"] for one in row["returns"]]
    if "REQUESTED" in states:
        return "RETURN_REQUESTED"
    if "OPEN" in states:
        done = all(one["_inspected"] for one in row["returns"] if one["status"] == "OPEN")
        return "INSPECTION_COMPLETE" if done else "IN_PROGRESS"
    return "RETURNED" if "CLOSED" in states else "NO_RETURN"


def part_id(row: Row, kind: str) -> str:
    """The next id of a part that an order gets later."""
    row["_parts"] = row.get("_parts", 500) + 1
    return gid(kind, row["_number"] * 1000 + row["_parts"])
