"""Products, variants, metafields, publications, price lists, stock, data model."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.anyio
Api = Any
SET = """mutation S($i: ProductSetInput!, $by: ProductSetIdentifiers, $now: Boolean) {
  productSet(input: $i, identifier: $by, synchronous: $now) {
    product { id handle variants(first: 50) { nodes { id sku price inventoryItem { id } } } }
    productSetOperation { id status } userErrors { field message code } } }"""
STOCK = """mutation T($i: InventorySetQuantitiesInput!, $k: String!) {
  inventorySetQuantities(input: $i) @idempotent(key: $k) {
    inventoryAdjustmentGroup { changes { name delta quantityAfterChange } } userErrors { field message code } } }"""
OPTIONS = [{"name": "Size", "values": [{"name": "S"}, {"name": "M"}]}]


def variant(size: str, **words: Any) -> Any:
    return {"optionValues": [{"optionName": "Size", "name": size}], **words}


async def put(api: Api, words: Any, **more: Any) -> Any:
    return (await api.data(SET, i=words, **more))["productSet"]


async def shown(api: Api, sku: str) -> Any:
    (found,) = (await api.control("GET", f"/stores/demo/products?sku={sku}"))["products"]
    return found


async def test_product_set_deletes_what_is_left_out(api: Api) -> None:
    """Lists of `productSet` replace: a variant or metafield that is left out is deleted, a scalar stays."""
    fields = [{"namespace": "custom", "key": "care", "value": "Wash", "type": "multi_line_text_field"}]
    rows = [variant("S", sku="B-S", price="9.90"), variant("M", sku="B-M")]
    lists = {"productOptions": OPTIONS, "variants": rows, "metafields": fields}
    made = await put(api, {"title": "Bag", "vendor": "Acme", **lists})
    assert made["userErrors"] == []
    by = {"id": made["product"]["id"]}
    kept = await put(
        api, {"productOptions": OPTIONS, "variants": [variant("S", price="8.00")], "metafields": []}, by=by
    )
    (only,) = kept["product"]["variants"]["nodes"]
    assert only["id"] == made["product"]["variants"]["nodes"][0]["id"]
    assert (only["sku"], only["price"]) == ("B-S", "8.00")
    found = await shown(api, "B-S")
    assert (found["vendor"], found["metafields"]) == ("Acme", [])


async def test_product_set_refuses(api: Api) -> None:
    """Wrong shapes of options and variants, unknown products, taken handles are user errors; nothing is left."""
    before = len((await api.control("GET", "/stores/demo/products"))["products"])

    async def code(words: Any, **more: Any) -> str:
        return str((await put(api, words, **more))["userErrors"][0]["code"])

    assert await code({"title": "X", "variants": [variant("S")]}) == "PRODUCT_OPTIONS_INPUT_MISSING"
    assert await code({"title": "X", "productOptions": OPTIONS}) == "VARIANTS_INPUT_MISSING"
    assert (
        await code({"title": "X", "productOptions": OPTIONS, "variants": [variant("S"), variant("S")]})
        == "DUPLICATED_VALUE"
    )
    assert await code({"title": ""}) == "INVALID_INPUT"
    assert await code({"title": "X"}, by={"id": "gid://shopify/Product/1"}) == "PRODUCT_DOES_NOT_EXIST"
    await put(api, {"title": "One", "handle": "one"})
    assert await code({"title": "Two", "handle": "one"}) == "HANDLE_NOT_UNIQUE"
    assert len((await api.control("GET", "/stores/demo/products"))["products"]) == before + 1


async def test_product_set_later(api: Api) -> None:
    """An asynchronous `productSet` gives an operation that completes."""
    made = await put(api, {"title": "Later"}, now=False)
    assert made["product"] is None
    number = made["productSetOperation"]["id"]
    look = "query O($id: ID!) { productOperation(id: $id) { status product { title } } }"
    assert (await api.data(look, id=number))["productOperation"] == {"status": "CREATED", "product": None}
    await api.control("POST", "/clock", {"advance": 3})
    said = (await api.data(look, id=number))["productOperation"]
    assert said == {"status": "COMPLETE", "product": {"title": "Later"}}


async def test_bulk_updates_keep_the_good_ones(api: Api) -> None:
    """With `allowPartialUpdates` good prices are taken beside a bad one, without it none is."""
    both = [variant("S", sku="C-S"), variant("M", sku="C-M")]
    made = await put(api, {"title": "Bag", "productOptions": OPTIONS, "variants": both})
    product, (small, middle) = made["product"]["id"], made["product"]["variants"]["nodes"]
    text = """mutation U($p: ID!, $v: [ProductVariantsBulkInput!]!, $part: Boolean) {
      productVariantsBulkUpdate(productId: $p, variants: $v, allowPartialUpdates: $part) {
        productVariants { id price } userErrors { field code } } }"""
    rows = [{"id": small["id"], "price": "5"}, {"id": middle["id"], "price": "-1"}]
    none = (await api.data(text, p=product, v=rows, part=False))["productVariantsBulkUpdate"]
    assert none["productVariants"] is None
    some = (await api.data(text, p=product, v=rows, part=True))["productVariantsBulkUpdate"]
    assert some["productVariants"] == [{"id": small["id"], "price": "5.00"}]
    assert some["userErrors"] == [{"field": ["variants", "1", "price"], "code": "GREATER_THAN_OR_EQUAL_TO"}]


async def test_options_and_variants_are_added(api: Api) -> None:
    """New options spread to what is there, new variants join, an equal one is refused."""
    made = await put(api, {"title": "Plain"})
    product = made["product"]["id"]
    text = """mutation O($p: ID!, $o: [OptionCreateInput!]!) { productOptionsCreate(productId: $p, options: $o) {
      product { options { name optionValues { name } } } userErrors { code } } }"""
    said = (await api.data(text, p=product, o=OPTIONS))["productOptionsCreate"]["product"]["options"]
    assert said == [{"name": "Size", "optionValues": [{"name": "S"}]}]
    add = """mutation A($p: ID!, $v: [ProductVariantsBulkInput!]!) {
      productVariantsBulkCreate(productId: $p, variants: $v, strategy: PRESERVE_STANDALONE_VARIANT) {
        productVariants { sku selectedOptions { value } } userErrors { code } } }"""
    rows = [variant("M", inventoryItem={"sku": "P-M", "tracked": True})]
    assert (await api.data(add, p=product, v=rows))["productVariantsBulkCreate"]["productVariants"] == [
        {"sku": "P-M", "selectedOptions": [{"value": "M"}]}
    ]
    again = (await api.data(add, p=product, v=rows))["productVariantsBulkCreate"]
    assert again["userErrors"] == [{"code": "VARIANT_ALREADY_EXISTS"}]


async def test_metafields_are_set_all_or_none(api: Api) -> None:
    """One bad metafield stops all; a stale digest is STALE_OBJECT; more than 25 are refused."""
    made = await put(api, {"title": "M"})
    owner = {"ownerId": made["product"]["id"], "namespace": "custom"}
    text = """mutation M($m: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $m) {
      metafields { key value type compareDigest } userErrors { code field } } }"""
    good, bad = {**owner, "key": "care", "value": "Wash"}, {**owner, "key": "warranty", "value": "two"}
    said = (await api.data(text, m=[good, bad]))["metafieldsSet"]
    assert [one["code"] for one in said["userErrors"]] == ["INVALID_VALUE"]
    look = 'query L($id: ID!) { product(id: $id) { metafield(namespace: "custom", key: "care") { value } } }'
    assert (await api.data(look, id=owner["ownerId"]))["product"]["metafield"] is None
    (done,) = (await api.data(text, m=[good]))["metafieldsSet"]["metafields"]
    assert done["type"] == "multi_line_text_field"
    stale = (await api.data(text, m=[{**good, "compareDigest": "old"}]))["metafieldsSet"]["userErrors"]
    assert stale[0]["code"] == "STALE_OBJECT"
    many = await api(text, m=[{**good, "key": f"k{n}"} for n in range(26)])
    assert many["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


async def test_skus_are_searched_by_beginnings(api: Api) -> None:
    """A search for a SKU finds those that begin so, and several of the same SKU."""
    text = "query V($q: String) { productVariants(first: 50, query: $q) { nodes {"
    text += " id sku inventoryItem { duplicateSkuCount } } } }"
    found = (await api.data(text, q="sku:'SKU-1'"))["productVariants"]["nodes"]
    assert len({one["sku"] for one in found}) > 1
    other = next(one for one in found if one["sku"] != "SKU-1-S-Black")
    await api.control("POST", "/stores/demo/skus", {"variant": other["id"], "sku": "TWIN"})
    await api.control("POST", "/stores/demo/skus", {"variant": found[0]["id"], "sku": "TWIN"})
    twins = (await api.data(text, q="sku:TWIN"))["productVariants"]["nodes"]
    assert [one["inventoryItem"]["duplicateSkuCount"] for one in twins] == [1, 1]


async def test_the_search_knows_new_variants_late(api: Api, store: Any) -> None:
    """With a lagging index a new variant is read by its id at once, and found by its SKU only later."""
    store.options.index_lag = 30
    made = await api.data(
        "mutation M($i: ProductSetInput!) { productSet(input: $i) { product { variants(first: 1) { nodes { id }}}}}",
        i={"title": "Late", "productOptions": [{"name": "Title", "values": [{"name": "One"}]}],
           "variants": [{"sku": "LATE-1", "optionValues": [{"optionName": "Title", "name": "One"}]}]},
    )  # fmt: skip
    (variant,) = made["productSet"]["product"]["variants"]["nodes"]
    search = "{ productVariants(first: 5, query: \"sku:'LATE-1'\") { nodes { id } } }"
    assert (await api.data(search))["productVariants"]["nodes"] == []
    assert (await api.data(f'{{ productVariant(id: "{variant["id"]}") {{ sku }} }}'))["productVariant"][
        "sku"
    ] == "LATE-1"
    await api.control("POST", "/clock", {"advance": 31})
    assert (await api.data(search))["productVariants"]["nodes"] == [variant]


async def test_publishing_and_price_lists(api: Api) -> None:
    """A product is published where told; fixed prices go to a price list of the same currency."""
    product = (await api.control("GET", "/stores/demo/products"))["products"][1]
    text = "mutation P($id: ID!, $i: [PublicationInput!]!) { publishablePublish(id: $id, input: $i) {"
    text += " userErrors { message } } }"
    await api.data(text, id=product["id"], i=[{"publicationId": "gid://shopify/Publication/2"}])
    fixed = """mutation F($p: [PriceListPriceInput!]!) { priceListFixedPricesAdd(
      priceListId: "gid://shopify/PriceList/1", prices: $p) { prices { variant { id } } userErrors { code } } }"""
    one = {"variantId": product["variants"][0]["id"], "price": {"amount": "3.00", "currencyCode": "CAD"}}
    assert (await api.data(fixed, p=[one]))["priceListFixedPricesAdd"]["userErrors"] == []
    wrong = one | {"price": {"amount": "3.00", "currencyCode": "USD"}}
    said = (await api.data(fixed, p=[wrong]))["priceListFixedPricesAdd"]["userErrors"]
    assert said == [{"code": "PRICE_LIST_CURRENCY_MISMATCH"}]
    found = await shown(api, product["variants"][0]["sku"])
    assert found["published"] == [1, 2]
    assert found["variants"][0]["prices"] == {"1": "3.00"}


async def row_of(api: Api, sku: str = "SKU-2", **words: Any) -> Any:
    """One entry of a stock write."""
    item = (await api.control("POST", "/stores/demo/stock", {"sku": sku, "available": 5, **words}))["inventory_item_id"]
    return {"inventoryItemId": item, "locationId": "gid://shopify/Location/1", "quantity": 8, "changeFromQuantity": 5}


async def write(api: Api, *rows: Any, key: str = "k", **words: Any) -> Any:
    given = {"name": "available", "reason": "correction", "quantities": list(rows), **words}
    return (await api.data(STOCK, i=given, k=key))["inventorySetQuantities"]


async def test_s05_stock_is_compared_and_set(api: Api) -> None:
    """S5: a quantity is set when it is what we think it is, whatever it is with null, and STALE else."""
    row = await row_of(api)
    done = await write(api, row)
    assert done["inventoryAdjustmentGroup"]["changes"][0] == {"name": "available", "delta": 3, "quantityAfterChange": 8}
    stale = await write(api, row, key="k2")
    assert [one["code"] for one in stale["userErrors"]] == ["CHANGE_FROM_QUANTITY_STALE"]
    over = await write(api, {**row, "changeFromQuantity": None, "quantity": 1}, key="k3")
    assert over["userErrors"] == []
    assert (await shown(api, "SKU-2"))["variants"][0]["levels"]["1"]["available"] == 1


async def test_s05_stock_needs_its_arguments(api: Api) -> None:
    """S5: without the directive, or without `changeFromQuantity`, nothing is done and the answer is an error."""
    row = await row_of(api)
    bare = STOCK.replace(" @idempotent(key: $k)", "").replace(", $k: String!", "")
    given = {"name": "available", "reason": "correction", "quantities": [row]}
    document = await api(bare, i=given)
    assert document["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    del row["changeFromQuantity"]
    document = await api(STOCK, i=given, k="k")
    assert document["errors"][0]["extensions"]["code"] == "INVALID_FIELD_ARGUMENTS"
    assert (await shown(api, "SKU-2"))["variants"][0]["levels"]["1"]["available"] == 5


async def test_keys_are_remembered_for_a_day(api: Api) -> None:
    """The same key and input is done once, another input is a mismatch, a failed attempt stays failed, for a day."""
    row = await row_of(api)
    first = await write(api, row)
    assert await write(api, row) == first
    other = await write(api, {**row, "quantity": 9})
    assert other["userErrors"][0]["code"] == "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    await write(api, row, key="bad")
    again = await write(api, row, key="bad")
    assert again["userErrors"][0]["code"] == "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
    await api.control("POST", "/clock", {"advance": 86_401})
    assert (await write(api, row))["userErrors"][0]["code"] == "CHANGE_FROM_QUANTITY_STALE"


async def test_s20_stock_that_cannot_be_written(api: Api) -> None:
    """S20: foreign and closed locations, bundles, doubles and unknown reasons are refused, and all with them."""
    row = await row_of(api)
    fine = await row_of(api, "SKU-3")

    async def codes(*rows: Any, key: str, **words: Any) -> list[str]:
        return [one["code"] for one in (await write(api, *rows, key=key, **words))["userErrors"]]

    assert await codes(row, {**fine, "locationId": "gid://shopify/Location/3"}, key="a") == ["INVALID_LOCATION"]
    assert await codes({**row, "locationId": "gid://shopify/Location/4"}, key="b") == ["INVALID_LOCATION"]
    assert await codes(row, row, key="c") == ["NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"]
    assert await codes(row, key="d", reason="because") == ["INVALID_REASON"]
    assert await codes({**row, "inventoryItemId": "gid://shopify/InventoryItem/1"}, key="e") == [
        "INVALID_INVENTORY_ITEM"
    ]
    await row_of(api, bundle=True)
    assert await codes(row, fine, key="f") == ["NON_MUTABLE_INVENTORY_ITEM"]
    assert (await shown(api, "SKU-3"))["variants"][0]["levels"]["1"]["available"] == 5


async def test_stock_begins_with_activation(api: Api) -> None:
    """An item that is not stocked at a location is activated there first."""
    row = await row_of(api, stocked=False)
    assert (await write(api, row))["userErrors"][0]["code"] == "INVALID_LOCATION"
    text = """mutation A($i: ID!, $l: ID!) { inventoryActivate(inventoryItemId: $i, locationId: $l, available: 5)
      @idempotent(key: "x") {
        inventoryLevel { quantities(names: ["available"]) { quantity } } userErrors { message } } }"""
    made = (await api.data(text, i=row["inventoryItemId"], l=row["locationId"]))["inventoryActivate"]
    assert made["inventoryLevel"]["quantities"] == [{"quantity": 5}]
    assert (await write(api, row, key="k2"))["userErrors"] == []


async def test_untracked_items_take_nothing(api: Api) -> None:
    """A write to an item that is not tracked changes nothing, and says no error."""
    row = await row_of(api, tracked=False)
    done = await write(api, row)
    assert done == {"inventoryAdjustmentGroup": {"changes": []}, "userErrors": []}


async def test_the_data_model(api: Api) -> None:
    """Definitions name their categories; a category's attributes hold choices, units or nothing more."""
    text = """{ metafieldDefinitions(ownerType: PRODUCT, first: 10) { nodes { key constraints { values(first: 5) {
      nodes { value } } } } } shop { allProductCategoriesList { id } }
      taxonomy { categories(first: 5, search: "lamps") {
      nodes { id attributes(first: 5) { nodes { __typename ... on TaxonomyChoiceListAttribute { values(first: 2) {
      nodes { name } pageInfo { hasNextPage } } }
      ... on TaxonomyMeasurementAttribute { options { value } } } } } } } }"""
    data = await api.data(text)
    bound = {one["key"] for one in data["metafieldDefinitions"]["nodes"] if one["constraints"]}
    assert bound == {"fit"}
    (lamps,) = data["taxonomy"]["categories"]["nodes"]
    assert {"id": lamps["id"]} in data["shop"]["allProductCategoriesList"]
    kinds = [one["__typename"] for one in lamps["attributes"]["nodes"]]
    assert kinds == ["TaxonomyChoiceListAttribute", "TaxonomyMeasurementAttribute", "TaxonomyAttribute"]
    assert lamps["attributes"]["nodes"][0]["values"]["pageInfo"] == {"hasNextPage": True}
