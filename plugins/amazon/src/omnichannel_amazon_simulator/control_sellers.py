"""Control of sellers: open, tune, authorize, revoke, buckets, orders, returns."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from omnichannel_amazon_simulator.answers import Answer, Call, Row, reply
from omnichannel_amazon_simulator.errors import missing
from omnichannel_amazon_simulator.order import Order, Package
from omnichannel_amazon_simulator.order_making import Plan
from omnichannel_amazon_simulator.order_shape import render
from omnichannel_amazon_simulator.orders import INCLUDED
from omnichannel_amazon_simulator.routing import Routes
from omnichannel_amazon_simulator.sellers import Options, Seller

routes = Routes()
ROOT = "/_control/sellers/{seller}"
FIXED = {"seller_id", "marketplaces", "orders", "days", "listings", "types", "type_weight"}


def the_seller(call: Call, ident: str) -> Seller:
    seller = call.world.sellers.get(ident)
    if seller is None:
        raise missing(f"there is no seller {ident}")
    return seller


@routes("POST", "/_control/sellers")
def add(call: Call) -> Answer:
    return reply(call.world.open_seller(call.object()).summary(), 201)


@routes("GET", ROOT)
def get(call: Call) -> Answer:
    return reply(call.seller.summary())


@routes("DELETE", ROOT)
def delete(call: Call) -> Answer:
    del call.world.sellers[call.seller.id]
    return reply({})


@routes("PUT", ROOT)
def tune(call: Call) -> Answer:
    """Any of `sellers.Options` but the first six."""
    tunable = {each.name for each in fields(Options)} - FIXED
    for name, value in call.object().items():
        if name not in tunable:
            raise ValueError(f"seller: {name!r} cannot be tuned; {', '.join(sorted(tunable))} can")
        setattr(call.seller.options, name, value)
    return reply(call.seller.summary())


# authorizations


@routes("POST", f"{ROOT}/authorize")
def authorize(call: Call) -> Answer:
    """`{"client_id", "roles"?}` -> `{"refresh_token"}`: the seller authorizes a private application itself."""
    words = call.object()
    app, wallet = call.world.apps[words["client_id"]], call.world.wallet
    grant = wallet.grant(app, call.seller.id, words.get("roles", call.seller.options.roles), call.now)
    return reply({"grant": grant.id, "refresh_token": wallet.refresh_token(grant)}, 201)


@routes("GET", f"{ROOT}/grants")
def grants(call: Call) -> Answer:
    rows = call.world.wallet.of(call.seller.id)
    shown = [
        {"id": g.id, "client_id": g.client_id, "roles": sorted(g.roles), "since": g.since, "alive": g.lives(call.now)}
        for g in rows
    ]
    return reply({"grants": shown})


@routes("POST", f"{ROOT}/grants")
def change_grants(call: Call) -> Answer:
    """`{"alive"?, "roles"?, "age"?: seconds}` of all authorizations: revoke, change roles, grow old."""
    words = call.object()
    for grant in call.world.wallet.of(call.seller.id):
        grant.alive = bool(words.get("alive", grant.alive))
        grant.roles = frozenset(words.get("roles", grant.roles))
        grant.since = call.now - float(words["age"]) if "age" in words else grant.since
    return grants(call)


@routes("POST", f"{ROOT}/expire")
def expire(call: Call) -> Answer:
    """Every access token of the seller expires now; refresh tokens stay."""
    for token in call.world.wallet.access.values():
        if token.grant is not None and token.grant.seller_id == call.seller.id:
            token.expires = min(token.expires, call.now)
    return reply({})


# buckets


@routes("GET", f"{ROOT}/figures")
def figures(call: Call) -> Answer:
    """Buckets with their counts and share, and requests by operation and status."""
    buckets = call.world.buckets.report(call.seller.id, call.now)
    return reply({"buckets": buckets, "requests": dict(call.seller.requests)})


@routes("DELETE", f"{ROOT}/figures")
def clear_figures(call: Call) -> Answer:
    """Counts begin anew; buckets keep their level."""
    call.seller.requests.clear()
    for (_, owner, _), bucket in call.world.buckets.all.items():
        if owner == call.seller.id:
            bucket.restart()
    return reply({})


@routes("PUT", f"{ROOT}/rates")
def rates(call: Call) -> Answer:
    """`{operation: {"rate", "burst"}}`: a dynamic usage plan of this seller."""
    for operation, plan in call.object().items():
        call.world.buckets.change(call.seller.id, operation, float(plan["rate"]), float(plan["burst"]), call.now)
    return reply({})


@routes("POST", f"{ROOT}/take")
def take(call: Call) -> Answer:
    """`{"client_id", "operation", "tokens"}`: somebody else with the same application uses the bucket."""
    words = call.object()
    bucket = call.world.buckets.of(words["client_id"], call.seller.id, words["operation"], call.now)
    bucket.take(call.now, float(words["tokens"]))
    return reply(bucket.report(call.now))


# orders


def _order(call: Call) -> Order:
    order = call.seller.book.orders.get(call.params["order"])
    if order is None:
        raise missing(f"there is no order {call.params['order']}")
    return order


def _shown(call: Call, order: Order) -> Row:
    row = render(order, INCLUDED, call.seller.options.discount_sign)
    return row | {"status": order.status, "revision": order.revision}


@routes("POST", f"{ROOT}/orders")
def add_orders(call: Call) -> Answer:
    """Fields of `order_making.Plan`, and `count`; or `{"history": count, "days"}` of a shop's usual orders."""
    words = call.object()
    if "history" in words:
        made = call.seller.past(int(words["history"]), float(words.get("days", 90)))
        return reply({"orders": [order.id for order in made]}, 201)
    count = int(words.pop("count", 1))
    orders = [call.seller.order(Plan(**words)) for _ in range(count)]
    return reply({"orders": [order.id for order in orders]}, 201)


