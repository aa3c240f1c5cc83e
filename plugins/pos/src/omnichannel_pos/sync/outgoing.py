"""What goes out: catalog, prices and stock as numbered files that tills acknowledge (guide section 6.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, Pending, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Offer, Price, StockLevel
from omnichannel_core.records.offers import Value
from omnichannel_pos import answers, exchange, ledger
from omnichannel_pos.ledger import Sent

LOOK = 60.0  # seconds between two looks for an acknowledgement
BATCH = 1000
SNAPSHOT_EVERY = timedelta(days=1)


class ProductRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A product or variant to sell. `values` by attribute of the data model; several values are a list."""

    sku: str
    values: dict[str, str | list[str]] = {}
    options: dict[str, str] = {}
    product: str = ""  # of a variant: the product's SKU


class CatalogRow(ProductRow, kw_only=True, omit_defaults=True):
    """A product with its variants."""

    set: str = ""
    variants: list[ProductRow] = []


class PriceRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A price; amounts as text with a decimal point. `price_group` '' is the base price."""

    sku: str
    price: str = ""
    special_price: str = ""
    currency: str = ""
    price_group: str = ""
    valid_from: str = ""
    valid_to: str = ""


class StockRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How many are there. The till takes its own later sales off."""

    sku: str
    quantity: str
    location: str = ""


def _offer(offer: Offer) -> CatalogRow:
    return CatalogRow(
        sku=offer.sku, set=offer.set, values=_values(offer.values),
        variants=[ProductRow(sku=one.sku, options=dict(one.options), values=_values(one.values), product=offer.sku)
                  for one in offer.variants],
    )  # fmt: skip


def _values(values: Mapping[str, Value]) -> dict[str, str | list[str]]:
    return {name.rpartition(".")[2]: list(one.texts) if one.texts else one.text for name, one in values.items()}


def _price(price: Price) -> PriceRow:
    money, sale = price.price, price.sale_price
    return PriceRow(
        sku=price.sku, price=f"{money.amount:f}" if money else "", special_price=f"{sale.amount:f}" if sale else "",
        currency=money.currency if money else sale.currency if sale else "", price_group=price.list,
        valid_from=price.valid_from.isoformat() if price.valid_from else "",
        valid_to=price.valid_to.isoformat() if price.valid_to else "",
    )  # fmt: skip


def _stock(level: StockLevel) -> StockRow:
    return StockRow(sku=level.sku, quantity=f"{level.quantity:f}", location=level.location)


def _stream(name: str, kind: str, takes: Any, row: Callable[[Any], Any], *, state: bool) -> PushStream[Any]:
    async def push(session: Session, batch: Batch[Any]) -> Mapping[str, Outcome]:
        """One batch, one file; the same batch again is the same file."""
        rows = {item.record.id: msgspec.json.encode(row(item.record)) for item in batch.items}
        sent = await session.compute(lambda: _put(session, kind, batch.key, rows))
        return {item.key: _pending(sent) for item in batch.items}

    async def settle(session: Session, batch: Batch[Any]) -> Mapping[str, Outcome]:
        """What the tills said meanwhile; a batch that never became a file was not sent."""
        return await session.compute(lambda: _settle(session, batch))

    return PushStream(name=name, takes=takes, push=push, settle=settle, batch=BATCH, state=state, repeatable=True)


def _pending(sent: Sent) -> Pending:
    return Pending(str(sent.seq), Wait(LOOK, "no till has acknowledged it yet"))


def _put(session: Session, kind: str, key: str, rows: Mapping[str, bytes]) -> Sent:
    now = session.clock.now()
    at = (now.timestamp(), now.isoformat(timespec="seconds"))
    exchange.make(session.exchange)
    with ledger.opened(session.exchange) as book:
        due = book.last_snapshot(kind) and at[0] - book.last_snapshot(kind) >= SNAPSHOT_EVERY.total_seconds()
        sent = book.put(kind, key, rows, at)
        more = book.snapshot(kind, at) if due else []
    for one in (sent, *more):
        if not one.acked:
            answers.put_out(session.exchange, one)
    return sent


def _settle(session: Session, batch: Batch[Any]) -> dict[str, Outcome]:
    answers.work(session.exchange, session.clock.now())
    with ledger.opened(session.exchange) as book:
        by_batch = book.of_key(batch.key)
        return {item.key: _outcome(book, item, by_batch) for item in batch.items}


def _outcome(book: ledger.Ledger, item: Item[Any], by_batch: Sent | None) -> Outcome:
    sent = book.of(int(item.ticket)) if item.ticket.isdecimal() else by_batch
    if sent is None:
        return Later(Wait(0, "it was not written yet"))
    if not sent.acked:
        return _pending(sent)
    refused = book.refusals(sent.seq)
    why = refused.get(item.record.sku, refused.get(""))
    return Accepted(note=f"file {sent.seq}") if why is None else Rejected(why)


OFFERS = _stream("offers", "catalog", Offer, _offer, state=False)
PRICES = _stream("prices", "prices", Price, _price, state=True)
STOCK = _stream("stock", "stock", StockLevel, _stock, state=True)
