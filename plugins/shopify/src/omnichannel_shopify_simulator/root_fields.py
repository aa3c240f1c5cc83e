"""Queries of everything but orders, and computed fields of products and stock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from omnichannel_shopify_simulator import order_fields
from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.paging import Slice, sliced
from omnichannel_shopify_simulator.requests import Request
from omnichannel_shopify_simulator.search import Field, searched
from omnichannel_shopify_simulator.values import moment, number

Row = dict[str, Any]


@resolves("QueryRoot", "shop")
def shop(request: Request, row: Row, args: Row) -> Row:
    return request.store.profile()


@resolves("Shop", "allProductCategoriesList")
def used_categories(request: Request, row: Row, args: Row) -> list[Row]:
    """Categories that products of the shop have."""
    used = {product["_category"] for product in request.store.catalog.products.values()}
    return [row for n, row in request.store.taxonomy.items() if n in used]


@resolves("QueryRoot", "currentAppInstallation")
def installation(request: Request, row: Row, args: Row) -> Row:
    return request.install.row()


@resolves("QueryRoot", "locations")
def locations(request: Request, row: Row, args: Row) -> Slice:
    rows = [one for one in request.store.locations.values() if one["isActive"] or args.get("includeInactive")]
    return sliced(sorted(rows, key=lambda one: one["name"]), args)


@resolves("QueryRoot", "location")
def location(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.locations.get(number(args["id"]) if args.get("id") else 1)


def _all(name: str) -> Any:
    def listed(request: Request, row: Row, args: Row) -> list[Row]:
        return list(getattr(request.store.catalog, name).values())

    return listed


for _field, _name in (("publications", "publications"), ("priceLists", "price_lists"), ("collections", "collections")):
    resolves("QueryRoot", _field)(_all(_name))


@resolves("QueryRoot", "collection")
def collection(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.collections.get(number(args["id"]))


# model


@resolves("QueryRoot", "metafieldDefinitions")
def metafield_definitions(request: Request, row: Row, args: Row) -> list[Row]:
    rows = [one for one in request.store.definitions.values() if one["ownerType"] == args["ownerType"]]
    return [
        one
        for one in rows
        if args.get("namespace") in {None, one["namespace"]} and args.get("key") in {None, one["key"]}
    ]


@resolves("QueryRoot", "metaobjectDefinitions")
def metaobject_definitions(request: Request, row: Row, args: Row) -> list[Row]:
    return list(request.store.metaobject_definitions.values())


@resolves("MetaobjectDefinition", "metaobjectsCount")
def metaobjects_count(request: Request, row: Row, args: Row) -> int:
    return sum(one["type"] == row["type"] for one in request.store.metaobjects.values())


@resolves("QueryRoot", "metaobjects")
def metaobjects(request: Request, row: Row, args: Row) -> list[Row]:
    return [one for one in request.store.metaobjects.values() if one["type"] == args["type"]]


@resolves("QueryRoot", "metaobject")
def metaobject(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.metaobjects.get(number(args["id"]))


@resolves("QueryRoot", "taxonomy")
def taxonomy(request: Request, row: Row, args: Row) -> Row:
    return {}


@resolves("Taxonomy", "categories")
def categories(request: Request, row: Row, args: Row) -> list[Row]:
    """All top categories, those below one, or those whose full name holds the words."""
    rows = list(request.store.taxonomy.values())
    if args.get("search"):
        words = args["search"].lower().split()
        return [one for one in rows if all(word in one["fullName"].lower() for word in words)]
    parent = args.get("childrenOf") or args.get("descendantsOf")
    return [one for one in rows if one["parentId"] == parent]


# products


def _product_dates(name: str) -> Any:
    return lambda row: moment(row[name])


PRODUCT_FIELDS: Mapping[str, Field] = {
    "id": Field(lambda row: number(row["id"]), "id"),
    "title": Field(lambda row: row["title"], "prefix"),
    "handle": Field(lambda row: row["handle"]),
    "status": Field(lambda row: row["status"]),
    "vendor": Field(lambda row: row["vendor"]),
    "product_type": Field(lambda row: row["productType"]),
    "tag": Field(lambda row: row["tags"], "has"),
    "created_at": Field(_product_dates("createdAt"), "date"),
    "updated_at": Field(_product_dates("updatedAt"), "date"),
}
SORTS = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt", "TITLE": "title", "VENDOR": "vendor"}


def _products(request: Request, args: Row, path: str) -> list[Row]:
    search = searched(request, args.get("query"), PRODUCT_FIELDS, path=path, default=lambda row: row["title"])
    return [row for row in request.store.catalog.products.values() if search.matches(row)]


@resolves("QueryRoot", "products")
def products(request: Request, row: Row, args: Row) -> Slice:
    key = SORTS.get(args.get("sortKey") or "ID", "id")
    rows = sorted(_products(request, args, "products"), key=lambda one: (one[key], number(one["id"])))
    return sliced(rows, args)


@resolves("QueryRoot", "productsCount")
def products_count(request: Request, row: Row, args: Row) -> Row:
    return {"count": len(_products(request, args, "productsCount")), "precision": "EXACT"}


@resolves("QueryRoot", "product")
def product(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.products.get(number(args["id"]))


@resolves("QueryRoot", "productOperation")
def product_operation(request: Request, row: Row, args: Row) -> Row | None:
    found = request.store.catalog.operations.get(number(args["id"]))
    if found is not None and found["status"] != "COMPLETE" and found["_due"] <= request.now:
        found["status"] = "COMPLETE"
    return found


@resolves("ProductSetOperation", "product")
def operation_product(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.products.get(row["_product"]) if row["status"] == "COMPLETE" else None


@resolves("Product", "variants")
def product_variants_of(request: Request, row: Row, args: Row) -> list[Row]:
    return request.store.catalog.variants_of(row)


@resolves("Product", "category")
def product_category(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.taxonomy.get(row["_category"] or 0)


@resolves("Product", "collections")
def product_collections(request: Request, row: Row, args: Row) -> list[Row]:
    return [request.store.catalog.collections[n] for n in row["_collections"]]


@resolves("Product", "variantsCount")
def variants_count(request: Request, row: Row, args: Row) -> Row:
    return {"count": len(row["_variants"]), "precision": "EXACT"}


@resolves("Product", "totalInventory")
def total_inventory(request: Request, row: Row, args: Row) -> int:
    return sum(inventory_quantity(request, each, {}) for each in request.store.catalog.variants_of(row))


@resolves("Product", "resourcePublicationsV2")
def publications_of(request: Request, row: Row, args: Row) -> list[Row]:
    found = request.store.catalog.publications
    return [{"id": found[n]["id"], "isPublished": True, "publication": found[n]} for n in sorted(row["_published"])]


@resolves("Product", "metafield")
def one_metafield(request: Request, row: Row, args: Row) -> Row | None:
    space = args.get("namespace") or "custom"
    return next((one for one in row["metafields"] if (one["namespace"], one["key"]) == (space, args["key"])), None)


def _metafields(request: Request, row: Row, args: Row) -> list[Row]:
    rows, keys = row["metafields"], args.get("keys")
    rows = [one for one in rows if args.get("namespace") in {None, one["namespace"]}]
    return [one for one in rows if not keys or f"{one['namespace']}.{one['key']}" in keys]


for _kind in ("Product", "ProductVariant", "Order"):
    resolves(_kind, "metafields")(_metafields)

VARIANT_FIELDS: Mapping[str, Field] = {
    "id": Field(lambda row: number(row["id"]), "id"),
    "sku": Field(lambda row: row["_sku"], "prefix"),
    "barcode": Field(lambda row: row["barcode"] or ""),
    "title": Field(lambda row: row["_title"], "prefix"),
    "product_id": Field(lambda row: row["_product"], "id"),
    "updated_at": Field(_product_dates("updatedAt"), "date"),
}


@resolves("QueryRoot", "productVariants")
def product_variants(request: Request, row: Row, args: Row) -> Slice:
    """The search is tokenized and goes by beginnings: `sku:'A'` also finds `A-1`. New ones it knows late."""
    shelf, indexed = request.store.catalog, request.now - request.store.options.index_lag
    search = searched(
        request, args.get("query"), VARIANT_FIELDS, path="productVariants", default=lambda one: one["_sku"] or ""
    )
    rows = [
        one
        for one in shelf.variants.values()
        if search.test is None
        or (one["_made"] <= indexed and search.test({**one, "_sku": shelf.sku_of(one), "_title": shelf.title_of(one)}))
    ]
    return sliced(rows, args)


@resolves("QueryRoot", "productVariant")
def product_variant(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.variants.get(number(args["id"]))


@resolves("ProductVariant", "product")
def variant_product(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.products.get(row["_product"])


@resolves("ProductVariant", "sku")
def variant_sku(request: Request, row: Row, args: Row) -> str | None:
    return request.store.catalog.sku_of(row)


@resolves("ProductVariant", "title")
def variant_title(request: Request, row: Row, args: Row) -> str:
    return request.store.catalog.title_of(row)


@resolves("ProductVariant", "inventoryItem")
def variant_item(request: Request, row: Row, args: Row) -> Row | None:
    return request.store.catalog.items.get(row["_item"])


@resolves("ProductVariant", "inventoryQuantity")
def inventory_quantity(request: Request, row: Row, args: Row) -> int:
    levels = request.store.catalog.items[row["_item"]]["levels"].values()
    return sum(level["_quantities"]["available"] for level in levels if level["isActive"])


# by id

NODES: Mapping[str, Callable[[Request, str], Row | None]] = {
    "Order": order_fields.visible,
    "Product": lambda request, value: request.store.catalog.products.get(number(value)),
    "ProductVariant": lambda request, value: request.store.catalog.variants.get(number(value)),
    "InventoryItem": lambda request, value: request.store.catalog.items.get(number(value)),
    "Location": lambda request, value: request.store.locations.get(number(value)),
    "Metaobject": lambda request, value: request.store.metaobjects.get(number(value)),
    "Collection": lambda request, value: request.store.catalog.collections.get(number(value)),
    "TaxonomyCategory": lambda request, value: _same(request.store.taxonomy.values(), value),
    "TaxonomyChoiceListAttribute": lambda request, value: _same(
        (one for row in request.store.taxonomy.values() for one in row["attributes"]), value
    ),
}


def _same(rows: Any, value: str) -> Row | None:
    return next((row for row in rows if row["id"] == value), None)


def find(request: Request, value: str) -> Row | None:
    kind = value.split("/")[3] if value.count("/") >= 4 else ""
    return NODES[kind](request, value) if kind in NODES else order_fields.find(request, value)


@resolves("QueryRoot", "node")
def node(request: Request, row: Row, args: Row) -> Row | None:
    return find(request, args["id"])


@resolves("QueryRoot", "nodes")
def nodes(request: Request, row: Row, args: Row) -> list[Row | None]:
    return [find(request, one) for one in args["ids"]]
