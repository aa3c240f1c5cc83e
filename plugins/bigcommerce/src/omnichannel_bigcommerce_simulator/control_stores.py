"""Control of stores: make, tune, tokens, quota, figures, mails, webhooks."""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator.answers import Answer, Call, reply
from omnichannel_bigcommerce_simulator.deliveries import Delivery
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_bigcommerce_simulator.order_words import STATUSES
from omnichannel_bigcommerce_simulator.routing import Routes
from omnichannel_bigcommerce_simulator.store import Store
from omnichannel_bigcommerce_simulator.tokens import Token

Row = dict[str, Any]
routes = Routes()
TUNABLE = (
    "is_deleted_filter",
    "archived_listed",
    "latency",
    "latencies",
    "not_in_plan",
    "name",
    "timezone",
    "tax_inclusive",
    "categories_required",
)
ROOT = "/_control/stores/{hash:w}"


def the_store(call: Call) -> Store:
    store = call.world.stores.get(call.params["hash"])
    if store is None:
        raise Refused(404, f"there is no store {call.params['hash']}")
    return store


def _summary(store: Store) -> Row:
    return {
        "hash": store.hash,
        "status": store.status,
        "orders": store.orders.next_id - store.orders.first,
        "first_order_id": store.orders.first,
        "next_order_id": store.orders.next_id,
        "products": len(store.catalog.products),
        "tokens": sum(token.alive for token in store.tokens.values()),
        "quota": store.quota.limit,
    }


@routes.post("/_control/stores")
def add_store(call: Call) -> Answer:
    return reply(_summary(call.world.open_store(**call.object())), 201)


@routes.get(ROOT)
def get_store(call: Call) -> Answer:
    return reply(_summary(call.store))


@routes.delete(ROOT)
def delete_store(call: Call) -> Answer:
    del call.world.stores[call.store.hash]
    return reply({})


@routes.put(ROOT)
def tune(call: Call) -> Answer:
    """Status (live, suspended), owner's mail (kills app tokens), decline_refunds, lags, and the options of
    `TUNABLE`.
    """
    store, words = call.store, call.object()
    for name, value in words.items():
        if name in TUNABLE:
            setattr(store.options, name, value)
        elif name == "status":
            store.status = value
        elif name == "decline_refunds":
            store.decline_refunds = int(value)
        elif name == "stock_lag":
            store.stock.lag = float(value)
        elif name == "hook_lag":
            store.hooks.lag = float(value)
        elif name == "owner_email":
            _new_owner(store, value)
        else:
            raise ValueError(f"store: {name!r} cannot be tuned")
    if {"name", "timezone"} & words.keys():
        store.hooks.emit("store/information/updated", {"type": "store"})
    return reply(_summary(store))


def _new_owner(store: Store, email: str) -> None:
    """Another owner's mail: the tokens of apps die until the merchant opens the app again (guide 1.3)."""
    store.owner_email = email
    for token in store.tokens.values():
        if token.app:
            token.alive = False


@routes.put(f"{ROOT}/statuses/{{id}}")
def rename_status(call: Call) -> Answer:
    """`{"label": "..."}`: the merchant renames a status."""
    if call.id() not in STATUSES:
        raise Refused(404, f"there is no status {call.id()}")
    call.store.rename_status(call.id(), call.object()["label"])
    return reply({})


# tokens


@routes.post(f"{ROOT}/tokens")
def add_token(call: Call) -> Answer:
    """`{"token", "client_id"?, "client_secret"?, "scopes"?: [..] or null for all}`."""
    words = call.object()
    scopes = words.get("scopes")
    client = words.get("client_id", f"account-{words['token'][-4:]}")
    token = Token(words["token"], client, words.get("client_secret", ""), None if scopes is None else frozenset(scopes))
    call.store.admit(token)
    return reply({"client_id": client}, 201)


@routes.put(f"{ROOT}/tokens/{{token:w}}")
def change_token(call: Call) -> Answer:
    """`{"scopes"?, "alive"?, "rotate_to"?}`; a rotation kills the old one at once."""
    words, token = call.object(), _token(call)
    if "scopes" in words:
        token.scopes = None if words["scopes"] is None else frozenset(words["scopes"])
    token.alive = bool(words.get("alive", token.alive))
    if "rotate_to" in words:
        token.alive = False
        fresh = Token(words["rotate_to"], token.client_id, token.client_secret, token.scopes, token.app)
        call.store.admit(fresh)
    return reply({"alive": token.alive, "used": token.used})


