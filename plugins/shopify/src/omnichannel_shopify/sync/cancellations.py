"""Cancellations out (guide bigcommerce-and-shopify 2.9): whole orders; some lines of one are taken back as a refund.

Cancelling runs as a job at Shopify and cannot be undone. What was cancelled is seen at the order, so it is looked at
before, and after no answer.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from omnichannel_core.driver import (
    Accepted,
    Batch,
    Item,
    Later,
    Outcome,
    Pending,
    PushStream,
    Rejected,
    Session,
    Wait,
)  # fmt: skip
from omnichannel_core.records import Cancellation
from omnichannel_shopify import settings
from omnichannel_shopify.client import Client, refusal
from omnichannel_shopify.sync.refunds import Wanted, made_before, mark_of, pieces, refund
from omnichannel_shopify.sync.shipments import FulfillmentsData
from omnichannel_shopify.wire import Wire, gid

REASONS = {"customer": "CUSTOMER", "declined": "DECLINED", "fraud": "FRAUD", "inventory": "INVENTORY", "staff": "STAFF"}
MOST_NOTE = 255
AT_WORK = 60.0
"""Seconds that Shopify may take for a cancellation whose answer was lost: asked again before, it would run twice."""


class Job(Wire):
    """Work that Shopify does by itself."""

    id: str = ""
    done: bool = False


class CancelledOrder(Wire):
    """What tells that an order is cancelled."""

    id: str = ""
    cancelled_at: str | None = None


class JobData(Wire):
    """Data of `CancelJob`."""

    job: Job | None = None
    order: CancelledOrder | None = None


async def push(session: Session, batch: Batch[Cancellation]) -> Mapping[str, Outcome]:
    """One order, or some of its lines."""
    (item,) = batch.items
    client, order = Client(session), gid("Order", item.record.order_id)
    if item.record.lines:
        try:
            lines = {gid("LineItem", key): pieces(key, amount) for key, amount in item.record.lines.items()}
        except ValueError as why:
            return {item.key: Rejected(str(why))}
        mark = mark_of(item.key)
        wanted = Wanted(
            order=order, key=batch.key, mark=mark, lines=lines, restock="CANCEL", note=item.record.reason,
            location=item.record.extra.get("location", ""),
        )  # fmt: skip
        return {item.key: await refund(client, wanted)}
    there = (await client.ask("Fulfillments", FulfillmentsData, id=order, first=1)).order
    if there is None:
        return {item.key: Rejected(f"The shop has no order {item.record.order_id}")}
    if there.cancelled_at:
        return {item.key: Accepted(note="It was cancelled before")}
    return {item.key: await cancel(session, client, item, order)}


async def cancel(session: Session, client: Client, item: Item[Cancellation], order: str) -> Outcome:
    """The whole order: goods back into stock, money back the way it came."""
    payload, refused = await client.mutate(
        "CancelOrder", "orderCancel", orderId=order, reason=reason(item.record.reason), restock=True,
        notify=session[settings.Shipping].notify, note=item.record.reason[:MOST_NOTE] or None,
        refund={"originalPaymentMethodsRefund": True},
    )  # fmt: skip
    if refused:
        return Rejected(refusal(refused))
    job = msgspec.json.decode(payload.get("job", msgspec.Raw(b"null")), type=Job | None)
    if job is None or job.done:
        return Accepted()
    return Pending(job.id, Wait(5.0, "Shopify cancels the order"))


def reason(text: str) -> str:
    """OrderCancelReason by its name; anything else is said in the staff's note."""
    return REASONS.get(text.strip().lower(), "OTHER")


async def settle(session: Session, batch: Batch[Cancellation]) -> Mapping[str, Outcome]:
    """Looks at the order, and at the job where there is one."""
    (item,) = batch.items
    client, order = Client(session), gid("Order", item.record.order_id)
    if item.record.lines:
        there = await made_before(client, order, mark_of(item.key))
        return {item.key: there or Later(Wait(0.0, "It never arrived"))}
    if item.ticket:
        found = await client.ask("CancelJob", JobData, job=item.ticket, id=order)
        if found.order is not None and found.order.cancelled_at:
            return {item.key: Accepted()}
        if found.job is None or found.job.done:
            return {item.key: Rejected("Shopify did not cancel the order: look at its timeline there")}
        return {item.key: Pending(item.ticket, Wait(15.0, "Shopify cancels the order"))}
    found_order = (await client.ask("Fulfillments", FulfillmentsData, id=order, first=1)).order
    if found_order is not None and found_order.cancelled_at:
        return {item.key: Accepted(note="It had arrived")}
    return {item.key: Later(Wait(AT_WORK, "Shopify does not show it as cancelled (yet)"))}


CANCELLATIONS = PushStream(name="cancellations", takes=Cancellation, push=push, settle=settle)
