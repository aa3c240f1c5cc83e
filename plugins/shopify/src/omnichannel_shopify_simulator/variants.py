"""Variants and options of products."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator import product_fields
from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.fulfilling import Wrong
from omnichannel_shopify_simulator.requests import Request
from omnichannel_shopify_simulator.stock import put
from omnichannel_shopify_simulator.values import amount, cents, gid, iso, number

Row = dict[str, Any]
BATCH = 250


def check_shape(words: Row) -> None:
    """Options and variants of `productSet` go together. Raises Wrong."""
    options, rows = words.get("productOptions"), words.get("variants")
    if options is not None and len(options) > 3:
        raise Wrong("Can only specify a maximum of 3 options", ["input", "productOptions"], "OPTIONS_OVER_LIMIT")
    if rows is not None and len(rows) > 2048:
        raise Wrong("Variants over the limit", ["input", "variants"], "VARIANTS_OVER_LIMIT")
    if options is not None and rows is None:
        raise Wrong(
            "Variants input is required when updating product options", ["input", "variants"], "VARIANTS_INPUT_MISSING"
        )
    if rows is not None and options is None:
        raise Wrong(
            "Product options input is required when updating variants",
            ["input", "productOptions"],
            "PRODUCT_OPTIONS_INPUT_MISSING",
        )
    seen: set[tuple[str, ...]] = set()
    for n, row in enumerate(rows or ()):
        values = tuple(f"{one.get('optionName')}={one.get('name')}" for one in row["optionValues"])
        if values in seen:
            raise Wrong("The variant already exists", ["input", "variants", str(n)], "DUPLICATED_VALUE")
        seen.add(values)


def options_of(request: Request, product: Row, given: list[Row]) -> list[Row]:
    """Options as given; those of the same id or name stay the same."""
    there = {one["id"]: one for one in product["options"]} | {one["name"]: one for one in product["options"]}
    found: list[Row] = []
    for n, words in enumerate(given, 1):
        old = there.get(words.get("id") or words.get("name") or "") or {}
        name = words.get("name") or old.get("name")
        if not name:
            raise Wrong("Option name can't be blank", ["input", "productOptions", str(n - 1)], "INVALID_INPUT")
        linked = words.get("linkedMetafield")
        found.append(
            {
                "id": old.get("id") or gid("ProductOption", next(request.store.catalog.ids)),
                "name": name, "position": n,
                "optionValues": old.get("optionValues", []),
                "linkedMetafield": {"namespace": linked["namespace"], "key": linked["key"]} if linked
                else old.get("linkedMetafield"),
            }
        )  # fmt: skip
    if len({one["name"].lower() for one in found}) != len(found):
        raise Wrong("Option names must be unique", ["input", "productOptions"], "DUPLICATED_OPTION_NAME")
    return found


def add_default(request: Request, product: Row) -> None:
    request.store.catalog.new_variant(product, {}, request.now)
    product["options"] = [
        {
            "id": gid("ProductOption", next(request.store.catalog.ids)), "name": "Title", "position": 1,
            "optionValues": [], "linkedMetafield": None,
        }
    ]  # fmt: skip


def _values(product: Row, given: list[Row]) -> list[Row]:
    """Selected options, one for every option of the product. Raises Wrong."""
    chosen: dict[str, str] = {}
    ids = {one["id"]: one["name"] for one in product["options"]}
    for one in given:
        name = one.get("optionName") or ids.get(one.get("optionId") or "")
        if name not in set(ids.values()):
            raise Wrong("Option does not exist", ["variants", "optionValues"], "OPTION_DOES_NOT_EXIST")
        chosen[str(name)] = one.get("name") or one.get("linkedMetafieldValue") or str(one.get("id"))
    if len(chosen) != len(ids):
        raise Wrong(
            "You need to add option values for all options", ["variants", "optionValues"], "NEED_TO_ADD_OPTION_VALUES"
        )
    return [{"name": one["name"], "value": chosen[one["name"]]} for one in product["options"]]


def replace(request: Request, product: Row, given: list[Row]) -> None:
    """The product's variants are those of the list; found by id, or by option values."""
    shelf, kept = request.store.catalog, []
    for words in given:
        values = _values(product, words["optionValues"])
        row = shelf.variants.get(number(words.get("id")))
        if words.get("id") and row is None:
            raise Wrong("Variant does not exist", ["input", "variants"], "PRODUCT_VARIANT_DOES_NOT_EXIST")
        if row is None:
            row = next((one for one in shelf.variants_of(product) if one["selectedOptions"] == values), None)
        fresh = row is None
        row = row or shelf.new_variant(product, {}, request.now)
        row["selectedOptions"] = values
        change(request, row, words, fresh=fresh)
        kept.append(number(row["id"]))
    for n in [one for one in product["_variants"] if one not in kept]:
        shelf.drop_variant(n)
    product["_variants"] = kept


