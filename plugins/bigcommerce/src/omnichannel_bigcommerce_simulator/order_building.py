"""From a plan to an order: lines, addresses, taxes and totals that add up on both sides of the tax."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from omnichannel_bigcommerce_simulator import money
from omnichannel_bigcommerce_simulator.money import NOTHING, Amount, both, sides
from omnichannel_bigcommerce_simulator.order_plan import Line, Plan
from omnichannel_bigcommerce_simulator.order_record import OrderRecord
from omnichannel_bigcommerce_simulator.order_words import PAID, PAYMENT_STATUS

Row = dict[str, Any]


def build(plan: Plan, order_id: int, created: int, modified: int, default_currency: str) -> OrderRecord:
    """An order of `plan`; its parts are numbered `order_id * 100 + n`."""
    products = [_product(plan, line, order_id, n) for n, line in enumerate(plan.lines, start=1)]
    addresses = [_address(plan, address, order_id, n) for n, address in enumerate(plan.addresses, start=1)]
    for row in addresses:
        row["items_total"] = sum(p["quantity"] for p in products if p["order_address_id"] == row["id"])
    totals = _totals(plan, len(addresses))
    record = OrderRecord(
        id=order_id,
        created=created,
        modified=modified,
        order=_order(plan, totals, products, default_currency) | {"shipping_address_count": len(addresses)},
        currency=plan.currency,
        tax_rate=plan.tax_rate,
        products=products,
        addresses=addresses,
        pickups=[_pickup(order_id)] if plan.pickup else [],
        coupons=_coupons(plan, order_id),
        fees=_fees(plan, totals["fee"], order_id),
    )
    record.taxes = _taxes(plan, record)
    _discounts(plan, record, totals["discount"].inc)
    return record


def _totals(plan: Plan, addresses: int) -> dict[str, Amount]:
    def amount(exact: Decimal) -> Amount:
        return both(exact, plan.tax_rate, inclusive=plan.inclusive)

    subtotal = wrapping = NOTHING
    for line in plan.lines:
        subtotal = subtotal.plus(amount(line.price).times(line.quantity))
        wrapping = wrapping.plus(amount(line.wrapping).times(line.quantity))
    shipping = amount(plan.shipping).times(addresses)
    handling, fee = amount(plan.handling), amount(plan.fee)
    discount = amount(plan.discount + (plan.coupon[1] if plan.coupon else money.ZERO))
    if discount.inc > subtotal.inc:
        discount = subtotal
    total = subtotal.plus(wrapping).plus(shipping).plus(handling).plus(fee).minus(discount)
    return {
        "subtotal": subtotal,
        "wrapping_cost": wrapping,
        "shipping_cost": shipping,
        "handling_cost": handling,
        "fee": fee,
        "discount": discount,
        "total": total,
    }


def _order(plan: Plan, totals: dict[str, Amount], products: list[Row], default_currency: str) -> Row:
    base = "inc" if plan.inclusive else "ex"
    total = totals["total"]
    return {
        "customer_id": plan.customer_id,
        "status_id": plan.status_id,
        "cart_id": plan.cart_id,
        **sides("subtotal", totals["subtotal"]),
        **{f"base_{name}": money.v2(getattr(totals[name], base)) for name in _COSTS},
        **{key: value for name in _COSTS for key, value in sides(name, totals[name]).items()},
        **{f"{name}_tax_class_id": n for name, n in _COSTS.items()},
        "total_ex_tax": money.v2(total.ex),
        "total_inc_tax": money.v2(total.inc),
        "total_tax": money.v2(total.tax),
        "items_total": sum(p["quantity"] for p in products),
        "items_shipped": 0,
        "order_is_digital": plan.digital,
        "is_tax_inclusive_pricing": plan.inclusive,
        "payment_method": plan.payment_method,
        "payment_provider_id": "",
        "payment_status": PAYMENT_STATUS.get(plan.status_id, "captured"),
        "refunded_amount": "0.0000",  # documented as always 0
        "store_credit_amount": money.v2(plan.store_credit),
        "gift_certificate_amount": money.v2(plan.gift_certificate),
        "coupon_discount": money.v2(plan.coupon[1] if plan.coupon else money.ZERO),
        "discount_amount": money.v2(plan.discount),
        **_currency(plan, default_currency),
        **_origin(plan),
        "billing_address": plan.billing | {"form_fields": []},
    }


_COSTS = {"shipping_cost": 2, "handling_cost": 2, "wrapping_cost": 3}


def _currency(plan: Plan, default_currency: str) -> Row:
    shown = plan.display_currency or plan.currency
    return {
        "currency_id": 1 if shown == default_currency else 2,
        "currency_code": shown,
        "currency_exchange_rate": "1.0000000000",
        "default_currency_id": 1 if plan.currency == default_currency else 2,
        "default_currency_code": plan.currency,  # the transactional one, in spite of its name
        "store_default_currency_code": default_currency,
        "store_default_to_transactional_exchange_rate": f"{plan.exchange:.10f}",
    }


def _origin(plan: Plan) -> Row:
    return {
        "ip_address": plan.ip_address,
        "ip_address_v6": "",
        "geoip_country": plan.billing.get("country", ""),
        "geoip_country_iso2": plan.billing.get("country_iso2", ""),
        "staff_notes": plan.staff_notes,
        "customer_message": plan.customer_message,
        "customer_locale": plan.locale,
        "ebay_order_id": "0",
        "order_source": plan.order_source,
        "channel_id": plan.channel_id,
        "external_source": plan.external_source,
        "external_id": plan.external_id,
        "external_merchant_id": None,
        "external_order_id": plan.external_order_id,
        "tax_provider_id": "BasicTaxProvider",
        "is_deleted": False,
        "is_email_opt_in": False,
        "credit_card_type": None,
    }


def _product(plan: Plan, line: Line, order_id: int, n: int) -> Row:
    price = both(line.price, plan.tax_rate, inclusive=plan.inclusive)
    wrapping = both(line.wrapping, plan.tax_rate, inclusive=plan.inclusive)
    total = price.times(line.quantity)
    ships = line.type == "physical" and not plan.pickup and line.address >= 0
    row: Row = {
        "id": order_id * 100 + n,
        "order_id": order_id,
        "product_id": line.product_id,
        "variant_id": line.variant_id,
        "order_address_id": order_id * 100 + line.address + 1 if ships else 0,
        "order_pickup_method_id": order_id * 100 + 1 if plan.pickup and line.type == "physical" else 0,
        "name": line.name,
        "name_customer": line.name,
        "name_merchant": line.name,
        "sku": line.sku,
        "upc": line.upc,
        "type": line.type,
        "base_price": money.v2(line.price),
        **sides("price", price),
        "base_total": money.v2(line.price * line.quantity),
        **sides("total", total),
        "discounted_total_inc_tax": money.v2(total.inc),
        "quantity": line.quantity,
        "quantity_shipped": 0,
        "quantity_refunded": 0,
        "is_refunded": False,
        "refund_amount": "0.0000",
        "return_id": 0,
        "base_cost_price": "0.0000",
        **sides("cost_price", NOTHING),
        "weight": line.weight,
        "width": "0.0000",
        "height": "0.0000",
        "depth": "0.0000",
        "wrapping_id": 1 if line.wrapping else 0,
        "wrapping_name": "Gift box" if line.wrapping else "",
        "base_wrapping_cost": money.v2(line.wrapping * line.quantity),
        **sides("wrapping_cost", wrapping.times(line.quantity)),
        "wrapping_message": "Happy birthday" if line.wrapping else "",
        "brand": line.brand,
        "applied_discounts": [],
        "product_options": [_option(line, order_id * 100 + n, k) for k in range(len(line.options))],
        "configurable_fields": [],
    }
    return row | _RARE


_RARE: Row = {
    "event_name": None,
    "event_date": "",
    "fixed_shipping_cost": "0.0000",
    "ebay_item_id": "",
    "ebay_transaction_id": "",
    "option_set_id": None,
    "parent_order_product_id": None,
    "is_bundled_product": False,
    "bin_picking_number": "",
    "external_id": None,
    "gift_certificate_id": None,
}


def _option(line: Line, product_row: int, k: int) -> Row:
    name, value = line.options[k]
    return {
        "id": product_row * 10 + k,
        "option_id": line.variant_id * 10 + k,
        "order_product_id": product_row,
        "product_option_id": line.variant_id * 10 + k,
        "display_name": name,
        "display_name_customer": name,
        "display_name_merchant": name,
        "display_value": value,
        "display_value_customer": value,
        "display_value_merchant": value,
        "value": str(100 + k),
        "type": "Multiple choice",
        "name": f"{name}{line.product_id}",
        "display_style": "Pick list",
    }


def _address(plan: Plan, address: Row, order_id: int, n: int) -> Row:
    cost = both(plan.shipping, plan.tax_rate, inclusive=plan.inclusive)
    return {
        "id": order_id * 100 + n,
        "order_id": order_id,
        **address,
        "items_total": 0,
        "items_shipped": 0,
        "shipping_method": "Flat Rate",
        "base_cost": money.v2(plan.shipping),
        **sides("cost", cost),
        "cost_tax_class_id": 2,
        "base_handling_cost": "0.0000",
        **sides("handling_cost", NOTHING),
        "handling_cost_tax_class_id": 2,
        "shipping_zone_id": 1,
        "shipping_zone_name": address.get("country", ""),
        "form_fields": [],
        "shipping_quotes": {
            "url": f"/orders/{order_id}/shipping_addresses/{order_id * 100 + n}/shipping_quotes",
            "resource": f"/orders/{order_id}/shipping_addresses/{order_id * 100 + n}/shipping_quotes",
        },
    }


def _pickup(order_id: int) -> Row:
    return {
        "id": order_id * 100 + 1,
        "pickup_method_id": 1,
        "pickup_method_display_name": "Pickup in store",
        "collection_instructions": "Bring your order number.",
        "collection_time_description": "9 am to 6 pm",
        "location": {
            "id": 1,
            "name": "Main store",
            "code": "BC-LOCATION-1",
            "address_line_1": "1 Market Street",
            "address_line_2": "",
            "city": "Austin",
            "state": "Texas",
            "postal_code": "78701",
            "country_alpha2": "US",
            "email": "store@example.com",
            "phone": "5125550100",
        },
    }


def _coupons(plan: Plan, order_id: int) -> list[Row]:
    if not plan.coupon:
        return []
    code, amount = plan.coupon
    row = {"id": order_id * 100 + 1, "coupon_id": 7, "order_id": order_id, "code": code, "type": 2}
    return [row | {"amount": money.v2(amount), "discount": money.v3(amount)}]


def _fees(plan: Plan, fee: Amount, order_id: int) -> list[Row]:
    if not plan.fee:
        return []
    return [
        {
            "id": order_id * 100 + 1,
            "type": "custom_fee",
            "display_name_customer": "Service fee",
            "display_name_merchant": "Service fee",
            "source": "AA",
            "base_cost": money.v2(plan.fee),
            **sides("cost", fee),
            "tax_class_id": None,
        }
    ]


def _taxes(plan: Plan, record: OrderRecord) -> list[Row]:
    rows: list[Row] = []
    for product in record.products:
        rows.append(_tax(plan, record, len(rows) + 1, product["order_address_id"], "item", product))
    for address in record.addresses:
        rows.append(_tax(plan, record, len(rows) + 1, address["id"], "shipping", address))
    return rows


def _tax(plan: Plan, record: OrderRecord, n: int, address_id: int, kind: str, row: Row) -> Row:
    amount = row["total_tax"] if kind == "item" else row["cost_tax"]
    return {
        "id": record.id * 100 + n,
        "order_id": record.id,
        "order_address_id": address_id,
        "order_pickup_method_id": row.get("order_pickup_method_id", 0),
        "tax_rate_id": 1,
        "sales_tax_id": "",
        "tax_class_id": 0 if kind == "item" else 2,
        "name": plan.tax_name,
        "class": "Default Tax Class" if kind == "item" else "Shipping",
        "rate": money.v2(plan.tax_rate * 100),
        "priority": 0,
        "priority_amount": amount,
        "line_amount": amount,
        "order_product_id": str(row["id"]) if kind == "item" else "",
        "line_item_type": kind,
    }


def _discounts(plan: Plan, record: OrderRecord, discount: Decimal) -> None:
    """Spreads the discount over the lines by value, the rest on the last line."""
    if not discount:
        return
    whole = sum((Decimal(row["total_inc_tax"]) for row in record.products), Decimal(0))
    left = discount
    for n, row in enumerate(record.products, start=1):
        share = Decimal(row["total_inc_tax"])
        part = left if n == len(record.products) else (discount * share / whole).quantize(money.FOUR)
        left -= part
        code = plan.coupon[0] if plan.coupon else None
        name = "Coupon" if plan.coupon else "Manual discount"
        row["applied_discounts"] = [
            {
                "id": "coupon" if plan.coupon else "manual-discount",
                "amount": money.v2(part),
                "name": name,
                "code": code,
                "target": "order",
            }
        ]
        row["discounted_total_inc_tax"] = money.v2(share - part)


def is_paid(status_id: int) -> bool:
    """Documented as paid: 2, 3, 8, 9, 10, 11; refunded and partially refunded ones were."""
    return status_id in PAID or status_id in {4, 13, 14}