@routes.delete(f"{ROOT}/tokens/{{token:w}}")
def kill_token(call: Call) -> Answer:
    """The API account is deleted: token and hooks are gone."""
    token = _token(call)
    token.alive = False
    call.store.hooks.remove_of(token.client_id)
    return reply({})


def _token(call: Call) -> Token:
    token = call.store.tokens.get(call.params["token"])
    if token is None:
        raise Refused(404, "there is no such token in this store")
    return token


# quota and figures


@routes.put(f"{ROOT}/quota")
def set_quota(call: Call) -> Answer:
    """`{"limit"?, "window_ms"?, "foreign_rate"?: requests a second of another consumer, "take"?: requests taken at
    once}`.
    """
    quota, words = call.store.quota, call.object()
    if "window_ms" in words:
        quota.window_ms, quota.started = int(words["window_ms"]), call.now
        quota.windows.clear()
    quota.limit = int(words.get("limit", quota.limit))
    quota.foreign_rate = float(words.get("foreign_rate", quota.foreign_rate))
    if "take" in words:
        quota.take(int(words["take"]), call.now)
    return reply(quota.headers(call.now))


@routes.get(f"{ROOT}/figures")
def figures(call: Call) -> Answer:
    """Requests by operation, answers by status, quota windows with the share used, mails, events."""
    store = call.store
    return reply(
        {
            "requests": dict(store.requests),
            "total": sum(store.requests.values()),
            "statuses": {str(status): n for status, n in store.statuses.items()},
            "refused_429": store.statuses[429],
            "windows": store.quota.report(),
            "mails": len(store.mails),
            "events": len(store.hooks.log),
        }
    )


@routes.delete(f"{ROOT}/figures")
def clear_figures(call: Call) -> Answer:
    call.store.requests.clear()
    call.store.statuses.clear()
    call.store.quota.windows.clear()
    call.store.mails.clear()
    return reply({})


@routes.get(f"{ROOT}/mails")
def mails(call: Call) -> Answer:
    return reply({"mails": call.store.mails})


@routes.post(f"{ROOT}/stock")
def set_stock(call: Call) -> Answer:
    """`{"variant_id" or "product_id", "location_id"?, "available"?, "safety"?}`: what is in the warehouse, readable
    at once.
    """
    words, stock = call.object(), call.store.stock
    key = (words.get("location_id", 1), stock.subject(words))
    lag, stock.lag = stock.lag, 0.0
    stock.write(key, int(words.get("available", 0)))
    stock.lag = lag
    stock.levels[key].safety = int(words.get("safety", stock.levels[key].safety))
    return reply({})


# webhooks


def delivery_row(call: Call, delivery: Delivery) -> Row:
    return {
        "id": delivery.id,
        "hook_id": delivery.hook.id,
        "destination": delivery.hook.destination,
        "scope": delivery.scope,
        "headers": call.store.hooks.signed(delivery),
        "body": delivery.body.decode(),
        "due": delivery.due,
        "attempts": delivery.attempts,
        "state": delivery.state,
    }


@routes.get(f"{ROOT}/deliveries")
def list_deliveries(call: Call) -> Answer:
    """Deliveries that are due, with headers and raw body; `?all=1` all of them, `?reverse=1` out of order."""
    hooks = call.store.hooks
    rows = list(hooks.queue.values()) if "all" in call.query else hooks.due(reverse="reverse" in call.query)
    return reply({"deliveries": [delivery_row(call, each) for each in rows]})


@routes.post(f"{ROOT}/deliveries/{{id}}")
def report_delivery(call: Call) -> Answer:
    """`{"status": 200}`: what the receiver answered (0 for nothing); `{"again": true}` delivers the event a second
    time.
    """
    if call.id() not in call.store.hooks.queue:
        raise Refused(404, f"there is no delivery {call.id()}")
    words = call.object()
    if words.get("again"):
        return reply(delivery_row(call, call.store.hooks.again(call.id())))
    return reply(delivery_row(call, call.store.hooks.report(call.id(), int(words["status"]))))


@routes.post(f"{ROOT}/events")
def emit(call: Call) -> Answer:
    """`{"scope", "data"}`: an event out of the blue."""
    words = call.object()
    call.store.hooks.emit(words["scope"], words.get("data", {}))
    return reply({})


@routes.get(f"{ROOT}/events")
def events(call: Call) -> Answer:
    return reply({"events": call.store.hooks.log})