def change(request: Request, row: Row, words: Row, *, fresh: bool) -> None:
    """What is given of a variant and its inventory item. Raises Wrong."""
    for name in ("price", "compareAtPrice"):
        if name in words:
            row[name] = _price(words[name], name)
    for name in ("barcode", "inventoryPolicy", "taxable"):
        if name in words and words[name] is not None:
            row[name] = words[name]
    if words.get("metafields"):
        product_fields.set_metafields(request, row, words["metafields"], replace=False)
    item = request.store.catalog.items[row["_item"]]
    _item(request, item, words)
    for one in words.get("inventoryQuantities") or ():
        place = number(one["locationId"])
        if not fresh and place not in item["levels"]:
            raise Wrong(
                "Inventory can only be set where the variant is stocked", ["inventoryQuantities"], "INVALID_INPUT"
            )
        level = request.store.catalog.level(item, place)
        wanted = one["availableQuantity"] if "availableQuantity" in one else one["quantity"]
        put(
            request,
            item,
            level,
            one.get("name", "available"),
            wanted - level["_quantities"][one.get("name", "available")],
        )
    row["updatedAt"] = iso(request.now)


def _item(request: Request, item: Row, words: Row) -> None:
    if "sku" in words:
        item["_sku"] = words["sku"]
    given = words.get("inventoryItem") or {}
    if "sku" in given:
        item["_sku"] = given["sku"]
    if given.get("tracked") is not None:
        item["tracked"] = given["tracked"]
    if given.get("requiresShipping") is not None:
        item["requiresShipping"] = given["requiresShipping"]
    if given.get("cost") is not None:
        item["unitCost"] = {"amount": amount(cents(given["cost"])), "currencyCode": request.store.options.currency}


def _price(text: Any, name: str) -> str | None:
    if text is None:
        return None
    try:
        value = cents(text)
    except ValueError as cause:
        raise Wrong("Price is not a number", [name], "INVALID_VALUE") from cause
    if value < 0:
        raise Wrong("Price must be greater than or equal to 0", [name], "GREATER_THAN_OR_EQUAL_TO")
    return f"{value // 100}.{value % 100:02d}"


# productVariantsBulk...


def _product(request: Request, value: str, rows: list[Row]) -> Row:
    if len(rows) > BATCH:
        raise Wrong(f"No more than {BATCH} variants at once", ["variants"], "INVALID_INPUT")
    found = request.store.catalog.products.get(number(value))
    if found is None:
        raise Wrong("Product does not exist", ["productId"], "PRODUCT_DOES_NOT_EXIST")
    return found


@resolves("Mutation", "productVariantsBulkUpdate")
def bulk_update(request: Request, row: Row, args: Row) -> Row:
    """Without `allowPartialUpdates` one bad entry stops all."""
    try:
        product = _product(request, args["productId"], args["variants"])
    except Wrong as wrong:
        return {"product": None, "productVariants": None, "userErrors": [wrong.entry]}
    errors, good = [], []
    for n, words in enumerate(args["variants"]):
        try:
            good.append((_checked(request, product, words), words))
        except Wrong as wrong:
            errors.append(wrong.entry | {"field": ["variants", str(n), *(wrong.entry["field"] or [])]})
    if errors and not args.get("allowPartialUpdates"):
        return {"product": product, "productVariants": None, "userErrors": errors}
    for one, words in good:
        if words.get("optionValues"):
            one["selectedOptions"] = _values(product, words["optionValues"])
        change(request, one, words, fresh=False)
    request.store.catalog.refresh_options(product)
    product_fields.touched(request, product)
    return {"product": product, "productVariants": [one for one, _ in good], "userErrors": errors}


def _checked(request: Request, product: Row, words: Row) -> Row:
    if not words.get("id"):
        raise Wrong("Product variant is missing ID attribute", ["id"], "PRODUCT_VARIANT_ID_MISSING")
    found = request.store.catalog.variants.get(number(words["id"]))
    if found is None or found["_product"] != number(product["id"]):
        raise Wrong("Product variant does not exist", ["id"], "PRODUCT_VARIANT_DOES_NOT_EXIST")
    if words.get("inventoryQuantities"):
        raise Wrong(
            "Inventory quantities can only be provided during create",
            ["inventoryQuantities"],
            "NO_INVENTORY_QUANTITIES_ON_VARIANTS_UPDATE",
        )
    for name in ("price", "compareAtPrice"):
        _price(words.get(name), name)
    return found


