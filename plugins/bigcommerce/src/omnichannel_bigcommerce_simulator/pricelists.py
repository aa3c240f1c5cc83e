"""Price lists, their records with caps on requests at once, and assignments (price_lists.v3.yml, guide 1.7)."""

from __future__ import annotations

from itertools import count
from typing import Any

from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty, reply
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.errors import Refused, invalid, not_found, too_many
from omnichannel_bigcommerce_simulator.paging import by_id, v3_list
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()
UPSERT, ACROSS, CREATE, ASSIGNMENTS = 1000, 100, 100, 25
_PRICES = ("price", "sale_price", "retail_price", "map_price")


class PriceLists:
    """Lists, records by (list, variant, currency), assignments of one store."""

    def __init__(self) -> None:
        self.lists: dict[int, Row] = {}
        self.records: dict[tuple[int, int, str], Row] = {}
        self.assignments: dict[int, Row] = {}
        self.ids = count(1)


def _list(call: Call) -> Row:
    row = call.store.pricelists.lists.get(call.id("list"))
    if row is None:
        raise not_found("The price list was not found")
    return row


@routes.get("/v3/pricelists", "products")
def list_lists(call: Call) -> Answer:
    rows = by_id(call.store.pricelists.lists.values(), call)
    if "name" in call.query:
        rows = [row for row in rows if row["name"] == call.query["name"]]
    return v3_list(call, rows, cursors=True, links=False)


def _check_name(call: Call, words: Row, own: int = 0) -> None:
    if not isinstance(words.get("name"), str) or not words["name"]:
        raise invalid({"name": "error.path.missing"})
    if any(row["name"] == words["name"] and row["id"] != own for row in call.store.pricelists.lists.values()):
        raise Refused(409, "The price list name is a duplicate", errors={"name": "duplicate"})


@routes.post("/v3/pricelists", "products")
def add_list(call: Call) -> Answer:
    words = call.object()
    _check_name(call, words)
    number = next(call.store.pricelists.ids)
    stamps = {"date_created": iso(call.now), "date_modified": iso(call.now)}
    row = {"id": number, **stamps, "name": words["name"], "active": bool(words.get("active", True))}
    call.store.pricelists.lists[number] = row
    return data(row)


@routes.get("/v3/pricelists/{list}", "products")
def get_list(call: Call) -> Answer:
    return data(_list(call))


@routes.put("/v3/pricelists/{list}", "products")
def change_list(call: Call) -> Answer:
    row = _list(call)
    words = {"name": row["name"], "active": row["active"]} | call.object()
    _check_name(call, words, row["id"])
    row |= {"name": words["name"], "active": words["active"], "date_modified": iso(call.now)}
    return data(row)


@routes.delete("/v3/pricelists/{list}", "products")
def delete_list(call: Call) -> Answer:
    number, lists = _list(call)["id"], call.store.pricelists
    del lists.lists[number]
    lists.records = {key: row for key, row in lists.records.items() if key[0] != number}
    lists.assignments = {key: row for key, row in lists.assignments.items() if row["price_list_id"] != number}
    return empty()


# records


def _field_errors(call: Call, words: Any) -> Row:
    if not isinstance(words, dict):
        return {"": "object expected"}
    wrong: Row = {}
    if _variant(call, words) is None:
        wrong["variant_id"] = "The variant was not found"
    if words.get("currency", "").lower() not in {row["currency_code"].lower() for row in call.store.currencies}:
        wrong["currency"] = "The currency is not valid"
    for name in _PRICES:
        value = words.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            wrong[name] = "error.expected.jsnumber"
    return wrong


def _variant(call: Call, words: Row) -> int | None:
    if "variant_id" in words:
        return words["variant_id"] if words["variant_id"] in call.store.catalog.variants else None
    owner = call.store.catalog.skus.get(str(words.get("sku", "")).lower())
    return owner[1] if owner and owner[1] else None


