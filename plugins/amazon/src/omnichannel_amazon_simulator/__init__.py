"""A stateful stand-in of Amazon's Selling Partner API: `create()` is an ASGI application, found by group
`omnichannel_core.simulators`.

One origin serves the three regional API hosts, `/auth/o2/token` (api.amazon.com), `/apps/authorize/...` (Seller
Central), presigned documents and the control API below. Which of Amazon's hosts a request is for is told by its host
(`sellingpartnerapi-eu.amazon.com`, from browsers with `.localhost` behind it), or by the X-Forwarded-Host of whoever
sends it here instead: a path that the host
does not have is 404, another region's token 403. Without either, any path is answered, and the region is the seller's.
No answer is kinder than the real thing where that is known. "guide N" is a section of guide amazon.

Control API (JSON in, JSON out; 400 `{"error"}` says what does not fit). Below /_control::

    GET state                        sellers, apps, clock
    POST reset                       forgets everything but the clock
    GET, POST clock                  {mode?: real|manual, speed?, now?: seconds, advance?: seconds}
    GET, DELETE log                  requests; ?seller= &operation= &last=
    GET, POST, DELETE faults         a fault or a list of them: fields of `faults.Fault`
    POST apps                        fields of `tokens.App`: {client_id, client_secret, application_id, ...}
    PUT apps/{client}                {redirect_uris?, login_uri?, status?, roles?, rotate_refresh?}
    POST apps/{client}/secret        {client_secret, overlap?}: rotates the client secret
    POST apps/{client}/appstore      {seller_id} -> {url}: the appstore's way to the login URI
    POST sign-in                     {seller_id}: who is signed in to Seller Central
    POST consent                     {url, seller_id?} -> {url}: a person confirms on the consent page at that address
    GET, PUT, DELETE queues          messages by ARN; DELETE takes them out; PUT {duplicates?, shuffled?}
    POST sellers                     fields of `sellers.Options`: {seller_id, marketplaces, orders, days, ...}

Below /_control/sellers/{seller}::

    GET, PUT, DELETE                 PUT: options that can be tuned
    POST authorize                   {client_id, roles?} -> {refresh_token}: self-authorization
    GET, POST grants                 {alive?, roles?, age?}: revokes, changes roles, lets authorizations grow old
    POST expire                      all access tokens expire now
    GET, DELETE figures              buckets: used, refused, permitted, share (burst excluded); requests by status
    PUT rates                        {operation: {rate, burst}}: a dynamic usage plan
    POST take                        {client_id, operation, tokens}: somebody else uses the bucket
    GET, POST orders                 fields of `order_making.Plan` and {count?}; or {history, days?}
    POST traffic                     {per_hour}: orders that come in by themselves
    GET orders/{order}               everything of an order
    POST orders/{order}/status       {status}
    POST orders/{order}/touch        {set?}: a change
    POST orders/{order}/wish         {reason?}: the buyer asks to cancel
    POST orders/{order}/ship         a parcel
    POST orders/{order}/return       fields of `order.Return` and {line?}
    GET, POST reports, feeds         POST {type?, fate}: how the next one ends
    GET invoices                     what was uploaded
    GET listings                     submitted and live attributes
    PUT listings/{sku}               {fba?, live?, product_type?, asin?}
    POST types                       another version of all product types

Defaults are those of a live account: a report takes 45 seconds, a feed 60, a listing 120, a shipment of Amazon's is in
its report after an hour. With the real clock, tune `report_delay` and the like, or advance the clock. Not simulated:
the deprecated reads of Orders API v0, Merchant Fulfillment, finances, the official sandboxes.

Faults that break the connection (`drop_before`, `drop_after`, `truncate`) return a value from the application, which
makes uvicorn close the connection: with nothing sent, or in the middle of a body shorter than its content length.
In-process transports have no connection: pass `dropped` to `create` and it is raised instead. `hang_before` and
`hang_after` never answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from omnichannel_amazon_simulator.app import Simulator
from omnichannel_amazon_simulator.world import World
from omnichannel_core.testing.simulated.clock import Clock

__all__ = ["Simulator", "World", "create"]


def create(
    *,
    clock: str = "real",
    now: float | None = None,
    speed: float = 1.0,
    seed: int = 1,
    log: int = 10_000,
    sellers: list[dict[str, Any]] | None = None,
    apps: list[dict[str, Any]] | None = None,
    dropped: Callable[[], BaseException] | None = None,
) -> Simulator:
    """A new simulated world.

    Args:
        clock: "real" or "manual"; `now` is where it starts, Unix seconds; a real one runs `speed` times as fast.
        seed: of tokens, orders and ids.
        log: how many requests are remembered.
        sellers: options of sellers to open at once, as in `POST /_control/sellers`.
        apps: as in `POST /_control/apps`.
        dropped: makes the exception an in-process transport gets where a socket would be closed.

    Raises:
        ValueError: an option that does not exist.
    """
    world = World(Clock(clock, now, speed), seed, log)
    for words in apps or []:
        world.add_app(words)
    for words in sellers or []:
        world.open_seller(words)
    return Simulator(world, dropped)
