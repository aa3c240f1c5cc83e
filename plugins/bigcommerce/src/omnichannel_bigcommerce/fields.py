"""Product and variant fields that can be written (specs catalog/products_catalog.v3.yml and product-variants).

Attribute ids: a product's field by its own name, a variant's as `variant.NAME`, a custom field as `custom_field:NAME`,
an option as `option:NAME`, a modifier as `modifier:NAME`, a metafield as `metafield:NAMESPACE.KEY` (of a variant
`variant.metafield:NAMESPACE.KEY`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import msgspec

from omnichannel_core.records import Attribute, Choice, Value

VARIANT, CUSTOM, OPTION, MODIFIER, META = "variant.", "custom_field:", "option:", "modifier:", "metafield:"


class Field(NamedTuple):
    """One writable field. `unit` names the store's fact that holds it."""

    id: str
    label: str
    type: str = "text"
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    choices_from: str = ""
    multiple: bool = False
    unit: str = ""
    required: bool = False


MONEY = ("price", "cost_price", "retail_price", "sale_price", "map_price", "fixed_cost_shipping_price")

PRODUCT_FIELDS = (
    Field("name", "Name", max_length=250, required=True),
    Field("type", "Type", "enum", choices=("physical", "digital"), required=True),
    Field("sku", "SKU", max_length=255),
    Field("description", "Description", "html"),
    Field("weight", "Weight", "decimal", unit="weight_units", required=True),
    Field("width", "Width", "decimal", unit="dimension_units"),
    Field("height", "Height", "decimal", unit="dimension_units"),
    Field("depth", "Depth", "decimal", unit="dimension_units"),
    Field("price", "Price", "money", required=True),
    Field("cost_price", "Cost price", "money"),
    Field("retail_price", "Retail price", "money"),
    Field("sale_price", "Sale price", "money"),
    Field("map_price", "Minimum advertised price", "money"),
    Field("tax_class_id", "Tax class", "enum", choices_from="tax_classes"),
    Field("product_tax_code", "Tax code", max_length=255),
    Field("categories", "Categories", "enum", choices_from="categories", multiple=True),
    Field("brand_id", "Brand", "enum", choices_from="brands"),
    Field("inventory_tracking", "Inventory tracking", "enum", choices=("none", "product", "variant")),
    Field("inventory_warning_level", "Low stock level", "integer"),
    Field("fixed_cost_shipping_price", "Fixed shipping price", "money"),
    Field("is_free_shipping", "Free shipping", "boolean"),
    Field("is_visible", "Visible", "boolean"),
    Field("is_featured", "Featured", "boolean"),
    Field("warranty", "Warranty", "html", max_length=65535),
    Field("bin_picking_number", "Bin picking number", max_length=255),
    Field("upc", "UPC", max_length=14),
    Field("gtin", "GTIN", max_length=14),
    Field("mpn", "Manufacturer part number"),
    Field("search_keywords", "Search keywords", max_length=65535),
    Field("availability", "Availability", "enum", choices=("available", "disabled", "preorder")),
    Field("availability_description", "Availability text", max_length=255),
    Field("condition", "Condition", "enum", choices=("New", "Used", "Refurbished")),
    Field("is_condition_shown", "Show condition", "boolean"),
    Field("order_quantity_minimum", "Least order quantity", "integer"),
    Field("order_quantity_maximum", "Greatest order quantity", "integer"),
    Field("sort_order", "Sort order", "integer"),
    Field("page_title", "Page title", max_length=255),
    Field("meta_keywords", "Meta keywords", multiple=True),
    Field("meta_description", "Meta description", max_length=65535),
    Field("preorder_release_date", "Pre-order release date", "date"),
    Field("preorder_message", "Pre-order message", max_length=255),
    Field("is_preorder_only", "Pre-order only", "boolean"),
    Field("is_price_hidden", "Hide price", "boolean"),
    Field("price_hidden_label", "Label instead of price", max_length=200),
    Field("custom_url", "Address in the store"),
    Field("images", "Images", "image", multiple=True),
)

