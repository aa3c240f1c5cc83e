"""Reports: the FBA shipments, returns, encodings, and everything that goes wrong with them."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from omnichannel_amazon import documents, reports
from omnichannel_amazon.credentials import AmazonCredentials
from omnichannel_amazon.settings import Export, OrderImport
from omnichannel_amazon.sync.fba import FBA, amounts, decimal, side
from omnichannel_amazon.sync.invoice_data import INVOICE_DATA
from omnichannel_amazon.sync.orders import ORDERS
from omnichannel_amazon.sync.returns import RETURNS, day, fba, mfn, records

from omnichannel_core import errors
from omnichannel_core.records import Order, Return

pytestmark = pytest.mark.anyio
Make = Callable[..., Any]
JP = "A1VC38T7YXB528"


async def runs(here: Any, stream: Any, count: int = 8) -> Any:
    """So many scheduled runs, four hours apart."""
    cursors = None
    for _ in range(count):
        cursors = await here.run(stream, cursors)
        await here.advance(4 * 3600)
    return cursors


def shipped(here: Any) -> set[str]:
    return {
        one.id for one in here.seller.book.orders.values()
        if one.fulfilled_by == "AMAZON" and one.sales == "AMAZON" and one.shipped_at
    }  # fmt: skip


@pytest.mark.parametrize("vcs", [False, True])
async def test_fba_report(amazon: Make, vcs: bool):
    """The report brings every order Amazon shipped; its prices are gross or net as the setting says."""
    here = amazon(OrderImport(vcs=vcs), orders=200, days=60, vcs=vcs, fba_report_lag=0.0)
    await here.authorize()
    await runs(here, FBA)
    found = here.session.records(Order)
    assert set(found) == shipped(here)
    assert not here.session.bad
    for order in found.values():
        for line in order.lines.values():
            there = here.seller.book.orders[order.id].line(line.id)
            assert abs(line.gross.amount * 100 - there.item) <= 2
            assert ("warning" in order.extra) is False


async def test_fba_report_of_another_side(amazon: Make, caplog: pytest.LogCaptureFixture):
    """Rows whose taxes contradict the VCS setting are said, on the log and on the order."""
    here = amazon(OrderImport(vcs=True), orders=150, days=60, fba_prices="gross_with_tax", fba_report_lag=0.0)
    await here.authorize()
    await runs(here, FBA)
    assert "contradict" in caplog.text
    assert any("warning" in order.extra for order in here.session.records(Order).values())


async def test_fba_report_fills_in_what_the_api_leaves_out(amazon: Make):
    """Prices without a tax amount, as the API tells them here, get net and tax from the report; the rest stays."""
    here = amazon(OrderImport(vcs=True), orders=60, days=20, vcs=True, fba_report_lag=0.0)
    await here.authorize()
    await here.run(ORDERS)
    before = {key: one for key, one in here.session.records(Order).items() if key in shipped(here)}
    assert any(line.net is UNSET for one in before.values() for line in one.lines.values())
    await runs(here, FBA)
    for key, was in before.items():
        now = here.session.records(Order)[key]
        assert (now.revision, now.gross) == (was.revision, was.gross)
        assert now.email is not UNSET
        place, rest = was.addresses["ship"], now.addresses["ship"]
        assert (place.street1, place.last_name) == ("", "")
        assert rest.street1
        assert rest.last_name
        assert (rest.city, rest.postal_code, rest.country) == (place.city, place.postal_code, place.country)
        for ident, line in now.lines.items():
            assert line.gross == was.lines[ident].gross
            assert abs(line.net.amount + line.tax.amount - line.gross.amount) < Decimal("0.03") * line.quantity


async def test_fba_off(amazon: Make):
    """With FBA orders switched off no report is asked for."""
    here = amazon(OrderImport(fba=False), orders=20)
    await here.authorize()
    await runs(here, FBA)
    assert not here.asked("createReport")


async def test_returns(amazon: Make):
    """Returns of both channels arrive with their lines."""
    here = amazon(orders=300, days=50, returns=0.5)
    await here.authorize()
    await runs(here, RETURNS)
    found = here.session.records(Return).values()
    kinds = {one.extra["kind"] for one in found}
    assert kinds == {"fba", "mfn"}
    assert all(one.lines and one.order_id in here.seller.book.orders for one in found)


async def test_returns_of_a_day_to_come(amazon: Make):
    """Returns of orders from a day that is still to come are not asked for, again and again without end."""
    here = amazon(OrderImport(mfn_from=date(2027, 1, 1), fba_from=date(2027, 1, 1)), orders=20)
    await here.authorize()
    await here.run(RETURNS, pages=5)
    assert not here.asked("createReport")


async def test_reports_after_a_long_absence(amazon: Make):
    """After months nothing is asked for from before a report's reach, and what is new is in with the first reports."""
    here = amazon(Export(invoices_b2c={"A1PA6795UKMFR9"}), orders=20, days=20)
    await here.authorize()
    for stream in (RETURNS, INVOICE_DATA):
        cursors = await runs(here, stream, 2)
        await here.advance(100 * 86400)
        since = here.session.clock.now()
        before = len(here.asked("createReport"))
        await here.run(stream, cursors)
        asked = [msgspec.json.decode(one.body) for one in here.asked("createReport")[before:]]
        mine = [one for one in asked if "FBA" not in one["reportType"]]
        assert mine
        assert all(since - datetime.fromisoformat(one["dataStartTime"]) <= timedelta(days=90) for one in mine)
        assert all(since - datetime.fromisoformat(one["dataEndTime"]) <= timedelta(hours=1) for one in mine)


