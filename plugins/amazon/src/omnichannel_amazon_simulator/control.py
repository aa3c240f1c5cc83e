"""The control API: what tests, demo and command line do to the simulated world (documented in the package
docstring).
"""

from __future__ import annotations

import msgspec

from omnichannel_amazon_simulator import consent, control_data, control_sellers
from omnichannel_amazon_simulator.answers import Answer, Call, reply
from omnichannel_amazon_simulator.errors import Refused, missing
from omnichannel_amazon_simulator.routing import Router, Routes
from omnichannel_amazon_simulator.tokens import App
from omnichannel_core.testing.simulated import controls

routes = Routes()


def answer_control(call: Call) -> Answer:
    """Answers a control request; 400 with a sentence when it does not fit, 404 when nothing is there."""
    found = ROUTER.find(call.method, call.path)
    if found is None:
        return reply({"error": f"{call.method} {call.path} is no control operation"}, 404)
    call.params = found[1]
    try:
        if "seller" in call.params:
            call.seller = control_sellers.the_seller(call, call.params["seller"])
        return found[0].handler(call)
    except Refused as refusal:
        return reply({"error": f"{refusal.message} {refusal.details or ''}".strip()}, refusal.status)
    except (ValueError, TypeError, KeyError) as error:
        return reply({"error": f"{type(error).__name__}: {error}"}, 400)


# world


@routes("GET", "/_control/state")
def state(call: Call) -> Answer:
    world = call.world
    return reply({"sellers": list(world.sellers), "apps": list(world.apps), "clock": world.clock.shown()})


@routes("POST", "/_control/reset")
def reset(call: Call) -> Answer:
    call.world.reset()
    return reply({})


@routes("GET", "/_control/clock")
def get_clock(call: Call) -> Answer:
    return reply(call.world.clock.shown())


@routes("POST", "/_control/clock")
def set_clock(call: Call) -> Answer:
    """`{"mode"?, "speed"?, "now"?: seconds, "advance"?: seconds}`; what falls due on the way happens."""
    controls.turn(call.world.clock, call.object())
    call.world.settle()
    return get_clock(call)


@routes("GET", "/_control/log")
def log(call: Call) -> Answer:
    """Requests so far; `?seller=`, `?operation=`, `?last=`."""
    return reply(controls.requests(call.world.log, call.query))


@routes("DELETE", "/_control/log")
def clear_log(call: Call) -> Answer:
    call.world.log.clear()
    return reply({})


# faults


@routes("GET", "/_control/faults")
def list_faults(call: Call) -> Answer:
    return reply(controls.listed(call.world.faults.orders))


@routes("POST", "/_control/faults")
def order_faults(call: Call) -> Answer:
    """One fault or a list of them, see `faults.Fault`."""
    return reply(controls.listed(call.world.faults.order(msgspec.json.decode(call.body))), 201)


@routes("DELETE", "/_control/faults")
def clear_faults(call: Call) -> Answer:
    call.world.faults.orders.clear()
    return reply({})


# applications


def _app(call: Call) -> App:
    app = call.world.apps.get(call.params["client"])
    if app is None:
        raise missing(f"there is no app {call.params['client']}")
    return app


def _shown(app: App) -> dict[str, object]:
    return {
        "client_id": app.client_id,
        "application_id": app.application_id,
        "redirect_uris": app.redirect_uris,
        "login_uri": app.login_uri,
        "status": app.status,
        "roles": app.roles,
    }


@routes("POST", "/_control/apps")
def add_app(call: Call) -> Answer:
    return reply(_shown(call.world.add_app(call.object())), 201)


@routes("PUT", "/_control/apps/{client}")
def change_app(call: Call) -> Answer:
    """`redirect_uris`, `login_uri`, `status`, `roles` (for consents to come), `rotate_refresh`."""
    app = _app(call)
    for name, value in call.object().items():
        if name not in {"redirect_uris", "login_uri", "status", "roles", "rotate_refresh"}:
            raise ValueError(f"app: {name!r} cannot be changed")
        setattr(app, name, value)
    return reply(_shown(app))


@routes("POST", "/_control/apps/{client}/secret")
def rotate(call: Call) -> Answer:
    """`{"client_secret", "overlap"?: seconds}`: a new client secret; refresh tokens survive."""
    words = call.object()
    _app(call).rotate(words["client_secret"], float(words.get("overlap", 0.0)), call.now)
    return reply({})


@routes("POST", "/_control/apps/{client}/appstore")
def appstore(call: Call) -> Answer:
    """`{"seller_id"}` -> `{"url"}`: where the appstore sends the seller's browser first."""
    seller = control_sellers.the_seller(call, call.object()["seller_id"])
    call.world.signed_in = seller.id
    return reply({"url": consent.appstore(call, _app(call), seller.id)})


@routes("POST", "/_control/sign-in")
def sign_in(call: Call) -> Answer:
    """`{"seller_id"}`: who is signed in to Seller Central, in the one browser there is."""
    call.world.signed_in = control_sellers.the_seller(call, call.object()["seller_id"]).id
    return reply({})


@routes("POST", "/_control/consent")
def agree(call: Call) -> Answer:
    """`{"url", "seller_id"?}` -> `{"url"}`: a person confirms on the consent page of that address; where they go."""
    words = call.object()
    return reply({"url": consent.agreed(call, words["url"], words.get("seller_id", ""))})


ROUTER = Router([*routes.all, *control_sellers.routes.all, *control_data.routes.all])
