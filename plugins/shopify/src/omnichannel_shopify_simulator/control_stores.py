"""Control of shops: make, tune, tokens, bucket, figures, mails, stock, webhooks, bulk operations."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify_simulator import access
from omnichannel_shopify_simulator.answers import Answer, Call, Refused, reply
from omnichannel_shopify_simulator.bucket import PLANS, Bucket
from omnichannel_shopify_simulator.installs import Install, Token
from omnichannel_shopify_simulator.routing import Routes
from omnichannel_shopify_simulator.store import Options, Store
from omnichannel_shopify_simulator.values import iso, number
from omnichannel_shopify_simulator.webhooks import Delivery

Row = dict[str, Any]
routes = Routes()
ROOT = "/_control/stores/{shop:w}"
TUNABLE = frozenset(
    [
        "name",
        "timezone",
        "taxes_included",
        "organization",
        "latency",
        "latencies",
        "bulk_seconds",
        "bulk_rate",
        "bulk_shuffled",
        "expiring_required",
        "cancel_seconds",
    ]
)


def the_store(call: Call, name: str) -> Store:
    store = call.world.stores.get(name.removesuffix(".myshopify.com"))
    if store is None:
        raise Refused(404, f"there is no shop {name}")
    return store


def _install(call: Call, words: Row) -> Install:
    """The app named by `client_id`, or the only one."""
    installs = call.store.installs
    name = words.get("client_id") or call.query.get("client_id")
    if name is None and len(installs) == 1:
        return next(iter(installs.values()))
    if name not in installs:
        raise Refused(404, f"app {name} is not installed; there are {', '.join(installs)}")
    return installs[name]


def _summary(store: Store) -> Row:
    return {
        "shop": store.name, "domain": store.domain, "status": store.status, "orders": len(store.orders.entries),
        "first_order_id": store.orders.first, "next_order_id": store.orders.next_number,
        "products": len(store.catalog.products), "plan": store.options.plan,
        "installs": {
            name: {"scopes": sorted(one.scopes), "level": one.level, "alive": one.alive, "hooks": len(one.hooks)}
            for name, one in store.installs.items()
        },
    }  # fmt: skip


@routes.post("/_control/stores")
def add_store(call: Call) -> Answer:
    return reply(_summary(call.world.open_store(**call.object())), 201)


@routes.get(ROOT)
def get_store(call: Call) -> Answer:
    return reply(_summary(call.store))


@routes.delete(ROOT)
def delete_store(call: Call) -> Answer:
    del call.world.stores[call.store.name]
    return reply({})


@routes.put(ROOT)
def tune(call: Call) -> Answer:
    """`status` (live, frozen, locked, fraudulent, gone, moved with `moved_to`), and the options of `TUNABLE`."""
    store, words = call.store, call.object()
    for name, value in words.items():
        if name in TUNABLE and name in Options.__dataclass_fields__:
            setattr(store.options, name, value)
        elif name in {"status", "moved_to"}:
            setattr(store, name, value)
        else:
            raise ValueError(f"store: {name!r} cannot be tuned")
    if {"name", "timezone"} & words.keys():
        store.hooks.emit(
            "SHOP_UPDATE", {"id": store.number, "myshopify_domain": store.domain, "name": store.options.name}
        )
    return reply(_summary(store))


# tokens


@routes.post(f"{ROOT}/tokens")
def add_token(call: Call) -> Answer:
    """`{"token", "client_id"?, "expires"?: seconds from now}`: another token of an installed app."""
    words = call.object()
    expires = call.now + float(words["expires"]) if words.get("expires") is not None else None
    install = _install(call, words)
    install.tokens[words["token"]] = Token(words["token"], expires)
    return reply({"client_id": install.app.client_id}, 201)


@routes.delete(f"{ROOT}/tokens/{{token:w}}")
def kill_token(call: Call) -> Answer:
    for install in call.store.installs.values():
        install.tokens.pop(call.params["token"], None)
    return reply({})


@routes.put(f"{ROOT}/access")
def set_access(call: Call) -> Answer:
    """`{"client_id"?, "scopes"?: [..] or null for all, "level"?: 0-2, "protected"?: [name, address, email, phone]}`."""
    words = call.object()
    install = _install(call, words)
    if "scopes" in words:
        install.scopes = access.ALL_SCOPES if words["scopes"] is None else frozenset(words["scopes"])
        call.store.hooks.emit(
            "APP_SCOPES_UPDATE", {"id": install.number, "current": sorted(install.scopes)}, only=install
        )
    if "level" in words:
        install.level = int(words["level"])
        install.protected = frozenset(access.KINDS if install.level >= 2 else ())
    if words.get("protected") is not None:
        install.protected = frozenset(words["protected"])
    return reply({"scopes": sorted(install.scopes), "level": install.level, "protected": sorted(install.protected)})


# bucket and figures


@routes.put(f"{ROOT}/bucket")
def set_bucket(call: Call) -> Answer:
    """`{"client_id"?, "plan"?, "rate"?, "size"?, "level"?, "foreign_rate"?: points a second of somebody else, "take"?:
    points taken at once, "span"?: seconds a row of figures covers}`.
    """
    words = call.object()
    install = _install(call, words)
    if "plan" in words:
        install.bucket = Bucket(*PLANS[words["plan"]], call.now)
    bucket = install.bucket
    bucket.available(call.now)
    bucket.rate, bucket.size = float(words.get("rate", bucket.rate)), float(words.get("size", bucket.size))
    bucket.level = min(bucket.size, float(words.get("level", bucket.level)))
    bucket.foreign_rate = float(words.get("foreign_rate", bucket.foreign_rate))
    if "take" in words:
        bucket.steal(float(words["take"]), call.now)
    if "span" in words:
        bucket.span = float(words["span"])
        bucket.clear(call.now)
    return reply(bucket.status(call.now))


@routes.get(f"{ROOT}/figures")
def figures(call: Call) -> Answer:
    """Requests by operation, answers by status and code, each app's bucket with the share used, mails, events."""
    store = call.store
    return reply(
        {
            "requests": dict(store.requests), "total": sum(store.requests.values()), "statuses": dict(store.statuses),
            "throttled": sum(one.bucket.throttled for one in store.installs.values()),
            "buckets": {name: one.bucket.report(call.now) for name, one in store.installs.items()},
            "mails": len(store.mails), "events": len(store.hooks.log),
        }
    )  # fmt: skip


