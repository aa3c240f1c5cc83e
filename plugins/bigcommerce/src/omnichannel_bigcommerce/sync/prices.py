"""Prices out: of products and variants, or as records of a price list (guide bigcommerce-and-shopify 1.7, 1.14)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple, TypeAlias

from omnichannel_bigcommerce.client import Client, exact
from omnichannel_bigcommerce.sync.halving import halve
from omnichannel_bigcommerce.sync.skus import Place, look, remembered
from omnichannel_core import errors
from omnichannel_core.driver import Accepted, Batch, Item, Later, Outcome, PushStream, Rejected, Session, Wait
from omnichannel_core.records import Choice, Price

PRODUCTS, VARIANTS, RECORDS = 10, 50, 1000
"""Rows a request at most."""

NO_END = "BigCommerce prices have no end: this one stays until the next is sent"


class Placed(NamedTuple):
    """An item and where its SKU lives."""

    item: Item[Price]
    place: Place


Send: TypeAlias = Callable[[Sequence[Placed]], Awaitable[object]]


async def push(session: Session, batch: Batch[Price]) -> Mapping[str, Outcome]:
    """A price is a state: the same batch may be sent again."""
    outcomes, lists, base = dict[str, Outcome](), list[tuple[str, Item[Price]]](), list[Item[Price]]()
    known, facts = await session.choices("price_lists"), await session.choices("store")
    currency = facts["currency"].label if "currency" in facts else ""
    now = session.clock.now()
    for item in batch.items:
        price = item.record
        if price.valid_from is not None and price.valid_from > now:
            wait = (price.valid_from - now).total_seconds()
            outcomes[item.key] = Later(Wait(wait, "BigCommerce prices begin at once: sent when it is due"))
        elif wrong := unfit(price, currency):
            outcomes[item.key] = Rejected(wrong)
        elif price.list and not (found := list_id(known, price.list)):
            outcomes[item.key] = Rejected(f"The store has no price list {price.list}")
        elif price.list:
            lists.append((found, item))
        else:
            base.append(item)
    await push_lists(Client(session), lists, outcomes)
    await push_base(Client(session), base, outcomes)
    return outcomes


def unfit(price: Price, currency: str) -> str:
    """Why it cannot be sent, '' when it can."""
    amounts = [money for money in (price.price, price.sale_price, price.retail_price) if money is not None]
    currencies = {money.currency for money in amounts}
    if not amounts or (price.list and price.price is None):
        return "There is no price to send"
    if any(not money.amount.is_finite() or money.amount < 0 for money in amounts):
        return "A price is a number of zero or more"
    if len(currencies) > 1:
        return "The prices of one record are in several currencies"
    if not price.list and currency and currencies != {currency}:
        return f"The store keeps its base prices in {currency}; prices in another currency belong into a price list"
    return ""


def list_id(known: Mapping[str, Choice], name: str) -> str:
    """A price list by id or name; an id is believed where the lists were never pulled."""
    if name in known or (not known and name.isdigit()):
        return name
    return next((choice.value for choice in known.values() if choice.label == name), "")


def amounts(price: Price) -> dict[str, object]:
    """What is said, as exact JSON numbers; what is not said is left alone."""
    said = {"price": price.price, "sale_price": price.sale_price, "retail_price": price.retail_price}
    return {name: exact(money.amount) for name, money in said.items() if money is not None}


def accepted(item: Item[Price], remote: Mapping[str, str] | None = None) -> Accepted:
    """Done, with what could not be said to BigCommerce."""
    return Accepted(remote=remote or {}, note=NO_END if item.record.valid_to is not None else "")


async def push_lists(client: Client, placed: Sequence[tuple[str, Item[Price]]], outcomes: dict[str, Outcome]) -> None:
    """Records of price lists, list by list."""
    for name, some in groupby(sorted(placed, key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        items = [item for _, item in some]
        for at in range(0, len(items), RECORDS):
            part = items[at : at + RECORDS]
            refused = await halve(part, partial(send_records, client, name), lambda item: item.record.sku)
            outcomes.update({item.key: accepted(item) for item in part})
            outcomes.update({item.key: Rejected(why) for item, why in refused})


async def send_records(client: Client, name: str, items: Sequence[Item[Price]]) -> None:
    """One upsert of a price list."""
    rows = list[dict[str, object]]()
    for item in items:
        currency = item.record.price.currency.lower() if item.record.price else ""
        rows.append({"sku": item.record.sku, "currency": currency, **amounts(item.record)})
    await client.price_records(name, rows)


async def push_base(client: Client, items: Sequence[Item[Price]], outcomes: dict[str, Outcome]) -> None:
    """Base prices: by the ids an earlier push told, else by looking for the SKU."""
    placed = list[Placed]()
    for item in items:
        place = remembered(item.remote) or await look(client, item.record.sku)
        if place is None:
            outcomes[item.key] = Rejected(f"The store has no product or variant with the SKU {item.record.sku}")
        else:
            placed.append(Placed(item, place))
    variants = [one for one in placed if one.place.variant]
    products = [one for one in placed if not one.place.variant]
    for some, size, send in ((variants, VARIANTS, send_variants), (products, PRODUCTS, send_products)):
        for at in range(0, len(some), size):
            await settle_part(client, some[at : at + size], partial(send, client), outcomes)


async def settle_part(client: Client, part: Sequence[Placed], send: Send, outcomes: dict[str, Outcome]) -> None:
    """One request's worth. An id that is out of date is looked for once more."""
    refused = {one.item.key: why for one, why in await halve(part, send)}
    for one in part:
        why = refused.get(one.item.key)
        if why is None:
            outcomes[one.item.key] = accepted(one.item, one.place.remote())
            continue
        place = await look(client, one.item.record.sku) if remembered(one.item.remote) else None
        if place is None or place == one.place:
            outcomes[one.item.key] = Rejected(why)
            continue
        try:
            await (send_variants if place.variant else send_products)(client, [Placed(one.item, place)])
            outcomes[one.item.key] = accepted(one.item, place.remote())
        except errors.RemoteRejected as again:
            outcomes[one.item.key] = Rejected(str(again))


async def send_variants(client: Client, part: Sequence[Placed]) -> None:
    """Prices of variants; all exist, so it may be sent again."""
    await client.update_variants([{"id": one.place.variant, **amounts(one.item.record)} for one in part])


async def send_products(client: Client, part: Sequence[Placed]) -> None:
    """Prices of products without variants, or of the product itself."""
    await client.update_products([{"id": one.place.product, **amounts(one.item.record)} for one in part])


PRICES = PushStream(name="prices", takes=Price, push=push, batch=100, state=True, repeatable=True)
