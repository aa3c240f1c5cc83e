"""A driver for tests: perfect, and its remote lives in memory."""
