"""One script per contender: `python -m benchmarks.contenders.NAME URL`, its result in the working directory.

Each imports only what it needs, since it is timed from its first instruction to its last.
"""
