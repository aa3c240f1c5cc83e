"""A stateful stand-in of BigCommerce: `create()` is an ASGI application, found by group `omnichannel_core.simulators`.

One origin serves `/stores/{hash}/v2/...` and `/stores/{hash}/v3/...` (api.bigcommerce.com), `/oauth2/token`
(login.bigcommerce.com) and the control API below. No answer is kinder than the real thing where that is known. Facts
come from the official API definitions; sections named "guide 1.x" are those of guide bigcommerce-and-shopify.

Control API (JSON in, JSON out; 400 `{"error"}` says what does not fit). Below /_control::

    GET state                        stores, apps, clock
    POST reset                       forgets everything but the clock
    GET, POST clock                  {mode?: real|manual, now?: seconds, advance?: seconds}
    GET, DELETE log                  requests; ?store= &operation= &last=
    GET, POST, DELETE faults         a fault or a list of them: fields of `faults.Fault`
    POST stores                      fields of `store.Options`: {hash, token, orders, products, ...}
    POST apps                        {client_id, client_secret, auth_callback, load_callback, ..., scopes}
    PUT apps/{client}                new scopes kill the app's tokens
    POST apps/{client}/install       {hash, user?, scopes?} -> {url, code, scope, context, account_uuid}
    POST apps/{client}/callback      {hash, kind: load|uninstall|remove_user, user?, url?, jti?, flaw?}
    POST apps/{client}/uninstall     {hash}: tokens and hooks go; both answer {url, jwt, claims}

Below /_control/stores/{hash}::

    GET, PUT, DELETE                 PUT: status (live|suspended), owner_email, decline_refunds, stock_lag, hook_lag,
                                     latency, latencies, is_deleted_filter (works|ignored), archived_listed, ...
    PUT statuses/{id}                {label}: renames an order status
    POST tokens                      {token, client_id?, client_secret?, scopes?}
    PUT, DELETE tokens/{token}       {scopes?, alive?, rotate_to?}; DELETE kills token and hooks
    PUT quota                        {limit?, window_ms?, foreign_rate?, take?}
    GET, DELETE figures              requests by operation, statuses, 429s, share of the quota by window, mails, events
    GET mails                        what the platform mailed
    POST stock                       {variant_id|product_id, location_id?, available?, safety?}
    POST orders                      fields of `order_plan.Plan` + {count?, at?}: {lines?, status_id?, pickup?, ...}
    GET orders/{id}                  everything of an order
    POST orders/{id}/status          {status_id}
    POST orders/{id}/archive         {archived?: true}
    POST orders/{id}/touch           bumps date_modified
    POST orders/{id}/ship            {} all that is left, or {order_address_id, items, ...}
    POST orders/{id}/refund          {} all that is left, or {amount}, or {items, payments?}
    POST orders/{id}/message         {subject, message}
    POST orders/{id}/return          {order_product_id, return_id}
    GET, POST events                 {scope, data}: an event out of the blue
    GET deliveries                   due webhooks with headers and raw body; ?all=1 ?reverse=1
    POST deliveries/{id}             {status}: what the receiver answered, or {again: true}: sent twice
    POST deliver                     {to: "http://127.0.0.1:PORT"}: sends what is due, to loopback only

Faults that break the connection (`drop_before`, `drop_after`, `truncate`) return a value from the application, which
makes uvicorn close the connection: with nothing sent, or in the middle of a body shorter than its content length.
uvicorn logs that as an error. In-process transports have no connection: pass `dropped` to `create` and it is raised
instead. `hang_before` and `hang_after` never answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omnichannel_bigcommerce_simulator.app import Simulator
from omnichannel_bigcommerce_simulator.world import World
from omnichannel_core.testing.simulated.clock import Clock

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
