"""A driver for tests: misspelt."""