def _put(call: Call, number: int, words: Row) -> Row:
    variant = _variant(call, words) or 0
    product, row = call.store.catalog.variants[variant]
    key = (number, variant, words["currency"].lower())
    old = call.store.pricelists.records.get(key, {"date_created": iso(call.now)})
    record = {
        **old,
        "price_list_id": number,
        "variant_id": variant,
        "sku": row["sku"],
        "currency": key[2],
        "product_id": product.id,
        "date_modified": iso(call.now),
        **{name: words[name] for name in (*_PRICES, "bulk_pricing_tiers") if name in words},
    }
    for name in _PRICES:
        record.setdefault(name, None)
    record.setdefault("bulk_pricing_tiers", [])
    base = record["price"] if record["price"] is not None else product.row["price"]
    record["calculated_price"] = record["sale_price"] or base
    call.store.pricelists.records[key] = record
    return record


def _batch(call: Call, number: int | None, most: int) -> Answer:
    """All or nothing; 422 with `batch_errors[]` that hold the sent rows (guide 1.8)."""
    rows = call.array()
    if len(rows) > most:
        raise too_many(most)
    wrong: list[Row] = []
    for words in rows:
        errors = _field_errors(call, words)
        if number is None and (
            not isinstance(words, dict) or words.get("price_list_id") not in call.store.pricelists.lists
        ):
            errors["price_list_id"] = "The price list was not found"
        if errors:
            wrong.append({"data": _named(words), "field_errors": errors})
    if wrong and number is None:
        raise Refused(422, "invalid", body=wrong[0])
    if wrong:
        raise Refused(422, "invalid", body={"batch_errors": wrong})
    for words in rows:
        _put(call, number if number is not None else words["price_list_id"], words)
    return reply({"data": {}, "meta": {}})


def _named(words: Any) -> Row:
    """Of a sent row, what says which one it was."""
    names = ("price_list_id", "variant_id", "sku", "currency")
    return {name: words[name] for name in names if name in words} if isinstance(words, dict) else {}


@routes.get("/v3/pricelists/{list}/records", "products", cap=10)
def list_records(call: Call) -> Answer:
    number = _list(call)["id"]
    rows = [row for key, row in call.store.pricelists.records.items() if key[0] == number]
    for name, key in (("variant_id:in", "variant_id"), ("product_id:in", "product_id")):
        wanted = call.integers(name)
        if wanted is not None:
            rows = [row for row in rows if row[key] in wanted]
    currencies = {code.lower() for code in call.words("currency:in") | call.words("currency")}
    skus = call.words("sku:in") | call.words("sku")
    rows = [
        row for row in rows if (not currencies or row["currency"] in currencies) and (not skus or row["sku"] in skus)
    ]
    return v3_list(call, [row | {"id": n} for n, row in enumerate(rows)], render=_without_id, cursors=True, links=False)


def _without_id(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != "id" and (value is not None or key not in _PRICES)}


@routes.post("/v3/pricelists/{list}/records", "products", cap=10)
def create_records(call: Call) -> Answer:
    return _batch(call, _list(call)["id"], CREATE)


@routes.put("/v3/pricelists/{list}/records", "products", cap=2, cap_by="list")
def upsert_records(call: Call) -> Answer:
    return _batch(call, _list(call)["id"], UPSERT)


@routes.post("/v3/pricelists/records", "products", cap=10)
def create_across(call: Call) -> Answer:
    return _batch(call, None, ACROSS)


@routes.put("/v3/pricelists/records", "products", cap=1)
def upsert_across(call: Call) -> Answer:
    return _batch(call, None, ACROSS)


@routes.delete("/v3/pricelists/{list}/records", "products")
def delete_records(call: Call) -> Answer:
    number, lists = _list(call)["id"], call.store.pricelists
    variants, skus = call.integers("variant_id:in"), call.words("sku:in")
    currency = call.query.get("currency", "").lower()
    lists.records = {
        key: row
        for key, row in lists.records.items()
        if key[0] != number
        or (variants is not None and key[1] not in variants)
        or (skus and row["sku"] not in skus)
        or (currency and key[2] != currency)
    }
    return empty()


