"""Brands, category trees and categories, assignments of products to channels and categories (catalog/*)."""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty, reply
from omnichannel_bigcommerce_simulator.catalog import brand_row, category_row
from omnichannel_bigcommerce_simulator.errors import TYPE_URL, Refused, invalid, not_found, too_many
from omnichannel_bigcommerce_simulator.paging import by_id, chosen, v3_list
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()
BATCH = 50


def _brand(call: Call) -> Row:
    brand = call.store.catalog.brands.get(call.id("brand"))
    if brand is None:
        raise not_found("A brand was not found with an id of " + call.params["brand"])
    return brand


def _check_brand(call: Call, words: Row, own: int = 0) -> None:
    name = words.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 255:
        raise invalid({"name": "name must be a text of 1 to 255 characters"})
    if any(row["name"].lower() == name.lower() and row["id"] != own for row in call.store.catalog.brands.values()):
        raise Refused(409, "The brand name is a duplicate", errors={"name": "duplicate"})


@routes.get("/v3/catalog/brands", "products")
def list_brands(call: Call) -> Answer:
    rows = by_id(call.store.catalog.brands.values(), call)
    if "name" in call.query:
        rows = [row for row in rows if row["name"] == call.query["name"]]
    return v3_list(call, rows, render=lambda row: chosen(call, row))


@routes.post("/v3/catalog/brands", "products")
def add_brand(call: Call) -> Answer:
    words = call.object()
    _check_brand(call, words)
    number = next(call.store.catalog.ids)
    call.store.catalog.brands[number] = brand_row(number, words)
    return data(call.store.catalog.brands[number])


@routes.get("/v3/catalog/brands/{brand}", "products")
def get_brand(call: Call) -> Answer:
    return data(_brand(call))


@routes.put("/v3/catalog/brands/{brand}", "products")
def change_brand(call: Call) -> Answer:
    brand = _brand(call)
    words = brand | call.object()
    _check_brand(call, words, brand["id"])
    brand |= brand_row(brand["id"], words)
    return data(brand)


@routes.delete("/v3/catalog/brands/{brand}", "products")
def delete_brand(call: Call) -> Answer:
    del call.store.catalog.brands[_brand(call)["id"]]
    return empty()


# trees and categories


@routes.get("/v3/catalog/trees", "products")
def list_trees(call: Call) -> Answer:
    rows = by_id(call.store.catalog.trees.values(), call)
    channels = call.integers("channel_id:in")
    if channels is not None:
        rows = [row for row in rows if set(row["channels"]) & channels]
    return v3_list(call, rows)


@routes.put("/v3/catalog/trees", "products", cap=1)
def put_trees(call: Call) -> Answer:
    """Upsert, one request at a time (guide 1.7)."""
    rows, trees = call.array(), call.store.catalog.trees
    if len(rows) > BATCH:
        raise too_many(BATCH)
    done: list[Row] = []
    for words in rows:
        if "id" in words and words["id"] not in trees:
            raise invalid({"id": "unknown tree"})
        if "id" not in words and not words.get("name"):
            raise invalid({"name": "error.path.missing"})
        number = words.get("id") or next(call.store.catalog.ids)
        trees[number] = trees.get(number, {"channels": []}) | {"id": number, **words}
        done.append(trees[number])
    return reply({"data": done, "meta": {"total": len(done), "success": len(done), "failed": 0}})


@routes.delete("/v3/catalog/trees", "products")
def delete_trees(call: Call) -> Answer:
    wanted = call.integers("id:in")
    if not wanted:
        raise invalid({"id:in": "error.path.missing"})
    for number in wanted:
        call.store.catalog.trees.pop(number, None)
    return empty()


@routes.get("/v3/catalog/trees/{tree}/categories", "products")
def get_tree(call: Call) -> Answer:
    tree = call.id("tree")
    if tree not in call.store.catalog.trees:
        raise not_found()
    rows = [row for row in call.store.catalog.categories.values() if row["tree_id"] == tree]
    return data(_children(rows, 0, 0, []))


def _children(rows: list[Row], parent: int, depth: int, path: list[int]) -> list[Row]:
    return [
        {
            "id": row["category_id"],
            "parent_id": parent,
            "depth": depth,
            "path": [*path, row["category_id"]],
            "name": row["name"],
            "is_visible": row["is_visible"],
            "url": row["url"]["path"],
            "children": _children(rows, row["category_id"], depth + 1, [*path, row["category_id"]]),
        }
        for row in rows
        if row["parent_id"] == parent
    ]


@routes.get("/v3/catalog/trees/categories", "products")
def list_categories(call: Call) -> Answer:
    rows = list(call.store.catalog.categories.values())
    for name in ("category_id", "tree_id", "parent_id"):
        wanted = call.integers(f"{name}:in")
        if wanted is not None:
            rows = [row for row in rows if row[name] in wanted]
    if "name" in call.query:
        rows = [row for row in rows if row["name"] == call.query["name"]]
    return v3_list(call, rows)


