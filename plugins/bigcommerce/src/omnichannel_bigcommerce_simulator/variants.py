"""Variants: below a product, and the batch of fifty over all of them (catalog/product-variants_catalog.v3.yml)."""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty, reply
from omnichannel_bigcommerce_simulator.catalog import SKUS, VARIANT_BLANK, Product, calculated
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.errors import TYPE_URL, Refused, invalid, not_found, too_many
from omnichannel_bigcommerce_simulator.paging import by_id, chosen, pagination, v3_list
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()
BATCH = 50
_MONEY = ("price", "sale_price", "retail_price", "map_price", "cost_price", "weight", "width", "height", "depth")


def resolve_values(product: Product, values: list[Any]) -> list[Row]:
    """Option values by id or by label, completed; 422 for one the product does not have."""
    found: list[Row] = []
    for value in values:
        for option in product.options:
            named = value.get("option_id") == option["id"] or value.get("option_display_name") == option["display_name"]
            for each in option["option_values"] if named else []:
                if value.get("id") == each["id"] or ("id" not in value and value.get("label") == each["label"]):
                    names = {"option_id": option["id"], "option_display_name": option["display_name"]}
                    found.append({"id": each["id"], "label": each["label"], **names})
    if len(found) != len(values):
        raise invalid({"option_values": "The option values are not values of the product's options"})
    return found


def check_variant(call: Call, product: Product, words: Row, variant: Row | None) -> None:
    """Raises Refused: 422 for numbers or lengths at fault, 409 for a SKU or a set of option values that is taken."""
    wrong: Row = {}
    for name in _MONEY:
        value = words.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            wrong[name] = "error.expected.jsnumber"
    for name, most in (("sku", 255), ("upc", 14), ("gtin", 14)):
        if words.get(name) is not None and (not isinstance(words[name], str) or len(words[name]) > most):
            wrong[name] = f"at most {most} characters"
    if wrong:
        raise invalid(wrong)
    sku = words.get("sku") or ""
    if call.store.catalog.sku_taken(sku, variant["id"] if variant else -1):
        raise Refused(409, "The variant sku is a duplicate", errors={"sku": f"{sku} is a duplicate"})
    if variant is None:
        values = {value["id"] for value in words.get("option_values", [])}
        if any({value["id"] for value in other["option_values"]} == values for other in product.variants if values):
            raise Refused(409, "A variant with these option values exists", errors={"option_values": "duplicate"})


def _written(call: Call, product: Product, variant: Row) -> Row:
    return calculated(product, variant) | {"inventory_level": call.store.stock.variant_total(product, variant)}


def _product(call: Call) -> Product:
    product = call.store.catalog.products.get(call.id("product"))
    if product is None:
        raise not_found("A product was not found with an id of " + call.params["product"])
    return product


def _variant(call: Call) -> tuple[Product, Row]:
    found = call.store.catalog.variants.get(call.id("variant"))
    if found is None or found[0].id != call.id("product"):
        raise not_found("A variant was not found with an id of " + call.params["variant"])
    return found


@routes.get("/v3/catalog/products/{product}/variants", "products")
def list_variants(call: Call) -> Answer:
    product = _product(call)
    return v3_list(call, product.variants, render=lambda v: chosen(call, _written(call, product, v)))


@routes.get("/v3/catalog/variants", "products")
def list_all_variants(call: Call) -> Answer:
    found = [variant for _, variant in call.store.catalog.variants.values()]
    found = by_id(found, call)
    skus = {sku.lower() for sku in call.words("sku:in") | call.words("sku")}
    if skus:
        found = [variant for variant in found if variant["sku"].lower() in skus]
    products = call.integers("product_id:in") or call.integers("product_id")
    if products is not None:
        found = [variant for variant in found if variant["product_id"] in products]
    variants = call.store.catalog.variants
    return v3_list(call, found, render=lambda v: chosen(call, _written(call, variants[v["id"]][0], v)))


@routes.get("/v3/catalog/products/{product}/variants/{variant}", "products")
def get_variant(call: Call) -> Answer:
    return data(chosen(call, _written(call, *_variant(call))))


@routes.post("/v3/catalog/products/{product}/variants", "products")
def add_variant(call: Call) -> Answer:
    product = _product(call)
    return data(_written(call, product, _add(call, product, call.object())))