@resolves("Mutation", "productVariantsBulkCreate")
def bulk_create(request: Request, row: Row, args: Row) -> Row:
    made: list[Row] = []
    shelf = request.store.catalog
    try:
        product = _product(request, args["productId"], args["variants"])
        there = [one["selectedOptions"] for one in shelf.variants_of(product)]
        given = [(_values(product, words.get("optionValues") or []), words) for words in args["variants"]]
        for values, words in given:
            if values in there:
                raise Wrong("The variant already exists", ["variants"], "VARIANT_ALREADY_EXISTS")
            there.append(values)
            _price(words.get("price"), "price")
    except Wrong as wrong:
        return {"product": None, "productVariants": None, "userErrors": [wrong.entry]}
    alone = [one for one in product["_variants"] if shelf.title_of(shelf.variants[one]) == "Default Title"]
    if args.get("strategy") != "PRESERVE_STANDALONE_VARIANT":
        for n in alone:
            shelf.drop_variant(n)
    for values, words in given:
        one = shelf.new_variant(product, {"selectedOptions": values}, request.now)
        change(request, one, words, fresh=True)
        made.append(one)
    shelf.refresh_options(product)
    product_fields.touched(request, product)
    return {"product": product, "productVariants": made, "userErrors": []}


@resolves("Mutation", "productVariantsBulkDelete")
def bulk_delete(request: Request, row: Row, args: Row) -> Row:
    try:
        product = _product(request, args["productId"], [])
        wanted = [number(one) for one in args["variantsIds"]]
        if any(n not in product["_variants"] for n in wanted):
            raise Wrong("At least one variant does not belong to the product", ["variantsIds"], None)
    except Wrong as wrong:
        return {"product": None, "userErrors": [wrong.entry]}
    for n in wanted:
        request.store.catalog.drop_variant(n)
    product_fields.touched(request, product)
    return {"product": product, "userErrors": []}


@resolves("Mutation", "productOptionsCreate")
def create_options(request: Request, row: Row, args: Row) -> Row:
    try:
        product = _product(request, args["productId"], [])
        standalone = [one["name"] for one in product["options"]] == ["Title"]
        before = [] if standalone else product["options"]
        if len(before) + len(args["options"]) > 3:
            raise Wrong("Can only specify a maximum of 3 options", ["options"], "OPTIONS_OVER_LIMIT")
        if {one["name"].lower() for one in before} & {str(one.get("name")).lower() for one in args["options"]}:
            raise Wrong("Option already exists", ["options"], "OPTION_ALREADY_EXISTS")
    except Wrong as wrong:
        return {"product": None, "userErrors": [wrong.entry]}
    words = [{"id": one["id"]} for one in before] + list(args["options"])
    product["options"] = options_of(request, product, words)
    _spread(request, product, args["options"], standalone=standalone)
    request.store.catalog.refresh_options(product)
    product_fields.touched(request, product)
    return {"product": product, "userErrors": []}


def _spread(request: Request, product: Row, added: list[Row], *, standalone: bool) -> None:
    """Variants that are there take the first value of each new option."""
    for variant in request.store.catalog.variants_of(product):
        if standalone:
            variant["selectedOptions"] = []
        for option in added:
            first = next(
                (one.get("name") or one.get("linkedMetafieldValue") for one in option.get("values") or ()), "Default"
            )
            variant["selectedOptions"].append({"name": option["name"], "value": first})


@resolves("Mutation", "priceListFixedPricesAdd")
def fixed_prices(request: Request, row: Row, args: Row) -> Row:
    shelf, n = request.store.catalog, number(args["priceListId"])
    found = shelf.price_lists.get(n)
    if found is None:
        return {
            "prices": None,
            "userErrors": [Wrong("Price list not found", ["priceListId"], "PRICE_LIST_NOT_FOUND").entry],
        }
    errors: list[Row] = []
    for k, one in enumerate(args["prices"]):
        if number(one["variantId"]) not in shelf.variants:
            errors.append(Wrong("Variant not found", ["prices", str(k), "variantId"], "VARIANT_NOT_FOUND").entry)
        elif one["price"]["currencyCode"] != found["currency"]:
            errors.append(Wrong("Currency mismatch", ["prices", str(k)], "PRICE_LIST_CURRENCY_MISMATCH").entry)
    if errors:
        return {"prices": None, "userErrors": errors}
    rows = [shelf.variants[number(one["variantId"])] for one in args["prices"]]
    for variant, one in zip(rows, args["prices"], strict=True):
        variant["_prices"][n] = one["price"]["amount"]
    return {"prices": [{"variant": one} for one in rows], "userErrors": []}
