"""A driver for tests: does everything it must not."""
