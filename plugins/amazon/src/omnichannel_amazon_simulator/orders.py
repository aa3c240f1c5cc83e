"""Orders API 2026-01-01: searchOrders and getOrder (guide 4.1, 4.2)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from hashlib import sha256

from omnichannel_amazon_simulator.answers import Answer, Call, Row, encode, reply
from omnichannel_amazon_simulator.dates import iso
from omnichannel_amazon_simulator.errors import denied, invalid, missing
from omnichannel_amazon_simulator.order import STATUSES, Order
from omnichannel_amazon_simulator.order_book import Position
from omnichannel_amazon_simulator.order_shape import render
from omnichannel_amazon_simulator.routing import Routes
from omnichannel_amazon_simulator.sellers import SearchToken

routes = Routes()
ROOT = "/orders/2026-01-01/orders"
INCLUDED = frozenset(
    {
        "BUYER",
        "RECIPIENT",
        "PROCEEDS",
        "EXPENSE",
        "PROMOTION",
        "CANCELLATION",
        "FULFILLMENT",
        "PACKAGES",
        "TAX",
        "PAYMENT",
        "FULFILLMENT_ORDERS",
    }
)
PERSONAL = {
    "BUYER": frozenset({"shipping", "tax_invoicing", "tax_remittance"}),
    "RECIPIENT": frozenset({"shipping", "tax_invoicing", "tax_remittance"}),
    "TAX": frozenset({"tax_invoicing", "tax_remittance"}),
}
"""includedData -> restricted roles, one of which it needs (guide 3.2)."""
LAG = 120.0
TOKEN_LIFE = 86400.0
HISTORY = 2 * 365 * 86400.0
TOO_NEW = (
    "The most updated data is 2 minutes after an order is created or last updated. If you set the CreatedBefore or "
    "LastUpdatedBefore parameters, please provide a date that is at least 2 minutes before current time"
)
FREE = frozenset({"maxResultsPerPage", "includedData", "paginationToken"})
KNOWN = FREE | {
    "createdAfter",
    "createdBefore",
    "lastUpdatedAfter",
    "lastUpdatedBefore",
    "fulfillmentStatuses",
    "marketplaceIds",
    "fulfilledBy",
}


@routes("GET", ROOT, "searchOrders", "orders")
def search(call: Call) -> Answer:
    unknown = call.query.keys() - KNOWN
    if unknown:
        raise invalid(f"Unexpected parameter {min(unknown)}.")
    by, after, before = _window(call)
    size, parts, wanted = call.integer("maxResultsPerPage", 100, 1, 100), included(call), _filter(call)
    token, book = _token(call), call.seller.book
    position: Position = token.position if token else (after, "")
    before = token.before if token else before
    found: list[Order] = []
    more = False
    if token is not None and call.seller.options.duplicates:
        found.append(book.orders[token.again])
    for at, order in book.walk(by, position, before):
        if not wanted(order):
            continue
        if len(found) >= size:
            more = True
            break
        found.append(order)
        position = at
    rows = [render(order, parts, call.seller.options.discount_sign) for order in found]
    answer: Row = {"orders": rows, "createdBefore" if by == "created" else "lastUpdatedBefore": iso(before)}
    if more:
        following = SearchToken(_frozen(call), position, before, call.now, found[-1].id)
        answer["pagination"] = {"nextToken": _remember(call, following)}
    return reply(answer)


def _filter(call: Call) -> Callable[[Order], bool]:
    """What a query asks for beside times. Orders of other shops have no marketplace to be asked for by."""
    places = set(call.marketplaces(call.words("marketplaceIds", most=50)))
    statuses = set(call.words("fulfillmentStatuses", frozenset(STATUSES)))
    channels = set(call.words("fulfilledBy", frozenset({"MERCHANT", "AMAZON"})))

    def wanted(order: Order) -> bool:
        return (
            (not places or (order.marketplace in places and order.sales == "AMAZON"))
            and (not statuses or order.status in statuses)
            and (not channels or order.fulfilled_by in channels)
            and order.hidden_until <= call.now
        )

    return wanted


def _window(call: Call) -> tuple[str, float, float]:
    """(created or updated, after, before): exactly one family, and nothing of the last two minutes."""
    created, updated = "createdAfter" in call.query, "lastUpdatedAfter" in call.query
    if created == updated:
        raise invalid("Exactly one of createdAfter and lastUpdatedAfter must be provided.")
    other = "lastUpdatedBefore" if created else "createdBefore"
    if other in call.query:
        raise invalid(f"{other} cannot be combined with {'createdAfter' if created else 'lastUpdatedAfter'}.")
    family = "created" if created else "lastUpdated"
    after, before = call.date(f"{family}After") or 0.0, call.date(f"{family}Before")
    if before is not None and before > call.now - LAG and "paginationToken" not in call.query:
        raise invalid(TOO_NEW)
    if after > (call.now if before is None else before):
        raise invalid(f"{family}After must be before {family}Before.")
    least = call.now - HISTORY
    return ("created" if created else "updated"), max(after, least), call.now - LAG if before is None else before


def _frozen(call: Call) -> str:
    """What a token is bound to."""
    kept = sorted((key, value) for key, value in call.query.items() if key not in FREE)
    return sha256(encode(kept)).hexdigest()


def _token(call: Call) -> SearchToken | None:
    text = call.query.get("paginationToken")
    if text is None:
        return None
    found = call.seller.pages.get(text)
    if found is None or found.query != _frozen(call):
        raise invalid("Invalid paginationToken.", "it belongs to another query")
    if call.now > found.made + TOKEN_LIFE:
        raise invalid("Invalid paginationToken.", "it has expired")
    return found


def _remember(call: Call, token: SearchToken) -> str:
    """A token that needs percent-encoding: base64 with `+`, `/` and `=`."""
    pages = call.seller.pages
    digest = sha256(f"{len(pages)}/{token.query}/{token.position}".encode()).digest()
    text = base64.b64encode(b"\xfb\xff" + digest + b"\xfe").decode()
    pages[text] = token
    return text


def included(call: Call) -> frozenset[str]:
    """The parts asked for that the roles admit; 403, or left out, as the seller's option `personal` says."""
    parts = frozenset(call.words("includedData", INCLUDED))
    roles = call.seller.roles(call)
    for part in parts & PERSONAL.keys():
        if not PERSONAL[part] & roles:
            if call.seller.options.personal == "refuse":
                raise denied()
            parts -= {part}
    return parts


@routes("GET", f"{ROOT}/{{orderId}}", "getOrder", "orders")
def get(call: Call) -> Answer:
    order = call.seller.book.orders.get(call.params["orderId"])
    if order is None:
        raise missing("The requested order was not found.")
    return reply({"order": render(order, included(call), call.seller.options.discount_sign)})
