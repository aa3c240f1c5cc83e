"""A catalog to begin with."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from omnichannel_bigcommerce_simulator.catalog import (
    BLANK,
    Catalog,
    Product,
    brand_row,
    category_row,
    option_row,
    value_row,
)
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.order_shapes import Goods

Row = dict[str, Any]

COLORS = (("Red", "#FF0000"), ("Blue", "#0000FF"), ("Green", "#00AA00"))
SIZES = ("S", "M", "L", "XL")


def sow(catalog: Catalog, seed: int, products: int, now: float) -> None:
    """Brands, a tree of categories, and `products` products, two in five with variants."""
    rng = Random(f"catalog/{seed}")
    for name in ("Northwind", "Contoso", "Fabrikam"):
        number = next(catalog.ids)
        catalog.brands[number] = brand_row(number, {"name": name})
    catalog.trees[1] = {"id": 1, "name": "Default catalog tree", "channels": [1]}
    parent = 0
    for name in ("Clothing", "Shirts", "Garden"):
        number = next(catalog.ids)
        parent = parent if name == "Shirts" else 0
        catalog.categories[number] = category_row(number, {"name": name, "tree_id": 1, "parent_id": parent})
        parent = number
    for n in range(products):
        catalog.take(_product(catalog, rng, n, now))


def _product(catalog: Catalog, rng: Random, n: int, now: float) -> Product:
    number = next(catalog.product_ids)
    name = f"{rng.choice(('Blue', 'Warm', 'Plain', 'Sturdy'))} {rng.choice(('shirt', 'lamp', 'mug', 'chair'))} {n + 1}"
    row: Row = BLANK | {
        "id": number,
        "name": name,
        "sku": f"SKU-{n + 1}",
        "description": f"<p>{name}</p>",
        "weight": rng.randint(1, 40) / 4,
        "price": rng.randint(199, 19_999) / 100,
        "categories": [rng.choice(list(catalog.categories))],
        "brand_id": rng.choice(list(catalog.brands)),
        "inventory_tracking": ("product", "variant", "variant", "none")[n % 4]
        if n % 5 > 2
        else ("product", "none")[n % 2],
        "upc": f"{10**11 + n}",
        "custom_url": {"url": f"/product-{number}/", "is_customized": False},
        "date_created": iso(now - 86_400 * 30),
        "date_modified": iso(now - 86_400 * 30 + n),
    }
    product = Product(row)
    product.custom_fields.append(
        {"id": next(catalog.ids), "name": "Material", "value": rng.choice(("Cotton", "Wool", "Oak"))}
    )
    if n % 5 > 2:
        row["inventory_tracking"] = "variant"
        row["base_variant_id"] = None
        _add_options(catalog, product, with_colors=n % 5 == 4)
    else:
        product.variants.append(catalog.base_variant(product))
    return product


def _add_options(catalog: Catalog, product: Product, *, with_colors: bool) -> None:
    size = option_row(next(catalog.ids), product.id, {"display_name": "Size", "type": "rectangles"})
    size["option_values"] = [value_row(next(catalog.ids), {"label": s, "sort_order": k}) for k, s in enumerate(SIZES)]
    product.options.append(size)
    chosen: list[list[Row]] = [[_chosen(size, value)] for value in size["option_values"]]
    if with_colors:
        color = option_row(next(catalog.ids), product.id, {"display_name": "Color", "type": "swatch", "sort_order": 1})
        color["option_values"] = [
            value_row(next(catalog.ids), {"label": c, "sort_order": k, "value_data": {"colors": [x]}})
            for k, (c, x) in enumerate(COLORS)
        ]
        product.options.append(color)
        chosen = [[*each, _chosen(color, value)] for each in chosen for value in color["option_values"]]
    for values in chosen:
        code = "-".join(value["label"] for value in values)
        product.variants.append(
            catalog.new_variant(product, {"sku": f"{product.row['sku']}-{code}", "option_values": values})
        )


def _chosen(option: Row, value: Row) -> Row:
    return {
        "id": value["id"],
        "label": value["label"],
        "option_id": option["id"],
        "option_display_name": option["display_name"],
    }


def goods_of(catalog: Catalog) -> tuple[Goods, ...]:
    """What seeded orders are filled with."""
    found: list[Goods] = []
    for product in list(catalog.products.values())[:200]:
        brand = catalog.brands.get(product.row["brand_id"], {}).get("name", "")
        for variant in product.variants[:3]:
            options = tuple((v["option_display_name"], v["label"]) for v in variant["option_values"])
            price = Decimal(str(product.row["price"])).quantize(Decimal("0.01"))
            number, name, weight = variant["id"], product.row["name"], str(product.row["weight"])
            found.append(Goods(product.id, number, variant["sku"], name, price, options, weight, brand))
    return tuple(found)
