"""Reports API 2021-06-30 (guide 10.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from omnichannel_amazon_simulator import documents
from omnichannel_amazon_simulator.answers import Answer, Call, Row, empty, names, reply
from omnichannel_amazon_simulator.dates import iso, parse
from omnichannel_amazon_simulator.errors import denied, invalid, missing
from omnichannel_amazon_simulator.report_kinds import KINDS, TOO_MUCH, Kind, fill
from omnichannel_amazon_simulator.routing import Routes

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.sellers import Seller

routes = Routes()
ROOT = "/reports/2021-06-30"
STATUSES = frozenset({"CANCELLED", "DONE", "FATAL", "IN_PROGRESS", "IN_QUEUE"})
PERIODS = frozenset(names("PT5M PT15M PT30M PT1H PT2H PT4H PT8H PT12H P1D P2D P3D PT84H P7D P14D P15D P18D P30D P1M"))
ROLES = ("orders", "fba", "listing", "tax_invoicing", "pricing", "shipping", "tax_remittance", "finance")
RETENTION = 90 * 86400.0


@dataclass(slots=True)
class Report:
    """Attributes:
    fate: how it ends; '' by itself, or what the control API ordered: DONE, CANCELLED, FATAL, FATAL_DOCUMENT, HANG.
    """

    id: str
    kind: Kind
    marketplaces: list[str]
    start: float
    end: float
    options: dict[str, str]
    created: float
    status: str = "IN_QUEUE"
    started: float = 0.0
    ended: float = 0.0
    document: str = ""
    fate: str = ""


@dataclass(slots=True)
class Desk:
    """The reports of one seller; `fates` are ordered ends: (report type, fate)."""

    all: dict[str, Report] = field(default_factory=dict)
    fates: list[tuple[str, str]] = field(default_factory=list)
    schedules: dict[str, Row] = field(default_factory=dict)
    pages: dict[str, tuple[list[str], int]] = field(default_factory=dict)
    count: int = 0

    def take_fate(self, report_type: str) -> str:
        for number, (wanted, fate) in enumerate(self.fates):
            if wanted in {"", report_type}:
                del self.fates[number]
                return fate
        return ""


def request(seller: Seller, docs: documents.Documents, report: Report) -> None:
    """Puts a report on its way."""
    seller.reports.all[report.id] = report
    delay = seller.options.report_delay

    def start(now: float) -> None:
        if report.status == "IN_QUEUE":
            report.status, report.started = "IN_PROGRESS", now

    def end(now: float) -> None:
        if report.status == "IN_PROGRESS" and report.fate != "HANG":
            _end(seller, docs, report, now)

    seller.agenda.at(report.created + delay / 3, start)
    seller.agenda.at(report.created + delay, end)


def _end(seller: Seller, docs: documents.Documents, report: Report, now: float) -> None:
    report.ended = now
    report.status = report.fate.removesuffix("_DOCUMENT") or "DONE"
    body: bytes | None = None
    if report.fate == "FATAL_DOCUMENT" or (not report.fate and report.end - report.start > report.kind.days * 86400):
        report.status, body = "FATAL", TOO_MUCH
    elif not report.fate and _too_often(seller, report):
        report.status = "FATAL"
    elif report.status == "DONE":
        body = report.kind.write(seller, report)
        report.status = "CANCELLED" if body is None else "DONE"
    if body is not None:
        made = docs.new(seller.id, seller.region, "spdoc")
        made.report_type, report.document = report.kind.name, made.id
        fill(seller, made, body, report.kind)
    seller.tell("REPORT_PROCESSING_FINISHED", report_event(seller, report))


def report_event(seller: Seller, report: Report) -> Row:
    event = {
        "sellerId": seller.id,
        "reportId": report.id,
        "reportType": report.kind.name,
        "processingStatus": report.status,
    }
    return {
        "reportProcessingFinishedNotification": event
        | ({"reportDocumentId": report.document} if report.document else {})
    }


def _too_often(seller: Seller, report: Report) -> bool:
    """Amazon makes some reports only every 30 minutes or 4 hours; another request for one ends FATAL."""
    others = (
        other
        for other in seller.reports.all.values()
        if other is not report
        and other.kind is report.kind
        and other.status == "DONE"
        and other.marketplaces == report.marketplaces
    )
    return any(report.created - other.created < report.kind.every for other in others)


@routes("POST", f"{ROOT}/reports", "createReport", *ROLES)
def create(call: Call) -> Answer:
    words = call.object()
    kind, places = _kind(call, words), _places(call, words)
    end = parse("dataEndTime", words["dataEndTime"]) if words.get("dataEndTime") else call.now
    start = parse("dataStartTime", words["dataStartTime"]) if words.get("dataStartTime") else end - kind.default
    if start > end or start > call.now:
        raise invalid("dataStartTime must be before dataEndTime and not in the future.")
    desk = call.seller.reports
    desk.count += 1
    report = Report(
        f"{50_000 + desk.count}", kind, places, start, min(end, call.now), words.get("reportOptions") or {}, call.now
    )
    report.fate = desk.take_fate(kind.name)
    request(call.seller, call.world.documents, report)
    return reply({"reportId": report.id}, 202)


def _kind(call: Call, words: Row) -> Kind:
    kind = KINDS.get(str(words.get("reportType")))
    if kind is None:
        raise invalid(f"Report type {words.get('reportType')} is not supported.")
    if not kind.roles <= call.seller.roles(call):
        raise denied()
    return kind


def _places(call: Call, words: Row) -> list[str]:
    places = words.get("marketplaceIds")
    if not isinstance(places, list) or not 1 <= len(places) <= 25:
        raise invalid("marketplaceIds takes 1 to 25 marketplaces.")
    return call.marketplaces(places)


def shown(report: Report) -> Row:
    row: Row = {
        "reportId": report.id,
        "reportType": report.kind.name,
        "marketplaceIds": report.marketplaces,
        "dataStartTime": iso(report.start),
        "dataEndTime": iso(report.end),
        "createdTime": iso(report.created),
        "processingStatus": report.status,
    }
    row |= {"processingStartTime": iso(report.started)} if report.started else {}
    row |= {"processingEndTime": iso(report.ended)} if report.ended else {}
    return row | ({"reportDocumentId": report.document} if report.document else {})


def _one(call: Call) -> Report:
    report = call.seller.reports.all.get(call.params["reportId"])
    if report is None or report.created < call.now - RETENTION:
        raise missing(f"Report {call.params['reportId']} does not exist.")
    return report


@routes("GET", f"{ROOT}/reports/{{reportId}}", "getReport", *ROLES)
def get(call: Call) -> Answer:
    return reply(shown(_one(call)))


@routes("DELETE", f"{ROOT}/reports/{{reportId}}", "cancelReport", *ROLES)
def cancel(call: Call) -> Answer:
    report = _one(call)
    if report.status != "IN_QUEUE":
        raise invalid("Only a report that is IN_QUEUE can be cancelled.")
    report.status, report.ended = "CANCELLED", call.now
    return empty(200)


@routes("GET", f"{ROOT}/reports", "getReports", *ROLES)
def search(call: Call) -> Answer:
    """Newest first; a nextToken goes alone."""
    desk = call.seller.reports
    token = call.query.get("nextToken")
    if token is not None:
        if len(call.query) > 1 or token not in desk.pages:
            raise invalid("nextToken must be the only parameter.")
        found, size = desk.pages.pop(token)
    else:
        types = set(call.words("reportTypes", most=10))
        if not types:
            raise invalid("reportTypes or nextToken is required.")
        states, places = set(call.words("processingStatuses", STATUSES)), set(call.words("marketplaceIds", most=10))
        size, since = call.integer("pageSize", 10, 1, 100), call.date("createdSince") or call.now - RETENTION
        until = call.date("createdUntil") or call.now
        found = [
            report.id
            for report in reversed(desk.all.values())
            if report.kind.name in types
            and (not states or report.status in states)
            and (not places or places & set(report.marketplaces))
            and since <= report.created <= until
        ]
    answer: Row = {"reports": [shown(desk.all[ident]) for ident in found[:size]]}
    if len(found) > size:
        answer["nextToken"] = f"token+{len(desk.pages)}/{found[size]}=="
        desk.pages[answer["nextToken"]] = (found[size:], size)
    return reply(answer)


@routes("GET", f"{ROOT}/documents/{{reportDocumentId}}", "getReportDocument", *ROLES)
def document(call: Call) -> Answer:
    """An address of five minutes; restricted types need a restricted data token for exactly this path (guide 7)."""
    made = call.world.documents.all.get((call.seller.id, call.params["reportDocumentId"]))
    if made is None or not made.report_type:
        raise missing("The report document does not exist.")
    restricted = KINDS[made.report_type].restricted or made.report_type in call.seller.options.restricted_reports
    if restricted and not call.token.resources:
        raise denied()
    encoded = call.query.get("enableContentEncodingUrlHeader") == "true"
    url = call.world.documents.url(made, call.seller.region, "GET", call.now, encoded=encoded)
    row = {"reportDocumentId": made.id, "url": url}
    return reply(row | ({"compressionAlgorithm": "GZIP"} if made.compressed else {}))


# schedules


@routes("POST", f"{ROOT}/schedules", "createReportSchedule", *ROLES)
def schedule(call: Call) -> Answer:
    """A schedule silently replaces the one of the same type and marketplaces (guide 10.1)."""
    words, desk = call.object(), call.seller.reports
    kind, places = _kind(call, words), _places(call, words)
    if words.get("period") not in PERIODS:
        raise invalid("period is not one of the supported periods.")
    for ident, old in list(desk.schedules.items()):
        if old["reportType"] == kind.name and old["marketplaceIds"] == places:
            del desk.schedules[ident]
    desk.count += 1
    ident = f"{90_000 + desk.count}"
    desk.schedules[ident] = {
        "reportScheduleId": ident,
        "reportType": kind.name,
        "marketplaceIds": places,
        "period": words["period"],
        "nextReportCreationTime": words.get("nextReportCreationTime") or iso(call.now + 3600),
    }
    return reply({"reportScheduleId": ident}, 201)


@routes("GET", f"{ROOT}/schedules", "getReportSchedules", *ROLES)
def schedules(call: Call) -> Answer:
    types = call.words("reportTypes", most=10)
    rows = [row for row in call.seller.reports.schedules.values() if row["reportType"] in types]
    return reply({"reportSchedules": rows})


@routes("GET", f"{ROOT}/schedules/{{id}}", "getReportSchedule", *ROLES)
def get_schedule(call: Call) -> Answer:
    if call.params["id"] not in call.seller.reports.schedules:
        raise missing("The schedule does not exist.")
    return reply(call.seller.reports.schedules[call.params["id"]])


@routes("DELETE", f"{ROOT}/schedules/{{id}}", "cancelReportSchedule", *ROLES)
def cancel_schedule(call: Call) -> Answer:
    get_schedule(call)
    del call.seller.reports.schedules[call.params["id"]]
    return empty(200)