@routes("POST", f"{ROOT}/traffic")
def traffic(call: Call) -> Answer:
    """`{"per_hour"}`: usual orders that come in by themselves, 0 for none."""
    call.seller.trade(float(call.object()["per_hour"]))
    return reply({"per_hour": call.seller.traffic})


@routes("GET", f"{ROOT}/orders")
def list_orders(call: Call) -> Answer:
    """Every order: id, status, marketplace, fulfilled_by, revision, created, updated, lines (how many)."""
    names = ("id", "status", "marketplace", "fulfilled_by", "sales", "revision", "created", "updated")
    rows = [
        {name: getattr(order, name) for name in names} | {"lines": len(order.lines)}
        for order in call.seller.book.orders.values()
    ]
    return reply({"orders": rows})


@routes("GET", f"{ROOT}/orders/{{order}}")
def get_order(call: Call) -> Answer:
    return reply(_shown(call, _order(call)))


@routes("POST", f"{ROOT}/orders/{{order}}/status")
def move(call: Call) -> Answer:
    """`{"status"}`: a move of the state machine."""
    call.seller.book.move(_order(call), call.object()["status"], call.now)
    return reply(_shown(call, _order(call)))


@routes("POST", f"{ROOT}/orders/{{order}}/touch")
def touch(call: Call) -> Answer:
    """A change: `{"set"?: {field of order.Order: value}}`."""
    order = _order(call)
    for name, value in call.object().get("set", {}).items():
        if name not in {"programs", "address", "layout", "person", "service", "extra", "hidden_until", "tax", "vat_id"}:
            raise ValueError(f"order: {name!r} cannot be set")
        setattr(order, name, tuple(value) if name == "programs" else value)
    call.seller.book.touch(order, call.now)
    return reply(_shown(call, order))


@routes("POST", f"{ROOT}/orders/{{order}}/wish")
def wish(call: Call) -> Answer:
    """`{"reason"}`: the buyer asks to cancel."""
    call.seller.book.wish(_order(call), call.object().get("reason", "Order created by mistake"), call.now)
    return reply(_shown(call, _order(call)))


@routes("POST", f"{ROOT}/orders/{{order}}/ship")
def ship(call: Call) -> Answer:
    """A parcel: `{"reference"?, "carrier"?, "method"?, "tracking"?, "items"?: {line id: quantity}}`, all that is left
    without `items`.
    """
    order, words = _order(call), call.object()
    left = {line.id: line.quantity - line.shipped for line in order.lines if line.quantity > line.shipped}
    items: dict[str, Any] = words.pop("items", left)
    package = {
        "reference": str(len(order.packages or []) + 1),
        "carrier": "DHL",
        "method": "",
        "tracking": "T1",
    } | words
    call.seller.book.pack(order, Package(at=call.now, created=call.now, items=items, **package), call.now)
    return reply(_shown(call, order))


@routes("POST", f"{ROOT}/orders/{{order}}/return")
def come_back(call: Call) -> Answer:
    """Fields of `order.Return`, and `line`: number of the line, 0 without."""
    order, words = _order(call), call.object()
    line = order.lines[int(words.pop("line", 0))]
    made = call.seller.book.come_back(order, line, float(words.pop("requested", call.now)), **words)
    return reply({"rma": made.rma, "plate": made.plate, "quantity": made.quantity}, 201)