async def test_returns_by_xml(amazon: Make):
    """Where the flat file is refused the XML report is taken, with the same rows."""
    here = amazon(orders=200, days=50, returns=0.5)
    await here.authorize()
    await runs(here, RETURNS)
    flat = {key for key, one in here.session.records(Return).items() if one.extra["kind"] == "mfn"}
    other = amazon(orders=200, days=50, returns=0.5)
    await other.authorize()
    send = other.session.http.send

    async def refuse(operation: str, *rest: Any, **more: Any) -> Any:
        if operation == "createReport" and "FLAT_FILE" in str(more.get("json")):
            raise errors.RemoteRejected("createReport: 400: refused", "400")
        return await send(operation, *rest, **more)

    other.session.http.send = refuse
    await runs(other, RETURNS)
    assert flat == {key for key, one in other.session.records(Return).items() if one.extra["kind"] == "mfn"}
    assert flat


async def test_returns_of_prime(amazon: Make):
    """Returns of Prime by Merchant come by their own report before it is said that the merchant's report is refused."""
    here = amazon(orders=600, days=50, returns=0.9)
    await here.authorize()
    send = here.session.http.send

    async def refuse(operation: str, *rest: Any, **more: Any) -> Any:
        if operation == "createReport" and "BY_RETURN_DATE" in str(more.get("json")):
            raise errors.AccessMissing("createReport: 403", "createReport")
        return await send(operation, *rest, **more)

    here.session.http.send = refuse
    with pytest.raises(errors.AccessMissing, match="createReport"):
        await here.run(RETURNS)
    found = [one for one in here.session.records(Return).values() if one.extra["kind"] == "mfn"]
    since = here.session.clock.now() - timedelta(days=58)
    there = {
        back.order.id for back in here.seller.book.returns
        if "PRIME" in back.order.programs and back.order.fulfilled_by == "MERCHANT"
        and back.requested > since.timestamp()
    }  # fmt: skip
    assert there
    assert {one.order_id for one in found} == there
    assert all(one.extra["is_prime"] == "Y" for one in found)


async def test_restricted_document(amazon: Make):
    """A document that is refused with the plain token is asked for with a restricted one, made for it alone."""
    here = amazon(orders=60, days=20, fba_report_lag=0.0,
                  restricted_reports=["GET_AMAZON_FULFILLED_SHIPMENTS_DATA_GENERAL"])  # fmt: skip
    await here.authorize()
    here.session.set(OrderImport(fba_from=date(2026, 10, 25)))
    await here.run(FBA)
    assert set(here.session.records(Order)) == shipped(here)
    (ask,) = here.asked("createRestrictedDataToken")
    assert urlsplit(here.asked("getReportDocument")[0].url).path in ask.body.decode()


async def test_reports_of_a_long_range(amazon: Make):
    """A range that no report spans takes several, none made sooner than Amazon makes another one."""
    here = amazon(orders=300, days=85, fba_report_lag=0.0)
    await here.authorize()
    cursors = None
    for _ in range(6):
        cursors = await here.run(FBA, cursors)
        await here.advance(1900)
    assert set(here.session.records(Order)) == shipped(here)
    assert "FATAL" not in {one.status for one in here.seller.reports.all.values()}


