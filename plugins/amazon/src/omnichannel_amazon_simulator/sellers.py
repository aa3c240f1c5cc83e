"""One selling account in one region, and everything it owns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from omnichannel_amazon_simulator.agenda import Agenda
from omnichannel_amazon_simulator.answers import Call, Row
from omnichannel_amazon_simulator.feed_invoices import Invoices
from omnichannel_amazon_simulator.feeds import Desk as Feeds
from omnichannel_amazon_simulator.listing_store import Listings
from omnichannel_amazon_simulator.marketplaces import MARKETPLACES
from omnichannel_amazon_simulator.notices import order_change
from omnichannel_amazon_simulator.order import Order
from omnichannel_amazon_simulator.order_book import OrderBook, Position
from omnichannel_amazon_simulator.order_making import KINDS, PENDING, TITLES, Maker, Plan
from omnichannel_amazon_simulator.product_schemas import Edition
from omnichannel_amazon_simulator.reports import Desk as Reports
from omnichannel_core.testing.simulated.clock import Clock


@dataclass(slots=True)
class Options:
    """What `POST /_control/sellers` takes; all but the first six can be tuned later.

    Attributes:
        marketplaces: ids, all of one region.
        orders, days: so many orders over the last so many days. listings: so many SKUs.
        types, type_weight: so many product types, each with so many attributes more (about 500 bytes of schema each;
            real schemas have 0.3 to 2 MB).
        roles: what a consent of this seller admits, None for all that the application has.
        suspended: marketplaces on vacation; not_participating: marketplaces it has but does not sell on.
        personal: refuse (403) or omit what needs a restricted role that is missing.
        duplicates: each page of orders begins with the last order of the page before.
        discount_sign: 1 or -1, how discounts are written.
        rate_headers: probability of x-amzn-RateLimit-Limit on 200, 400 and 404.
        vcs: VAT calculation service: the FBA report has net prices. invoicing: seller is in the upload program.
        drop_confirmations: so many confirmShipment are answered 204 and forgotten.
        listing_delay, feed_delay, report_delay: seconds until a listing shows, a feed or report is done.
        charset, said_charset: of flat files, and what the download says about it ('' for nothing).
        gzip: reports are compressed. fba_prices: see `report_orders.split`. plan, store_name: of the account.
        returns: share of the orders of the past of which something came back.
        restricted_reports: report types whose documents need a restricted data token besides those that always do.
        fba_report_lag: seconds until a shipment of Amazon's is in its report.
        lose_submissions: so many accepted listings submissions never show. restricted_asins: need approval.
    """

    seller_id: str = ""
    marketplaces: list[str] = field(default_factory=lambda: ["A1PA6795UKMFR9"])
    orders: int = 0
    days: float = 90.0
    listings: int = 20
    types: int = 40
    type_weight: int = 0
    roles: list[str] | None = None
    suspended: list[str] = field(default_factory=list)
    not_participating: list[str] = field(default_factory=list)
    personal: str = "refuse"
    duplicates: bool = False
    discount_sign: int = -1
    rate_headers: float = 0.9
    vcs: bool = False
    invoicing: bool = True
    drop_confirmations: int = 0
    listing_delay: float = 120.0
    feed_delay: float = 60.0
    report_delay: float = 45.0
    charset: str = "utf-8"
    said_charset: str = ""
    gzip: bool = True
    fba_prices: str = "auto"
    lose_submissions: int = 0
    returns: float = 0.0
    fba_report_lag: float = 3600.0
    restricted_asins: list[str] = field(default_factory=list)
    restricted_reports: list[str] = field(default_factory=list)
    plan: str = "PROFESSIONAL"
    store_name: str = ""


@dataclass(slots=True)
class SearchToken:
    """A page to come: the query it is bound to, where it goes on, up to when, when it was made, the order before."""

    query: str
    position: Position
    before: float
    made: float
    again: str


class Seller:
    """State of one selling account.

    Raises:
        ValueError: marketplaces that do not exist, or of several regions.
    """

    def __init__(self, options: Options, clock: Clock, seed: int) -> None:
        regions = {MARKETPLACES[ident].region for ident in options.marketplaces if ident in MARKETPLACES}
        if len(regions) != 1 or not MARKETPLACES.keys() >= set(options.marketplaces):
            raise ValueError(f"seller {options.seller_id}: marketplaces must exist and be of one region")
        self.options, self.clock = options, clock
        self.id, self.marketplaces, (self.region,) = options.seller_id, list(options.marketplaces), regions
        self.random = Random(f"{seed}/{self.id}")
        self.agenda = Agenda()
        self.pages: dict[str, SearchToken] = {}
        self.book = OrderBook(self._changed)
        self.reports, self.feeds, self.invoices = Reports(), Feeds(), Invoices()
        self.type_version, self.submissions = 1, 0
        self.traffic, self._trades = 0.0, 0
        self.requests: Counter[str] = Counter()
        self.listeners: list[Callable[[str, Row], None]] = []
        stock = stock_of(options.listings)
        self.listings = Listings(self.region, self.marketplaces)
        self.listings.seed(stock, clock.now(), options.types)
        self.maker = Maker(self.random.getrandbits(32), self.marketplaces, stock)
        self.past(options.orders, options.days)

    def past(self, count: int, days: float) -> list[Order]:
        """So many usual orders of the last so many days; those that are pending leave that state by themselves."""
        made = self.maker.history(count, days, self.clock.now())
        self.book.load(made)
        for order in made:
            if order.status == "PENDING":
                self._later(order, PENDING, "PENDING", "UNSHIPPED")
            elif order.status == "SHIPPED" and self.random.random() < self.options.returns:
                self._came_back(order)
        return made

    def _came_back(self, order: Order) -> None:
        """A week after it was shipped, if that is past already."""
        at, line = order.shipped_at + 7 * 86400.0, order.lines[0]
        if at + 3 * 86400.0 < self.clock.now():
            self.book.come_back(order, line, at, quantity=1, received=at + 3 * 86400.0, refund=line.price)

    @property
    def edition(self) -> Edition:
        """Of the product types' schemas."""
        return Edition(self.type_version, self.options.type_weight)

    def _changed(self, order: Order, what: str) -> None:
        if what and order.sales == "AMAZON":
            self.tell("ORDER_CHANGE", order_change(self, order, what))

    def tell(self, kind: str, content: Row) -> None:
        """A notification for whoever subscribed."""
        for listener in self.listeners:
            listener(kind, content)

    def roles(self, call: Call) -> frozenset[str]:
        return call.token.grant.roles if call.token.grant else frozenset()

    def order(self, plan: Plan) -> Order:
        """A planned order; what is to happen to it later is put on the agenda."""
        order = self.maker.planned(plan, self.clock.now())
        if order.id in self.book.orders:
            raise ValueError(f"order {order.id} exists already")
        self.book.add(order)
        if plan.pending_for is not None:
            self._later(order, plan.pending_for, "PENDING", "UNSHIPPED")
        if plan.ships_after is not None:
            self._later(order, plan.ships_after, "UNSHIPPED", "SHIPPED")
        return order

    def trade(self, per_hour: float) -> None:
        """From now on so many usual orders an hour come in, pending first; Amazon ships its own after six hours."""
        self.traffic = per_hour
        self._trades += 1
        if per_hour > 0:
            self._next(self.clock.now(), self._trades)

    def _next(self, now: float, trade: int) -> None:
        def come(at: float) -> None:
            if trade == self._trades:
                kind = self.random.choices(list(KINDS), list(KINDS.values()))[0]
                place = self.marketplaces[self.random.randrange(len(self.marketplaces))]
                plan = Plan(kind, place, "PENDING", at, pending_for=PENDING)
                plan.ships_after = 6 * 3600.0 if kind in {"fba", "non_amazon"} else None
                self.order(plan)
                self._next(at, trade)

        self.agenda.at(now + self.random.expovariate(self.traffic / 3600), come)

    def _later(self, order: Order, seconds: float, only: str, status: str) -> None:
        def do(now: float) -> None:
            if order.status == only:
                self.book.move(order, status, now)

        self.agenda.at(order.created + seconds, do)

    def summary(self) -> dict[str, Any]:
        return {
            "seller_id": self.id,
            "region": self.region,
            "marketplaces": self.marketplaces,
            "orders": len(self.book.orders),
            "returns": len(self.book.returns),
            "listings": len(self.listings.all),
        }


def stock_of(count: int) -> list[tuple[str, str, str, int]]:
    """(sku, asin, title, price) of the listings a seller begins with; some SKUs have what clients fail to encode."""
    oddities = ("A/B 1", "C+D", "50%-Ü", "E F#G?")
    rows: list[tuple[str, str, str, int]] = []
    for number in range(count):
        sku = oddities[number] if number < len(oddities) and count > len(oddities) else f"SKU-{number:05d}"
        rows.append((sku, f"B0{number:08X}", TITLES[number % len(TITLES)], 999 + number * 137 % 9000))
    return rows
