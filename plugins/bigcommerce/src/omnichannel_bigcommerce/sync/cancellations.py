"""Cancellations out: BigCommerce cancels whole orders, by their status (guide bigcommerce-and-shopify 1.10)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from omnichannel_bigcommerce.client import Client
from omnichannel_core.driver import Accepted, Batch, Item, Outcome, PushStream, Rejected, Session
from omnichannel_core.records import Cancellation

CANCELLED = 5


async def push(session: Session, batch: Batch[Cancellation]) -> Mapping[str, Outcome]:
    """Sets the status, which may be done again."""
    outcomes = dict[str, Outcome]()
    for item in batch.items:
        if not whole(item):
            outcomes[item.key] = Rejected(
                "BigCommerce cancels whole orders only: refund single lines in its control panel"
            )
            continue
        await Client(session).set_status(item.record.order_id, CANCELLED)
        outcomes[item.key] = Accepted()
    return outcomes


def whole(item: Item[Cancellation]) -> bool:
    """Whether all of the order is meant."""
    if not item.record.lines:
        return True
    lines = item.order.lines if item.order is not None else None
    if not isinstance(lines, Mapping):
        return False
    full = {key: line.quantity for key, line in lines.items() if isinstance(line.quantity, Decimal)}
    return bool(full) and all(item.record.lines.get(key, Decimal(0)) >= quantity for key, quantity in full.items())


CANCELLATIONS = PushStream(name="cancellations", takes=Cancellation, push=push, repeatable=True)
