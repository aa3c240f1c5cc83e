"""Refund quotes and refunds (orders.v3.yml, guide 1.12)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from omnichannel_bigcommerce_simulator import dates, money, payments, refunding
from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, reply
from omnichannel_bigcommerce_simulator.errors import not_found
from omnichannel_bigcommerce_simulator.order_edits import tell_status
from omnichannel_bigcommerce_simulator.order_record import OrderRecord
from omnichannel_bigcommerce_simulator.paging import bounds, pagination
from omnichannel_bigcommerce_simulator.routing import Routes
from omnichannel_bigcommerce_simulator.store import Store

Row = dict[str, Any]
routes = Routes()


@routes.post("/v3/orders/{order}/payment_actions/refund_quotes", "transactions")
def quote(call: Call) -> Answer:
    record, words = call.store.orders.get(call.id("order")), call.object()
    worth = refunding.quote(record, words.get("items") or [])
    return data(
        {
            "order_id": record.id,
            "total_refund_amount": money.v3(worth.amount),
            "total_refund_tax_amount": money.v3(worth.tax),
            "order_level_refund_amount": money.v3(worth.order_level),
            "rounding": 0,
            "adjustment": 0.0,
            "tax_inclusive": record.order["is_tax_inclusive_pricing"],
            "refund_methods": _methods(record, worth.amount),
        },
        201,
    )


def _methods(record: OrderRecord, amount: Decimal) -> list[list[Row]]:
    """Combinations of methods: each inner list refunds the whole amount."""
    gateway = next((row["gateway"] for row in record.transactions), "")
    found: list[list[Row]] = []
    if gateway:
        found.append([_method(gateway, gateway.title(), amount)])
    if record.order["customer_id"]:
        found.append([_method("storecredit", "Store credit", amount)])
    found.append([_method("custom", "Custom", amount, offline=True)])
    return found


def _method(provider: str, name: str, amount: Decimal, *, offline: bool = False) -> Row:
    return {
        "provider_id": provider,
        "provider_description": name,
        "amount": money.v3(amount),
        "offline": offline,
        "offline_provider": offline,
        "offline_reason": "",
    }


@routes.post("/v3/orders/{order}/payment_actions/refunds", "transactions", cap=1, cap_by="order")
def refund(call: Call) -> Answer:
    """One refund at a time per order; the payments must add up to the quote."""
    call.store.orders.get(call.id("order"))
    return data(book(call.store, call.id("order"), call.object(), call.now), 201)


def book(store: Store, order_id: int, words: Row, now: float) -> Row:
    """Books a refund of `items` paid by `payments`.

    Raises:
        Refused: 422 wrapped in `data[]`.
    """
    record = store.orders.get(order_id)
    worth = refunding.quote(record, words.get("items") or [])
    paid = _payments(record, words)
    override = words.get("merchant_calculated_override")
    if override:
        worth.amount = Decimal(str(override["total_amount"]))
        worth.tax = Decimal(str(override["total_tax"]))
    if abs(sum((Decimal(str(row["amount"])) for row in paid), Decimal(0)) - worth.amount) > Decimal("0.005"):
        raise refunding.refused("The payments do not add up to the refund amount.")
    _decline(store, paid)
    record, old = store.orders.edit(order_id), record.status_id
    made = refunding.apply(record, worth, paid, int(now), words.get("reason", ""))
    made["uses_merchant_override_values"] = bool(override)
    for row in made["payments"]:
        if not row["is_declined"]:
            payments.book(record, "refund", row["provider_id"], Decimal(str(row["amount"])), now)
    store.orders.touch(record, now)
    store.hooks.emit(
        "store/order/refund/created", {"type": "order", "id": order_id, "refund": {"refund_id": made["id"]}}
    )
    tell_status(store, record, old)
    return made


def _payments(record: OrderRecord, words: Row) -> list[Row]:
    rows = words.get("payments")
    if not isinstance(rows, list) or not rows:
        raise refunding.refused("At least one payment is required.")
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("amount"), int | float):
            raise refunding.refused("A payment needs a provider_id and an amount.")
        if row.get("provider_id") == "storecredit" and not record.order["customer_id"]:
            raise refunding.refused("Unable to provide store credit for a guest customer.")
    return [dict(row) for row in rows]


def _decline(store: Store, rows: list[Row]) -> None:
    """The gateway declines as many refunds as a test ordered."""
    if store.decline_refunds > 0:
        store.decline_refunds -= 1
        for row in rows:
            row["declined"] = True


@routes.get("/v3/orders/{order}/payment_actions/refunds", "transactions")
def list_of_order(call: Call) -> Answer:
    return data(call.store.orders.get(call.id("order")).refunds)


@routes.get("/v3/orders/payment_actions/refunds/{refund}", "transactions")
def get_refund(call: Call) -> Answer:
    order_id = call.id("refund") // 100
    rows = call.store.orders.get(order_id).refunds
    row = next((row for row in rows if row["id"] == call.id("refund")), None)
    if row is None:
        raise not_found()
    return data(_alone(row))


def _alone(row: Row) -> Row:
    """This one operation answers a smaller shape: amounts of items as texts, no adjustments, no transaction ids."""
    items = [{key: value for key, value in item.items() if key != "adjustments"} for item in row["items"]]
    items = [item | {"requested_amount": f"{item['requested_amount']:.4f}"} for item in items]
    paid = [{key: value for key, value in each.items() if key != "transaction_id"} for each in row["payments"]]
    return row | {"items": items, "payments": paid}


@routes.get("/v3/orders/payment_actions/refunds", "transactions")
def list_all(call: Call) -> Answer:
    """All refunds of the store: the incremental source (`created:min`)."""
    least, most, book_ = call.date("created:min"), call.date("created:max"), call.store.orders
    found = book_.refunds(least, most, call.integers("order_id:in"))
    wanted = call.integers("id:in")
    found = [each for each in found if _fits(call, each, wanted, least, most)]
    page, limit = bounds(call)
    part = [book_.get(order_id).refunds[n] for order_id, n in found[(page - 1) * limit : page * limit]]
    return reply({"data": part, "meta": {"pagination": pagination(call, len(found), len(part), page, limit)}})


def _fits(call: Call, each: tuple[int, int], wanted: set[int] | None, least: float | None, most: float | None) -> bool:
    order_id, n = each
    if order_id not in call.store.orders.changed and wanted is None:
        return True
    row = call.store.orders.get(order_id).refunds[n]
    at = dates.parse(row["created"])
    return (wanted is None or row["id"] in wanted) and (least is None or at >= least) and (most is None or at <= most)
