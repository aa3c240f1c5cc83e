"""Shopify: the driver."""
