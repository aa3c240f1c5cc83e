"""A stateful stand-in of Shopify: `create()` is an ASGI application, found by group `omnichannel_core.simulators`.

One origin stands for every `{shop}.myshopify.com` (told apart by `X-Forwarded-Host`, else `Host`; browsers may also use
`{shop}.myshopify.com.localhost` or `/shops/{shop}/admin/oauth/authorize`), for the storage of bulk files, and serves
the control API below.
 The Admin API 2026-10 is executed from our own subset of its schema. No answer is kinder than the real thing
where that is known; sections named "guide 2.x" are those of guide bigcommerce-and-shopify.

Control API (JSON in, JSON out; 400 `{"error"}` says what does not fit). Below /_control::

    GET state                        stores, apps, clock
    POST reset                       forgets everything but the clock
    GET, POST clock                  {mode?: real|manual, now?: seconds, advance?: seconds}
    GET, DELETE log                  requests; ?store= &operation= &last=
    GET, POST, DELETE faults         a fault or a list of them: fields of `faults.Fault`
    POST stores                      fields of `store.Options`: {shop, token, orders, products, plan, ...}
    POST apps                        fields of `installs.App`: {client_id, client_secret, app_url, redirect_urls, ...}
    PUT apps/{client}                any of them; secrets: [newest, oldest], expires_in_missing, refresh_blank, level
    POST apps/{client}/open          {shop} -> {url}: installed or opened in the app store, signed
    POST apps/{client}/consent       {url, scopes?, deny?} -> {url}: the merchant answers the consent page
    POST apps/{client}/install       {shop, scopes?, expiring?} -> tokens, without a browser
    POST apps/{client}/uninstall     {shop}
    POST apps/{client}/comply        {shop, topic, uri, payload?}: a compliance webhook is queued

Below /_control/stores/{shop}::

    GET, PUT, DELETE                 PUT: status (live|frozen|locked|fraudulent|gone|moved), moved_to, latency,
                                     latencies, bulk_seconds, bulk_rate, cancel_seconds, ...
    POST tokens                      {token, client_id?, expires?}; DELETE tokens/{token}
    PUT access                       {client_id?, scopes?, level?, protected?}
    PUT bucket                       {client_id?, plan?, rate?, size?, level?, foreign_rate?, take?, span?}
    GET, DELETE figures              requests by operation, statuses, throttled, buckets: permitted, used, share, spans
    GET mails                        what the platform mailed
    GET products                     with variants, levels, prices; ?sku=
    POST stock                       {sku, location?, available?, stocked?, tracked?, bundle?}
    POST skus                        {variant, sku}
    GET, POST bulk                   POST: {fail?, fail_after?, miscount?} for the next one; bulk/{id}/expire
    POST orders                      fields of `order_making.Plan` + {count?, at?}
    GET, DELETE orders/{id}          everything of an order; ids are numbers
    POST orders/{id}/...             touch, pay, cancel, close, edit, ship, refund, hold, move, split, merge, schedule,
                                     return (then return/{n} goes on with it)
    GET, POST events                 {topic, payload}: an event out of the blue
    GET deliveries                   due webhooks with headers and raw body; ?all=1 ?reverse=1 ?family=shopify-
    POST deliveries/{id}             {status}: what the receiver answered, or {again: true, other_id?: true}: sent twice
    POST deliver                     {to: "http://127.0.0.1:PORT"}: sends what is due, to loopback only

Faults that break the connection (`drop_before`, `drop_after`, `truncate`) return a value from the application, which
makes uvicorn close the connection: with nothing sent, or in the middle of a body shorter than its content length.
uvicorn logs that as an error. In-process transports have no connection: pass `dropped` to `create` and it is raised
instead. `hang_before` and `hang_after` never answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omnichannel_core.testing.simulated.clock import Clock
from omnichannel_shopify_simulator.app import Simulator
from omnichannel_shopify_simulator.installs import App
from omnichannel_shopify_simulator.world import World

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
        stores: options of shops to open at once, as in `POST /_control/stores`.
        apps: as in `POST /_control/apps`.
        dropped: makes the exception an in-process transport gets where a socket would be closed.

    Raises:
        ValueError: an option that does not exist.
    """
    world = World(Clock(clock, now), seed, log)
    for words in stores or []:
        world.open_store(**words)
    for words in apps or []:
        world.apps[words["client_id"]] = App(**words)
    return Simulator(world, dropped)
