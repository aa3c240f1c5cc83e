"""Tills that sell, take back, void, close the day and export; `create()` is an ASGI application around them.

A point of sale has no API: tills and house meet in a store's exchange directory. So the application has the control
API only (JSON in, JSON out; 400 and 404 `{"error"}` say what does not fit), found by group
`omnichannel_core.simulators`. Below /_control::

    GET state                   tills
    POST reset                  forgets all
    POST tills                  {exchange, name?, seed?, habits?, refuse?, at?}: a till at a store's directory
    POST tills/{till}/work      {receipts?, live?}: an ordinary day goes on; live receipts are dropped into in/
    POST tills/{till}/close     {as?: zip|folder, liberties?}: the day ends, its export is dropped into in/
    GET tills/{till}/truth      {orders, returns, cash} of all closed days, amounts in cents
    POST tills/{till}/office    {refuse?, ask_for?}: the back office takes what lies in out/ and acknowledges it

`habits` are fields of `till.Habits`, `liberties` of `writing.Liberties`. The same seed and the same calls give the same
days. In tests the parts are used without the application: `till.Till`, `writing.as_zip`, `live.pushed`,
`office.Office`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["create"]


def create(*, tills: list[dict[str, Any]] | None = None) -> Starlette:
    """A new simulated world.

    Args:
        tills: opened at once, as in `POST /_control/tills`.

    Raises:
        ValueError, TypeError: a till's words do not fit.
    """
    from omnichannel_pos_simulator.app import World, build

    world = World()
    for words in tills or []:
        world.open_till(**words)
    return build(world)
