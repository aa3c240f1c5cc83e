"""Builds orders from a plan, seeded ones and those a test places: whole, and a pure function of the input."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from omnichannel_shopify_simulator import order_totals
from omnichannel_shopify_simulator.goods import Good
from omnichannel_shopify_simulator.values import cents, gid, iso, money

Row = dict[str, Any]
FIRST = ("Ada", "Ben", "Chloé", "Dmitri", "Elif", "Finn", "Grace", "Hiro", "Ines", "José", "Kim", "Léa")
LAST = ("Archer", "Brandt", "Castillo", "Dubois", "Evans", "Fischer", "García", "Huang", "Ito", "Jensen", "Kaya")
PLACES = (
    ("1 Main St", "Chicago", "60601", "IL", "Illinois", "US", "United States"),
    ("77 Queen St W", "Toronto", "M5H 2M9", "ON", "Ontario", "CA", "Canada"),
    ("Lange Straße 5", "Leipzig", "04109", None, None, "DE", "Germany"),
    ("12 rue de l'Église", "Lyon", "69002", None, None, "FR", "France"),
)


@dataclass(slots=True)
class Plan:
    """What an order is to be.

    Attributes:
        lines: of `sku`, `quantity`, `price` (text), `discount` (text, on the line), `code_discount` (text, its part
            of a code), `gift_card`, `requires_shipping`, `taxable`, `group` (a bundle's title); () takes random goods.
        financial: PAID, PENDING, AUTHORIZED, PARTIALLY_PAID, VOIDED, EXPIRED; refunds are made afterwards.
        presentment: another currency that the buyer pays in, at `rate` of it for one of the shop's.
        tip, duties, fee, shipping, rounding: amounts as texts, "" for none; `gift_card` is what a gift card paid.
        tip_line: the tip stands among the lines too (schema: TipSale.lineItem).
        guest: no customer; digital: nothing to ship, no address; company: a purchasing company's order (no person).
        location, second: where it is to be shipped from, and for orders split over two locations.
        hold: why the fulfillment orders are held, "" for not; scheduled: fulfilled later.
        removed: units of the first line that an edit took away; added: an edit added a line.
    """

    lines: list[Row] = field(default_factory=list)
    financial: str = "PAID"
    gateway: str = "shopify_payments"
    presentment: str = ""
    rate: float = 1.0
    taxes_included: bool | None = None
    tax_exempt: bool = False
    code: str = ""
    shipping: str = "5.90"
    shipping_title: str = "Standard"
    carrier: str | None = None
    removed_shipping: bool = False
    tip: str = ""
    tip_line: bool = False
    duties: str = ""
    fee: str = ""
    rounding: str = ""
    gift_card: str = ""
    guest: bool = False
    digital: bool = False
    test: bool = False
    location: int = 1
    second: int = 0
    hold: str = ""
    scheduled: bool = False
    removed: int = 0
    added: bool = False
    tags: list[str] = field(default_factory=list)
    note: str | None = None
    po_number: str | None = None
    source_name: str = "web"
    source_identifier: str | None = None
    app: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    email: str = ""


@dataclass(frozen=True, slots=True)
class Habits:
    """What orders of a shop have in common."""

    seed: int
    currency: str
    foreign: str
    foreign_rate: float
    tax_rate: float
    taxes_included: bool
    goods: tuple[Good, ...]


def make(habits: Habits, order: int, sequence: int, at: float, plan: Plan) -> Row:
    """The order as placed; `sequence` is the number people see."""
    rng = Random(habits.seed * 1_000_003 + order)
    row = _head(habits, order, sequence, at, plan)
    _person(row, rng, plan)
    row["lineItems"] = _lines(habits, row, rng, plan)
    row["shippingLines"] = [] if plan.digital else [_shipping(row, plan)]
    if plan.removed_shipping and not plan.digital:
        row["shippingLines"].insert(
            0, _shipping(row, plan) | {"id": gid("ShippingLine", order * 1000 + 900), "isRemoved": True}
        )
    _extras(row, plan)
    order_totals.price(row)
    _pay(row, plan, at)
    order_totals.settle(row)
    return row


def _head(habits: Habits, order: int, sequence: int, at: float, plan: Plan) -> Row:
    stamp, other = iso(at), plan.presentment or habits.currency
    included = habits.taxes_included if plan.taxes_included is None else plan.taxes_included
    return {
        "id": gid("Order", order), "legacyResourceId": str(order), "name": f"#{sequence}", "number": sequence,
        "confirmationNumber": f"{order % 2_176_782_336:09X}", "createdAt": stamp, "processedAt": stamp,
        "updatedAt": stamp, "closedAt": None, "cancelledAt": None, "cancelReason": None, "test": plan.test,
        "edited": False, "confirmed": True, "closed": False, "capturable": False,
        "currencyCode": habits.currency, "presentmentCurrencyCode": other,
        "_rate": plan.rate if other != habits.currency else 1.0,
        "taxesIncluded": included, "taxExempt": plan.tax_exempt, "dutiesIncluded": False,
        "sourceName": plan.source_name, "sourceIdentifier": plan.source_identifier, "tags": plan.tags,
        "note": plan.note, "poNumber": plan.po_number, "customerLocale": "en", "_number": order,
        "discountCodes": [plan.code] if plan.code else [],
        "app": {"id": gid("App", plan.app or 580111), "name": "Online Store", "icon": None},
        "customAttributes": [{"key": k, "value": v} for k, v in plan.attributes.items()],
        "transactions": [], "refunds": [], "returns": [], "fulfillments": [], "metafields": [],
        "_tax_rate": 0.0 if plan.tax_exempt else habits.tax_rate, "_placed_at": at, "_updated": at,
        "_location": plan.location, "_second": plan.second, "_hold": plan.hold, "_scheduled": plan.scheduled,
        "_expired": plan.financial == "EXPIRED",
    }  # fmt: skip


def _person(row: Row, rng: Random, plan: Plan) -> None:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    street, city, code, province, province_name, country, country_name = rng.choice(PLACES)
    customer = 7_000_000_000_000 + rng.randrange(50_000)
    email = plan.email or f"buyer{customer % 100_000}@example.com"
    phone = f"+1312555{rng.randrange(10_000):04d}"
    address = {
        "id": gid("MailingAddress", f"{row['_number']}?model_name=Address"),
        "firstName": first, "lastName": last, "company": "Atelier & Co" if rng.random() < 0.1 else None,
        "address1": street, "address2": None, "city": city, "zip": code, "province": province_name,
        "provinceCode": province, "country": country_name, "countryCodeV2": country, "phone": phone,
    }  # fmt: skip
    row["email"], row["phone"] = email, None
    row["billingAddress"] = address
    row["shippingAddress"] = None if plan.digital else address
    row["customer"] = None if plan.guest else {
        "id": gid("Customer", customer), "firstName": first, "lastName": last, "displayName": f"{first} {last}",
        "defaultEmailAddress": {"emailAddress": email}, "defaultPhoneNumber": {"phoneNumber": phone},
    }  # fmt: skip
    row["purchasingEntity"] = row["customer"]


def _lines(habits: Habits, row: Row, rng: Random, plan: Plan) -> list[Row]:
    asked = plan.lines or [{} for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4)))]
    by_sku = {good.sku: good for good in habits.goods} if plan.lines else {}
    lines = []
    for n, words in enumerate(asked):
        good = by_sku.get(words.get("sku", "")) or (rng.choice(habits.goods) if habits.goods else Good.unknown())
        lines.append(line(row, n + 1, good, words, rng, digital=plan.digital))
    if plan.removed:
        lines[0]["_removed"] = min(plan.removed, lines[0]["quantity"])
    if plan.added:
        good = rng.choice(habits.goods) if habits.goods else Good.unknown()
        lines.append(line(row, len(lines) + 1, good, {"quantity": 1}, rng, digital=plan.digital))
    row["edited"] = bool(plan.removed or plan.added)
    if plan.tip_line:
        words = {"price": plan.tip, "quantity": 1, "taxable": False}
        tip = line(row, len(lines) + 1, Good.unknown(), words, rng, digital=True)
        lines.append(tip | {"title": "Tip", "name": "Tip", "sku": None, "_tip": True})
    return lines


def line(row: Row, n: int, good: Good, words: Row, rng: Random, *, digital: bool = False) -> Row:
    """One line; `_unit`, `_discount` and `_code` are cents, `_code` is the line's part of a discount code."""
    sku = words.get("sku", good.sku)
    gift = bool(words.get("gift_card"))
    return {
        "id": gid("LineItem", row["_number"] * 1000 + n), "sku": sku, "title": good.title,
        "variantTitle": good.variant_title, "vendor": good.vendor,
        "name": f"{good.title} - {good.variant_title}" if good.variant_title else good.title,
        "quantity": int(words.get("quantity", rng.choice((1, 1, 1, 2, 3)))),
        "requiresShipping": bool(words.get("requires_shipping", not (digital or gift))), "isGiftCard": gift,
        "taxable": bool(words.get("taxable", not gift)), "_product": good.product, "_variant": good.variant,
        "_unit": cents(words["price"]) if "price" in words else good.cents,
        "_discount": cents(words.get("discount", "0")), "_code": cents(words.get("code_discount", "0")),
        "_removed": 0, "_refunded": 0, "_restocked": 0, "_fulfilled": 0, "duties": [], "_duty": 0, "_tip": False,
        "lineItemGroup": {"id": gid("LineItemGroup", row["_number"] * 1000), "title": words["group"]}
        if words.get("group") else None,
        "customAttributes": [{"key": k, "value": v} for k, v in (words.get("attributes") or {}).items()],
    }  # fmt: skip


def _shipping(row: Row, plan: Plan) -> Row:
    return {
        "id": gid("ShippingLine", row["_number"] * 1000 + 1), "title": plan.shipping_title, "code": plan.shipping_title,
        "source": "shopify", "carrierIdentifier": plan.carrier, "isRemoved": False,
        "_cents": cents(plan.shipping or "0"),
    }  # fmt: skip


def _extras(row: Row, plan: Plan) -> None:
    row["_tip"], row["_rounding"] = cents(plan.tip or "0"), cents(plan.rounding or "0")
    duty = cents(plan.duties or "0")
    if duty:
        first = row["lineItems"][0]
        first["_duty"] = duty
        first["duties"] = [
            {"id": gid("Duty", row["_number"] * 1000 + 1), "price": money(row, duty), "taxLines": []}
        ]  # fmt: skip
    row["_duties"] = duty
    fee = cents(plan.fee or "0")
    row["_fees"] = fee
    row["additionalFees"] = [
        {
            "id": gid("AdditionalFee", row["_number"] * 1000 + 1), "name": "Import fee", "price": money(row, fee),
            "taxLines": [],
        }
    ] if fee else []  # fmt: skip
    row["_gift"] = cents(plan.gift_card or "0")
    if plan.code and not any(each["_code"] for each in row["lineItems"]):
        for each in row["lineItems"]:
            each["_code"] = each["_unit"] * each["quantity"] // 10
    row["discountApplications"] = [_application(plan)] if plan.code else []


def _application(plan: Plan) -> Row:
    return {
        "__typename": "DiscountCodeApplication", "code": plan.code, "allocationMethod": "ACROSS",
        "targetSelection": "ALL", "targetType": "LINE_ITEM",
    }  # fmt: skip


PAYING = {"PAID": "SALE", "PARTIALLY_PAID": "SALE", "AUTHORIZED": "AUTHORIZATION", "EXPIRED": "AUTHORIZATION"}


def _pay(row: Row, plan: Plan, at: float) -> None:
    """The transactions that lead to the financial status asked for."""
    due = row["_total_placed"]
    if plan.financial == "PENDING" or due <= 0:
        return
    if row["_gift"]:
        given = min(row["_gift"], due)
        pay(row, "SALE", "SUCCESS", given, at, "gift_card")
        due -= given
    if plan.financial == "VOIDED":
        parent = pay(row, "AUTHORIZATION", "SUCCESS", due, at, plan.gateway)
        pay(row, "VOID", "SUCCESS", due, at, plan.gateway, parent)
        return
    if plan.financial == "PARTIALLY_PAID":
        due //= 2
    if due:
        pay(row, PAYING[plan.financial], "SUCCESS", due, at, plan.gateway)


GATEWAYS = {"shopify_payments": "Shopify Payments", "gift_card": "Gift Card", "manual": "Manual", "paypal": "PayPal"}


def pay(row: Row, kind: str, status: str, value: int, at: float, gateway: str, parent: Row | None = None) -> Row:
    """Adds a transaction."""
    n = len(row["transactions"]) + 1
    made = {
        "id": gid("OrderTransaction", row["_number"] * 1000 + n), "kind": kind, "status": status, "gateway": gateway,
        "formattedGateway": GATEWAYS.get(gateway, gateway.title()), "paymentId": f"r{row['_number'] % 10**9}.{n}",
        "processedAt": iso(at), "test": row["test"], "amountSet": money(row, value), "_cents": value,
        "parentTransaction": {"id": parent["id"]} if parent else None,
    }  # fmt: skip
    row["transactions"].append(made)
    return made
