"""One shop: its profile, installs, orders, catalog, stock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

from omnichannel_core.testing.simulated.clock import Clock
from omnichannel_shopify_simulator import access, catalog, locations, model
from omnichannel_shopify_simulator.bucket import PLANS, Bucket
from omnichannel_shopify_simulator.installs import App, Install, Token
from omnichannel_shopify_simulator.order_making import Habits
from omnichannel_shopify_simulator.orderbook import OrderBook
from omnichannel_shopify_simulator.values import gid, iso
from omnichannel_shopify_simulator.webhooks import Deliveries

FOREIGN = {"USD": ("CAD", 1.37), "EUR": ("USD", 1.09)}
WINDOW = 60 * 86_400


@dataclass(slots=True)
class Options:
    """How a shop is made (`POST /_control/stores`).

    Attributes:
        shop: the part before `.myshopify.com`.
        token: a static token of an admin-made app, "" for none; `scopes` None means all; `secret` its API secret key.
        orders, products: how many to seed; `first_order_id`, `order_step` (seconds), `order_burst` (orders that share a
            second), `last_order_at` (Unix seconds, default an hour ago) place the orders.
        plan: standard, advanced, plus, none (no limit): restore rate and size of cost buckets.
        organization: client credentials work for apps of the same one.
        taxes_included, tax_rate, currency: what orders are priced by.
        latency: real seconds that every answer takes; `latencies` the same by operation name.
        bulk_seconds: the least a bulk operation takes on the clock; `bulk_rate` orders a second (0: no more than that).
        bulk_shuffled: children stand anywhere in the file, before their orders too.
        level, protected: protected customer data of the static token's app.
        expiring_required: tokens of public apps that never expire are refused (403).
        index_lag: seconds until the search for variants knows a new one.
        cancel_seconds: how long the job of a cancellation takes; the order is cancelled when it is done.
    """

    shop: str
    token: str = ""
    secret: str = ""
    scopes: list[str] | None = None
    name: str = "Demo Store"
    orders: int = 0
    products: int = 20
    seed: int = 1
    first_order_id: int = 9_007_199_254_800_001
    order_step: int = 60
    order_burst: int = 3
    last_order_at: float | None = None
    plan: str = "standard"
    organization: str = ""
    timezone: str = "America/Chicago"
    currency: str = "USD"
    tax_rate: float = 0.0825
    taxes_included: bool = False
    latency: float = 0.0
    latencies: dict[str, float] | None = None
    bulk_seconds: float = 5.0
    bulk_rate: float = 0.0
    bulk_shuffled: bool = True
    level: int = 2
    protected: list[str] | None = None
    expiring_required: bool = False
    index_lag: float = 0.0
    cancel_seconds: float = 0.0


class Store:
    """State of one shop; see `Options` for how it is made."""

    def __init__(self, options: Options, clock: Clock) -> None:
        if options.plan not in PLANS:
            raise ValueError(f"store: plan {options.plan!r} is not one of {', '.join(PLANS)}")
        self.options, self.clock = options, clock
        self.name = options.shop
        self.domain = f"{options.shop}.myshopify.com"
        self.random = Random(f"{options.seed}/{options.shop}")
        self.number = 50_000_000_000 + sum(options.shop.encode()) * 7
        self.status, self.moved_to = "live", ""
        self.installs: dict[str, Install] = {}
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.mails: list[dict[str, Any]] = []
        self.later: list[tuple[float, int, dict[str, Any], bool]] = []  # cancellations under way
        self.bulk_orders: list[dict[str, Any]] = []  # what a test ordered for the next bulk operations
        self.locations = locations.furnished()
        self.taxonomy, self.definitions = model.taxonomy(), model.definitions()
        self.metaobject_definitions, self.metaobjects = model.metaobject_definitions(), model.metaobjects()
        self.catalog = catalog.Catalog(options.currency)
        catalog.sow(self.catalog, options.seed, options.products, clock.now())
        self.hooks = Deliveries(self, clock)
        self._seed_orders()
        if options.token:
            self._static(options)

    def _seed_orders(self) -> None:
        options = self.options
        foreign, rate = FOREIGN.get(options.currency, ("USD", 1.1))
        goods = tuple(self.catalog.goods())
        habits = Habits(
            options.seed, options.currency, foreign, rate, options.tax_rate, options.taxes_included, goods
        )  # fmt: skip
        self.orders = OrderBook(habits)
        last = options.last_order_at if options.last_order_at is not None else self.clock.now() - 7200
        self.orders.seed(options.orders, options.first_order_id, int(last), options.order_step, options.order_burst)

    def _static(self, options: Options) -> None:
        app = App(
            f"static-{options.shop}", options.secret, public=False, level=options.level, protected=options.protected
        )
        scopes = access.ALL_SCOPES if options.scopes is None else frozenset(options.scopes)
        install = self.install(app, scopes, self.clock.now())
        install.tokens[options.token] = Token(options.token, None)

    def install(self, app: App, scopes: frozenset[str], now: float, *, keep: bool = False) -> Install:
        """The app in this shop with these scopes; what it had stays when it is there already."""
        found = self.installs.get(app.client_id)
        if found is None or not found.alive:
            bucket = found.bucket if found else Bucket(*PLANS[self.options.plan], now)
            found = self.installs[app.client_id] = Install(app, 4_000_000 + len(self.installs), scopes, bucket, now)
        elif not keep:
            found.scopes = scopes
        return found

    def uninstall(self, client_id: str) -> None:
        """Tells `app/uninstalled`; then tokens and subscriptions of the app are gone. Raises KeyError."""
        install = self.installs[client_id]
        self.hooks.emit("APP_UNINSTALLED", {"id": self.number, "myshopify_domain": self.domain}, only=install)
        install.kill()

    def token(self, value: str, now: float) -> tuple[Install, Token] | None:
        for install in self.installs.values():
            found = install.token(value, now)
            if found is not None:
                return install, found
        return None

    def profile(self) -> dict[str, Any]:
        """Shop."""
        options = self.options
        plan = {
            "publicDisplayName": options.plan.title(), "partnerDevelopment": False,
            "shopifyPlus": options.plan == "plus",
        }  # fmt: skip
        domain = {"id": gid("Domain", self.number), "host": self.domain, "url": f"https://{self.domain}"}
        return {
            "id": gid("Shop", self.number), "name": options.name, "myshopifyDomain": self.domain,
            "email": "owner@example.com", "contactEmail": "owner@example.com", "currencyCode": options.currency,
            "enabledPresentmentCurrencies": sorted({options.currency, self.orders.habits.foreign}),
            "ianaTimezone": options.timezone, "timezoneOffsetMinutes": -360, "taxesIncluded": options.taxes_included,
            "taxShipping": True, "weightUnit": "KILOGRAMS", "plan": plan, "primaryDomain": domain,
            "createdAt": iso(self.clock.now() - 86_400 * 900),
        }  # fmt: skip

    def since(self, install: Install, now: float) -> float:
        """Orders placed before are not shown to an app without `read_all_orders`; nothing says so (guide 2.9)."""
        return 0.0 if "read_all_orders" in install.scopes else now - WINDOW

    def mail(self, kind: str, to: str, subject: str) -> None:
        self.mails.append({"kind": kind, "to": to, "subject": subject, "at": self.clock.now()})
