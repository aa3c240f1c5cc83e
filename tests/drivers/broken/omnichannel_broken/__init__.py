"""A driver for tests: broken."""
