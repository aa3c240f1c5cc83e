"""Shopify: the simulator."""
