"""The driver runs the conformance kit, against its simulator over a real socket."""

from __future__ import annotations

from typing import Any

from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT

from omnichannel_core.testing import DriverConformance, Remote
from omnichannel_core.testing.conformance import Expected

SHOP, TOKEN, BEGIN = "conform", "shpat_of-the-shop-0123456789", 1_767_225_600.0
KEY, SECRET = "shpss_of-the-shop-0123456789", "shpss_of-the-vendor-987654321"
PUSHES = "samples of pushes are not among the facts yet; tests/driver and tests/house show them one by one"


class TestShopify(DriverConformance):
    """A shop of thirty orders, connected by a pasted token."""

    driver = "shopify"
    simulator = "shopify"
    options = {"clock": "manual", "now": BEGIN, "stores": [
        {"shop": SHOP, "token": TOKEN, "secret": KEY, "orders": 30, "products": 6, "bulk_seconds": 0.2}]}  # fmt: skip
    credentials = {"shop": SHOP, "access": {"way": "token", "access_token": TOKEN, "api_secret": KEY}}
    wrong_credentials = {"shop": SHOP, "access": {"way": "token", "access_token": "shpat_of-somebody-else-9876"}}
    application = {"client_id": "app-client", "client_secrets": [SECRET]}
    settings = {
        "orders": {
            "financial": sorted(FINANCIAL), "fulfillment": sorted(FULFILLMENT), "archived": True, "cancelled": True,
            "test": True,
        }
    }  # fmt: skip
    lacking = {
        "gold-pushes-arrive": PUSHES, "gold-pushed-again-is-once": PUSHES, "gold-lost-answers-are-settled": PUSHES,
        "gold-lost-writes-are-not-resent": PUSHES,
        "platinum-agrees-with-the-definition": "shown by tests/driver: each request is checked against the schema",
        "platinum-memory-is-flat": "the bulk import is measured by the benchmarks",
    }  # fmt: skip

    def turn(self, remote: Remote, seconds: float) -> None:
        """One clock."""
        remote.control("clock", {"advance": seconds})

    def expected(self, remote: Remote) -> Expected:
        """All orders, by id."""
        facts: Any = remote.control(f"stores/{SHOP}")
        numbers = range(facts["first_order_id"], facts["next_order_id"])
        ids = [remote.control(f"stores/{SHOP}/orders/{n}")["id"] for n in numbers]
        return {"data-model": None, "orders": {one: {} for one in ids}, "returns": None}

    def change(self, remote: Remote) -> Expected:
        """Another order comes."""
        remote.control("clock", {"advance": 5})
        before: Any = remote.control(f"stores/{SHOP}")["next_order_id"]
        remote.control(f"stores/{SHOP}/orders", {})
        return {"orders": {remote.control(f"stores/{SHOP}/orders/{before}")["id"]: {}}}