async def test_another_import_uses_the_report_that_is_there(amazon: Make):
    """Begun anew within the half hour in which Amazon makes no other report, the one that is there is read again."""
    here = amazon(orders=60, days=20, fba_report_lag=0.0)
    await here.authorize()
    here.session.set(OrderImport(fba_from=date(2026, 10, 25)))
    for _ in range(2):
        here.session.stored.clear()
        await here.run(FBA)
        assert set(here.session.records(Order)) == shipped(here)
        await here.advance(300)
    assert len(here.asked("createReport")) == 1


@pytest.mark.parametrize("places", [["A13V1IB3VIYZZH"], ["A1PA6795UKMFR9", "A13V1IB3VIYZZH"]])
async def test_a_report_of_other_marketplaces_is_left_to_them(amazon: Make, places: list[str]):
    """A report of the same kind and range that is not of this marketplace alone is not read: one of our own is made."""
    here = amazon(orders=60, days=20, fba_report_lag=0.0)
    await here.authorize()
    here.session.set(OrderImport(fba_from=date(2026, 10, 25)))
    await here.run(FBA)
    for report in here.seller.reports.all.values():
        report.marketplaces = places
    here.session.stored.clear()
    await here.run(FBA)
    assert set(here.session.records(Order)) == shipped(here)
    assert len(here.asked("createReport")) == 2


async def test_widened(amazon: Make):
    """An earlier date, or a kind that is switched on, begins its reports anew; nothing else does."""
    late, early = OrderImport(fba_from=date(2026, 11, 10)), OrderImport(fba_from=date(2026, 10, 25))
    here = amazon(late, orders=100, days=20, fba_report_lag=0.0)
    await here.authorize()
    (cursor,) = (await here.run(FBA)).values()
    before = set(here.session.records(Order))
    assert FBA.widen is not None
    assert FBA.widen(cursor, early, late) is None
    assert FBA.widen(cursor, late, late.model_copy(update={"mfn_from": date(2020, 1, 1)})) is None
    await here.advance(3600)
    here.session.set(early)
    await here.run(FBA, {here.session[AmazonCredentials].marketplace: FBA.widen(cursor, late, early)})
    assert before < set(here.session.records(Order)) == shipped(here)


async def test_returns_widened(amazon: Make):
    """Of returns, only the kind whose orders are admitted anew begins again."""
    off, on = OrderImport(fba=False), OrderImport()
    here = amazon(off, orders=200, days=50, returns=0.5)
    await here.authorize()
    (cursor,) = (await here.run(RETURNS)).values()
    assert {one.extra["kind"] for one in here.session.records(Return).values()} == {"mfn"}
    assert RETURNS.widen is not None
    wider = RETURNS.widen(cursor, off, on)
    assert wider.mfn == cursor.mfn
    here.session.set(on)
    await runs(here, RETURNS)
    assert {one.extra["kind"] for one in here.session.records(Return).values()} == {"mfn", "fba"}


async def test_empty_date_is_fixed(amazon: Make):
    """Ninety days before the first import stay those ninety days, however long ago that was."""
    here = amazon(orders=0, fba_report_lag=0.0)
    await here.authorize()
    placed = here.session.clock.now().timestamp() - 89 * 86400
    await here.control("POST", "/orders", {"kind": "fba", "id": "old", "at": placed})
    cursors = await runs(here, FBA, 14)
    await here.control("POST", "/orders/old/status", {"status": "SHIPPED"})
    for _ in range(3):
        await here.advance(2 * 86400)
        cursors = await here.run(FBA, cursors)
    assert "old" in here.session.records(Order)


def test_csv(tmp_path: Path):
    """A report with commas is read with its quotes, one with tabs without."""
    file = tmp_path / "a.txt"
    file.write_text('Order ID,Item Name\n1,"a, ""b"""\n', encoding="utf-8")
    assert list(reports.table(file)) == [{"order_id": "1", "item_name": 'a, "b"'}]


async def test_found_again(amazon: Make):
    """A crash between asking for a report and noting it finds the report instead of asking for another."""
    here = amazon(orders=20, fba_report_lag=0.0)
    await here.authorize()
    begun = await FBA.pull(here.session, FBA.cursor())
    await FBA.pull(here.session, begun.cursor)
    again = await FBA.pull(here.session, begun.cursor)
    assert again.cursor.track.report
    assert len(here.asked("createReport")) == 1


