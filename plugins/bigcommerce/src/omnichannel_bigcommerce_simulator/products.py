"""/v3/catalog/products: lists with includes, single ones, batches of ten, deletes (catalog/products_catalog.v3.yml)."""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty, reply
from omnichannel_bigcommerce_simulator.catalog import (
    BLANK,
    READ_ONLY,
    SKUS,
    Product,
    check_references,
    wrong_words,
)
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.errors import TYPE_URL, Refused, invalid, not_found, too_many
from omnichannel_bigcommerce_simulator.options import add_option
from omnichannel_bigcommerce_simulator.paging import chosen, pagination, v3_list
from omnichannel_bigcommerce_simulator.product_reading import PARTS, filtered, included, the, written
from omnichannel_bigcommerce_simulator.routing import Routes
from omnichannel_bigcommerce_simulator.variants import check_variant, resolve_values

Row = dict[str, Any]
routes = Routes()

BATCH, DELETES = 10, 250


@routes.get("/v3/catalog/products", "products")
def list_products(call: Call) -> Answer:
    """`include=options` or `modifiers` caps the page at ten (guide 1.9)."""
    include = included(call)
    most = 10 if include & {"options", "modifiers"} else 250
    found = filtered(call, list(call.store.catalog.products.values()))
    return v3_list(
        call,
        found,
        default=min(50, most),
        most=most,
        render=lambda product: chosen(call, written(call, product, include)),
    )


@routes.get("/v3/catalog/products/{product}", "products")
def get_product(call: Call) -> Answer:
    return data(chosen(call, written(call, the(call), included(call))))


@routes.post("/v3/catalog/products", "products")
def add_product(call: Call) -> Answer:
    """One product with its variants (at most 600); 409 for a name or SKU that is taken, 207 when only an image
    failed.
    """
    words = call.object()
    wrong = wrong_words(words, whole=True)
    if call.store.options.categories_required and not words.get("categories"):
        wrong["categories"] = "error.path.missing"
    if wrong:
        raise invalid(wrong)
    if len(words.get("variants", [])) > SKUS:
        raise invalid({"variants": f"at most {SKUS} variants"})
    _check_unique(call, words, None)
    check_references(call.store.catalog, words, tax_class_ids(call))
    catalog = call.store.catalog
    number = next(catalog.product_ids)
    stamps = {"date_created": iso(call.now), "date_modified": iso(call.now)}
    url = words.get("custom_url") or {"url": f"/product-{number}/", "is_customized": False}
    own = {key: words[key] for key in BLANK if key in words}
    product = Product({**BLANK, **own, "id": number, "custom_url": url, "base_variant_id": None, **stamps})
    _fill(call, product, words)
    failed = _images(call, product, words)
    catalog.take(product)
    call.store.stock.from_catalog(product, words, call.now)
    call.store.hooks.emit("store/product/created", {"type": "product", "id": product.id})
    row = written(call, product, {"variants", *PARTS})
    if failed:
        return reply({"data": [row], "errors": _partial(failed), "meta": {}}, 207)
    return data(row)


def _partial(errors: Row) -> Row:
    return {"status": 207, "title": "The request was partly successful", "type": TYPE_URL, "errors": errors}


def tax_class_ids(call: Call) -> set[int]:
    return {int(row["id"]) for row in call.store.tax_classes}


def _check_unique(call: Call, words: Row, product: Product | None) -> None:
    catalog = call.store.catalog
    own = product.id if product else 0
    if "name" in words and catalog.names.get(words["name"].lower(), own) != own:
        raise Refused(409, "The product name is a duplicate", errors={"name": "The product name is a duplicate"})
    owner = catalog.skus.get(str(words.get("sku", "")).lower())
    if words.get("sku") and owner is not None and owner[0] != own:
        raise Refused(409, "The product sku is a duplicate", errors={"sku": "The product sku is a duplicate"})


def _fill(call: Call, product: Product, words: Row) -> None:
    """Custom fields, options and variants of a new product; a base variant when it has none."""
    catalog = call.store.catalog
    for each in words.get("custom_fields", []):
        product.custom_fields.append({"id": next(catalog.ids), "name": str(each["name"]), "value": str(each["value"])})
    taken: set[str] = {product.row["sku"].lower()} - {""}
    for each in words.get("variants", []):
        for value in each.get("option_values", []):
            _declare(call, product, value)
        each = each | {"option_values": resolve_values(product, each.get("option_values", []))}
        check_variant(call, product, each, None)
        sku = str(each.get("sku", "")).lower()
        if sku and sku in taken:
            raise Refused(409, "The variant sku is a duplicate", errors={"sku": f"{each['sku']} is a duplicate"})
        taken.add(sku)
        product.variants.append(catalog.new_variant(product, each))
    if not product.variants:
        product.variants.append(catalog.base_variant(product))
    else:
        product.row["base_variant_id"] = None


def _declare(call: Call, product: Product, value: Row) -> None:
    """`variants[].option_values[{option_display_name, label}]` of a POST make options of type radio_buttons."""
    if "option_id" in value or not value.get("option_display_name") or not value.get("label"):
        return
    option = next((o for o in product.options if o["display_name"] == value["option_display_name"]), None)
    if option is None:
        words = {
            "display_name": value["option_display_name"],
            "type": "radio_buttons",
            "option_values": [{"label": value["label"]}],
        }
        add_option(call.store.catalog, product, words)
    elif all(each["label"] != value["label"] for each in option["option_values"]):
        from_label = {
            "id": next(call.store.catalog.ids),
            "label": value["label"],
            "sort_order": len(option["option_values"]),
        }
        option["option_values"].append(from_label | {"value_data": None, "is_default": False})


