"""Tokens and their scopes: whose they are, what they may do, whether they live."""

from __future__ import annotations

from dataclasses import dataclass

FAMILIES: dict[str, str] = {
    "information": "store_v2_information",
    "orders": "store_v2_orders",
    "transactions": "store_v2_transactions",
    "products": "store_v2_products",
    "inventory": "store_inventory",
    "locations": "store_locations",
    "channels": "store_channel_settings",
    "listings": "store_channel_listings",
    "customers": "store_v2_customers",
    "payments": "store_payments_methods",
}
"""Family of a route -> scope; the same name plus `_read_only` admits GET (guide 1.5)."""


@dataclass(slots=True)
class Token:
    """A token of one store.

    Attributes:
        scopes: names of scopes, None for all of them, empty for a token that may do nothing (a null-scope token).
        client_id, client_secret: the API account it belongs to; hooks and metafields are visible to that account only.
        app: True when it came from an app install (dies on re-authorization and uninstall).
    """

    token: str
    client_id: str
    client_secret: str
    scopes: frozenset[str] | None = None
    app: bool = False
    alive: bool = True
    used: int = 0

    def may(self, family: str, method: str) -> bool:
        """Does the token admit `method` on a route of `family`? A route of no family admits any living token."""
        if not family or self.scopes is None:
            return True
        scope = FAMILIES[family]
        return scope in self.scopes or (method == "GET" and f"{scope}_read_only" in self.scopes)
