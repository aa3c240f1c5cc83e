"""Mutations of products: productSet replaces lists, the others change what they name (guide 2.13)."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator import variants
from omnichannel_shopify_simulator.catalog import digest, metafield
from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.fulfilling import Wrong
from omnichannel_shopify_simulator.requests import Problem, Request
from omnichannel_shopify_simulator.values import error, gid, iso, number

Row = dict[str, Any]
PLAIN = ("title", "descriptionHtml", "vendor", "productType", "status", "tags")
OPTIONS, VARIANTS, METAFIELDS = 3, 2048, 25


def known(request: Request, value: Any) -> Row:
    """The product. Raises Wrong."""
    found = request.store.catalog.products.get(number(value))
    if found is None:
        raise Wrong("Product does not exist", ["input", "id"], "PRODUCT_DOES_NOT_EXIST")
    return found


def touched(request: Request, product: Row, topic: str = "PRODUCTS_UPDATE") -> None:
    product["updatedAt"] = iso(request.now)
    payload = {"id": number(product["id"]), "admin_graphql_api_id": product["id"], "title": product["title"]}
    request.store.hooks.emit(topic, payload | {"updated_at": product["updatedAt"]})


def fill(request: Request, product: Row, words: Row) -> None:
    """Scalars that are given; left-out ones stay. Raises Wrong."""
    shelf = request.store.catalog
    for name in PLAIN:
        if words.get(name) is not None:
            product[name] = words[name]
    if not product["title"]:
        raise Wrong("Title can't be blank", ["input", "title"], "INVALID_INPUT")
    if words.get("handle"):
        wanted = words["handle"]
        if any(one["handle"] == wanted and one is not product for one in shelf.products.values()):
            raise Wrong("Handle is already in use", ["input", "handle"], "HANDLE_NOT_UNIQUE")
        product["handle"] = wanted
    if words.get("seo"):
        product["seo"] = product["seo"] | words["seo"]
    if words.get("category"):
        code = next((n for n, one in request.store.taxonomy.items() if one["id"] == words["category"]), None)
        if code is None:
            raise Wrong("Category is invalid", ["input", "category"], "INVALID_INPUT")
        product["_category"] = code


def set_metafields(request: Request, owner: Row, given: list[Row], *, replace: bool) -> None:
    """Merges by namespace and key; `replace` drops the others."""
    rows: list[Row] = owner["metafields"]
    keep: list[Row] = []
    for words in given:
        space = words.get("namespace") or "custom"
        same = next((one for one in rows if (one["namespace"], one["key"]) == (space, words.get("key"))), None)
        if same is None:
            same = metafield(request.store.catalog, {**words, "namespace": space})
            rows.append(same)
        same["value"], same["compareDigest"] = words["value"], digest(words["value"])
        same["type"] = words.get("type") or same["type"]
        keep.append(same)
    if replace:
        owner["metafields"] = keep


def media_of(request: Request, given: list[Row]) -> list[Row]:
    """Media rows; `id` takes what is there."""
    shelf = request.store.catalog
    there = {one["id"]: one for product in shelf.products.values() for one in product["media"]}
    return [
        there.get(one.get("id") or "")
        or {
            "id": gid("MediaImage", next(shelf.ids)), "alt": one.get("alt"),
            "originalSource": {"url": one.get("originalSource")},
        }
        for one in given
    ]  # fmt: skip


# productSet


@resolves("Mutation", "productSet")
def product_set(request: Request, row: Row, args: Row) -> Row:
    words, shelf = args["input"], request.store.catalog
    try:
        found = _identified(request, args.get("identifier") or {})
        variants.check_shape(words)
        product = found or shelf.new_product({"title": words.get("title") or ""}, request.now)
        try:
            _set(request, product, words, fresh=found is None)
        except Wrong:
            if found is None:
                shelf.drop_product(number(product["id"]))
            raise
    except Wrong as wrong:
        return {"product": None, "productSetOperation": None, "userErrors": [wrong.entry]}
    touched(request, product, "PRODUCTS_UPDATE" if found else "PRODUCTS_CREATE")
    if args.get("synchronous", True):
        return {"product": product, "productSetOperation": None, "userErrors": []}
    n = next(shelf.ids)
    operation = {
        "id": gid("ProductSetOperation", n), "status": "CREATED", "userErrors": [], "_product": number(product["id"]),
        "_due": request.now + 2,
    }  # fmt: skip
    shelf.operations[n] = operation
    return {"product": None, "productSetOperation": operation, "userErrors": []}


def _identified(request: Request, identifier: Row) -> Row | None:
    if identifier.get("id"):
        return known(request, identifier["id"])
    if identifier.get("handle"):
        rows = request.store.catalog.products.values()
        return next((one for one in rows if one["handle"] == identifier["handle"]), None)
    if identifier.get("customId"):
        custom = identifier["customId"]
        for one in request.store.catalog.products.values():
            for field in one["metafields"]:
                if (field["namespace"], field["key"], field["value"]) == (
                    custom.get("namespace") or "custom", custom["key"], custom["value"],
                ):  # fmt: skip
                    return one
    return None


def _set(request: Request, product: Row, words: Row, *, fresh: bool) -> None:
    """Lists that are given replace: what is left out of them is deleted."""
    fill(request, product, words)
    if words.get("metafields") is not None:
        set_metafields(request, product, words["metafields"], replace=True)
    if words.get("files") is not None:
        product["media"] = media_of(request, words["files"])
    if words.get("collections") is not None:
        product["_collections"] = [
            n for one in words["collections"] if (n := number(one)) in request.store.catalog.collections
        ]
    if words.get("productOptions") is not None:
        product["options"] = variants.options_of(request, product, words["productOptions"])
    if words.get("variants") is not None:
        variants.replace(request, product, words["variants"])
    elif fresh:
        variants.add_default(request, product)
    request.store.catalog.refresh_options(product)


@resolves("Mutation", "productUpdate")
def product_update(request: Request, row: Row, args: Row) -> Row:
    words = args.get("product") or {}
    identifier = args.get("identifier") or {}
    try:
        product = known(request, words.get("id") or identifier.get("id"))
        fill(request, product, words)
    except Wrong as wrong:
        return {"product": None, "userErrors": [wrong.entry]}
    set_metafields(request, product, words.get("metafields") or [], replace=False)
    product["media"] += media_of(request, args.get("media") or [])
    joined = {number(one) for one in words.get("collectionsToJoin") or ()}
    left = {number(one) for one in words.get("collectionsToLeave") or ()}
    product["_collections"] = sorted((set(product["_collections"]) | joined) - left)
    touched(request, product)
    return {"product": product, "userErrors": []}


@resolves("Mutation", "productDelete")
def product_delete(request: Request, row: Row, args: Row) -> Row:
    try:
        product = known(request, args["input"]["id"])
    except Wrong as wrong:
        return {"deletedProductId": None, "userErrors": [wrong.entry]}
    request.store.catalog.drop_product(number(product["id"]))
    touched(request, product, "PRODUCTS_DELETE")
    return {"deletedProductId": product["id"], "userErrors": []}


@resolves("Mutation", "publishablePublish")
def publish(request: Request, row: Row, args: Row) -> Row:
    try:
        product = known(request, args["id"])
        wanted = [number(one.get("publicationId") or "1") for one in args["input"]]
        if any(n not in request.store.catalog.publications for n in wanted):
            raise Wrong("Publication does not exist or is not publishable", ["input", "0"])
    except Wrong as wrong:
        return {"publishable": None, "userErrors": [wrong.entry]}
    product["_published"] |= set(wanted)
    touched(request, product)
    return {"publishable": product, "userErrors": []}


# metafields of any owner: all or none


@resolves("Mutation", "metafieldsSet")
def metafields_set(request: Request, row: Row, args: Row) -> Row:
    given = args["metafields"]
    if len(given) > METAFIELDS:
        raise Problem(
            f"The input array size of {len(given)} is greater than the maximum allowed of {METAFIELDS}.",
            "MAX_INPUT_SIZE_EXCEEDED",
        )
    errors: list[Row] = []
    owners: list[Row] = []
    for n, words in enumerate(given):
        owner = _owner(request, words["ownerId"])
        wrong = _unfit(owner, words, request)
        if wrong:
            entry = error(wrong[1], ["metafields", str(n), wrong[2]], wrong[0])
            errors.append(entry | {"elementIndex": None})
        owners.append(owner or {})
    if errors:
        return {"metafields": [], "userErrors": errors}
    done: list[Row] = []
    for owner, words in zip(owners, given, strict=True):
        space = words.get("namespace") or "custom"
        set_metafields(request, owner, [words], replace=False)
        done.append(next(one for one in owner["metafields"] if (one["namespace"], one["key"]) == (space, words["key"])))
        if owner["id"].startswith("gid://shopify/Product/"):
            touched(request, owner)
    return {"metafields": done, "userErrors": []}


def _owner(request: Request, value: str) -> Row | None:
    shelf, n = request.store.catalog, number(value)
    if "/Order/" in value:
        return request.store.orders.edit(n) if n in request.store.orders.entries else None
    return shelf.variants.get(n) if "/ProductVariant/" in value else shelf.products.get(n)


def _unfit(owner: Row | None, words: Row, request: Request) -> tuple[str, str, str] | None:
    """Code, message, field."""
    if owner is None:
        return "INVALID", "Owner does not exist.", "ownerId"
    space = words.get("namespace") or "custom"
    same = next((one for one in owner["metafields"] if (one["namespace"], one["key"]) == (space, words["key"])), None)
    if "compareDigest" in words and (same["compareDigest"] if same else None) != words["compareDigest"]:
        return "STALE_OBJECT", "The resource has been updated since it was loaded.", "compareDigest"
    if not words["value"]:
        return "BLANK", "Value can't be blank.", "value"
    declared = next(
        (one for one in request.store.definitions.values() if (one["namespace"], one["key"]) == (space, words["key"])),
        None,
    )
    kind = declared["type"]["name"] if declared else words.get("type") or (same or {}).get("type")
    if kind is None:
        return "BLANK", "Type can't be blank.", "type"
    if words.get("type") and declared and words["type"] != kind:
        return "INVALID_TYPE", f"Type must be consistent with the definition's type: '{kind}'.", "type"
    if kind == "number_integer" and not words["value"].lstrip("-").isdigit():
        return "INVALID_VALUE", "Value must be an integer.", "value"
    words["type"] = kind
    return None
