"""Product and variant fields that can be written (ProductSetInput, ProductUpdateInput, ProductVariantsBulkInput).

Attribute ids: a product's field by its own name, a variant's as `variant.NAME`, an option as `option:NAME`, a metafield
as `metafield:NAMESPACE.KEY` (of a variant `variant.metafield:NAMESPACE.KEY`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import msgspec

from omnichannel_core.records import Attribute, Choice, Value

VARIANT, OPTION, META, CATEGORY, ENTRY = "variant.", "option:", "metafield:", "category:", "metaobject:"


class Field(NamedTuple):
    """One writable field."""

    id: str
    label: str
    type: str = "text"
    max_length: int | None = None
    choices: tuple[str, ...] = ()
    choices_from: str = ""
    multiple: bool = False
    unit: str = ""
    required: bool = False


PRODUCT_FIELDS = (
    Field("title", "Title", max_length=255, required=True),
    Field("descriptionHtml", "Description", "html"),
    Field("vendor", "Vendor", max_length=255),
    Field("productType", "Product type", max_length=255),
    Field("category", "Category", "enum", choices_from="categories"),
    Field("tags", "Tags", multiple=True),
    Field("status", "Status", "enum", choices=("ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED")),
    Field("handle", "Handle", max_length=255),
    Field("seo.title", "SEO title", max_length=255),
    Field("seo.description", "SEO description"),
    Field("templateSuffix", "Template suffix", max_length=255),
    Field("collections", "Collections", "enum", choices_from="collections", multiple=True),
    Field("images", "Images", "image", multiple=True),
)

VARIANT_FIELDS = (
    Field("sku", "SKU", max_length=255, required=True),
    Field("barcode", "Barcode", max_length=255),
    Field("price", "Price", "money"),
    Field("compareAtPrice", "Compare-at price", "money"),
    Field("cost", "Cost per item", "money"),
    Field("weight", "Weight", "decimal", unit="weight_unit"),
    Field("taxable", "Charge tax", "boolean"),
    Field("taxCode", "Tax code", max_length=255),
    Field("inventoryPolicy", "When sold out", "enum", choices=("DENY", "CONTINUE")),
    Field("tracked", "Track stock", "boolean"),
    Field("requiresShipping", "Needs shipping", "boolean"),
    Field("countryCodeOfOrigin", "Country of origin", max_length=2),
    Field("harmonizedSystemCode", "HS code", max_length=13),
)

OF_ITEM = frozenset(
    {"sku", "cost", "weight", "tracked", "requiresShipping", "countryCodeOfOrigin", "harmonizedSystemCode"}
)
"""Fields of a variant that are its inventory item's."""

PRODUCT: Mapping[str, Field] = {field.id: field for field in PRODUCT_FIELDS}
VARIANTS: Mapping[str, Field] = {field.id: field for field in VARIANT_FIELDS}


def attribute(field: Field, level: str, facts: Mapping[str, Choice]) -> Attribute:
    """The field as a record, with the shop's unit or currency."""
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
        case "money":
            return format(_number(field, said), "f") if said else None
        case "decimal":
            return raw(_number(field, said))
        case "enum" if field.choices:
            if said.upper() not in field.choices:
                raise ValueError(f"{field.label}: none of {', '.join(field.choices)}")
            return said.upper()
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
