"""All operations of the API in one router."""

from __future__ import annotations

from omnichannel_bigcommerce_simulator import (
    classification,
    customers,
    hooks,
    inventory,
    options,
    order_parts,
    orders,
    payments,
    pricelists,
    product_parts,
    products,
    refunds,
    shipments,
    store_information,
    variants,
)
from omnichannel_bigcommerce_simulator.routing import Route, Router

_MODULES = (
    classification,
    customers,
    hooks,
    inventory,
    options,
    order_parts,
    orders,
    payments,
    pricelists,
    product_parts,
    products,
    refunds,
    shipments,
    store_information,
    variants,
)

ROUTES: list[Route] = [route for module in _MODULES for route in module.routes.all]
ROUTER = Router(ROUTES)
