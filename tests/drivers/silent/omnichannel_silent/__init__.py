"""A driver for tests: says nothing."""
