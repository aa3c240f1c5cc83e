"""One store: its profile, tokens, quota, orders, catalog, stock, price lists, hooks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from omnichannel_bigcommerce_simulator import order_words
from omnichannel_bigcommerce_simulator.catalog import Catalog
from omnichannel_bigcommerce_simulator.catalog_seeding import goods_of, sow
from omnichannel_bigcommerce_simulator.deliveries import Hooks
from omnichannel_bigcommerce_simulator.metafields import Metafields
from omnichannel_bigcommerce_simulator.order_shapes import Habits
from omnichannel_bigcommerce_simulator.orderbook import OrderBook
from omnichannel_bigcommerce_simulator.pricelists import PriceLists
from omnichannel_bigcommerce_simulator.quota import Quota
from omnichannel_bigcommerce_simulator.stock import Stock
from omnichannel_bigcommerce_simulator.tokens import Token
from omnichannel_core.testing.simulated.clock import Clock

API = "https://api.bigcommerce.com"
FOREIGN = {"USD": ("EUR", "0.92"), "EUR": ("USD", "1.09")}


@dataclass(slots=True)
class Options:
    """How a store is made (`POST /_control/stores`).

    Attributes:
        hash, token: store hash and access token of the first API account; `scopes` None means all.
        orders, products: how many to seed; `first_order_id`, `order_step` (seconds), `order_burst` (orders that share a
            second), `last_order_at` (Unix seconds, default an hour ago) place the orders.
        quota: requests per `window_ms` (150 Standard and Plus, 450 Pro).
        tax_inclusive: prices are entered with tax; one seeded order in five is the other way round.
        is_deleted_filter: "works" or "ignored": what `GET /v2/orders?is_deleted=true` does (guide 1.10).
        archived_listed: archived orders are in the plain list.
        stock_lag: seconds until a stock write can be read back.
        hook_lag: seconds until a new hook gets events (up to 60).
        latency: real seconds that every answer takes; `latencies` the same by operation, e.g. {"GET /v2/orders": 0.2}.
        not_in_plan: families of routes the plan does not include (403).
        categories_required: the V2 product experience (`categories` mandatory).
    """

    hash: str
    token: str = ""
    client_id: str = ""
    client_secret: str = ""
    scopes: list[str] | None = None
    name: str = "Demo Store"
    orders: int = 0
    products: int = 20
    seed: int = 1
    first_order_id: int = 100
    order_step: int = 60
    order_burst: int = 3
    last_order_at: float | None = None
    quota: int = 150
    window_ms: int = 30_000
    timezone: str = "America/Chicago"
    currency: str = "USD"
    tax_rate: str = "0.0825"
    tax_inclusive: bool = False
    is_deleted_filter: str = "works"
    archived_listed: bool = False
    stock_lag: float = 0.0
    hook_lag: float = 60.0
    latency: float = 0.0
    latencies: dict[str, float] | None = None
    not_in_plan: list[str] | None = None
    categories_required: bool = False
    admin_email: str = "owner@example.com"


class Store:
    """State of one store; see `Options` for how it is made."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.options = options
        self.clock = clock
        self.hash = options.hash
        self.base = f"{API}/stores/{options.hash}"
        self.random = Random(f"{options.seed}/{options.hash}")
        self.number = 10_000 + sum(options.hash.encode()) * 7
        self.account_uuid = str(UUID(int=self.random.getrandbits(128), version=4))
        self.status = "live"
        self.owner_email = options.admin_email
        self.tokens: dict[str, Token] = {}
        self.quota = Quota(options.quota, options.window_ms, clock.now())
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.inflight: Counter[str] = Counter()
        self.mails: list[dict[str, Any]] = []
        self.ids = count(5000)
        self.labels = {number: words[0] for number, words in order_words.STATUSES.items()}
        self.decline_refunds = 0
        self._make_parts()

    def _make_parts(self) -> None:
        options, clock = self.options, self.clock
        self.locations: dict[int, dict[str, Any]] = {}
        self.channels: dict[int, dict[str, Any]] = {}
        self.customers: dict[int, dict[str, Any]] = {}
        self.currencies: list[dict[str, Any]] = []
        self.tax_classes: list[dict[str, Any]] = []
        self.metafields = Metafields()
        self.hooks = Hooks(self.hash, str(self.number), clock, options.hook_lag, self.mail)
        self.catalog = Catalog()
        sow(self.catalog, options.seed, options.products, clock.now())
        self.stock = Stock(self.catalog, clock, options.stock_lag)
        self.pricelists = PriceLists()
        foreign, exchange = FOREIGN.get(options.currency, ("USD", "1.1"))
        self.foreign = foreign
        self.exchange = Decimal(exchange)
        goods = goods_of(self.catalog)
        self.orders = OrderBook(self.base, self.labels, self._habits(goods))
        last = options.last_order_at if options.last_order_at is not None else clock.now() - 3600
        self.orders.seed(options.orders, options.first_order_id, int(last), options.order_step, options.order_burst)

    def _habits(self, goods: tuple[Any, ...]) -> Habits:
        options = self.options
        rate = Decimal(options.tax_rate)
        return Habits(
            options.seed, options.currency, self.foreign, self.exchange, rate, options.tax_inclusive, (1, 2), goods
        )

    def mail(self, kind: str, to: str, subject: str) -> None:
        """Counts a mail the platform sends; tests read them."""
        self.mails.append({"kind": kind, "to": to, "subject": subject, "at": self.clock.now()})

    def admit(self, token: Token) -> None:
        self.tokens[token.token] = token

    def rename_status(self, status_id: int, label: str) -> None:
        self.labels[status_id] = label
        self.orders.relabel()
