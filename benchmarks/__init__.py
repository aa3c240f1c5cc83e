"""Ratios against peers, one JSON line per figure; see `python -m benchmarks --help`."""
