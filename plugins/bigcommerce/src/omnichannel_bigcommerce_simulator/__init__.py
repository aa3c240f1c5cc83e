"""A stateful stand-in of BigCommerce: `create()` is an ASGI application (entry point group `omnichannel_core.simulators`).

One origin serves `/stores/{hash}/v2/...`, `/stores/{hash}/v3/...` (api.bigcommerce.com), `/oauth2/token` (login.bigcommerce.com) and the
control API below. No answer of the API is kinder than the real thing where that is known; facts come from the official API definitions.

Control API (JSON in, JSON out; 400 `{"error"}` says what does not fit)::

    GET    /_control/state                              stores, apps, clock
    POST   /_control/reset                              forgets everything but the clock
    GET|POST /_control/clock                            {mode?: real|manual, now?: seconds, advance?: seconds}
    GET|DELETE /_control/log                            requests; ?store= &operation= &last=
    GET|POST|DELETE /_control/faults                    a fault or a list: fields of `faults.Fault`
    POST   /_control/stores                             fields of `store.Options`: {hash, token, orders, products, ...}
    GET|PUT|DELETE /_control/stores/{hash}              PUT: status (live|suspended), owner_email, decline_refunds, stock_lag, hook_lag,
                                                        latency, latencies, is_deleted_filter (works|ignored), archived_listed, ...
    PUT    /_control/stores/{hash}/statuses/{id}        {label}: renames an order status
    POST   /_control/stores/{hash}/tokens               {token, client_id?, client_secret?, scopes?}
    PUT|DELETE /_control/stores/{hash}/tokens/{token}   {scopes?, alive?, rotate_to?}; DELETE kills token and hooks
    PUT    /_control/stores/{hash}/quota                {limit?, window_ms?, foreign_rate?, take?}
    GET|DELETE /_control/stores/{hash}/figures          requests by operation, statuses, 429s, share of the quota per window, mails
    GET    /_control/stores/{hash}/mails
    POST   /_control/stores/{hash}/stock                {variant_id|product_id, location_id?, available?, safety?}
    POST   /_control/stores/{hash}/orders               fields of `order_plan.Plan` + {count?, at?}: {lines?, status_id?, pickup?, ...}
    GET    /_control/stores/{hash}/orders/{id}          everything of an order
    POST   /_control/stores/{hash}/orders/{id}/status   {status_id}
    POST   /_control/stores/{hash}/orders/{id}/archive  {archived?: true}
    POST   /_control/stores/{hash}/orders/{id}/touch    bumps date_modified
    POST   /_control/stores/{hash}/orders/{id}/ship     {} all that is left, or {order_address_id, items, ...}
    POST   /_control/stores/{hash}/orders/{id}/refund   {} all that is left, or {amount} or {items, payments?}
    POST   /_control/stores/{hash}/orders/{id}/message  {subject, message}
    POST   /_control/stores/{hash}/orders/{id}/return   {order_product_id, return_id}
    GET|POST /_control/stores/{hash}/events             {scope, data}: an event out of the blue
    GET    /_control/stores/{hash}/deliveries           due webhooks with headers and raw body; ?all=1 ?reverse=1
    POST   /_control/stores/{hash}/deliveries/{id}      {status}: what the receiver said, or {again: true}: sent twice
    POST   /_control/stores/{hash}/deliver              {to: "http://127.0.0.1:PORT"}: sends what is due, loopback only
    POST   /_control/apps                               {client_id, client_secret, auth_callback, load_callback, ..., scopes}
    PUT    /_control/apps/{client}                      new scopes kill the app's tokens
    POST   /_control/apps/{client}/install              {hash, user?, scopes?}: {url, code, scope, context, account_uuid}
    POST   /_control/apps/{client}/callback             {hash, kind: load|uninstall|remove_user, user?, url?, flaw?}: {url, jwt, claims}
    POST   /_control/apps/{client}/uninstall            {hash}: tokens and hooks go, {url, jwt, tokens_killed}

Faults that break the connection (`drop_before`, `drop_after`, `truncate`) return a value from the application, which makes uvicorn close
the connection: with nothing sent, or in the middle of a body shorter than its content length. uvicorn logs that as an error. In-process
transports have no connection: pass `dropped` to `create` and it is raised instead. `hang_before` and `hang_after` never answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omnichannel_bigcommerce_simulator.app import Simulator
from omnichannel_bigcommerce_simulator.clock import Clock
from omnichannel_bigcommerce_simulator.world import World

__all__ = ["Simulator", "World", "create"]


def create(
    *,
    clock: str = "real",
    now: float | None = None,
    seed: int = 1,
    log: int = 10_000,
    stores: list[dict[str, Any]] | None = None,
    apps: list[dict[str, Any]] | None = None,
    dropped: Callable[[], BaseException] | None = None,
) -> Simulator:
    """A new simulated world.

    Args:
        clock: "real" or "manual"; `now` is where it starts, Unix seconds.
        seed: of tokens, codes and ids.
        log: how many requests are remembered.
        stores: options of stores to open at once, as in `POST /_control/stores`.
        apps: as in `POST /_control/apps`.
        dropped: makes the exception an in-process transport gets where a socket would be closed.

    Raises:
        ValueError: an option that does not exist.
    """
    from omnichannel_bigcommerce_simulator.apps import App

    world = World(Clock(clock, now), seed, log)
    for words in stores or []:
        world.open_store(**words)
    for words in apps or []:
        world.apps[words["client_id"]] = App(**words)
    return Simulator(world, dropped)