def _add(call: Call, product: Product, words: Row) -> Row:
    """A variant needs a value of every option; the base variant goes when the first one comes."""
    catalog = call.store.catalog
    if not isinstance(words.get("sku"), str) or not words["sku"] or not words.get("option_values"):
        raise invalid({"sku": "error.path.missing", "option_values": "error.path.missing"})
    values = resolve_values(product, words["option_values"])
    if {value["option_id"] for value in values} != {option["id"] for option in product.options}:
        raise invalid({"option_values": "A value of every option of the product is required"})
    if len(product.variants) >= SKUS:
        raise invalid({"variants": f"at most {SKUS} variants"})
    base = product.row["base_variant_id"]
    check_variant(call, product, words | {"option_values": values}, None)
    for old in [variant for variant in product.variants if base and variant["id"] == base]:
        product.variants.remove(old)
        catalog.variants.pop(old["id"], None)
    product.row["base_variant_id"] = None
    variant = catalog.new_variant(product, words | {"option_values": values})
    product.variants.append(variant)
    catalog.take_variant(product, variant)
    call.store.stock.from_variant(product, variant, words, call.now)
    product.row["date_modified"] = iso(call.now)
    call.store.hooks.emit(
        "store/sku/created",
        {"type": "sku", "id": variant["id"], "sku": {"product_id": product.id, "variant_id": variant["id"]}},
    )
    return variant


@routes.put("/v3/catalog/products/{product}/variants/{variant}", "products")
def change_variant(call: Call) -> Answer:
    product, variant = _variant(call)
    _change(call, product, variant, call.object())
    return data(_written(call, product, variant))


def _change(call: Call, product: Product, variant: Row, words: Row) -> None:
    check_variant(call, product, words, variant)
    catalog = call.store.catalog
    if "sku" in words:
        catalog.skus.pop(variant["sku"].lower(), None)
        variant["sku"] = words["sku"]
    variant |= {key: words[key] for key in VARIANT_BLANK if key in words and key != "inventory_level"}
    catalog.take_variant(product, variant)
    call.store.stock.from_variant(product, variant, words, call.now)
    product.row["date_modified"] = iso(call.now)
    call.store.hooks.emit(
        "store/sku/updated",
        {"type": "sku", "id": variant["id"], "sku": {"product_id": product.id, "variant_id": variant["id"]}},
    )


@routes.delete("/v3/catalog/products/{product}/variants/{variant}", "products")
def delete_variant(call: Call) -> Answer:
    product, variant = _variant(call)
    if len(product.variants) == 1:
        raise Refused(422, "The last variant of a product cannot be deleted", errors={})
    product.variants.remove(variant)
    call.store.catalog.drop_variant(variant)
    return empty()


@routes.put("/v3/catalog/variants", "products")
def change_variants(call: Call) -> Answer:
    """Fifty at most: update by `id`, or create by `product_id`, `sku`, `option_values`; one at fault fails its batch.

    The 422 holds `batch_errors` without the place in the batch (guide 1.8).
    """
    rows = call.array()
    if len(rows) > BATCH:
        raise too_many(BATCH)
    for words in rows:
        try:
            _check_row(call, words)
        except Refused as refusal:
            error = {
                "status": refusal.status,
                "title": refusal.title,
                "type": TYPE_URL,
                "instance": "",
                "errors": refusal.errors or {},
            }
            raise Refused(422, refusal.title, body={"batch_errors": [error]}) from refusal
    done: list[Row] = []
    for words in rows:
        product, variant = _row(call, words)
        if variant is None:
            variant = _add(call, product, words)
        else:
            _change(call, product, variant, words)
        done.append(_written(call, product, variant))
    return reply({"data": done, "meta": {"pagination": pagination(call, len(done), len(done), 1, BATCH)}})


def _row(call: Call, words: Row) -> tuple[Product, Row | None]:
    catalog = call.store.catalog
    if "id" in words:
        found = catalog.variants.get(words["id"])
        if found is None:
            raise not_found(f"A variant was not found with an id of {words['id']}")
        return found
    product = catalog.products.get(words.get("product_id", 0))
    if product is None:
        raise invalid({"id": "error.path.missing"}, "An id, or a product_id with sku and option_values, is required")
    return product, None


def _check_row(call: Call, words: Any) -> None:
    if not isinstance(words, dict):
        raise invalid({"": "object expected"})
    product, variant = _row(call, words)
    if variant is None:
        words = words | {"option_values": resolve_values(product, words.get("option_values", []))}
    check_variant(call, product, words, variant)
