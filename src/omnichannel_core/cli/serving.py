"""The admin pages on this machine's loopback, for trying out: whoever reaches the address is let in."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from omnichannel_core.cli.output import say

if TYPE_CHECKING:
    import socket

    from omnichannel_core.app import Omnichannel

NEEDS = ("starlette", "jinja2", "python_multipart", "uvicorn")
ACTOR = "demo"


def can_serve() -> bool:
    """Whether the extras `web` and `simulator` are installed."""
    return all(importlib.util.find_spec(name) is not None for name in NEEDS)


async def serve(house: Omnichannel, account: str, listener: socket.socket) -> None:
    """Until Ctrl-C. Asyncio only; other names than the loopback's own are refused (DNS rebinding)."""
    import uvicorn

    from omnichannel_core.web import Actor, create_web
    from omnichannel_core.web.actors import EVERYTHING

    here = f"127.0.0.1:{listener.getsockname()[1]}"

    async def resolve(request: Any) -> Actor | None:
        known = request.headers.get("host") == here
        return Actor(id=ACTOR, account=account, permissions=EVERYTHING, display="Demo") if known else None

    say(f"\nThe admin pages: http://{here}/\nREST: http://{here}/api/v1/connections\nCtrl-C ends it.")
    config = uvicorn.Config(create_web(house, resolve=resolve), log_level="warning", lifespan="off", ws="none",
                            timeout_graceful_shutdown=1)  # fmt: skip
    await uvicorn.Server(config).serve(sockets=[listener])
