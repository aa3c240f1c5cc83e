"""Variant options and their values (catalog/product-variant-options_catalog.v3.yml, guide 1.14)."""

from __future__ import annotations

import re
from typing import Any

from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty
from omnichannel_bigcommerce_simulator.catalog import Catalog, Product, option_row, value_row
from omnichannel_bigcommerce_simulator.errors import Refused, invalid, not_found
from omnichannel_bigcommerce_simulator.paging import chosen, v3_list
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()
TYPES = ("radio_buttons", "rectangles", "dropdown", "product_list", "product_list_with_images", "swatch")
_HEX = re.compile(r"#[0-9A-Fa-f]{6}\Z")


def add_option(catalog: Catalog, product: Product, words: Row) -> Row:
    """A new option. It makes no variants.

    Raises:
        Refused: 422 for words at fault, 409 for a name the product has already.
    """
    wrong: Row = {key: "error.path.missing" for key in ("display_name", "type", "option_values") if not words.get(key)}
    if "display_name" in words and len(str(words["display_name"])) > 255:
        wrong["display_name"] = "at most 255 characters"
    if "type" in words and words["type"] not in TYPES:
        wrong["type"] = "error.expected.enum: " + ", ".join(TYPES)
    if wrong:
        raise invalid(wrong)
    if any(option["display_name"] == words["display_name"] for option in product.options):
        raise Refused(409, "The option display name is a duplicate", errors={"display_name": "duplicate"})
    for value in words["option_values"]:
        check_value(words["type"], value)
    option = option_row(next(catalog.ids), product.id, words)
    option["option_values"] = [
        value_row(next(catalog.ids), {"sort_order": n} | value) for n, value in enumerate(words["option_values"])
    ]
    product.options.append(option)
    return option


def check_value(kind: str, value: Any) -> None:
    """A swatch needs 1 to 3 hex colors or an image, a product list a product; 422."""
    if not isinstance(value, dict) or not isinstance(value.get("label"), str) or not 1 <= len(value["label"]) <= 255:
        raise invalid({"label": "label must be a text of 1 to 255 characters"})
    given = value.get("value_data") or {}
    if kind == "swatch":
        colors = given.get("colors")
        good = isinstance(colors, list) and 1 <= len(colors) <= 3 and all(_HEX.match(str(color)) for color in colors)
        if not good and not given.get("image_url"):
            raise invalid({"value_data": "A swatch needs colors (1 to 3 hex values) or an image_url"})
    if kind.startswith("product_list") and not isinstance(given.get("product_id"), int):
        raise invalid({"value_data": "A product_id is required"})


def _product(call: Call) -> Product:
    product = call.store.catalog.products.get(call.id("product"))
    if product is None:
        raise not_found("A product was not found with an id of " + call.params["product"])
    return product


def _option(call: Call) -> Row:
    option = next((row for row in _product(call).options if row["id"] == call.id("option")), None)
    if option is None:
        raise not_found("An option was not found with an id of " + call.params["option"])
    return option


def _value(call: Call) -> Row:
    value: Row | None = next((row for row in _option(call)["option_values"] if row["id"] == call.id("value")), None)
    if value is None:
        raise not_found("An option value was not found with an id of " + call.params["value"])
    return value


@routes.get("/v3/catalog/products/{product}/options", "products")
def list_options(call: Call) -> Answer:
    return v3_list(call, _product(call).options, render=lambda row: chosen(call, row))


@routes.post("/v3/catalog/products/{product}/options", "products")
def post_option(call: Call) -> Answer:
    return data(add_option(call.store.catalog, _product(call), call.object()))


@routes.get("/v3/catalog/products/{product}/options/{option}", "products")
def get_option(call: Call) -> Answer:
    return data(_option(call))


@routes.put("/v3/catalog/products/{product}/options/{option}", "products")
def change_option(call: Call) -> Answer:
    """Name, order and values; the type of an option stays what it is."""
    option, words = _option(call), call.object()
    if words.get("type", option["type"]) not in TYPES:
        raise invalid({"type": "error.expected.enum: " + ", ".join(TYPES)})
    for value in words.get("option_values", []):
        check_value(str(words.get("type", option["type"])), value)
    option |= {key: words[key] for key in ("display_name", "sort_order", "config", "type") if key in words}
    for value in words.get("option_values", []):
        known = next((row for row in option["option_values"] if row["id"] == value.get("id")), None)
        if known is not None:
            known |= {key: value[key] for key in ("label", "sort_order", "value_data", "is_default") if key in value}
        else:
            option["option_values"].append(value_row(next(call.store.catalog.ids), value))
    return data(option)


@routes.delete("/v3/catalog/products/{product}/options/{option}", "products")
def delete_option(call: Call) -> Answer:
    _product(call).options.remove(_option(call))
    return empty()


@routes.get("/v3/catalog/products/{product}/options/{option}/values", "products")
def list_values(call: Call) -> Answer:
    return v3_list(call, _option(call)["option_values"], render=lambda row: chosen(call, row))


@routes.post("/v3/catalog/products/{product}/options/{option}/values", "products")
def add_value(call: Call) -> Answer:
    option, words = _option(call), call.object()
    check_value(option["type"], words)
    if any(value["label"] == words["label"] for value in option["option_values"]):
        raise invalid({"label": "The option value label is a duplicate"})
    value = value_row(next(call.store.catalog.ids), words)
    option["option_values"].append(value)
    return data(value)


@routes.get("/v3/catalog/products/{product}/options/{option}/values/{value}", "products")
def get_value(call: Call) -> Answer:
    return data(_value(call))


@routes.put("/v3/catalog/products/{product}/options/{option}/values/{value}", "products")
def change_value(call: Call) -> Answer:
    value, words = _value(call), call.object()
    check_value(_option(call)["type"], value | words)
    value |= {key: words[key] for key in ("label", "sort_order", "value_data", "is_default") if key in words}
    return data(value)


@routes.delete("/v3/catalog/products/{product}/options/{option}/values/{value}", "products")
def delete_value(call: Call) -> Answer:
    _option(call)["option_values"].remove(_value(call))
    return empty()
