"""Which handler answers which address."""

from __future__ import annotations

from collections.abc import Callable

from omnichannel_core.testing.simulated import routing
from omnichannel_shopify_simulator.answers import Answer, Call

Handler = Callable[[Call], Answer]
Route = routing.Route[Handler]
Routes = routing.Routes[Handler]
Router = routing.Router[Handler]
