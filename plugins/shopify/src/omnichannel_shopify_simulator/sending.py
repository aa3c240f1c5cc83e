"""Delivers due webhooks over HTTP, to loopback only."""

from __future__ import annotations

import http.client
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread

from omnichannel_shopify_simulator.answers import Answer, Call, reply
from omnichannel_shopify_simulator.control_stores import delivery_row
from omnichannel_shopify_simulator.routing import Routes

routes = Routes()
TEMPLATE = "/_control/stores/{shop:w}/deliver"
TIMEOUT = 5.0


@routes.post(TEMPLATE)
def declared(call: Call) -> Answer:
    """Declares the address; `deliver` answers it, because it waits."""
    return reply({})


async def deliver(call: Call) -> Answer:
    """`{"to": "http://127.0.0.1:PORT"}`: sends what is due to that origin under the path of each address; reports the
    outcomes.
    """
    origin = urlsplit(str(call.object().get("to", "")))
    if origin.scheme != "http" or not origin.port or not ip_address(origin.hostname or "0.0.0.0").is_loopback:  # noqa: S104
        raise ValueError("to: must be http://127.0.0.1:PORT")
    sent: list[dict[str, Any]] = []
    for each in call.store.hooks.due():
        target = urlsplit(each.uri)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        headers = call.store.hooks.headers(each)
        status = await anyio.to_thread.run_sync(_post, str(origin.hostname), origin.port, path, each.body, headers)
        call.store.hooks.report(each.id, status)
        sent.append(delivery_row(call.store, each) | {"status": status})
    return reply({"deliveries": sent})


def _post(host: str, port: int, path: str, body: bytes, headers: dict[str, str]) -> int:
    """The status answered; 0 when nothing was."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
