"""What a correct contender ends with, from the generator itself. `what` is the number of orders served."""

from __future__ import annotations

from benchmarks import orders
from benchmarks.checker import Read
from benchmarks.readers.jsonlines import lines, row


def read(what: str) -> Read:
    for order in orders.final(int(what)):
        yield row(order), lines(order)
