"""Products, variants, inventory items and levels, collections, publications, price lists, metafields of a shop."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any

from omnichannel_shopify_simulator.goods import Good
from omnichannel_shopify_simulator.values import amount, cents, gid, iso, number

Row = dict[str, Any]
STATES = ("available", "on_hand", "committed", "incoming", "reserved", "damaged", "safety_stock", "quality_control")
COLORS, SIZES = ("Black", "Sand", "Sea"), ("S", "M", "L")


class Catalog:
    """Rows by number. A product's row holds `_variants` (numbers in order); a variant's row its inventory item."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.ids = count(8_000_000_000_001)
        self.products: dict[int, Row] = {}
        self.variants: dict[int, Row] = {}
        self.items: dict[int, Row] = {}
        self.collections: dict[int, Row] = {}
        self.publications: dict[int, Row] = {}
        self.price_lists: dict[int, Row] = {}
        self.operations: dict[int, Row] = {}
        self.jobs: dict[str, float] = {}

    def new_product(self, words: Row, now: float) -> Row:
        """A product without variants; `words` are fields of the row."""
        n = next(self.ids)
        title = words.get("title", "")
        row: Row = {
            "id": gid("Product", n), "title": title, "handle": self.free_handle(words.get("handle") or title, n),
            "descriptionHtml": "", "vendor": "", "productType": "", "status": "ACTIVE", "tags": [], "_category": None,
            "createdAt": iso(now), "updatedAt": iso(now), "seo": {"title": None, "description": None}, "media": [],
            "options": [], "metafields": [], "_variants": [], "_collections": [], "_published": set(),
        }  # fmt: skip
        row |= {key: value for key, value in words.items() if key != "handle"}
        self.products[n] = row
        return row

    def free_handle(self, text: str, own: int) -> str:
        wanted = "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split()) or f"product-{own}"
        taken = {row["handle"] for n, row in self.products.items() if n != own}
        found, k = wanted, 0
        while found in taken:
            k += 1
            found = f"{wanted}-{k}"
        return found

    def new_variant(self, product: Row, words: Row, now: float) -> Row:
        """A variant with its inventory item, stocked at the merchant's first location."""
        n = next(self.ids)
        item: Row = {
            "id": gid("InventoryItem", n), "_sku": None, "tracked": True, "requiresShipping": True, "unitCost": None,
            "levels": {}, "_variant": n, "_bundle": False,
        }  # fmt: skip
        row: Row = {
            "id": gid("ProductVariant", n), "_product": number(product["id"]), "barcode": None, "price": "0.00",
            "compareAtPrice": None, "taxable": True, "inventoryPolicy": "DENY", "createdAt": iso(now),
            "updatedAt": iso(now), "selectedOptions": [{"name": "Title", "value": "Default Title"}], "metafields": [],
            "_item": n, "_prices": {}, "_made": now,
        }  # fmt: skip
        row |= words
        self.items[n], self.variants[n] = item, row
        product["_variants"].append(n)
        self.level(item, 1)
        return row

    def level(self, item: Row, location: int) -> Row:
        """The inventory level, made when it is not there."""
        levels: dict[int, Row] = item["levels"]
        if location not in levels:
            levels[location] = {
                "id": f"gid://shopify/InventoryLevel/{number(item['id'])}?inventory_item_id={number(item['id'])}&location={location}",
                "_item": number(item["id"]), "_location": location, "isActive": True,
                "_quantities": dict.fromkeys(STATES, 0), "_changed": {},
            }  # fmt: skip
        return levels[location]

    def drop_variant(self, n: int) -> None:
        row = self.variants.pop(n)
        self.items.pop(row["_item"], None)
        self.products[row["_product"]]["_variants"].remove(n)

    def drop_product(self, n: int) -> None:
        for variant in list(self.products[n]["_variants"]):
            self.drop_variant(variant)
        del self.products[n]

    def variants_of(self, product: Row) -> list[Row]:
        return [self.variants[n] for n in product["_variants"]]

    def sku_of(self, variant: Row) -> str | None:
        sku: str | None = self.items[variant["_item"]]["_sku"]
        return sku

    def title_of(self, variant: Row) -> str:
        return " / ".join(each["value"] for each in variant["selectedOptions"])

    def duplicates(self, item: Row) -> int:
        sku = item["_sku"]
        return sum(other["_sku"] == sku for other in self.items.values()) - 1 if sku else 0

    def refresh_options(self, product: Row) -> None:
        """Option values are those that variants have, in the order they came."""
        for option in product["options"]:
            seen = dict.fromkeys(
                each["value"]
                for variant in self.variants_of(product)
                for each in variant["selectedOptions"]
                if each["name"] == option["name"]
            )
            known = {each["name"]: each for each in option["optionValues"]}
            option["optionValues"] = [
                known.get(name) or {"id": gid("ProductOptionValue", next(self.ids)), "name": name} for name in seen
            ]

    def goods(self) -> Iterator[Good]:
        for row in list(self.products.values())[:200]:
            for variant in self.variants_of(row)[:3]:
                title = self.title_of(variant)
                yield Good(
                    number(row["id"]), number(variant["id"]), self.sku_of(variant) or "", row["title"],
                    None if title == "Default Title" else title, row["vendor"], cents(variant["price"]),
                )  # fmt: skip


