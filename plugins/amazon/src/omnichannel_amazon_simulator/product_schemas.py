"""Synthetic product type definitions: JSON Schema 2019-09 in Amazon's dialect, none of them a real one (guide 9)."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from omnichannel_amazon_simulator.answers import Row, encode

META = "https://schemas.amazon.com/selling-partners/definitions/product-types/meta-schema/v1"
VOCABULARY = "https://schemas.amazon.com/selling-partners/definitions/product-types/vocabulary/v1"
NAMED = ("SHIRT", "SHOES", "LUGGAGE", "KETTLE", "NOTEBOOK", "WATER_BOTTLE", "MONITOR_MOUNT", "SOCKS", "PHONE_CASE")
MATERIALS = ("cotton", "leather", "steel", "wool", "plastic", "bamboo", "glass", "linen")
COLORS = ("black", "white", "red", "blue", "green", "yellow", "silver", "multi")
OFFER = (
    "condition_type",
    "fulfillment_availability",
    "purchasable_offer",
    "list_price",
    "merchant_shipping_group",
    "merchant_suggested_asin",
    "product_tax_code",
)
NEEDED = ("item_name", "brand", "bullet_point", "country_of_origin", "product_description", "item_type_keyword")
OFFER_NEEDED = ("condition_type", "purchasable_offer", "fulfillment_availability")


class Edition(NamedTuple):
    """Which schemas there are: their version, and how many attributes make each one heavier."""

    version: int = 1
    weight: int = 0


def names(count: int) -> list[str]:
    """PRODUCT, a few that read well, and as many more as are wanted."""
    more = [f"SYNTHETIC_TYPE_{number:04d}" for number in range(count)]
    return ["PRODUCT", *NAMED, *more][: max(1, count)]


def display_name(name: str) -> str:
    return name.replace("_", " ").title()


def _attribute(title: str, value: Row, *, most: int = 1, local: bool = False, **words: object) -> Row:
    """An array of objects, as every attribute is."""
    selectors = ["marketplace_id", "language_tag"] if local else ["marketplace_id"]
    properties: Row = {"value": {"title": title, "editable": True, "hidden": False} | value}
    for each in selectors:
        properties[each] = {"$ref": f"#/$defs/{each}"}
    return {
        "title": title,
        "description": f"{title} of the item.",
        "examples": [],
        "type": "array",
        "minItems": 1,
        "minUniqueItems": 1,
        "maxUniqueItems": most,
        "selectors": selectors,
        "items": {
            "type": "object",
            "required": ["value", *selectors],
            "properties": properties,
            "additionalProperties": False,
        },
    } | words


def _text(most: int = 500) -> Row:
    return {"type": "string", "minLength": 1, "maxLength": most, "maxUtf8ByteLength": most * 2}


def _choice(values: tuple[str, ...]) -> Row:
    return {"type": "string", "enum": list(values), "enumNames": [value.title() for value in values]}


def _measure(title: str, units: tuple[str, ...]) -> Row:
    made = _attribute(title, {"type": "number", "minimum": 0})
    made["items"]["properties"]["unit"] = _choice(units)
    made["items"]["required"].append("unit")
    return made


def _product(number: int, edition: Edition) -> Row:
    """Attributes about the product; which optional ones there are depends on the type."""
    rows: Row = {
        "item_name": _attribute("Item Name", _text(200), local=True),
        "brand": _attribute("Brand Name", _text(100), local=True),
        "bullet_point": _attribute("Bullet Point", _text(500), most=5, local=True),
        "product_description": _attribute("Product Description", _text(2000), local=True),
        "item_type_keyword": _attribute("Item Type Keyword", _text(100)),
        "country_of_origin": _attribute("Country of Origin", _choice(("DE", "FR", "CN", "JP", "US", "IT"))),
        "batteries_required": _attribute("Batteries Required", {"type": "boolean"}),
        "num_batteries": _attribute("Number of Batteries", {"type": "integer", "minimum": 0, "maximum": 99}),
        "parentage_level": _attribute("Parentage Level", _choice(("child", "parent"))),
        "item_package_weight": _measure("Package Weight", ("grams", "kilograms", "pounds")),
        "externally_assigned_product_identifier": _identifier(),
    }
    if number % 2:
        rows["color"] = _attribute("Color", _choice(COLORS), local=True)
    if number % 3:
        rows["material"] = _attribute("Material", _choice(MATERIALS), most=3)
    for extra in range(number % 7 + edition.version - 1 + edition.weight):
        rows[f"feature_{extra}"] = _attribute(f"Feature {extra}", _text(100), local=bool(extra % 2))
    rows["launch_batch"] = _attribute("Launch Batch", {"type": "string", "editable": False, "hidden": True})
    return rows


def _identifier() -> Row:
    made = _attribute("External Product ID", {"type": "string", "pattern": "^[0-9]{8,14}$"})
    made["items"]["properties"]["type"] = _choice(("ean", "upc", "gtin"))
    made["items"]["required"].append("type")
    made["selectors"] = ["marketplace_id", "type"]
    return made


def _offer() -> Row:
    """Attributes about the offer."""
    listed = _attribute("List Price", {"type": "number", "minimum": 0})
    listed["items"]["properties"]["currency"] = {"type": "string"}
    conditions = ("new_new", "used_like_new", "used_good", "refurbished_refurbished")
    return {
        "condition_type": _attribute("Item Condition", _choice(conditions)),
        "fulfillment_availability": _availability(),
        "purchasable_offer": _purchasable(),
        "list_price": listed,
        "merchant_shipping_group": _attribute("Shipping Template", _text(100)),
        "merchant_suggested_asin": _attribute("ASIN", {"type": "string", "pattern": "^B[0-9A-Z]{9}$"}),
        "product_tax_code": _attribute("Product Tax Code", _text(50)),
    }


def _purchasable() -> Row:
    price: Row = {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["schedule"],
            "properties": {"schedule": {"type": "array", "minItems": 1, "items": _schedule()}},
        },
    }
    purchasable = _attribute("Offer", {})
    purchasable |= {"selectors": ["marketplace_id", "currency", "audience"], "maxUniqueItems": 2}
    purchasable["items"] = {
        "type": "object",
        "required": ["our_price", "marketplace_id", "currency"],
        "properties": {
            "marketplace_id": {"$ref": "#/$defs/marketplace_id"},
            "currency": {"type": "string", "minLength": 3, "maxLength": 3},
            "audience": _choice(("ALL", "B2B")),
            "our_price": price,
            "discounted_price": price,
            "minimum_seller_allowed_price": price,
            "start_at": {"type": "object"},
            "end_at": {"type": "object"},
            "quantity_discount_plan": {"type": "array"},
        },
    }
    return purchasable


def _schedule() -> Row:
    value = {"type": "number", "minimum": 0, "maximum": 1_000_000}
    dates = {"type": "string"}
    properties = {"value_with_tax": value, "start_at": dates, "end_at": dates}
    return {"type": "object", "required": ["value_with_tax"], "properties": properties}


def _availability() -> Row:
    made = _attribute("Fulfillment Availability", {})
    made |= {"selectors": ["fulfillment_channel_code"], "maxUniqueItems": 5}
    made["items"] = {
        "type": "object",
        "required": ["fulfillment_channel_code"],
        "properties": {
            "fulfillment_channel_code": _choice(("DEFAULT", "AMAZON_EU", "AMAZON_NA", "AMAZON_JP")),
            "quantity": {"type": "integer", "minimum": 0},
            "lead_time_to_ship_max_days": {"type": "integer", "minimum": 0, "maximum": 30},
            "restock_date": {"type": "string"},
            "is_inventory_available": {"type": "boolean"},
        },
    }
    return made


@lru_cache(maxsize=512)
def attributes(name: str, edition: Edition) -> Row:
    """Attribute -> its schema; of PRODUCT only those of the offer."""
    number = sum(map(ord, name))
    return _offer() if name == "PRODUCT" else _product(number, edition) | _offer()


def required(name: str, requirements: str) -> list[str]:
    if name == "PRODUCT" or requirements == "LISTING_OFFER_ONLY":
        return list(OFFER_NEEDED)
    return [*NEEDED, *(OFFER_NEEDED if requirements == "LISTING" else ())]


@lru_cache(maxsize=256)
def schema(name: str, marketplace: str, requirements: str, locale: str, edition: Edition, *, enforced: bool) -> bytes:
    """The document behind the schema link."""
    properties = attributes(name, edition)
    if requirements == "LISTING_OFFER_ONLY":
        properties = {key: value for key, value in properties.items() if key in OFFER}
    if requirements == "LISTING_PRODUCT_ONLY":
        properties = {key: value for key, value in properties.items() if key not in OFFER}
    document = {
        "$schema": META,
        "$id": f"https://schemas.amazon.com/selling-partners/definitions/product-types/schema/v1/{name}",
        "$comment": f"Amazon product type definition schema for {name} product type in {marketplace}",
        "$defs": {
            "marketplace_id": {"type": "string", "title": "Marketplace", "default": marketplace, "enum": [marketplace]},
            "language_tag": {"type": "string", "title": "Language", "default": locale, "enum": [locale, "en_GB"]},
        },
        "type": "object",
        "required": required(name, requirements) if enforced else [],
        "properties": properties,
        "additionalProperties": False,
    }
    conditions = _conditions(properties)
    return encode(document | ({"allOf": conditions} if conditions else {}))


def _conditions(properties: Row) -> list[Row]:
    """What is needed only sometimes."""
    if "batteries_required" not in properties:
        return []
    value = {"contains": {"properties": {"value": {"const": True}}, "required": ["value"]}}
    needed = {"required": ["batteries_required"], "properties": {"batteries_required": value}}
    return [{"if": needed, "then": {"required": ["num_batteries"]}}]


@lru_cache(maxsize=1)
def meta_schema() -> bytes:
    """The document behind the metaSchema link: the dialect's keywords on top of 2019-09."""
    number = {"type": "integer", "minimum": 0}
    words: Row = {
        "editable": {"type": "boolean"},
        "hidden": {"type": "boolean"},
        "enumNames": {"type": "array"},
        "selectors": {"type": "array", "items": {"type": "string"}},
        "minUniqueItems": number,
        "maxUniqueItems": number,
        "minUtf8ByteLength": number,
        "maxUtf8ByteLength": number,
    }
    core = "https://json-schema.org/draft/2019-09"
    vocabularies = ("core", "applicator", "validation", "meta-data", "format", "content")
    return encode(
        {
            "$schema": f"{core}/schema",
            "$id": META,
            "$vocabulary": {f"{core}/vocab/{each}": each != "format" for each in vocabularies} | {VOCABULARY: True},
            "$recursiveAnchor": True,
            "allOf": [{"$ref": f"{core}/schema"}],
            "properties": words,
        }
    )