async def test_read_again_on_another_machine(amazon: Make):
    """In the middle of a document, an empty scratch directory only means that it is fetched again."""
    here = amazon(orders=900, days=29, fba_report_lag=0.0)
    await here.authorize()
    cursor = FBA.cursor()
    here.session.set(OrderImport(fba_from=date(2026, 10, 23)))
    begun = here.session.clock.now().timestamp()
    wanted = {one for one in shipped(here) if here.seller.book.orders[one].shipped_at < begun - 1}
    for _ in range(60):
        page = await FBA.pull(here.session, cursor)
        here.session.commit(page.records)
        cursor = msgspec.json.decode(msgspec.json.encode(page.cursor), type=FBA.cursor)
        for file in here.session.scratch.iterdir():
            file.unlink()
        if not page.more:
            break
        await here.advance(60)
    assert wanted <= set(here.session.records(Order)) <= shipped(here)


# --- pain points (guide 15)
@pytest.mark.parametrize(
    ("charset", "said"),
    [("utf-8", ""), ("utf-8-sig", "utf-8"), ("cp1252", ""), ("cp1252", "utf-8"), ("cp1252", "Cp1252")],
)
async def test_pain_10_report_encoding(amazon: Make, charset: str, said: str):
    """A report is read right whether its charset is said, unsaid or a lie."""
    here = amazon(orders=150, days=20, charset=charset, said_charset=said, fba_report_lag=0.0)
    await here.authorize()
    await runs(here, FBA)
    names = {line.name for order in here.session.records(Order).values() for line in order.lines.values()}
    assert names <= {line.title for order in here.seller.book.orders.values() for line in order.lines} | {
        line.title.encode("cp1252", "replace").decode("cp1252")
        for order in here.seller.book.orders.values() for line in order.lines
    }  # fmt: skip
    assert any("ü" in name for name in names)


@pytest.mark.parametrize("gzipped", [False, True])
async def test_pain_11_gzip(amazon: Make, gzipped: bool):
    """A report is read whether it is compressed or not."""
    here = amazon(orders=60, days=20, gzip=gzipped, fba_report_lag=0.0)
    await here.authorize()
    await runs(here, FBA)
    assert set(here.session.records(Order)) == shipped(here)


async def test_pain_11_url_expiry(amazon: Make):
    """An address that is too old is asked for once more."""
    here = amazon(orders=60, days=20, fba_report_lag=0.0)
    await here.authorize()
    download, late = here.session.http.download, [True]

    async def slow(*given: Any, **more: Any) -> Any:
        if late.pop() if late else False:
            await here.advance(400)
        return await download(*given, **more)

    here.session.http.download = slow
    await runs(here, FBA)
    assert set(here.session.records(Order)) == shipped(here)
    asked = [ask.url for ask in here.asked("getReportDocument")]
    assert len(asked) == len(set(asked)) + 1


async def test_pain_12_cancelled_is_not_believed_at_once(amazon: Make):
    """A report that is cancelled without reason is asked for again later, and nothing of its range is lost."""
    here = amazon(orders=60, days=20, fba_report_lag=0.0)
    await here.authorize()
    await here.control("POST", "/reports", {"fate": "CANCELLED"})
    here.session.set(OrderImport(fba_from=date(2026, 10, 25)))
    cursors = await here.run(FBA)
    assert not here.session.records(Order)
    await here.advance(3600)
    await here.run(FBA, cursors)
    assert set(here.session.records(Order)) == shipped(here)


async def test_pain_12_cancelled_is_not_believed_for_its_age(amazon: Make):
    """A report that was cancelled is no answer to the one asked for half an hour later, of whatever range."""
    here = amazon(OrderImport(fba_from=date(2026, 9, 1)), orders=100, days=80, fba_report_lag=0.0)
    await here.authorize()
    await here.control("POST", "/reports", {"fate": "CANCELLED"})
    send = here.session.http.send

    async def late(operation: str, *rest: Any, **more: Any) -> Any:
        if operation == "createReport":  # the bucket is empty: it leaves a minute after it was noted
            await here.advance(60)
        return await send(operation, *rest, **more)

    here.session.http.send = late
    cursors, begun = None, here.session.clock.now()
    for _ in range(8):
        cursors = await here.run(FBA, cursors)
        begun += timedelta(minutes=30, seconds=5)
        await here.advance((begun - here.session.clock.now()).total_seconds())
    assert shipped(here) <= set(here.session.records(Order))


