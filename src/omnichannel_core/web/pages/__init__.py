"""The screens of the manual: rendered here, working without JavaScript."""

from __future__ import annotations

from omnichannel_core.web.guarding import Door
from omnichannel_core.web.pages import (
    creating,
    defaults,
    drivers,
    editing,
    failures,
    hub,
    listing,
    looking,
    processes,
    stores,
)


def doors() -> list[Door]:
    """Every page."""
    rooms = (listing, looking, creating, editing, defaults, processes, failures, drivers, hub, stores)
    return [door for room in rooms for door in room.DOORS]
