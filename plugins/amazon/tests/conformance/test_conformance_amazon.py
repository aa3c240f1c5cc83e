"""The driver runs the conformance kit, against its simulator over a real socket."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import SecretStr

from omnichannel_core.driver import Answer, Ask, Call, Token
from omnichannel_core.records import Cancellation, Invoice, Money, Offer, Price, Record, Shipment, StockLevel, Value
from omnichannel_core.testing import DriverConformance, Exchange, Remote
from omnichannel_core.testing.conformance import Expected
from plugins.amazon.tests import official

SELLER, DE, BEGIN, DAY = "A1CONFORMSELLER", "A1PA6795UKMFR9", 1_767_225_600.0, 86400.0
CLIENT, SECRET, APP = "amzn1.application-oa2-client.kit", "amzn1.oa2-cs.v1.kit-0123456789", "amzn1.sellerapps.app.kit"
TRADE = {"seller_id": SELLER, "marketplaces": [DE], "days": 10, "types": 6, "report_delay": 0, "listing_delay": 0,
         "fba_report_lag": 0}  # fmt: skip
PARCELS, STOPPED = ("306-0000001-0000001", "306-0000001-0000002"), ("306-0000002-0000001", "306-0000002-0000002")
BILLED, COMING = ("306-0000003-0000001", "306-0000003-0000002"), "306-0000004-0000001"
BACK = "306-0000005-0000001"
MONEY = '{"currency": "EUR", "audience": "ALL", "our_price": [{"schedule": [{"value_with_tax": 9.95}]}]}'
SHIRT = {"item_name": "Hemd", "brand": "Acme", "bullet_point": "warm", "country_of_origin": "DE",
         "product_description": "Ein Hemd", "item_type_keyword": "shirts", "condition_type": "new_new",
         "purchasable_offer": MONEY,
         "fulfillment_availability": '{"fulfillment_channel_code": "DEFAULT", "quantity": 3}'}  # fmt: skip


@pytest.mark.timeout(900)  # a rule that loses every answer opens a hundred sellers
class TestAmazon(DriverConformance):
    """A seller on one marketplace with some orders, self-authorized."""

    driver = "amazon"
    simulator = "amazon"
    options = {
        "clock": "manual", "now": BEGIN,
        "apps": [{"client_id": CLIENT, "client_secret": SECRET, "application_id": APP,
                  "redirect_uris": ["https://host.example/back"]}],
        "sellers": [{**TRADE, "orders": 10}],
    }  # fmt: skip
    credentials = {"seller_id": SELLER, "marketplace": DE}
    authorizing = {"marketplace": DE}  # the Seller ID is filled in
    application = {"application_id": APP, "client_id": CLIENT, "client_secrets": [SECRET]}
    wrong_credentials = {"seller_id": "A1SOMEBODYELSE", "marketplace": DE, "own_refresh_token": "Atzr|of-somebody-else"}
    settings = {
        "order-export": {"shipments_b2c": [DE], "invoices_b2c": [DE]},
        "order-import": {"mfn_from": "15.12.2025", "fba_from": "15.12.2025"},
    }  # fmt: skip
    later = 7 * 3600  # what Amazon calculated for invoices is asked for every six hours
    lacking = {} if official.there() is not None else {
        "platinum-agrees-with-the-definition": "../shared/specs/amazon is not here: NOTHING is compared with the models"
    }  # fmt: skip

    def turn(self, remote: Remote, seconds: float) -> None:
        """One clock."""
        remote.control("clock", {"advance": seconds})

    def fill(self, remote: Remote) -> None:
        """Orders to ship, to cancel, to bill; one that came back to Amazon; one that Amazon has yet to ship."""
        for ident in (*PARCELS, *STOPPED):
            _order(remote, ident)
        for ident in (*BILLED, BACK):
            _order(remote, ident, kind="fba" if ident == BACK else "mfn", status="SHIPPED")
        _order(remote, COMING, kind="fba")
        _returned(remote, BACK, BEGIN - DAY)
        _returned(remote, BILLED[0], BEGIN - DAY)

    def tokens(self, remote: Remote) -> Mapping[str, Token]:
        """The seller authorized the app."""
        refresh = remote.control(f"sellers/{SELLER}/authorize", {"client_id": CLIENT})["refresh_token"]
        begin = datetime.fromtimestamp(BEGIN, UTC)
        return {"access": Token(value=SecretStr("Atza|old-0123456789"), expires=begin, refresh=SecretStr(refresh),
                                granted=begin)}  # fmt: skip

    def agreed(self, remote: Remote, url: str) -> Call:
        """The seller confirms in Seller Central."""
        back = remote.control("consent", {"url": url, "seller_id": SELLER})["url"]
        return Call(method="GET", path="/back", query=dict(parse_qsl(urlsplit(back).query)))

    def expected(self, remote: Remote) -> Expected:
        """Orders that are not pending, those Amazon shipped, what came back, what has no invoice."""
        ours = [one for one in _seller(remote).book.orders.values() if one.sales == "AMAZON"]
        gone = [one for one in ours if one.shipped_at]
        return {
            "data-model": None,
            "product-types": None,
            "orders": {one.id: {} for one in ours if one.status != "PENDING"},
            "fba": {one.id: {} for one in gone if one.fulfilled_by == "AMAZON"},
            "returns": {_return_id(one): {} for one in _seller(remote).book.returns},
            "invoice-data": {one.id: {} for one in gone},
        }

    def change(self, remote: Remote) -> Expected:
        """An order changes, another one comes, Amazon ships one, and two come back."""
        remote.control(f"sellers/{SELLER}/orders/{PARCELS[0]}/touch", {})
        new = "306-0000009-0000001"
        remote.control(f"sellers/{SELLER}/orders", {"id": new})
        remote.control(f"sellers/{SELLER}/orders/{COMING}/status", {"status": "SHIPPED"})
        now, known = _seller(remote).clock.now(), len(_seller(remote).book.returns)
        _returned(remote, COMING, now)
        _returned(remote, BILLED[1], now)
        backs = _seller(remote).book.returns[known:]
        return {
            "orders": {PARCELS[0]: {}, new: {}, COMING: {}}, "fba": {COMING: {}}, "invoice-data": {COMING: {}},
            "returns": {_return_id(one): {} for one in backs},
        }  # fmt: skip

    def pushes(self, remote: Remote) -> Mapping[str, Sequence[Record]]:
        """Two new shirts, stock and prices of what is there, a parcel with and one without a tracking number, two
        orders are cancelled, two are billed."""
        skus = [sku for sku, one in _seller(remote).listings.all.items() if one.fba is None][:3]
        values = {f"SHIRT.{name}": Value(text=text) for name, text in SHIRT.items()}
        bill = {"total": "20", "vat": "3.19"}
        return {
            "offers": [Offer(id=sku, sku=sku, set="SHIRT", values=values) for sku in ("NEW/1 +", "NEW 2")],
            "stock": [StockLevel(id=sku, sku=sku, quantity=Decimal(7)) for sku in skus],
            "prices": [Price(id=sku, sku=sku, price=Money(Decimal("12.50"), "EUR")) for sku in skus],
            "shipments": [Shipment(id="p1", order_id=PARCELS[0], carrier="DHL", tracking="0034"),
                          Shipment(id="p2", order_id=PARCELS[1], carrier="DHL")],
            "cancellations": [Cancellation(id=one, order_id=one) for one in STOPPED],
            "invoices": [Invoice(id=one, order_id=one, number=f"RE-{one}", pdf=b"%PDF-1.7", extra=bill)
                         for one in BILLED],
        }  # fmt: skip

    def held(self, remote: Remote) -> object:
        """What shoppers see of listings, what became of orders, and which invoices there are."""
        seller = _seller(remote)
        orders = [seller.book.orders[one] for one in (*PARCELS, *STOPPED, *BILLED)]
        return (
            sorted((sku, str(one.live)) for sku, one in seller.listings.all.items()),
            [(one.status, len(one.packages or ()), [line.shipped for line in one.lines]) for one in orders],
            sorted(seller.invoices.by_number),
        )

    def writes(self, exchange: Exchange) -> bool:
        """Whatever is not read, but for tokens, and documents of feeds before there is a feed."""
        return exchange.method not in ("GET", "HEAD") and not _prepares(exchange)

    def repeatable(self, exchange: Exchange) -> bool:
        """What says how something shall be; and a shipment's confirmation, by its package's reference."""
        keyed = exchange.path.endswith("/shipmentConfirmation")
        return exchange.method != "POST" or keyed or _prepares(exchange)

    def agrees(self, exchange: Exchange) -> Collection[str]:
        """As tests/driver compare, by the models."""
        return sorted(_differences(exchange))

    def many(self, remote: Remote, count: int) -> str:
        """The seller anew, with so many orders."""
        remote.control(f"sellers/{SELLER}", method="DELETE")
        remote.control("sellers", {**TRADE, "orders": count})
        return "orders"


def _seller(remote: Remote) -> Any:
    return remote.app.world.sellers[SELLER]


def _order(remote: Remote, ident: str, **words: Any) -> None:
    lines = [{"quantity": 2, "price": 1000}]
    remote.control(f"sellers/{SELLER}/orders", {"id": ident, "at": BEGIN - 5 * DAY, "lines": lines, **words})


def _returned(remote: Remote, ident: str, at: float) -> None:
    words = {"quantity": 1, "requested": at, "received": at}
    remote.control(f"sellers/{SELLER}/orders/{ident}/return", words)


def _return_id(back: Any) -> str:
    return f"{back.order.id}:{back.plate if back.order.fulfilled_by == 'AMAZON' else back.rma}"


def _prepares(exchange: Exchange) -> bool:
    path, host = exchange.path.partition("?")[0], exchange.headers.get("x-forwarded-host", "")
    return path in ("/auth/o2/token", "/feeds/2021-06-30/documents") or host.endswith(".amazonaws.com")


def _differences(exchange: Exchange) -> Iterator[str]:
    models, host = official.there(), exchange.headers.get("x-forwarded-host", "")
    if models is None:
        return
    operation = models.operation(exchange.method, exchange.path)
    if not operation and host.startswith("sellingpartnerapi"):
        yield "no model has such an operation"
    if not operation:
        operation = "feedFile" if exchange.method == "PUT" else "token"
    ask = Ask(operation=operation, method=exchange.method, url=exchange.path, body=exchange.body)
    answer = Answer(
        operation=operation, status=exchange.status, headers=exchange.answer_headers, content=exchange.answer
    )
    yield from models.wrong([(ask, answer)])
