"""The catalog's state: products with variants, options, modifiers, fields; brands, category trees; and its rules of
uniqueness.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from omnichannel_bigcommerce_simulator.errors import Refused

Row = dict[str, Any]

NUMBERS = [
    "weight",
    "width",
    "depth",
    "height",
    "price",
    "cost_price",
    "retail_price",
    "sale_price",
    "map_price",
    "tax_class_id",
    "fixed_cost_shipping_price",
    "order_quantity_minimum",
    "order_quantity_maximum",
    "sort_order",
    "inventory_level",
    "inventory_warning_level",
    "brand_id",
]
LENGTHS = {
    "name": 250,
    "sku": 255,
    "upc": 14,
    "gtin": 14,
    "page_title": 255,
    "bin_picking_number": 255,
    "availability_description": 255,
}
WORDS = {
    "type": ("physical", "digital"),
    "inventory_tracking": ("none", "product", "variant"),
    "availability": ("available", "disabled", "preorder"),
    "condition": ("New", "Used", "Refurbished"),
    "gift_wrapping_options_type": ("any", "none", "list"),
}
SKUS = 600  # per product (guide 1.14)

BLANK: Row = {
    "name": "",
    "type": "physical",
    "sku": "",
    "description": "",
    "weight": 0,
    "width": 0,
    "depth": 0,
    "height": 0,
    "price": 0,
    "cost_price": 0,
    "retail_price": 0,
    "sale_price": 0,
    "map_price": 0,
    "tax_class_id": 0,
    "product_tax_code": "",
    "categories": [],
    "brand_id": 0,
    "inventory_level": 0,
    "inventory_warning_level": 0,
    "inventory_tracking": "none",
    "fixed_cost_shipping_price": 0,
    "is_free_shipping": False,
    "is_visible": True,
    "is_featured": False,
    "related_products": [-1],
    "warranty": "",
    "bin_picking_number": "",
    "layout_file": "product.html",
    "upc": "",
    "mpn": "",
    "gtin": "",
    "search_keywords": "",
    "availability_description": "",
    "availability": "available",
    "gift_wrapping_options_type": "any",
    "gift_wrapping_options_list": [],
    "sort_order": 0,
    "condition": "New",
    "is_condition_shown": False,
    "order_quantity_minimum": 0,
    "order_quantity_maximum": 0,
    "page_title": "",
    "meta_keywords": [],
    "meta_description": "",
    "view_count": 0,
    "preorder_release_date": None,
    "preorder_message": "",
    "is_preorder_only": False,
    "is_price_hidden": False,
    "price_hidden_label": "",
    "open_graph_type": "product",
    "open_graph_title": "",
    "open_graph_description": "",
    "open_graph_use_meta_description": True,
    "open_graph_use_product_name": True,
    "open_graph_use_image": True,
    "reviews_rating_sum": 0,
    "reviews_count": 0,
    "total_sold": 0,
}
READ_ONLY = frozenset(
    {
        "id",
        "date_created",
        "date_modified",
        "base_variant_id",
        "calculated_price",
        "reviews_rating_sum",
        "reviews_count",
    }
)
VARIANT_BLANK: Row = {
    "cost_price": 0,
    "price": None,  # inherits the product's
    "sale_price": None,
    "retail_price": None,
    "map_price": None,
    "weight": None,
    "width": None,
    "height": None,
    "depth": None,
    "is_free_shipping": False,
    "fixed_cost_shipping_price": None,
    "purchasing_disabled": False,
    "purchasing_disabled_message": "",
    "upc": "",
    "image_url": "",
    "inventory_level": 0,
    "inventory_warning_level": 0,
    "bin_picking_number": "",
    "mpn": "",
    "gtin": "",
}


@dataclass(slots=True)
class Product:
    """A product's row and what hangs below it; `variants` always has at least one (the base variant)."""

    row: Row
    variants: list[Row] = field(default_factory=list)
    options: list[Row] = field(default_factory=list)
    modifiers: list[Row] = field(default_factory=list)
    custom_fields: list[Row] = field(default_factory=list)
    images: list[Row] = field(default_factory=list)
    videos: list[Row] = field(default_factory=list)
    bulk_pricing_rules: list[Row] = field(default_factory=list)
    channels: set[int] = field(default_factory=lambda: {1})

    @property
    def id(self) -> int:
        return int(self.row["id"])