@routes.delete(f"{ROOT}/figures")
def clear_figures(call: Call) -> Answer:
    """The buckets keep their level; what they permit is counted from now on."""
    call.store.requests.clear()
    call.store.statuses.clear()
    call.store.mails.clear()
    for install in call.store.installs.values():
        install.bucket.clear(call.now)
    return reply({})


@routes.get(f"{ROOT}/mails")
def mails(call: Call) -> Answer:
    return reply({"mails": call.store.mails})


# products and stock


def _product(row: Row, store: Store) -> Row:
    shelf = store.catalog
    hidden = {key: value for key, value in row.items() if not key.startswith("_")}
    rows = [
        {
            **{key: value for key, value in one.items() if not key.startswith("_")}, "sku": shelf.sku_of(one),
            "inventory_item_id": shelf.items[one["_item"]]["id"], "tracked": shelf.items[one["_item"]]["tracked"],
            "prices": {str(n): price for n, price in one["_prices"].items()},
            "levels": {str(n): level["_quantities"] for n, level in shelf.items[one["_item"]]["levels"].items()},
        }
        for one in shelf.variants_of(row)
    ]  # fmt: skip
    return hidden | {"variants": rows, "published": sorted(row["_published"]), "collections": row["_collections"]}


@routes.get(f"{ROOT}/products")
def products(call: Call) -> Answer:
    """All products with everything below them, for assertions; `?sku=` only those with a variant of that SKU."""
    rows = [_product(row, call.store) for row in call.store.catalog.products.values()]
    if "sku" in call.query:
        rows = [row for row in rows if any(one["sku"] == call.query["sku"] for one in row["variants"])]
    return reply({"products": rows})