def metafield(catalog: Catalog, words: Row) -> Row:
    """A metafield of any owner."""
    value = words["value"]
    return {
        "id": gid("Metafield", next(catalog.ids)), "namespace": words["namespace"], "key": words["key"],
        "type": words.get("type") or "single_line_text_field", "value": value, "compareDigest": digest(value),
    }  # fmt: skip


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def sow(catalog: Catalog, seed: int, products: int, now: float) -> None:
    """Fills a new shop."""
    rng = Random(seed)
    for n, name in enumerate(("Home page", "Summer"), 1):
        catalog.collections[n] = {"id": gid("Collection", n), "title": name, "handle": name.lower().replace(" ", "-")}
    for n, (name, auto) in enumerate((("Online Store", True), ("Point of Sale", False)), 1):
        owner = {"__typename": "AppCatalog", "id": gid("AppCatalog", n), "title": name}
        catalog.publications[n] = {
            "id": gid("Publication", n), "autoPublish": auto, "supportsFuturePublishing": n == 1, "catalog": owner,
        }  # fmt: skip
    catalog.price_lists[1] = {"id": gid("PriceList", 1), "name": "Canada", "currency": "CAD"}
    catalog.price_lists[2] = {"id": gid("PriceList", 2), "name": "Wholesale", "currency": catalog.currency}
    for n in range(products):
        _product(catalog, rng, n, now - 86_400 * 30 + n)


def _product(catalog: Catalog, rng: Random, n: int, at: float) -> None:
    thing = rng.choice(("shirt", "lamp", "mug", "chair"))
    title = f"{rng.choice(('Blue', 'Warm', 'Plain', 'Sturdy'))} {thing} {n + 1}"
    words = {"title": title, "descriptionHtml": f"<p>{title}</p>", "vendor": rng.choice(("Acme", "Nordic"))}
    words |= {"productType": thing}
    product = catalog.new_product(words, at)
    product["_category"] = ("shirt", "lamp", "mug", "chair").index(thing) + 2
    product["_published"].add(1)
    price = rng.randint(199, 19_999)
    chosen: list[list[Row]] = [[{"name": "Title", "value": "Default Title"}]]
    if n % 3 == 0:
        chosen = [[{"name": "Size", "value": size}] for size in SIZES]
    if n % 6 == 0:
        chosen = [[*each, {"name": "Color", "value": color}] for each in chosen for color in COLORS]
    product["options"] = [
        {
            "id": gid("ProductOption", next(catalog.ids)), "name": each["name"], "position": k, "optionValues": [],
            "linkedMetafield": None,
        }
        for k, each in enumerate(chosen[0], 1)
    ]  # fmt: skip
    for values in chosen:
        variant = catalog.new_variant(product, {"price": f"{price / 100:.2f}", "selectedOptions": values}, at)
        item = catalog.items[variant["_item"]]
        code = "-".join(each["value"] for each in values)
        item["_sku"] = f"SKU-{n + 1}" if code == "Default Title" else f"SKU-{n + 1}-{code}"
        item["unitCost"] = {"amount": amount(price // 2), "currencyCode": catalog.currency}
        variant["barcode"] = f"{4_000_000_000_000 + n}"
        for location in (1, 2):
            quantities = catalog.level(item, location)["_quantities"]
            quantities["available"] = quantities["on_hand"] = rng.randint(0, 80)
    catalog.refresh_options(product)