@routes.post("/v3/catalog/trees/categories", "products")
def add_categories(call: Call) -> Answer:
    rows, catalog = call.array(), call.store.catalog
    if len(rows) > BATCH:
        raise too_many(BATCH)
    done: list[Row] = []
    failed: Row = {}
    for n, words in enumerate(rows):
        wrong = _wrong_category(call, words)
        if wrong:
            failed[str(n)] = wrong
            continue
        number = next(catalog.ids)
        tree = words.get("tree_id") or catalog.categories[words["parent_id"]]["tree_id"]
        catalog.categories[number] = category_row(number, words | {"tree_id": tree})
        done.append(catalog.categories[number])
    return _outcome(done, failed, len(rows), 201)


def _outcome(done: list[Row] | None, failed: Row, total: int, good: int) -> Answer:
    """All good, some (207), none (422)."""
    meta = {"total": total, "success": total - len(failed), "failed": len(failed)}
    errors = {"status": 422, "title": "Some categories are invalid", "type": TYPE_URL, "errors": failed}
    if failed and len(failed) == total:
        raise Refused(422, "invalid", body={"errors": errors, "meta": meta})
    answer: Row = {"data": done, "meta": meta} if done is not None else {"meta": meta}
    return reply(answer | ({"errors": errors} if failed else {}), 207 if failed else good)


def _wrong_category(call: Call, words: Any) -> str:
    catalog = call.store.catalog
    if not isinstance(words, dict) or not 1 <= len(str(words.get("name", ""))) <= 50:
        return "name must be a text of 1 to 50 characters"
    if words.get("tree_id", 0) not in catalog.trees and words.get("parent_id", 0) not in catalog.categories:
        return "tree_id or a known parent_id is required"
    names = [row["name"] for row in catalog.categories.values() if row["parent_id"] == words.get("parent_id", 0)]
    return "The category name is a duplicate" if words["name"] in names else ""


@routes.put("/v3/catalog/trees/categories", "products")
def change_categories(call: Call) -> Answer:
    rows, catalog = call.array(), call.store.catalog
    if len(rows) > BATCH:
        raise too_many(BATCH)
    failed: Row = {}
    for n, words in enumerate(rows):
        known = catalog.categories.get(words.get("category_id", 0))
        if known is None:
            failed[str(n)] = "unknown category"
            continue
        known |= {
            key: value for key, value in words.items() if key in known and key not in {"category_id", "category_uuid"}
        }
    return _outcome(None, failed, len(rows), 200)


@routes.delete("/v3/catalog/trees/categories", "products")
def delete_categories(call: Call) -> Answer:
    wanted, trees = call.integers("category_id:in"), call.integers("tree_id:in")
    if not wanted and not trees:
        raise invalid({"category_id:in": "error.path.missing"})
    categories = call.store.catalog.categories
    gone = [n for n, row in categories.items() if n in (wanted or ()) or row["tree_id"] in (trees or ())]
    for number in gone:
        del categories[number]
    return empty()


# assignments


def _pairs(call: Call, other: str) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for row in call.array():
        number = row.get("product_id") if isinstance(row, dict) else None
        if number not in call.store.catalog.products or not isinstance(row.get(other), int):
            raise invalid(
                {"product_id": "unknown product"} if number not in call.store.catalog.products else {other: "missing"}
            )
        pairs.append((number, row[other]))
    return pairs


@routes.get("/v3/catalog/products/channel-assignments", "products")
def list_channel_assignments(call: Call) -> Answer:
    rows = [
        {"product_id": product.id, "channel_id": channel}
        for product in call.store.catalog.products.values()
        for channel in sorted(product.channels)
    ]
    return v3_list(call, _wanted(call, rows, "channel_id"))


def _wanted(call: Call, rows: list[Row], other: str) -> list[Row]:
    for name in ("product_id", other):
        some = call.integers(f"{name}:in")
        if some is not None:
            rows = [row for row in rows if row[name] in some]
    return rows


@routes.put("/v3/catalog/products/channel-assignments", "products", cap=1)
def put_channel_assignments(call: Call) -> Answer:
    pairs = _pairs(call, "channel_id")
    if any(channel not in call.store.channels for _, channel in pairs):
        raise invalid({"channel_id": "unknown channel"})
    for product, channel in pairs:
        call.store.catalog.products[product].channels.add(channel)
    return empty()


@routes.delete("/v3/catalog/products/channel-assignments", "products")
def delete_channel_assignments(call: Call) -> Answer:
    products, channels = call.integers("product_id:in"), call.integers("channel_id:in")
    if not products and not channels:
        raise invalid({"product_id:in": "error.path.missing"})
    for product in call.store.catalog.products.values():
        if not products or product.id in products:
            product.channels -= channels if channels is not None else set(product.channels)
    return empty()


@routes.get("/v3/catalog/products/category-assignments", "products")
def list_category_assignments(call: Call) -> Answer:
    rows = [
        {"product_id": product.id, "category_id": category}
        for product in call.store.catalog.products.values()
        for category in product.row["categories"]
    ]
    return v3_list(call, _wanted(call, rows, "category_id"))


@routes.put("/v3/catalog/products/category-assignments", "products", cap=1)
def put_category_assignments(call: Call) -> Answer:
    pairs = _pairs(call, "category_id")
    if any(category not in call.store.catalog.categories for _, category in pairs):
        raise invalid({"category_id": "unknown category"})
    for product, category in pairs:
        row = call.store.catalog.products[product].row
        row["categories"] = sorted({*row["categories"], category})
    return empty()
