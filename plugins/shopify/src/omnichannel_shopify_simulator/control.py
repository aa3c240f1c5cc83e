"""The control API: what tests, demo and command line do to the simulated world (see the package's docstring)."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import msgspec

from omnichannel_core.testing.simulated import controls
from omnichannel_shopify_simulator import access, control_orders, control_stores, oauth, sending
from omnichannel_shopify_simulator.answers import Answer, Call, Refused, reply
from omnichannel_shopify_simulator.installs import App
from omnichannel_shopify_simulator.routing import Router, Routes
from omnichannel_shopify_simulator.store import Store

routes = Routes()


async def answer_control(call: Call) -> Answer:
    """Answers a control request; 400 with a sentence when it does not fit, 404 when nothing is there."""
    found = ROUTER.find(call.method, call.path)
    if found is None:
        return reply({"error": f"{call.method} {call.path} is no control operation"}, 404)
    call.params = found[1]
    try:
        if "shop" in call.params:
            call.store = control_stores.the_store(call, call.params["shop"])
        if found[0].template == sending.TEMPLATE:
            return await sending.deliver(call)
        return found[0].handler(call)
    except Refused as refusal:
        return reply({"error": refusal.errors}, refusal.status)
    except (ValueError, TypeError, KeyError) as error:
        return reply({"error": f"{type(error).__name__}: {error}"}, 400)


# world


@routes.get("/_control/state")
def state(call: Call) -> Answer:
    world = call.world
    return reply({"stores": list(world.stores), "apps": list(world.apps), "clock": world.clock.shown()})


@routes.post("/_control/reset")
def reset(call: Call) -> Answer:
    call.world.reset()
    return reply({})


@routes.get("/_control/clock")
def get_clock(call: Call) -> Answer:
    return reply(call.world.clock.shown())


@routes.post("/_control/clock")
def set_clock(call: Call) -> Answer:
    """`{"mode"?, "now"?: seconds, "advance"?: seconds}`."""
    controls.turn(call.world.clock, call.object())
    return get_clock(call)


@routes.get("/_control/log")
def log(call: Call) -> Answer:
    """Requests so far; `?store=`, `?operation=`, `?last=`."""
    chosen = {"shop" if name == "store" else name: value for name, value in call.query.items()}
    return reply(controls.requests(call.world.log, chosen))


@routes.delete("/_control/log")
def clear_log(call: Call) -> Answer:
    call.world.log.clear()
    return reply({})


# faults


@routes.get("/_control/faults")
def list_faults(call: Call) -> Answer:
    return reply(controls.listed(call.world.faults.orders))


@routes.post("/_control/faults")
def order_faults(call: Call) -> Answer:
    """One fault or a list of them, see `faults.Fault`."""
    return reply(controls.listed(call.world.faults.order(call.json())), 201)


@routes.delete("/_control/faults")
def clear_faults(call: Call) -> Answer:
    call.world.faults.orders.clear()
    return reply({})


# apps


def _app(call: Call) -> App:
    app = call.world.apps.get(call.params["client"])
    if app is None:
        raise Refused(404, f"there is no app {call.params['client']}")
    return app


def _target(call: Call, words: dict[str, object]) -> Store:
    return control_stores.the_store(call, str(words.get("shop")))


@routes.post("/_control/apps")
def add_app(call: Call) -> Answer:
    app = App(**call.object())
    call.world.apps[app.client_id] = app
    return reply(msgspec.to_builtins(app), 201)


@routes.put("/_control/apps/{client:w}")
def change_app(call: Call) -> Answer:
    """Any field of `App`; scopes and data levels reach shops with the next authorization only."""
    app = _app(call)
    for name, value in call.object().items():
        if name not in App.__dataclass_fields__:
            raise ValueError(f"app: no such field {name!r}")
        setattr(app, name, value)
    return reply(msgspec.to_builtins(app))


@routes.post("/_control/apps/{client:w}/open")
def open_app(call: Call) -> Answer:
    """`{"shop"}`: the merchant installs or opens the app in the app store; the address the browser is sent to."""
    store = _target(call, call.object())
    return reply({"url": oauth.opened(store, _app(call), call.now)}, 201)


@routes.post("/_control/apps/{client:w}/consent")
def consent(call: Call) -> Answer:
    """`{"url", "scopes"?, "deny"?}`: the merchant answers the consent page of that address; where the browser goes."""
    words = call.object()
    parts = urlsplit(words["url"])
    call.query = dict(parse_qsl(parts.query, keep_blank_values=True))
    name = parts.path.split("/")[2] if parts.path.startswith("/shops/") else (parts.hostname or "").partition(".")[0]
    call.store = control_stores.the_store(call, name)
    if words.get("deny"):
        return reply({"url": oauth.denied(call)})
    scopes = frozenset(words["scopes"]) if words.get("scopes") is not None else None
    return reply({"url": oauth.consented(call, scopes)})


@routes.post("/_control/apps/{client:w}/install")
def install(call: Call) -> Answer:
    """`{"shop", "scopes"?, "expiring"?}`: installed without a browser; the tokens."""
    words, app = call.object(), _app(call)
    given = words.get("scopes", app.scopes)
    scopes = access.ALL_SCOPES if given is None else frozenset(given)
    found = _target(call, words).install(app, scopes, call.now)
    token, refresh = oauth.issue(call.world, found, call.now, expiring=bool(words.get("expiring", True)))
    return reply({"access_token": token.value, "refresh_token": refresh.value if refresh else None}, 201)


@routes.post("/_control/apps/{client:w}/uninstall")
def uninstall(call: Call) -> Answer:
    """`{"shop"}`: tokens and subscriptions are gone, `app/uninstalled` is told."""
    _target(call, call.object()).uninstall(_app(call).client_id)
    return reply({})


@routes.post("/_control/apps/{client:w}/comply")
def comply(call: Call) -> Answer:
    """`{"shop", "topic", "uri", "payload"?}`: customers/data_request, customers/redact or shop/redact."""
    words = call.object()
    store = _target(call, words)
    payload = {"shop_id": store.number, "shop_domain": store.domain, **words.get("payload", {})}
    made = store.hooks.comply(store.installs[_app(call).client_id], words["topic"], words["uri"], payload)
    return reply(control_stores.delivery_row(store, made), 201)


ROUTER = Router([*routes.all, *control_stores.routes.all, *control_orders.routes.all, *sending.routes.all])
