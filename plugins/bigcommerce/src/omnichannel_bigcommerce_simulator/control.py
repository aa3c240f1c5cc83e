"""The control API: what tests, demo and command line do to the simulated world (documented in the package
docstring).
"""

from __future__ import annotations

import msgspec

from omnichannel_bigcommerce_simulator import apps, control_orders, control_stores, sending
from omnichannel_bigcommerce_simulator.answers import Answer, Call, reply
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_bigcommerce_simulator.routing import Router, Routes
from omnichannel_bigcommerce_simulator.store import Store
from omnichannel_core.testing.simulated import controls

routes = Routes()


async def answer_control(call: Call) -> Answer:
    """Answers a control request; 400 with a sentence when it does not fit, 404 when nothing is there."""
    found = ROUTER.find(call.method, call.path)
    if found is None:
        return reply({"error": f"{call.method} {call.path} is no control operation"}, 404)
    call.params = found[1]
    try:
        if "hash" in call.params:
            call.store = control_stores.the_store(call)
        if found[0].template == sending.TEMPLATE:
            return await sending.deliver(call)
        return found[0].handler(call)
    except Refused as refusal:
        document = (
            refusal.body if refusal.body is not None else {"error": refusal.title, "errors": refusal.errors or {}}
        )
        return reply(document, refusal.status)
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
    return reply(controls.requests(call.world.log, call.query))


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


def _app(call: Call) -> apps.App:
    app = call.world.apps.get(call.params["client"])
    if app is None:
        raise Refused(404, f"there is no app {call.params['client']}")
    return app


@routes.post("/_control/apps")
def add_app(call: Call) -> Answer:
    app = apps.App(**call.object())
    call.world.apps[app.client_id] = app
    return reply(msgspec.to_builtins(app), 201)


@routes.put("/_control/apps/{client:w}")
def change_app(call: Call) -> Answer:
    """New scopes kill the app's tokens everywhere: the merchant is asked again on the next open (guide 1.3)."""
    app, words = _app(call), call.object()
    killed = 0
    if "scopes" in words and words["scopes"] != app.scopes:
        killed = sum(apps.kill(store, app) for store in call.world.stores.values())
    for name, value in words.items():
        setattr(app, name, value)
    return reply({**msgspec.to_builtins(app), "tokens_killed": killed})


def _target(call: Call, words: dict[str, object]) -> Store:
    store = call.world.stores.get(str(words.get("hash")))
    if store is None:
        raise Refused(404, f"there is no store {words.get('hash')}")
    return store


@routes.post("/_control/apps/{client:w}/install")
def install(call: Call) -> Answer:
    words = call.object()
    return reply(
        apps.install(call.world, _app(call), _target(call, words), words.get("user"), words.get("scopes")), 201
    )


@routes.post("/_control/apps/{client:w}/callback")
def callback(call: Call) -> Answer:
    words = call.object()
    return reply(apps.callback(call.world, _app(call), _target(call, words), words.get("kind", "load"), words))


@routes.post("/_control/apps/{client:w}/uninstall")
def uninstall(call: Call) -> Answer:
    return reply(apps.uninstall(call.world, _app(call), _target(call, call.object())))


ROUTER = Router([*routes.all, *control_stores.routes.all, *control_orders.routes.all, *sending.routes.all])
