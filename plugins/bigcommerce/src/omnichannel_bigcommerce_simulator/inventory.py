"""/v3/inventory: adjustments, items, locations (inventory.v3.yml, locations.v3.yml)."""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator import metafields
from omnichannel_bigcommerce_simulator.answers import Answer, Call, reply
from omnichannel_bigcommerce_simulator.catalog import Product
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.paging import v3_list
from omnichannel_bigcommerce_simulator.routing import Routes
from omnichannel_bigcommerce_simulator.stock import Key, Level, refused

Row = dict[str, Any]
routes = Routes()
ITEMS, LOCATIONS = 2000, 50


def _items(call: Call) -> list[tuple[Key, Row]]:
    """The keys and items of an adjustment; one bad item fails the request."""
    words = call.object()
    items = words.get("items")
    if not isinstance(items, list) or not items:
        raise refused("items is required", {"items": "error.path.missing"})
    if len(items) > ITEMS:
        raise refused(f"The maximum number of items is {ITEMS}", {"items": f"at most {ITEMS}"}, 413)
    found: list[tuple[Key, Row]] = []
    for item in items:
        if (
            not isinstance(item, dict)
            or isinstance(item.get("quantity"), bool)
            or not isinstance(item.get("quantity"), int)
        ):
            raise refused("quantity must be an integer", {"quantity": "error.expected.jsnumber"})
        if item.get("location_id") not in call.store.locations:
            raise refused(f"[Location {item.get('location_id')} was not found]")
        found.append(((item["location_id"], call.store.stock.subject(item)), item))
    return found


@routes.put("/v3/inventory/adjustments/absolute", "inventory", cap=1)
def absolute(call: Call) -> Answer:
    """Sets levels, 2000 at most, one request at a time (guide 1.7); reads follow later."""
    found = _items(call)
    if any(item["quantity"] < 0 for _, item in found):
        raise refused("quantity must not be negative", {"quantity": "error.min"})
    for key, item in found:
        call.store.stock.write(key, item["quantity"])
    _tell(call, [key for key, _ in found])
    return _transaction(call)


@routes.post("/v3/inventory/adjustments/relative", "inventory", cap=1)
def relative(call: Call) -> Answer:
    """Signed quantities; refused before a first absolute write (dev-docs#2126) and below safety stock."""
    found, stock = _items(call), call.store.stock
    unknown = [str(_identity(item)) for key, item in found if stock.current(key) is None]
    if unknown:
        raise refused(f"Items with identity: [{', '.join(unknown)}] requires absolute adjustment before relative")
    for key, item in found:
        if (stock.current(key) or 0) + item["quantity"] < stock.levels.get(key, Level()).safety:
            raise refused(f"[Item with {_identity(item)} would fall below its safety stock]")
    for key, item in found:
        stock.write(key, (stock.current(key) or 0) + item["quantity"])
    _tell(call, [key for key, _ in found])
    return _transaction(call)


def _identity(item: Row) -> str:
    name = next(name for name in ("variant_id", "product_id", "sku") if name in item)
    return f"{name}: {item[name]}"


def _tell(call: Call, keys: list[Key]) -> None:
    for location, subject in keys:
        if subject < 0:
            words: Row = {
                "type": "product",
                "id": -subject,
                "inventory": {"product_id": -subject, "method": "absolute"},
            }
            call.store.hooks.emit("store/product/inventory/updated", words)
        else:
            product = call.store.catalog.variants[subject][0].id
            sku = {"product_id": product, "variant_id": subject, "location_id": location}
            call.store.hooks.emit("store/sku/inventory/updated", {"type": "sku", "id": subject, "inventory": sku})


def _transaction(call: Call) -> Answer:
    return reply({"transaction_id": f"{next(call.store.ids):08d}-0000-4000-8000-000000000000"})


def _rows(call: Call) -> list[tuple[Product, Row]]:
    rows = list(call.store.catalog.variants.values())
    variants, products = call.integers("variant_id:in"), call.integers("product_id:in")
    skus = {sku.lower() for sku in call.words("sku:in")}
    return [
        (product, variant)
        for product, variant in rows
        if (variants is None or variant["id"] in variants)
        and (products is None or product.id in products)
        and (not skus or variant["sku"].lower() in skus)
    ]


def _level(level: Level) -> Row:
    settings = {
        "safety_stock": level.safety,
        "is_in_stock": level.in_stock,
        "warning_level": level.warning,
        "bin_picking_number": level.bin,
    }
    return {
        "available_to_sell": level.available,
        "total_inventory_onhand": level.available + level.safety,
        "settings": settings,
    }


def _who(product: Product, variant: Row) -> Row:
    return {"sku": variant["sku"], "variant_id": variant["id"], "product_id": product.id}


@routes.get("/v3/inventory/items", "inventory")
def list_items(call: Call) -> Answer:
    """All things at all locations; limit up to 1000."""
    wanted, codes = call.integers("location_id:in"), call.words("location_code:in")
    locations = [
        row
        for row in call.store.locations.values()
        if (wanted is None or row["id"] in wanted) and (not codes or row["code"] in codes)
    ]

    def render(pair: tuple[Product, Row]) -> Row:
        product, variant = pair
        return {
            "identity": _who(product, variant) | {"sku_id": variant["sku_id"]},
            "locations": [
                {
                    "location_id": row["id"],
                    "location_code": row["code"],
                    "location_name": row["label"],
                    "location_enabled": row["enabled"],
                    **_level(call.store.stock.at(row["id"], product, variant)),
                }
                for row in locations
            ],
        }

    return v3_list(call, _rows(call), most=1000, render=render)


