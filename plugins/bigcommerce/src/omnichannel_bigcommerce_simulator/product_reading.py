"""How products are found and written."""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator.answers import Call
from omnichannel_bigcommerce_simulator.catalog import Product, calculated
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.errors import invalid, not_found
from omnichannel_bigcommerce_simulator.paging import by_id

Row = dict[str, Any]

INCLUDES = frozenset(
    {
        "variants",
        "images",
        "custom_fields",
        "bulk_pricing_rules",
        "primary_image",
        "modifiers",
        "options",
        "videos",
        "channels",
    }
)
PARTS = ("images", "custom_fields", "bulk_pricing_rules", "modifiers", "options", "videos")


def the(call: Call, name: str = "product") -> Product:
    """The product an address names; 404."""
    product = call.store.catalog.products.get(call.id(name))
    if product is None:
        raise not_found("A product was not found with an id of " + call.params[name])
    return product


def written(call: Call, product: Product, include: set[str]) -> Row:
    """A product as it is answered: stock as the total over locations, calculated price, what was included."""
    row = dict(product.row)
    row["calculated_price"] = row["sale_price"] or row["price"]
    row["inventory_level"] = call.store.stock.product_total(product)
    for name in PARTS:
        if name in include:
            row[name] = getattr(product, name)
    if "options" in include:
        row["options"] = [{key: value for key, value in option.items() if key != "name"} for option in product.options]
    if "variants" in include:
        row["variants"] = [
            calculated(product, variant) | {"inventory_level": call.store.stock.variant_total(product, variant)}
            for variant in product.variants
        ]
    if "primary_image" in include and product.images:
        row["primary_image"] = product.images[0]
    return row


def included(call: Call) -> set[str]:
    include = call.words("include")
    if include - INCLUDES:
        raise invalid({"include": "unknown include"}, "The include parameter is invalid")
    return include


def filtered(call: Call, products: list[Product]) -> list[Product]:
    kept = {row["id"] for row in by_id((product.row for product in products), call)}
    products = [product for product in products if product.id in kept]
    for name in ("name", "sku", "mpn", "upc", "type", "condition", "availability"):
        if name in call.query:
            wanted = call.query[name].lower()
            products = [
                p for p in products if str(p.row[name]).lower() == wanted or (name == "sku" and _has_sku(p, {wanted}))
            ]
    if "sku:in" in call.query:
        wanted_skus = {sku.lower() for sku in call.words("sku:in")}
        products = [product for product in products if _has_sku(product, wanted_skus)]
    for name in ("is_visible", "is_featured", "is_free_shipping"):
        if name in call.query:
            flag = call.query[name] in {"true", "1"}
            products = [product for product in products if product.row[name] is flag]
    channels, categories = call.integers("channel_id:in"), call.integers("categories:in") or call.integers("categories")
    if channels is not None:
        products = [product for product in products if product.channels & channels]
    if categories is not None:
        products = [product for product in products if set(product.row["categories"]) & categories]
    return _sorted(call, _dated(call, products))


def _has_sku(product: Product, wanted: set[str]) -> bool:
    """A product is found by its own SKU; its variants' are the variants' list's business (guide B11)."""
    return product.row["sku"].lower() in wanted


def _dated(call: Call, products: list[Product]) -> list[Product]:
    least, most = call.date("date_modified:min"), call.date("date_modified:max")
    if least is not None:
        products = [product for product in products if product.row["date_modified"] >= iso(-(-least // 1))]
    if most is not None:
        products = [product for product in products if product.row["date_modified"] <= iso(most)]
    brand = call.integer("brand_id")
    keyword = call.query.get("keyword", "").lower()
    products = [p for p in products if brand is None or p.row["brand_id"] == brand]
    return [p for p in products if keyword in p.row["name"].lower() or keyword in p.row["sku"].lower()]


def _sorted(call: Call, products: list[Product]) -> list[Product]:
    key = call.query.get("sort", "id")
    if key not in {
        "id",
        "name",
        "sku",
        "price",
        "date_modified",
        "inventory_level",
        "is_visible",
        "total_sold",
        "date_last_imported",
    }:
        raise invalid({"sort": "unknown field"}, "The sort parameter is invalid")
    return sorted(products, key=lambda p: (p.row.get(key, 0), p.id), reverse=call.query.get("direction") == "desc")
