"""Makes orders: one as a test describes it, or many as ninety days of a shop look like. Seeded."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from omnichannel_amazon_simulator.marketplaces import MARKETPLACES
from omnichannel_amazon_simulator.order import STATUSES, TAXES, Line, Order, Package

DAY, PENDING = 86400.0, 1800.0
KINDS: dict[str, int] = {
    "mfn": 560,
    "prime": 100,
    "fba": 220,
    "b2b": 50,
    "pickup": 30,
    "replacement": 10,
    "non_amazon": 15,
    "gift": 10,
    "iba": 5,
}
"""Kind -> how many of a thousand orders are like that."""
TITLES = (
    "Wasserkocher 1,7 l, für Tee & Kaffee",
    'Bildschirmhalterung 27" VESA',
    "Kinder-Gummistiefel «Größe 28»",
    "Wool Socks, pack of 3",
    "ステンレスボトル 500ml",
    "Notizbuch A5 kariert",
)
SERVICES = ("STANDARD", "STANDARD", "STANDARD", "EXPEDITED", "NEXT_DAY", "SECOND_DAY", "FREE_ECONOMY", "SCHEDULED")
COMPANIES = ("Blumen Öhler GmbH", "Atelier Noël SARL", "Acme Widgets Ltd")
CENTERS = {"eu": ("LEJ1", "WRO5", "LIL1"), "na": ("ONT8", "JFK8"), "fe": ("NRT5",)}


@dataclass(slots=True)
class Plan:
    """What a test wants: fields of `POST .../orders`.

    Attributes:
        kind: one of `KINDS`.
        at: Unix seconds of its creation, None for now.
        lines: `{"sku"?, "quantity"?, "price"?, "shipping"?, "gift_wrap"?, "discount"?, "rate"?, "title"?, "asin"?}`,
            amounts in the smallest unit of the currency.
        pending_for: seconds after which a PENDING order becomes UNSHIPPED by itself.
        ships_after: seconds after which Amazon ships an order of its own.
        late: seconds that `searchOrders` does not know it, though it exists.
        layout: 1 to 4, where the packing station is written.
    """

    kind: str = "mfn"
    marketplace: str = ""
    status: str = "UNSHIPPED"
    at: float | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)
    pending_for: float | None = None
    ships_after: float | None = None
    late: float = 0.0
    layout: int | None = None
    tax: str = ""
    service: str = ""
    id: str = ""
    alias: str = ""
    replaces: str = ""
    purchase_order: str = ""
    vat_id: str = ""
    ioss: str = ""
    wish: str = ""
    gift: str | None = None
    programs: list[str] | None = None
    extra: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"order: no such kind {self.kind!r}; there are {', '.join(KINDS)}")
        if self.status not in STATUSES:
            raise ValueError(f"order: no such status {self.status!r}; there are {', '.join(STATUSES)}")
        if self.tax not in {"", *TAXES}:
            raise ValueError(f"order: no such tax {self.tax!r}; there are {', '.join(TAXES)}")


class Maker:
    """Makes the orders of one seller.

    Args:
        skus: sku -> (asin, title, price) of the seller's listings, what lines are made of.
    """

    def __init__(self, seed: int, marketplaces: list[str], skus: list[tuple[str, str, str, int]]) -> None:
        self.random = Random(seed)
        self.marketplaces = marketplaces
        self.skus = skus
        self.count = 0

    def ident(self) -> str:
        self.count += 1
        return f"{302 + self.count % 5}-{self.random.randrange(10**7):07d}-{self.count:07d}"

    def history(self, count: int, days: float, now: float) -> list[Order]:
        """`count` orders over the last `days` days, oldest first, with the states that their age brings."""
        draw, step = self.random.random, days * DAY / max(1, count)
        kinds = self.random.choices(list(KINDS), list(KINDS.values()), k=count)
        made: list[Order] = []
        for number, kind in enumerate(kinds):
            at = round(now - days * DAY + (number + draw()) * step, 3)
            place = self.marketplaces[int(draw() * draw() * len(self.marketplaces))]
            made.append(self._aged(kind, place, at, now - at))
        return made

    def _aged(self, kind: str, place: str, at: float, age: float) -> Order:
        order = self._order(kind, place, at)
        if age < PENDING:
            order.status = "PENDING"
            return order
        late = self.random.random()
        order.updated = round(at + min(age, (0.2 + 2.5 * late) * DAY), 3)
        if late < 0.03:
            order.status = "CANCELLED"
            for line in order.lines:
                line.cancelled_by = "BUYER"
        elif order.fulfilled_by == "AMAZON" or age > 3 * DAY or late < 0.3:
            self._ship(order)
        return order

    def _ship(self, order: Order) -> None:
        order.status, order.shipped_at = "SHIPPED", order.updated
        for line in order.lines:
            line.shipped = line.quantity
        if order.fulfilled_by == "MERCHANT":
            items = {line.id: line.quantity for line in order.lines}
            tracking = f"0034043416{order.id[-7:]}{order.id[4:7]}"
            order.packages = [Package("1", "DHL", "DHL Paket", tracking, order.updated, order.updated, items)]

    def _order(self, kind: str, place: str, at: float) -> Order:
        random, where = self.random, MARKETPLACES[place]
        amazon = kind in {"fba", "non_amazon"}
        order = Order(
            self.ident(), at, at, place, "UNSHIPPED", "AMAZON" if amazon else "MERCHANT", [], random.getrandbits(24)
        )
        order.service = SERVICES[random.getrandbits(3)]
        order.tax = "on_top" if where.region == "na" else "inside"
        order.lines = [
            self._line(place, number) for number in range(1 if random.random() < 0.8 else random.randint(2, 4))
        ]
        order.center = CENTERS[where.region][order.person % len(CENTERS[where.region])] if amazon else ""
        _MARKS.get(kind, _plain)(order)
        return order

    def _line(self, place: str, number: int, words: dict[str, Any] | None = None) -> Line:
        words, where = words or {}, MARKETPLACES[place]
        chosen = words.get("sku")
        rows = [row for row in self.skus if row[0] == chosen] if chosen else self.skus
        sku, asin, title, price = rows[self.random.randrange(len(rows))] if rows else self._unlisted(chosen)
        amount = price if where.decimals else price // 100 * 100
        quantity = 1 if self.random.random() < 0.85 else self.random.randint(2, 5)
        shipping = 399 * (self.random.random() < 0.3) if number == 0 else 0
        line = Line(
            f"{20_000_000_000_000 + self.random.getrandbits(40)}", sku, asin, title, quantity, amount, where.tax
        )
        line.shipping = shipping if where.decimals else shipping // 100 * 100
        for name, value in words.items():
            setattr(line, name, value)
        return line

    def _unlisted(self, sku: str | None) -> tuple[str, str, str, int]:
        number = self.random.getrandbits(20)
        return sku or f"SKU-{number}", f"B0{number:08d}", TITLES[number % len(TITLES)], 999 + number % 9000

    def planned(self, plan: Plan, now: float) -> Order:
        """The order that a test describes.

        Raises:
            ValueError: a field of a line that does not exist.
        """
        place = plan.marketplace or self.marketplaces[0]
        at = now if plan.at is None else plan.at
        order = self._order(plan.kind, place, at)
        if plan.lines:
            try:
                order.lines = [
                    self._line(place, number, {"quantity": 1, "shipping": 0} | words)
                    for number, words in enumerate(plan.lines)
                ]
            except AttributeError as error:
                raise ValueError(f"order line: {error}") from error
            if plan.kind == "replacement":
                _replacement(order)
        self._described(order, plan)
        order.hidden_until = at + plan.late if plan.late else 0.0
        if plan.status == "SHIPPED":
            self._ship(order)
        else:
            order.status = plan.status
        return order

    def _described(self, order: Order, plan: Plan) -> None:
        order.id = plan.id or order.id
        order.tax = plan.tax or order.tax
        order.layout = order.layout if plan.layout is None else plan.layout
        order.programs = order.programs if plan.programs is None else tuple(plan.programs)
        for name in ("service", "alias", "replaces", "purchase_order", "vat_id", "ioss"):
            setattr(order, name, getattr(plan, name) or getattr(order, name))
        order.extra = plan.extra
        for line in order.lines:
            line.wish = plan.wish
            line.gift = line.gift if plan.gift is None else plan.gift


def _plain(order: Order) -> None:
    """Nothing special."""


def _prime(order: Order) -> None:
    order.programs, order.service = ("PRIME",), "NEXT_DAY"


def _fba(order: Order) -> None:
    order.programs = ("PRIME",) if order.person % 2 else ()


def _business(order: Order) -> None:
    order.programs, order.address = ("AMAZON_BUSINESS",), "COMMERCIAL"
    order.company = COMPANIES[order.person % len(COMPANIES)]
    order.purchase_order = f"PO-{order.person % 100000:05d}"
    order.vat_id = f"{MARKETPLACES[order.marketplace].country}{order.person % 10**9:09d}"


def _iba(order: Order) -> None:
    _business(order)
    order.programs = ("AMAZON_BUSINESS", "INVOICE_BY_AMAZON")


def _pickup(order: Order) -> None:
    order.address = "PICKUP_POINT"
    order.layout = order.person % 4 + 1 if MARKETPLACES[order.marketplace].country == "DE" else 0


def _replacement(order: Order) -> None:
    order.replaces = order.replaces or f"303-{order.person % 10**7:07d}-0000001"
    for line in order.lines:
        line.price = line.shipping = line.discount = line.gift_wrap = 0


def _non_amazon(order: Order) -> None:
    order.sales = "NON_AMAZON"
    order.alias = f"WEB-{order.person % 10**6}"


def _gift(order: Order) -> None:
    for line in order.lines:
        line.gift, line.gift_wrap = "Alles Gute zum Geburtstag \N{WRAPPED PRESENT}", 300
    order.lines[0].discount = order.lines[0].price // 10


_MARKS = {
    "prime": _prime,
    "fba": _fba,
    "b2b": _business,
    "iba": _iba,
    "pickup": _pickup,
    "replacement": _replacement,
    "non_amazon": _non_amazon,
    "gift": _gift,
}
