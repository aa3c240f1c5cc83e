"""What merchants, shoppers and other apps do to orders: place, change, archive, ship, refund."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from omnichannel_bigcommerce_simulator import dates, money, payments
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_bigcommerce_simulator.order_building import is_paid
from omnichannel_bigcommerce_simulator.order_plan import Line, Plan
from omnichannel_bigcommerce_simulator.order_record import OrderRecord
from omnichannel_bigcommerce_simulator.order_shapes import dressed
from omnichannel_bigcommerce_simulator.order_words import PAYMENT_STATUS
from omnichannel_bigcommerce_simulator.store import Store

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


def place(store: Store, plan: Plan, now: float) -> OrderRecord:
    """A new order; `store/order/created` is told for Incomplete ones as well (docs#175)."""
    record = store.orders.add(lambda number: dressed(plan, number, int(now), int(now), store.orders.habits))
    store.hooks.emit("store/order/created", {"type": "order", "id": record.id})
    return record


def set_status(store: Store, order_id: int, status_id: int, now: float) -> None:
    record = store.orders.edit(order_id)
    _set_status(store, record, status_id, now)
    store.orders.touch(record, now)


def _set_status(store: Store, record: OrderRecord, status_id: int, now: float) -> None:
    old = record.status_id
    if old == status_id:
        return
    record.order["status_id"] = status_id
    record.order["payment_status"] = PAYMENT_STATUS.get(status_id, record.order["payment_status"] or "captured")
    if is_paid(status_id) and not record.transactions:
        payments.book(record, "purchase", "stripe", record.total, now)
        record.order["payment_status"] = "captured"
    tell_status(store, record, old)


def tell_status(store: Store, record: OrderRecord, old: int) -> None:
    """Tells hooks that an order changed, and its status if it did."""
    store.hooks.emit("store/order/updated", {"type": "order", "id": record.id})
    if old != record.status_id:
        status = {"previous_status_id": old, "new_status_id": record.status_id}
        store.hooks.emit("store/order/statusUpdated", {"type": "order", "id": record.id, "status": status})


def archive(store: Store, order_id: int, now: float, *, archived: bool = True) -> None:
    if store.orders.archive(order_id, now, archived=archived):
        store.hooks.emit(
            "store/order/archived" if archived else "store/order/updated", {"type": "order", "id": order_id}
        )


def change(store: Store, order_id: int, words: Row, now: float) -> None:
    """PUT of an order: what is not named stays; products are patched and lose their discounts, fees are replaced."""
    if "is_deleted" in words:
        archive(store, order_id, now, archived=bool(words["is_deleted"]))
    record = store.orders.edit(order_id)
    rest = {
        key: value
        for key, value in words.items()
        if key not in {"is_deleted", "status_id", "products", "fees", "consignments"}
    }
    if "date_created" in rest:
        try:
            store.orders.redate(record, dates.parse(str(rest.pop("date_created"))))
        except ValueError as error:
            raise Refused(400, "The field 'date_created' is invalid.") from error
    if "billing_address" in rest:
        record.order["billing_address"] |= rest.pop("billing_address")
    rest.pop("shipping_addresses", None)
    record.order |= rest
    for product in words.get("products", []):
        _patch_line(record, product)
    if "fees" in words:
        record.fees = [
            {"id": order_id * 100 + n, "type": "custom_fee", **fee} for n, fee in enumerate(words["fees"], start=50)
        ]
    if "status_id" in words:
        _set_status(store, record, words["status_id"], now)
    elif words.keys() - {"is_deleted"}:
        store.hooks.emit("store/order/updated", {"type": "order", "id": order_id})
    store.orders.touch(record, now)


def _patch_line(record: OrderRecord, words: Row) -> None:
    """A changed line: its discounts are cleared, the totals follow."""
    row = record.product(words.get("id", 0))
    if row is None:
        raise Refused(400, "The field 'products' is invalid.")
    discount = sum((Decimal(each["amount"]) for each in row["applied_discounts"]), Decimal(0))
    back = money.both(discount, record.tax_rate, inclusive=True)
    row["quantity"] = words.get("quantity", row["quantity"])
    for side, more in zip(("ex_tax", "inc_tax", "tax"), back, strict=True):
        if f"price_{side}" in words:
            row[f"price_{side}"] = money.v2(Decimal(str(words[f"price_{side}"])))
        total = Decimal(row[f"price_{side}"]) * row["quantity"]
        change = total - Decimal(row[f"total_{side}"])
        row[f"total_{side}"] = money.v2(total)
        record.order[f"subtotal_{side}"] = money.v2(Decimal(record.order[f"subtotal_{side}"]) + change)
        record.order[f"total_{side}"] = money.v2(Decimal(record.order[f"total_{side}"]) + change + more)
    row["applied_discounts"] = []
    row["discounted_total_inc_tax"] = row["total_inc_tax"]
    record.order["items_total"] = sum(each["quantity"] for each in record.products)


# plans from what people send


def _person(words: Row) -> Row:
    return {key: str(words.get(key) or "") for key in _PERSON}


def _price(words: Row, *, inclusive: bool) -> Decimal:
    value = words.get("price", words.get("price_inc_tax" if inclusive else "price_ex_tax"))
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise Refused(400, "The field 'products' is invalid.") from error


def line_from(store: Store, words: Row, *, inclusive: bool) -> Line:
    """A line by product (and variant), or a custom one by name and price; 400 when neither."""
    product = store.catalog.products.get(words.get("product_id", 0))
    quantity = int(words.get("quantity", 1))
    more: Row = {key: words[key] for key in ("type", "address", "sku") if key in words}
    if product is None:
        if not words.get("name"):
            raise Refused(400, "The field 'products' is invalid.")
        return Line(words["name"], _price(words, inclusive=inclusive), quantity, **more)
    variant = next((v for v in product.variants if v["id"] == words.get("variant_id")), product.variants[0])
    given = any(key in words for key in ("price", "price_inc_tax", "price_ex_tax"))
    price = _price(words, inclusive=inclusive) if given else Decimal(str(variant["price"] or product.row["price"]))
    options = tuple((value["option_display_name"], value["label"]) for value in variant["option_values"])
    more = {"sku": variant["sku"]} | more
    return Line(
        product.row["name"], price, quantity, product_id=product.id, variant_id=variant["id"], options=options, **more
    )


def plan_from_api(store: Store, words: Row) -> Plan:
    """POST /v2/orders: a billing address and products are required; shipping addresses or one pickup, never both."""
    if not isinstance(words.get("billing_address"), dict) or not words.get("products"):
        raise Refused(400, "The field 'billing_address' or 'products' is missing.")
    if words.get("shipping_addresses") and words.get("consignments"):
        raise Refused(400, "An order has either shipping addresses or one pickup consignment.")
    person = _person(words["billing_address"])
    addresses = [_person(each) for each in words.get("shipping_addresses") or []]
    inclusive = store.options.tax_inclusive
    return Plan(
        lines=[line_from(store, each, inclusive=inclusive) for each in words["products"]],
        billing=person,
        addresses=addresses if addresses or words.get("consignments") else [dict(person)],
        customer_id=int(words.get("customer_id", 0)),
        status_id=words.get("status_id", 1),
        currency=words.get("default_currency_code", store.options.currency),
        tax_rate=Decimal(store.options.tax_rate),
        inclusive=inclusive,
        shipping=Decimal(0),
        external_source=words.get("external_source"),
        external_id=words.get("external_id"),
        external_order_id=words.get("external_order_id") or "",
        order_source="external",
        channel_id=words.get("channel_id", 1),
        payment_method=words.get("payment_method", "Manual"),
        staff_notes=words.get("staff_notes", ""),
        customer_message=words.get("customer_message", ""),
        pickup=bool(words.get("consignments")),
    )


_DECIMALS = ("shipping", "handling", "discount", "fee", "store_credit", "gift_certificate", "tax_rate", "exchange")
_PERSON_DEFAULT = {
    "first_name": "Ada",
    "last_name": "Shopper",
    "company": "",
    "street_1": "5 Park Lane",
    "street_2": "",
    "city": "Austin",
    "state": "Texas",
    "zip": "78701",
    "country": "United States",
    "country_iso2": "US",
    "phone": "5125550123",
    "email": "ada@example.com",
}


def plan_from_control(store: Store, words: Row) -> Plan:
    """`POST /_control/stores/{hash}/orders`: fields of `Plan`, lines as dicts, everything optional."""
    inclusive = bool(words.get("inclusive", store.options.tax_inclusive))
    goods = store.orders.habits.goods
    default = (
        [{"product_id": goods[0].product_id, "variant_id": goods[0].variant_id}]
        if goods
        else [{"name": "Thing", "price": "10.00"}]
    )
    lines = [line_from(store, each, inclusive=inclusive) for each in words.get("lines", default)]
    person = _PERSON_DEFAULT | words.get("billing", {})
    digital = all(line.type != "physical" for line in lines)
    ships = not digital and not words.get("pickup")
    plan = Plan(lines, person, [_PERSON_DEFAULT | each for each in words.get("addresses", [person] if ships else [])])
    plan.inclusive, plan.currency = inclusive, store.options.currency
    plan.tax_rate = Decimal(store.options.tax_rate)
    for key, value in words.items():
        if key in {"lines", "billing", "addresses", "inclusive"}:
            continue
        if key not in Plan.__slots__:
            raise Refused(400, f"An order has no {key!r}; it has {', '.join(Plan.__slots__)}.")
        if key == "coupon" and value:
            value = (value[0], Decimal(str(value[1])))
        setattr(plan, key, Decimal(str(value)) if key in _DECIMALS else value)
    return plan