async def test_pain_12_fatal(amazon: Make, caplog: pytest.LogCaptureFixture):
    """A report that is fatal is asked for again half an hour later; what its document says is logged."""
    here = amazon(orders=60, days=20, fba_report_lag=0.0)
    await here.authorize()
    await here.control("POST", "/reports", {"fate": "FATAL_DOCUMENT"})
    await runs(here, FBA)
    assert set(here.session.records(Order)) == shipped(here)
    assert "could not make report" in caplog.text


async def test_pain_13_dates(amazon: Make):
    """Every date that is sent is UTC with Z, and every date that is read carries its zone."""
    here = amazon(orders=60, days=20, fba_report_lag=0.0)
    await here.authorize()
    await runs(here, FBA)
    for ask in here.asked("createReport"):
        wish = msgspec.json.decode(ask.body)
        assert wish["dataStartTime"].endswith("Z")
        assert wish["dataEndTime"].endswith("Z")
    assert all(order.placed_at.tzinfo for order in here.session.records(Order).values())


def test_table_without_quoting(tmp_path: Path):
    """An inch mark in a title swallows no rows, and columns are found whatever their case and hyphens."""
    file = tmp_path / "x.txt"
    file.write_text('Order ID\tItem-Name\n1\tScreen 27"\n2\tplain\n\n', encoding="utf-8")
    assert list(reports.table(file)) == [
        {"order_id": "1", "item_name": 'Screen 27"'},
        {"order_id": "2", "item_name": "plain"},
    ]


def test_japanese(tmp_path: Path):
    """A Japanese flat file without a charset is read as such in the Far East."""
    raw, text = tmp_path / "a.raw", tmp_path / "a.txt"
    raw.write_bytes(gzip.compress("ステンレスボトル".encode("cp932")))
    assert documents.transcode(raw, text, "", far_east=True) == "cp932"
    assert text.read_text(encoding="utf-8") == "ステンレスボトル"


def test_damaged(tmp_path: Path):
    """A compressed document that ends too early is the remote's trouble."""
    raw = tmp_path / "a.raw"
    raw.write_bytes(gzip.compress(b"x" * 5000)[:-20])
    with pytest.raises(errors.RemoteUnavailable):
        documents.transcode(raw, tmp_path / "a.txt", "", far_east=False)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes):
    """Whatever bytes a document has, it becomes text."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        raw, text = Path(folder, "a.raw"), Path(folder, "a.txt")
        raw.write_bytes(b"\n" + data)
        documents.transcode(raw, text, "utf-16", far_east=False)
        assert text.read_text(encoding="utf-8") is not None


@pytest.mark.parametrize(
    ("text", "number"), [("1.234,50", "1234.50"), ("1,234.50", "1234.50"), ("12,5", "12.5"), ("", "0"), ("7", "7")]
)
def test_numbers(text: str, number: str):
    """A number is read with a point or with a comma."""
    assert decimal(text) == Decimal(number)


@given(st.integers(500, 10**6), st.sampled_from(["0.07", "0.19", "0.20", "0.25"]))
def test_sides(cents: int, rate: str):
    """A tax that fits a usual rate never says the wrong side."""
    gross = Decimal(cents) / 100
    tax = (gross * Decimal(rate) / (1 + Decimal(rate))).quantize(Decimal("0.01"))
    assert side(gross, tax) in ("gross", "unclear")
    assert amounts(gross, tax, vcs=False).gross == gross


def test_pieces_of_one_return():
    """Pieces of one SKU that come back for several reasons are all there, in one return or, without plates, in two."""
    asked = {"order_id": "1", "amazon_rma_id": "D1", "merchant_sku": "A", "return_quantity": "1",
             "return_request_date": "21-Nov-2026"}  # fmt: skip
    arrived = {"order_id": "1", "sku": "A", "quantity": "1", "return_date": "2026-11-21T00:00:00+00:00"}
    for read, rows, what in ((mfn, asked, "return_reason"), (fba, arrived, "detailed_disposition")):
        found = records(
            [{**rows, what: "DEFECTIVE"}, {**rows, what: "SELLABLE"}, {**rows, what: "SELLABLE"}], read, "1"
        )
        assert sum(line.quantity for one in found for line in one.lines.values()) == 2


def test_days():
    """The day of a return is read whatever the host's locale, and nonsense is refused."""
    assert day("21-Nov-2026") == datetime(2026, 11, 21, tzinfo=UTC)
    assert day("2026-11-21T00:00:00Z") - datetime(2026, 11, 21, tzinfo=UTC) == timedelta(0)
    with pytest.raises(ValueError):
        day("yesterday")