@routes.get("/v3/inventory/locations/{location}/items", "inventory")
def list_items_of_location(call: Call) -> Answer:
    location = _location(call)["id"]

    def render(pair: tuple[Product, Row]) -> Row:
        return {"identity": _who(*pair), **_level(call.store.stock.at(location, *pair))}

    return v3_list(call, _rows(call), most=1000, render=render)


@routes.put("/v3/inventory/locations/{location}/items", "inventory")
def put_settings(call: Call) -> Answer:
    """Safety stock, warning level, bin number by identity."""
    location, words = _location(call)["id"], call.object()
    if not isinstance(words.get("settings"), list):
        raise refused("settings is required", {"settings": "error.path.missing"})
    changes = [(call.store.stock.subject(each.get("identity", {})), each) for each in words["settings"]]
    for subject, each in changes:
        level = call.store.stock.levels.setdefault((location, subject), Level())
        level.safety = each.get("safety_stock", level.safety)
        level.warning = each.get("warning_level", level.warning)
        level.bin = each.get("bin_picking_number", level.bin)
        level.in_stock = each.get("is_in_stock", level.in_stock)
    return _transaction(call)


# locations


def location_row(number: int, words: Row, time_zone: str, now: float) -> Row:
    day = {"open": True, "opening": "09:00", "closing": "18:00"}
    week = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
    return {
        "id": number,
        "code": words.get("code", f"BC-LOCATION-{number}"),
        "label": words.get("label", "Main store"),
        "description": words.get("description", ""),
        "managed_by_external_source": bool(words.get("managed_by_external_source", False)),
        "type_id": words.get("type_id", "PHYSICAL"),
        "enabled": bool(words.get("enabled", True)),
        "operating_hours": words.get("operating_hours", {name: dict(day) for name in week}),
        "time_zone": words.get("time_zone", time_zone),
        "created_at": iso(now),
        "updated_at": iso(now),
        "address": words.get("address", _ADDRESS),
        "storefront_visibility": bool(words.get("storefront_visibility", True)),
        "special_hours": words.get("special_hours", []),
    }


_ADDRESS: Row = {
    "address1": "1 Market Street",
    "address2": "",
    "city": "Austin",
    "state": "TX",
    "zip": "78701",
    "email": "store@example.com",
    "phone": "5125550100",
    "geo_coordinates": {"latitude": 30.27, "longitude": -97.74},
    "country_code": "US",
}


def _location(call: Call) -> Row:
    row = call.store.locations.get(call.id("location"))
    if row is None:
        raise refused("The location was not found", status=404)
    return row


@routes.get("/v3/inventory/locations", "locations")
def list_locations(call: Call) -> Answer:
    rows = list(call.store.locations.values())
    wanted, codes = call.integers("location_id:in"), call.words("location_code:in")
    rows = [row for row in rows if (wanted is None or row["id"] in wanted) and (not codes or row["code"] in codes)]
    if "is_active" in call.query:
        rows = [row for row in rows if row["enabled"] is (call.query["is_active"] == "true")]
    return v3_list(call, rows, most=1000)


@routes.post("/v3/inventory/locations", "locations")
def add_locations(call: Call) -> Answer:
    rows = call.array()
    if len(rows) > LOCATIONS:
        raise refused(f"The maximum number of locations is {LOCATIONS}", status=413)
    codes = {row["code"] for row in call.store.locations.values()}
    for words in rows:
        if not words.get("label") or not words.get("code") or words["code"] in codes:
            raise refused("code and label are required, code is unique", {"code": "invalid"})
        codes.add(words["code"])
    for words in rows:
        number = max(call.store.locations, default=0) + 1
        call.store.locations[number] = location_row(number, words, call.store.options.timezone, call.now)
        call.store.hooks.emit("store/inventory/location/created", {"type": "location", "id": number})
    return _transaction(call)


@routes.put("/v3/inventory/locations", "locations")
def change_locations(call: Call) -> Answer:
    rows = call.array()
    if len(rows) > LOCATIONS:
        raise refused(f"The maximum number of locations is {LOCATIONS}", status=413)
    if any(words.get("id") not in call.store.locations for words in rows):
        raise refused("A location was not found", {"id": "unknown"})
    for words in rows:
        known = call.store.locations[words["id"]]
        known |= {key: value for key, value in words.items() if key in known} | {"updated_at": iso(call.now)}
        call.store.hooks.emit("store/inventory/location/updated", {"type": "location", "id": words["id"]})
    return _transaction(call)


@routes.delete("/v3/inventory/locations", "locations")
def delete_locations(call: Call) -> Answer:
    wanted = call.integers("location_id:in") or set()
    if not wanted or 1 in wanted:
        raise refused("location_id:in is required, the default location stays", {"location_id:in": "invalid"})
    for number in wanted:
        call.store.locations.pop(number, None)
    return _transaction(call)


def _exists(call: Call, number: int) -> None:
    if number not in call.store.locations:
        raise refused("The location was not found", status=404)


metafields.register(routes, "/v3/inventory/locations", "location", "locations", _exists)