@routes.get("/v3/pricelists/{list}/records/{variant}", "products", cap=50)
def list_records_of_variant(call: Call) -> Answer:
    number, variant = _list(call)["id"], call.id("variant")
    rows = [row for key, row in call.store.pricelists.records.items() if key[:2] == (number, variant)]
    return v3_list(call, [row | {"id": n} for n, row in enumerate(rows)], render=_without_id, cursors=True, links=False)


def _record(call: Call) -> Row:
    key = (_list(call)["id"], call.id("variant"), call.params["currency"].lower())
    row = call.store.pricelists.records.get(key)
    if row is None:
        raise not_found("The price record was not found")
    return row


@routes.get("/v3/pricelists/{list}/records/{variant}/{currency:w}", "products", cap=40)
def get_record(call: Call) -> Answer:
    return data(_without_id(_record(call)))


@routes.put("/v3/pricelists/{list}/records/{variant}/{currency:w}", "products", cap=40)
def put_record(call: Call) -> Answer:
    words = call.object() | {"variant_id": call.id("variant"), "currency": call.params["currency"]}
    number, errors = _list(call)["id"], _field_errors(call, words)
    if errors:
        raise invalid(errors)
    return data({key: value for key, value in _without_id(_put(call, number, words)).items() if key != "sku"})


@routes.delete("/v3/pricelists/{list}/records/{variant}/{currency:w}", "products", cap=25)
def delete_record(call: Call) -> Answer:
    row = _record(call)
    del call.store.pricelists.records[row["price_list_id"], row["variant_id"], row["currency"]]
    return empty()


# assignments


@routes.get("/v3/pricelists/assignments", "products")
def list_assignments(call: Call) -> Answer:
    rows = by_id(call.store.pricelists.assignments.values(), call)
    for name in ("price_list_id", "customer_group_id", "channel_id"):
        wanted = call.integers(f"{name}:in") or call.integers(name)
        if wanted is not None:
            rows = [row for row in rows if row.get(name) in wanted]
    return v3_list(call, rows, cursors=True, links=False)


@routes.post("/v3/pricelists/assignments", "products")
def add_assignments(call: Call) -> Answer:
    rows = call.array()
    if len(rows) > ASSIGNMENTS:
        raise too_many(ASSIGNMENTS)
    for words in rows:
        if not isinstance(words, dict) or words.get("price_list_id") not in call.store.pricelists.lists:
            raise invalid({"price_list_id": "The price list was not found"})
        if "channel_id" in words and words["channel_id"] not in call.store.channels:
            raise invalid({"channel_id": "The channel was not found"})
    for words in rows:
        _assign(call, words)
    return reply({"data": {}, "meta": {}})


def _assign(call: Call, words: Row) -> Row:
    number = next(call.store.pricelists.ids)
    names = ("price_list_id", "customer_group_id", "channel_id")
    row = {"id": number, **{name: words[name] for name in names if words.get(name) is not None}}
    call.store.pricelists.assignments[number] = row
    return row


@routes.put("/v3/pricelists/{list}/assignments", "products")
def put_assignment(call: Call) -> Answer:
    words = call.object() | {"price_list_id": _list(call)["id"]}
    if words.get("channel_id") not in call.store.channels:
        raise not_found("The channel was not found")
    return data(_assign(call, words))


@routes.delete("/v3/pricelists/assignments", "products")
def delete_assignments(call: Call) -> Answer:
    wanted = call.integers("price_list_id") or call.integers("id")
    if not wanted:
        raise invalid({"price_list_id": "A filter is required"})
    lists = call.store.pricelists
    name = "price_list_id" if "price_list_id" in call.query else "id"
    lists.assignments = {key: row for key, row in lists.assignments.items() if row[name] not in wanted}
    return empty()
