"""Invoices out: one PDF, one feed, its processing report read back (guide amazon 6.4)."""

from __future__ import annotations

from collections.abc import Mapping

from omnichannel_amazon import feeds
from omnichannel_amazon.client import Client
from omnichannel_amazon.settings import Export
from omnichannel_amazon.sync.invoice_data import Facts, wanted
from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, Pending, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Invoice, Money

WAIT = Wait(120, "Amazon reads the invoice")


async def push(session: Session, batch: Batch[Invoice]) -> Mapping[str, Outcome]:
    """One document after the other."""
    return {item.key: await upload(Client(session), item) for item in batch.items}


async def upload(client: Client, item: Item[Invoice]) -> Outcome:
    """Held back, refused before it leaves, or on its way."""
    order, record = item.order, item.record
    if order is None:
        return Rejected("The order was never imported: Amazon wants its marketplace and amounts")
    business = order.business is True
    if not client.session[Export].invoice(order.channel, business=business):
        which = "B2B" if business else "B2C"
        return Accepted(note=f"not wanted: invoices of {which} orders of this marketplace are not exported")
    if not record.pdf.startswith(b"%PDF") or len(record.pdf) > feeds.MOST_BYTES:
        return Rejected("Amazon takes invoices as PDF of at most 10 MiB")
    facts = calculated(item)
    if facts is not None and facts.by_amazon:
        return Accepted(note="not wanted: Amazon writes the invoice of this shipment itself")
    options = metadata(item, facts)
    if isinstance(options, str):
        return Rejected(options)
    feed = await feeds.submit(client, feeds.INVOICE, feeds.PDF, record.pdf, options)
    return Pending(f"feed:{feed}", WAIT)


def calculated(item: Item[Invoice]) -> Facts | None:
    """What Amazon calculated for it, where its report told (guide 6.4)."""
    extra = item.order.extra if item.order else {}
    return wanted(extra, credit=item.record.kind != "invoice", shipping_id=item.record.extra.get("shipping_id", ""))


def metadata(item: Item[Invoice], facts: Facts | None = None) -> dict[str, str] | str:
    """The feed's options, or what is missing. `extra` of the record may name `total`, `vat`, `shipping_id` (which
    Amazon prefers) and `transaction_id` (which a credit note needs); what it leaves out Amazon's own calculation
    tells, and then the order."""
    order, record, told = item.order, item.record, facts or Facts()
    total = record.extra.get("total") or told.total or _plain(order.gross if order else None)
    vat = record.extra.get("vat") or told.vat or _plain(order.tax if order else None)
    if not record.number or not total or not vat:
        return "Amazon wants the invoice's number, total and VAT: give them as `number`, extra `total` and extra `vat`"
    shipping = record.extra.get("shipping_id") or told.shipping_id
    found = {"metadata:shippingid": shipping} if shipping else {"metadata:orderid": record.order_id}
    found |= {"metadata:invoicenumber": record.number, "metadata:totalamount": total, "metadata:totalvatamount": vat}
    if record.kind == "invoice":
        return found | {"metadata:documenttype": "Invoice"}
    transaction = record.extra.get("transaction_id") or told.transaction_id
    if not transaction:
        return "Amazon wants the refund's transaction id for a credit note: give it as extra `transaction_id`"
    return found | {"metadata:documenttype": "CreditNote", "metadata:transactionid": transaction}


def _plain(money: object) -> str:
    return f"{abs(money.amount):f}" if isinstance(money, Money) else ""


async def settle(session: Session, batch: Batch[Invoice]) -> Mapping[str, Outcome]:
    """By the feed's report. Unknown: sent again, as Amazon refuses a number it has, which then means it is there."""
    client, outcomes = Client(session), dict[str, Outcome]()
    for item in batch.items:
        outcomes[item.key] = await settled(client, item) if item.ticket else Later(Wait(0))
    return outcomes


async def settled(client: Client, item: Item[Invoice]) -> Outcome:
    """One document. A feed is DONE whatever became of it: its report tells (guide 6.4)."""
    state, text = await feeds.result(client, item.ticket.removeprefix("feed:"))
    if state == "waiting":
        return Pending(item.ticket, WAIT)
    wrong = feeds.why(text)
    if wrong and "already" in wrong.lower() and item.record.number in wrong:
        return Accepted(note="Amazon has this invoice already")
    if wrong or state == "fatal":
        return Rejected(wrong or "Amazon could not process the invoice")
    return Accepted(remote={"feed": item.ticket.removeprefix("feed:")})


INVOICES = PushStream(name="invoices", takes=Invoice, push=push, settle=settle)
