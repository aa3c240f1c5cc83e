"""What hangs below a product besides variants and options: custom fields, images, modifiers, pricing rules,
metafields.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omnichannel_bigcommerce_simulator import metafields
from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty
from omnichannel_bigcommerce_simulator.catalog import Product, value_row
from omnichannel_bigcommerce_simulator.errors import Refused, invalid, not_found
from omnichannel_bigcommerce_simulator.options import check_value
from omnichannel_bigcommerce_simulator.paging import chosen, v3_list
from omnichannel_bigcommerce_simulator.product_reading import the
from omnichannel_bigcommerce_simulator.products import image_row
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()
CUSTOM_FIELDS, IMAGES = 200, 1000
MODIFIERS = [
    "date",
    "checkbox",
    "file",
    "text",
    "multi_line_text",
    "numbers_only_text",
    "radio_buttons",
    "rectangles",
    "dropdown",
    "product_list",
    "product_list_with_images",
    "swatch",
]
_WITH_VALUES = frozenset(MODIFIERS[6:])

Make = Callable[[Call, Product, Row], Row]
Change = Callable[[Call, Product, Row, Row], None]


def _parts(name: str, attribute: str, make: Make, change: Change) -> None:
    """The five operations on a list below a product."""
    root = f"/v3/catalog/products/{{product}}/{name}"

    def one(call: Call) -> Row:
        row: Row | None = next((row for row in getattr(the(call), attribute) if row["id"] == call.id("part")), None)
        if row is None:
            raise not_found(f"{name}: nothing was found with an id of {call.params['part']}")
        return row

    @routes.get(root, "products")
    def list_parts(call: Call) -> Answer:
        return v3_list(call, getattr(the(call), attribute), render=lambda row: chosen(call, row))

    @routes.post(root, "products")
    def add(call: Call) -> Answer:
        product = the(call)
        row = make(call, product, call.object())
        getattr(product, attribute).append(row)
        return data(row)

    @routes.get(f"{root}/{{part}}", "products")
    def get(call: Call) -> Answer:
        return data(chosen(call, one(call)))

    @routes.put(f"{root}/{{part}}", "products")
    def put(call: Call) -> Answer:
        row = one(call)
        change(call, the(call), row, call.object())
        return data(row)

    @routes.delete(f"{root}/{{part}}", "products")
    def delete(call: Call) -> Answer:
        getattr(the(call), attribute).remove(one(call))
        return empty()


def _check_field(words: Row) -> None:
    wrong = {key: "1 to 250 characters" for key in ("name", "value") if not 1 <= len(str(words.get(key, ""))) <= 250}
    if wrong:
        raise invalid(wrong)


def _make_field(call: Call, product: Product, words: Row) -> Row:
    _check_field(words)
    if len(product.custom_fields) >= CUSTOM_FIELDS:
        raise invalid({"custom_fields": f"at most {CUSTOM_FIELDS}"})
    if any((row["name"], row["value"]) == (words["name"], words["value"]) for row in product.custom_fields):
        raise Refused(409, "The custom field is a duplicate", errors={"name": "duplicate"})
    return {"id": next(call.store.catalog.ids), "name": str(words["name"]), "value": str(words["value"])}


def _change_field(call: Call, product: Product, row: Row, words: Row) -> None:
    _check_field(row | words)
    row |= {key: str(words[key]) for key in ("name", "value") if key in words}


def _make_image(call: Call, product: Product, words: Row) -> Row:
    if not str(words.get("image_url", "")).startswith(("http://", "https://")):
        raise invalid({"image_url": "The image could not be fetched"})
    if len(product.images) >= IMAGES:
        raise invalid({"images": f"at most {IMAGES}"})
    return image_row(next(call.store.catalog.ids), product, words, call.now)


def _change_image(call: Call, product: Product, row: Row, words: Row) -> None:
    row |= {key: words[key] for key in ("is_thumbnail", "sort_order", "description", "image_url") if key in words}


def _make_modifier(call: Call, product: Product, words: Row) -> Row:
    wrong: Row = {key: "error.path.missing" for key in ("type", "required", "display_name") if key not in words}
    if words.get("type") not in MODIFIERS:
        wrong["type"] = "error.expected.enum: " + ", ".join(MODIFIERS)
    values = words.get("option_values", [])
    if words.get("type") in _WITH_VALUES and not values:
        wrong["option_values"] = "error.path.missing"
    if wrong:
        raise invalid(wrong)
    for value in values:
        check_value(words["type"], value)
    number, ids = next(call.store.catalog.ids), call.store.catalog.ids
    return {
        "id": number,
        "product_id": product.id,
        "name": f"{words['display_name']}{number}",
        "display_name": words["display_name"],
        "type": words["type"],
        "required": bool(words["required"]),
        "sort_order": words.get("sort_order", 0),
        "config": words.get("config", {}),
        "option_values": [_modifier_value(next(ids), number, n, value) for n, value in enumerate(values)],
    }


def _modifier_value(number: int, modifier: int, n: int, words: Row) -> Row:
    none = {"adjuster": None, "adjuster_value": 0}
    blank = {"price": none, "weight": none, "image_url": "", "purchasing_disabled": {"status": False, "message": ""}}
    adjusters = words.get("adjusters") or blank
    return value_row(number, {"sort_order": n} | words) | {"option_id": modifier, "adjusters": adjusters}


def _change_modifier(call: Call, product: Product, row: Row, words: Row) -> None:
    row |= {key: words[key] for key in ("display_name", "required", "sort_order", "config") if key in words}


def _make_rule(call: Call, product: Product, words: Row) -> Row:
    wrong = {
        key: "error.path.missing" for key in ("quantity_min", "quantity_max", "type", "amount") if key not in words
    }
    if wrong:
        raise invalid(wrong)
    return {
        "id": next(call.store.catalog.ids),
        **{key: words[key] for key in ("quantity_min", "quantity_max", "type", "amount")},
    }


def _change_rule(call: Call, product: Product, row: Row, words: Row) -> None:
    row |= {key: words[key] for key in ("quantity_min", "quantity_max", "type", "amount") if key in words}


_parts("custom-fields", "custom_fields", _make_field, _change_field)
_parts("images", "images", _make_image, _change_image)
_parts("modifiers", "modifiers", _make_modifier, _change_modifier)
_parts("bulk-pricing-rules", "bulk_pricing_rules", _make_rule, _change_rule)


def _product_exists(call: Call, number: int) -> None:
    if number not in call.store.catalog.products:
        raise not_found(f"A product was not found with an id of {number}")


def _variant_exists(call: Call, number: int) -> None:
    if number not in call.store.catalog.variants:
        raise not_found(f"A variant was not found with an id of {number}")


def _brand_exists(call: Call, number: int) -> None:
    if number not in call.store.catalog.brands:
        raise not_found(f"A brand was not found with an id of {number}")


metafields.register(routes, "/v3/catalog/products", "product", "products", _product_exists)
metafields.register(
    routes,
    "/v3/catalog/products/{product}/variants",
    "variant",
    "products",
    _variant_exists,
    over="/v3/catalog/variants/metafields",
)
metafields.register(routes, "/v3/catalog/brands", "brand", "products", _brand_exists)
