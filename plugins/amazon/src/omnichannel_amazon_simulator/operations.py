"""All operations of the API in one router."""

from __future__ import annotations

from omnichannel_amazon_simulator import (
    accounts,
    catalog,
    feeds,
    inventory,
    listings,
    notices,
    orders,
    product_types,
    reports,
    restricted,
    rotation,
    shipping,
)
from omnichannel_amazon_simulator.routing import Route, Router

_MODULES = (
    accounts,
    catalog,
    feeds,
    inventory,
    listings,
    notices,
    orders,
    product_types,
    reports,
    restricted,
    rotation,
    shipping,
)

ROUTES: list[Route] = [route for module in _MODULES for route in module.routes.all]
ROUTER = Router(ROUTES)
