"""Admin pages and REST API as one ASGI application that a host mounts: `create_web(house, resolve=...)`."""

from __future__ import annotations

from omnichannel_core.web.actors import Actor, Permission, Resolve
from omnichannel_core.web.app import create_web

__all__ = ["Actor", "Permission", "Resolve", "create_web"]