class Catalog:
    """Everything under /v3/catalog of one store."""

    def __init__(self) -> None:
        self.products: dict[int, Product] = {}
        self.variants: dict[int, tuple[Product, Row]] = {}
        self.brands: dict[int, Row] = {}
        self.trees: dict[int, Row] = {}
        self.categories: dict[int, Row] = {}
        self.names: dict[str, int] = {}
        self.skus: dict[str, tuple[int, int]] = {}
        self.product_ids = count(111)
        self.variant_ids = count(301)
        self.ids = count(1000)

    def take(self, product: Product) -> None:
        """Indexes a product and its variants."""
        self.products[product.id] = product
        self.names[product.row["name"].lower()] = product.id
        for variant in product.variants:
            self.take_variant(product, variant)
        if product.row["sku"]:
            self.skus.setdefault(product.row["sku"].lower(), (product.id, 0))

    def take_variant(self, product: Product, variant: Row) -> None:
        self.variants[variant["id"]] = (product, variant)
        if variant["sku"]:
            self.skus[variant["sku"].lower()] = (product.id, variant["id"])

    def drop(self, product: Product) -> None:
        del self.products[product.id]
        self.names.pop(product.row["name"].lower(), None)
        for variant in product.variants:
            self.drop_variant(variant)
        self.skus.pop(product.row["sku"].lower(), None)

    def drop_variant(self, variant: Row) -> None:
        self.variants.pop(variant["id"], None)
        self.skus.pop(variant["sku"].lower(), None)

    def sku_taken(self, sku: str, by: int = 0) -> bool:
        """Is the SKU somebody else's? `by` is the variant that may have it."""
        owner = self.skus.get(sku.lower())
        return bool(sku) and owner is not None and owner[1] != by

    def base_variant(self, product: Product) -> Row:
        """The variant that a product without options is sold by."""
        row = self.new_variant(product, {"sku": product.row["sku"]})
        row["cost_price"] = product.row["cost_price"]
        row["upc"], row["mpn"], row["gtin"] = product.row["upc"], product.row["mpn"], product.row["gtin"]
        product.row["base_variant_id"] = row["id"]
        return row

    def new_variant(self, product: Product, words: Row) -> Row:
        number = next(self.variant_ids)
        row = VARIANT_BLANK | {key: words[key] for key in VARIANT_BLANK if key in words}
        row |= {"id": number, "product_id": product.id, "sku": words.get("sku", ""), "sku_id": number + 50_000}
        return row | {"option_values": words.get("option_values", [])}


def calculated(product: Product, variant: Row) -> Row:
    """A variant's row with the computed price and weight."""
    own, sale = variant["price"], variant["sale_price"]
    price = sale or (own if own is not None else product.row["sale_price"] or product.row["price"])
    weight = variant["weight"] if variant["weight"] is not None else product.row["weight"]
    return variant | {"calculated_price": price, "calculated_weight": weight}


def wrong_words(words: Row, *, whole: bool) -> Row:
    """Field errors of a product's words; empty when good."""
    wrong: Row = {}
    if whole:
        wrong = {key: "error.path.missing" for key in ("name", "type", "weight", "price") if key not in words}
    for key, most in LENGTHS.items():
        if key in words and (not isinstance(words[key], str) or len(words[key]) > most):
            wrong[key] = f"The {key} must be a text of at most {most} characters"
    if "name" in words and not str(words["name"]).strip():
        wrong["name"] = "name must not be blank"
    for key, allowed in WORDS.items():
        if key in words and words[key] not in allowed:
            wrong[key] = "error.expected.enum: " + ", ".join(allowed)
    for key in NUMBERS:
        value = words.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or (key != "sort_order" and value < 0):
            wrong[key] = "error.expected.jsnumber"
    return wrong


def check_references(catalog: Catalog, words: Row, tax_classes: set[int]) -> None:
    """Raises Refused: 409 for a brand, category or tax class that is not there (guide 1.8)."""
    if words.get("brand_id") and words["brand_id"] not in catalog.brands:
        raise Refused(409, "The brand does not exist", errors={"brand_id": "unknown brand"})
    if any(number not in catalog.categories for number in words.get("categories", [])):
        raise Refused(409, "A category does not exist", errors={"categories": "unknown category"})
    if words.get("tax_class_id", 0) not in tax_classes:
        raise Refused(409, "The tax class does not exist", errors={"tax_class_id": "unknown tax class"})


def option_row(number: int, product_id: int, words: Row) -> Row:
    return {
        "id": number,
        "product_id": product_id,
        "name": f"{words['display_name']}{number}",
        "display_name": words["display_name"],
        "type": words["type"],
        "sort_order": words.get("sort_order", 0),
        "option_values": [],
        "config": words.get("config", {}),
    }


def value_row(number: int, words: Row) -> Row:
    return {
        "id": number,
        "label": words["label"],
        "sort_order": words.get("sort_order", 0),
        "value_data": words.get("value_data"),
        "is_default": bool(words.get("is_default", False)),
    }


def brand_row(number: int, words: Row) -> Row:
    blank = {"page_title": "", "meta_keywords": [], "meta_description": "", "search_keywords": "", "image_url": ""}
    url = {"url": f"/brand-{number}/", "is_customized": False}
    return {
        "id": number,
        "name": words["name"],
        **{key: words.get(key, blank[key]) for key in blank},
        "custom_url": url,
    }


def category_row(number: int, words: Row) -> Row:
    blank: Row = {
        "description": "",
        "views": 0,
        "sort_order": 0,
        "page_title": "",
        "meta_keywords": [],
        "meta_description": "",
        "layout_file": "category.html",
        "image_url": "",
        "is_visible": True,
        "search_keywords": "",
        "default_product_sort": "use_store_settings",
    }
    return {
        "category_id": number,
        "category_uuid": f"00000000-0000-4000-8000-{number:012d}",
        "tree_id": words["tree_id"],
        "parent_id": words.get("parent_id", 0),
        "name": words["name"],
        **{key: words.get(key, value) for key, value in blank.items()},
        "url": words.get("url", {"path": f"/category-{number}/", "is_customized": False}),
    }