VARIANT_FIELDS = (
    Field("sku", "SKU", max_length=255, required=True),
    Field("price", "Price", "money"),
    Field("cost_price", "Cost price", "money"),
    Field("retail_price", "Retail price", "money"),
    Field("sale_price", "Sale price", "money"),
    Field("weight", "Weight", "decimal", unit="weight_units"),
    Field("width", "Width", "decimal", unit="dimension_units"),
    Field("height", "Height", "decimal", unit="dimension_units"),
    Field("depth", "Depth", "decimal", unit="dimension_units"),
    Field("upc", "UPC", max_length=14),
    Field("bin_picking_number", "Bin picking number", max_length=255),
    Field("inventory_warning_level", "Low stock level", "integer"),
    Field("fixed_cost_shipping_price", "Fixed shipping price", "money"),
    Field("is_free_shipping", "Free shipping", "boolean"),
    Field("purchasing_disabled", "Not for sale", "boolean"),
    Field("purchasing_disabled_message", "Text when not for sale", max_length=255),
)

PRODUCT: Mapping[str, Field] = {field.id: field for field in PRODUCT_FIELDS}
VARIANTS: Mapping[str, Field] = {field.id: field for field in VARIANT_FIELDS}


def attribute(field: Field, level: str, facts: Mapping[str, Choice]) -> Attribute:
    """The field as a record, with the store's unit."""
    unit = facts[field.unit].label if field.unit in facts else ""
    return Attribute(
        id=field.id if level == "product" else f"{VARIANT}{field.id}",
        label=field.label,
        type=field.type,
        level=level,
        unit=facts["currency"].label if field.type == "money" and "currency" in facts else unit,
        required=field.required,
        multiple=field.multiple,
        max_length=field.max_length,
        choices={value: Choice(value=value, label=value) for value in field.choices},
        choices_from=field.choices_from,
    )


def raw(amount: Decimal) -> msgspec.Raw:
    """A JSON number with exactly these digits."""
    return msgspec.Raw(format(amount, "f").encode())


def converted(field: Field, value: Value) -> object:
    """A value as the API takes it.

    Raises:
        ValueError: it does not fit the field; says which and why.
    """
    said = value.text.strip()
    if field.multiple:
        return list(value.texts or ((said,) if said else ()))
    if field.max_length is not None and len(value.text) > field.max_length:
        raise ValueError(f"{field.label}: longer than {field.max_length} characters")
    match field.type:
        case "boolean":
            return _boolean(field, said)
        case "integer":
            number = _number(field, said)
            if number != number.to_integral_value():
                raise ValueError(f"{field.label}: not a whole number")
            return int(number)
        case "decimal" | "money":
            return raw(_number(field, said))
        case "date":
            return _date(field, said)
        case "enum" if field.choices:
            known = {one.lower(): one for one in field.choices}
            if said.lower() not in known:
                raise ValueError(f"{field.label}: none of {', '.join(field.choices)}")
            return known[said.lower()]
        case _:
            return value.text


def _boolean(field: Field, said: str) -> bool:
    if said.lower() in ("true", "1", "yes"):
        return True
    if said.lower() in ("false", "0", "no", ""):
        return False
    raise ValueError(f"{field.label}: neither true nor false")


def _number(field: Field, said: str) -> Decimal:
    try:
        number = Decimal(said)
    except InvalidOperation as cause:
        raise ValueError(f"{field.label}: not a number") from cause
    if not number.is_finite() or abs(number.adjusted()) > 20:
        raise ValueError(f"{field.label}: not a number")
    return number


def _date(field: Field, said: str) -> str:
    try:
        return datetime.fromisoformat(said).isoformat()
    except ValueError as cause:
        raise ValueError(f"{field.label}: not a date") from cause
