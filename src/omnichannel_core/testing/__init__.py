"""Tools for tests: simulators in child processes."""
