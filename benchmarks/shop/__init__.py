"""A driver for the benchmark's server, as its author would write it; the minimal loop shares its wire shapes."""
