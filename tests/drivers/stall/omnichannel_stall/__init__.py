"""A good driver of a small REST marketplace, for tests: mutants of it are what the conformance kit is tried on."""