def _images(call: Call, product: Product, words: Row) -> Row:
    """Images that cannot be fetched do not stop the product: they are told in `errors` (207)."""
    failed: Row = {}
    for n, each in enumerate(words.get("images", [])):
        url = str(each.get("image_url", ""))
        if not url.startswith(("http://", "https://")):
            failed[f"images.{n}.image_url"] = "The image could not be fetched"
            continue
        product.images.append(image_row(next(call.store.catalog.ids), product, each, call.now))
    return failed


def image_row(number: int, product: Product, words: Row, now: float) -> Row:
    file = f"https://cdn.example.com/products/{product.id}/{number}"
    return {
        "id": number,
        "product_id": product.id,
        "is_thumbnail": bool(words.get("is_thumbnail", not product.images)),
        "sort_order": words.get("sort_order", len(product.images)),
        "description": words.get("description", ""),
        "image_file": f"p/{number}.jpg",
        "image_url": words.get("image_url", ""),
        "url_zoom": f"{file}.1280.jpg",
        "url_standard": f"{file}.386.jpg",
        "url_thumbnail": f"{file}.220.jpg",
        "url_tiny": f"{file}.44.jpg",
        "date_modified": iso(now),
    }


def change(call: Call, product: Product, words: Row) -> None:
    """A partial update.

    Raises:
        Refused: 422 for words at fault, 409 for a name, SKU, brand, category or tax class.
    """
    wrong = wrong_words(words, whole=False)
    if "variants" in words:
        wrong["variants"] = "variants cannot be changed here"
    if wrong:
        raise invalid(wrong)
    _check_unique(call, words, product)
    check_references(call.store.catalog, words, tax_class_ids(call))
    catalog = call.store.catalog
    catalog.names.pop(product.row["name"].lower(), None)
    old = product.row["sku"]
    product.row |= {
        key: value for key, value in words.items() if (key in BLANK or key == "custom_url") and key not in READ_ONLY
    }
    product.row["date_modified"] = iso(call.now)
    catalog.names[product.row["name"].lower()] = product.id
    if product.row["sku"] != old:
        _move_sku(call, product, old)
    for each in words.get("custom_fields", []):
        _put_field(call, product, each)
    call.store.stock.from_catalog(product, words, call.now)
    call.store.hooks.emit("store/product/updated", {"type": "product", "id": product.id})


def _move_sku(call: Call, product: Product, old: str) -> None:
    catalog = call.store.catalog
    catalog.skus.pop(old.lower(), None)
    base = next((v for v in product.variants if v["id"] == product.row["base_variant_id"]), None)
    if base is not None:
        base["sku"] = product.row["sku"]
    if product.row["sku"]:
        catalog.skus[product.row["sku"].lower()] = (product.id, base["id"] if base else 0)


def _put_field(call: Call, product: Product, words: Row) -> None:
    known = next((row for row in product.custom_fields if row["id"] == words.get("id")), None)
    if known is not None:
        known |= {key: str(words[key]) for key in ("name", "value") if key in words}
    else:
        number = next(call.store.catalog.ids)
        product.custom_fields.append({"id": number, "name": str(words["name"]), "value": str(words["value"])})


@routes.put("/v3/catalog/products/{product}", "products")
def change_product(call: Call) -> Answer:
    product = the(call)
    change(call, product, call.object())
    return data(written(call, product, set(PARTS)))


@routes.put("/v3/catalog/products", "products")
def change_products(call: Call) -> Answer:
    """A batch of ten at most, `id` required in each; 207 when some failed, without saying which place they had
    (guide 1.8).
    """
    rows = call.array()
    if len(rows) > BATCH:
        raise too_many(BATCH)
    if not all(isinstance(words, dict) and isinstance(words.get("id"), int) for words in rows):
        raise invalid({"id": "error.path.missing"})
    done: list[Row] = []
    refusals: list[Refused] = []
    for words in rows:
        product = call.store.catalog.products.get(words["id"])
        try:
            if product is None:
                raise not_found(f"The product with id {words['id']} was not found")
            change(call, product, {key: value for key, value in words.items() if key != "id"})
            done.append(written(call, product, set(PARTS)))
        except Refused as refusal:
            refusals.append(refusal)
    if refusals and not done:
        raise Refused(refusals[0].status, refusals[0].title, errors=refusals[0].errors or {})
    meta = {"pagination": pagination(call, len(done), len(done), 1, BATCH)}
    if refusals:
        first = refusals[0]
        errors = {"status": first.status, "title": first.title, "type": TYPE_URL, "errors": first.errors or {}}
        return reply({"data": done, "errors": errors, "meta": meta}, 207)
    return reply({"data": done, "meta": meta})


@routes.delete("/v3/catalog/products/{product}", "products")
def delete_product(call: Call) -> Answer:
    _delete(call, the(call))
    return empty()


@routes.delete("/v3/catalog/products", "products")
def delete_products(call: Call) -> Answer:
    """A filter is mandatory; at most 250 go."""
    if not {"id:in", "name", "sku", "brand_id", "categories", "is_visible"} & call.query.keys():
        raise Refused(422, "A filter is required to delete products", errors={})
    for product in filtered(call, list(call.store.catalog.products.values()))[:DELETES]:
        _delete(call, product)
    return empty()


def _delete(call: Call, product: Product) -> None:
    call.store.catalog.drop(product)
    call.store.hooks.emit("store/product/deleted", {"type": "product", "id": product.id})