@routes.post(f"{ROOT}/stock")
def set_stock(call: Call) -> Answer:
    """`{"sku", "location"?: 1, "available"?, "stocked"?, "tracked"?, "bundle"?}`: what is in the warehouse."""
    words, shelf = call.object(), call.store.catalog
    item = next((one for one in shelf.items.values() if one["_sku"] == words["sku"]), None)
    if item is None:
        raise Refused(404, f"there is no variant {words['sku']}")
    place = int(words.get("location", 1))
    if words.get("stocked") is False:
        item["levels"].pop(place, None)
    elif "available" in words:
        quantities = shelf.level(item, place)["_quantities"]
        quantities["on_hand"] += int(words["available"]) - quantities["available"]
        quantities["available"] = int(words["available"])
    item["tracked"] = bool(words.get("tracked", item["tracked"]))
    item["_bundle"] = bool(words.get("bundle", item["_bundle"]))
    return reply({"inventory_item_id": item["id"]})


@routes.post(f"{ROOT}/skus")
def set_sku(call: Call) -> Answer:
    """`{"variant": id, "sku"}`: the merchant names a variant; two of the same SKU are allowed."""
    words, shelf = call.object(), call.store.catalog
    variant = shelf.variants[number(words["variant"])]
    shelf.items[variant["_item"]]["_sku"] = words["sku"]
    return reply({})


# bulk operations


@routes.post(f"{ROOT}/bulk")
def order_bulk(call: Call) -> Answer:
    """For the next bulk operation: `{"fail"?: errorCode, "fail_after"?: orders, "miscount"?: added to objectCount}`."""
    words = call.object()
    if unknown := words.keys() - {"fail", "fail_after", "miscount"}:
        raise ValueError(f"bulk: no such word {min(unknown)!r}")
    call.store.bulk_orders.append(words)
    return reply({}, 201)


@routes.get(f"{ROOT}/bulk")
def list_bulk(call: Call) -> Answer:
    rows = [one.row(call.store, call.now) for each in call.store.installs.values() for one in each.bulks.values()]
    return reply({"operations": rows})


@routes.post(f"{ROOT}/bulk/{{id}}/expire")
def expire_bulk(call: Call) -> Answer:
    """It ends as EXPIRED."""
    for install in call.store.installs.values():
        if call.id() in install.bulks:
            one = install.bulks[call.id()]
            one.status, one.completed, one.stopped = "EXPIRED", call.now, True
            return reply(one.row(call.store, call.now))
    raise Refused(404, f"there is no bulk operation {call.id()}")


# webhooks


def delivery_row(store: Store, delivery: Delivery, family: str = "x-shopify-") -> Row:
    return {
        "id": delivery.id, "topic": delivery.topic, "uri": delivery.uri, "due": delivery.due,
        "headers": store.hooks.headers(delivery, family), "body": delivery.body.decode(),
        "attempts": delivery.attempts, "state": delivery.state, "triggered": iso(delivery.triggered),
    }  # fmt: skip


@routes.get(f"{ROOT}/deliveries")
def list_deliveries(call: Call) -> Answer:
    """Deliveries that are due, with headers and raw body; `?all=1` all of them, `?reverse=1` out of order,
    `?family=shopify-` with the newer headers.
    """
    hooks = call.store.hooks
    rows = list(hooks.queue.values()) if "all" in call.query else hooks.due(reverse="reverse" in call.query)
    family = call.query.get("family", "x-shopify-")
    return reply({"deliveries": [delivery_row(call.store, each, family) for each in rows]})


@routes.post(f"{ROOT}/deliveries/{{id}}")
def report_delivery(call: Call) -> Answer:
    """`{"status": 200}`: what the receiver answered (0 for nothing); `{"again": true}` delivers it a second time,
    with `"other_id": true` as another delivery of the same event.
    """
    hooks, words = call.store.hooks, call.object()
    if call.id() not in hooks.queue:
        raise Refused(404, f"there is no delivery {call.id()}")
    if words.get("again"):
        made = hooks.again(call.id(), other_id=bool(words.get("other_id")))
        return reply(delivery_row(call.store, made))
    return reply(delivery_row(call.store, hooks.report(call.id(), int(words["status"]))))


@routes.get(f"{ROOT}/events")
def events(call: Call) -> Answer:
    return reply({"events": call.store.hooks.log})


@routes.post(f"{ROOT}/events")
def emit(call: Call) -> Answer:
    """`{"topic": "LOCATIONS_UPDATE", "payload"}`: an event out of the blue."""
    words = call.object()
    call.store.hooks.emit(words["topic"], words.get("payload", {}))
    return reply({})
