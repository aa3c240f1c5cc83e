"""Prices out: of variants, product by product; of price lists, by fixed prices (guide 2.13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from omnichannel_core.driver import Accepted, Batch, Item, Outcome, PushStream, Rejected, Session
from omnichannel_core.records import Choice, Money, Price
from omnichannel_shopify.client import Client, refusal
from omnichannel_shopify.sync.skus import Place, places
from omnichannel_shopify.sync.stock import at_row
from omnichannel_shopify.wire import UserError, gid

MOST = 250


async def push(session: Session, batch: Batch[Price]) -> Mapping[str, Outcome]:
    """A price is a state: the same batch may be sent again."""
    client, outcomes = Client(session), dict[str, Outcome]()
    found = await places(client, [item.record.sku for item in batch.items])
    own = dict[str, list[tuple[Item[Price], Place]]]()
    listed = dict[str, list[tuple[Item[Price], Place]]]()
    for item in batch.items:
        place, lists = found[item.record.sku], await session.choices("price_lists")
        currency = await currency_of(session, item.record, lists)
        why = place if isinstance(place, str) else wrong(item.record, currency)
        if why or isinstance(place, str):
            outcomes[item.key] = Rejected(why)
        elif item.record.list:
            listed.setdefault(gid("PriceList", item.record.list), []).append((item, place))
        else:
            own.setdefault(place.product, []).append((item, place))
    for product, some in own.items():
        outcomes |= await of_product(client, product, some)
    for name, some in listed.items():
        for start in range(0, len(some), MOST):
            outcomes |= await of_list(client, name, some[start : start + MOST])
    return outcomes


async def currency_of(session: Session, price: Price, lists: Mapping[str, Choice]) -> str:
    """The currency prices there are in; '' where it is not known."""
    if price.list:
        found = lists.get(gid("PriceList", price.list))
        return found.extra.get("currency", "") if found is not None else ""
    facts = await session.choices("shop")
    return facts["currency"].label if "currency" in facts else ""


def wrong(price: Price, currency: str) -> str:
    """Why a price cannot be set; '' when it can."""
    if price.price is None and price.sale_price is None:
        return "A price is needed"
    if price.valid_from is not None or price.valid_to is not None:
        return "Shopify's prices have no dates: send the price when it begins"
    amounts = [one for one in (price.price, price.sale_price, price.retail_price) if one is not None]
    other = next((one.currency for one in amounts if currency and one.currency != currency), "")
    if other:
        return f"This price list is in {currency}, not in {other}" if price.list else f"The shop sells in {currency}"
    if any(one.amount < 0 or not one.amount.is_finite() for one in amounts):
        return "A price is zero or more"
    return ""


def both(price: Price) -> tuple[Money, Money | None]:
    """What is charged, and what it is compared with (struck through): the regular price while there is a sale."""
    if price.sale_price is not None:
        return price.sale_price, price.price or price.retail_price
    assert price.price is not None  # noqa: S101 - `wrong` said so
    return price.price, price.retail_price


def row(item: Item[Price], place: Place) -> dict[str, object]:
    """One variant's prices; without a comparison an old one is taken away."""
    now, before = both(item.record)
    return {
        "id": place.variant,
        "price": format(now.amount, "f"),
        "compareAtPrice": format(before.amount, "f") if before is not None and before.amount > now.amount else None,
    }


async def of_product(client: Client, product: str, some: Sequence[tuple[Item[Price], Place]]) -> dict[str, Outcome]:
    """The variants of one product; what is refused stands alone, the others are taken."""
    outcomes = dict[str, Outcome]()
    for start in range(0, len(some), MOST):
        part = some[start : start + MOST]
        _, refused = await client.mutate(
            "UpdateVariants", "productVariantsBulkUpdate", repeatable=True, productId=product,
            variants=[row(item, place) for item, place in part],
        )  # fmt: skip
        outcomes |= told(part, refused)
    return outcomes


def told(part: Sequence[tuple[Item[Price], Place]], refused: Sequence[UserError]) -> dict[str, Outcome]:
    """Outcomes of rows of which some were refused; a refusal of no row is of all."""
    whys = {at: one for one in refused if (at := at_row(one)) is not None}
    of_all = [one for one in refused if at_row(one) is None]
    outcomes = dict[str, Outcome]()
    for at, (item, place) in enumerate(part):
        why = [whys[at]] if at in whys else of_all
        outcomes[item.key] = Rejected(refusal(why)) if why else Accepted(remote=place.remote())
    return outcomes


async def of_list(client: Client, name: str, part: Sequence[tuple[Item[Price], Place]]) -> dict[str, Outcome]:
    """Fixed prices of a price list: all or nothing, so refused rows are taken out and the others sent again."""
    outcomes, rows = dict[str, Outcome](), list(part)
    while rows:
        prices = [in_list(item, place) for item, place in rows]
        _, refused = await client.mutate(
            "ListPrices", "priceListFixedPricesAdd", repeatable=True, list=name, prices=prices
        )
        if not refused:
            return outcomes | {item.key: Accepted(remote=place.remote()) for item, place in rows}
        out = {at for one in refused if (at := at_row(one)) is not None and at < len(rows)}
        outcomes |= (
            told(rows, refused)
            if not out
            else {key: one for key, one in told(rows, refused).items() if isinstance(one, Rejected)}
        )
        rows = [one for at, one in enumerate(rows) if at not in out] if out else []
    return outcomes


def in_list(item: Item[Price], place: Place) -> dict[str, object]:
    """One variant's fixed price."""
    now, before = both(item.record)
    found: dict[str, object] = {"variantId": place.variant, "price": spelled(now)}
    if before is not None and before.amount > now.amount:
        found["compareAtPrice"] = spelled(before)
    return found


def spelled(money: Money) -> dict[str, str]:
    """MoneyInput."""
    return {"amount": format(money.amount, "f"), "currencyCode": money.currency}


PRICES = PushStream(name="prices", takes=Price, push=push, batch=100, state=True, repeatable=True)
