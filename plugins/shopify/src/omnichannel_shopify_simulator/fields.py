"""Loads every module that resolves fields."""

from __future__ import annotations

from importlib import import_module

MODULES = (
    "order_fields",
    "root_fields",
    "bulk",
    "hook_fields",
    "fulfilling",
    "refunding",
    "return_fields",
    "product_fields",
    "variants",
    "stock",
)


def load() -> None:
    for name in MODULES:
        import_module(f"omnichannel_shopify_simulator.{name}")
