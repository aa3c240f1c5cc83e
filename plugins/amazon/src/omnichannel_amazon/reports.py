"""Reports: asked for, waited for, read page by page; resumable, never asked for twice (guide amazon 10.1)."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from msgspec import Struct
from msgspec.structs import replace

from omnichannel_amazon import wire
from omnichannel_amazon.client import Client, iso
from omnichannel_amazon.documents import fetched
from omnichannel_amazon.order_mapping import moment
from omnichannel_core import errors
from omnichannel_core.driver import Session, Wait

Row = Mapping[str, str]
ROWS = 500
WAITS = (15.0, 30.0, 60.0, 120.0)
GIVE_UP = timedelta(hours=6)
SKEW = timedelta(minutes=2)
FAILED = ("CANCELLED", "FATAL")


class Kind(NamedTuple):
    """A type of report.

    Attributes:
        types: its names; the next one is tried where Amazon refuses the one before (flat file, then XML).
        overlap: asked for again by the next report: late rows, and what changed in them.
        span: of one report at most. every: Amazon makes no two of them within this time (guide amazon 10.1).
        history: where the first one begins unless it is said; reach: how far back any may at most.
    """

    types: tuple[str, ...]
    overlap: timedelta
    span: timedelta
    every: timedelta
    history: timedelta = timedelta(days=90)
    reach: timedelta = timedelta(days=729)


class Track(Struct, frozen=True):
    """Where the reports of one kind go on.

    Attributes:
        until: rows before are in; None before the first report.
        upto: rows before come with the reports of this round; None between two rounds.
        since, to: the range of the report under way.
        asked: when it was asked for: stored before createReport, so that a crash finds it instead of asking again.
        row: rows of its document that are in.
        tried: when one that came to nothing, or that did not span the round, was asked for.
        empty: CANCELLED may mean no data or nothing at all: only a second one that covers the range is believed.
    """

    until: datetime | None = None
    upto: datetime | None = None
    since: datetime | None = None
    to: datetime | None = None
    asked: datetime | None = None
    report: str = ""
    document: str = ""
    row: int = 0
    polls: int = 0
    empty: bool = False
    tried: datetime | None = None
    type: int = 0


class Step(NamedTuple):
    """The track after it, the page's rows with the document they are of, and whether this kind goes on."""

    track: Track
    more: bool | Wait
    rows: Sequence[Row] = ()
    path: Path | None = None


def due(kind: Kind, track: Track, now: datetime) -> Track:
    """With a new round where it is time for one. All its reports go up to the same moment, whoever goes on with it."""
    last = max((one for one in (track.until, track.tried) if one is not None), default=None)
    if track.upto is not None or (last is not None and now - last < kind.every):
        return track
    return replace(track, upto=now)


async def step(session: Session, kind: Kind, track: Track, earliest: datetime | None = None) -> Step:
    """The next small step. `earliest`: where the first report begins, when not at the kind's history.

    Raises:
        AccessMissing: a role is missing. RemoteUnavailable.
    """
    now = session.clock.now()
    if track.asked is None:
        return _begin(kind, due(kind, track, now), now, earliest)
    if not track.report:
        return await _ask(Client(session), kind, track)
    if not track.document:
        return await _poll(Client(session), track)
    return await _read(Client(session), track)


def _begin(kind: Kind, track: Track, now: datetime, earliest: datetime | None) -> Step:
    if track.upto is None or (track.tried is not None and now - track.tried < kind.every):
        return Step(track, more=False)
    first = earliest or track.upto - kind.history
    since = max(first if track.until is None else track.until - kind.overlap, track.upto - kind.reach)
    to = min(track.upto, since + kind.span)
    if to <= since:
        return Step(replace(track, upto=None), more=False)
    asked = replace(track, since=since, to=to, asked=now, report="", document="", row=0, polls=0)
    return Step(asked, more=Wait(0, "Amazon is asked for a report"))


async def _ask(client: Client, kind: Kind, track: Track) -> Step:
    """One that was asked for already is found; otherwise it is asked for now. Both answer the same: a page asked for
    again (ahead of its commit, after a crash) is the same page and costs no second report."""
    name, coming = kind.types[track.type], Wait(WAITS[0], "Amazon prepares a report")
    assert track.asked is not None and track.since is not None and track.to is not None  # noqa: S101, PT018
    known = await client.reports(name, track.asked - max(SKEW, kind.every), client.marketplace)
    found = next((one for one in known if _same(one, track) and not _tried_before(one, track)), None)
    if found is not None:
        return Step(replace(track, report=found.report_id), more=coming)
    for one in known:
        to = _covers(one, kind, track)
        if to is not None:
            upto = to if track.to == track.upto else track.upto
            return Step(replace(track, report=one.report_id, to=to, upto=upto), more=coming)
    wish = {"reportType": name, "marketplaceIds": [client.marketplace], "dataStartTime": iso(track.since),
            "dataEndTime": iso(track.to)}  # fmt: skip
    try:
        made = await client.create_report(wish)
    except errors.RemoteRejected:
        if track.type + 1 >= len(kind.types):
            raise
        return Step(replace(track, type=track.type + 1), more=True)
    return Step(replace(track, report=made), more=coming)


def _same(report: wire.Report, track: Track) -> bool:
    """Whether a report is of exactly this range."""
    try:
        ends = moment(report.data_start_time), moment(report.data_end_time)
    except ValueError:
        return False
    return [iso(one) for one in ends] == [iso(one) for one in (track.since, track.to) if one]


def _tried_before(report: wire.Report, track: Track) -> bool:
    """One that came to nothing before this one was asked for says nothing about it."""
    if track.asked is None or report.processing_status not in FAILED:
        return False
    try:
        return moment(report.created_time) < track.asked - SKEW
    except ValueError:
        return True


def _covers(report: wire.Report, kind: Kind, track: Track) -> datetime | None:
    """Its end, when it is as good as another one: Amazon would make no newer one yet, whoever asked for it."""
    try:
        since, to = moment(report.data_start_time), moment(report.data_end_time)
    except ValueError:
        return None
    if track.since is None or track.to is None or report.processing_status in FAILED:
        return None
    return to if since <= track.since and track.to - kind.every < to <= track.to else None


async def _poll(client: Client, track: Track) -> Step:
    said = await client.report(track.report)
    state = said.processing_status
    if state == "DONE" and said.report_document_id:
        return Step(replace(track, document=said.report_document_id), more=True)
    if state == "CANCELLED":
        return _cancelled(track)
    if state == "FATAL":
        return await _fatal(client, track, said.report_document_id)
    if track.asked is not None and client.session.clock.now() - track.asked > GIVE_UP:
        return await _fatal(client, track, None)
    wait = WAITS[min(track.polls, len(WAITS) - 1)]
    return Step(replace(track, polls=track.polls + 1), more=Wait(wait, "Amazon prepares a report"))


def _cancelled(track: Track) -> Step:
    """No data, or too soon: believed when the next report, which covers the same range, says so too."""
    if not track.empty:
        return Step(replace(_idle(track), empty=True, tried=track.asked), more=False)
    return _done(track)


async def _fatal(client: Client, track: Track, document: str | None) -> Step:
    """Its document may say why. Asked for again by a later run; the position stays where it is."""
    words = ""
    if document:
        path = await fetched(client, "reportFile", f"fatal-{document}", lambda: client.report_document(document))
        words = await client.session.compute(partial(_beginning, path))
    client.session.log.warning("Amazon could not make report %s: %s", track.report, words or "no reason given")
    return Step(replace(_idle(track), tried=track.asked), more=False)


def _beginning(path: Path) -> str:
    with path.open(encoding="utf-8") as text:
        return text.read(300)


def _idle(track: Track) -> Track:
    return Track(until=track.until, empty=track.empty, type=track.type)


def _done(track: Track) -> Step:
    """Its rows are in. When it could not span the round the next report does, in a later run."""
    assert track.to is not None  # noqa: S101
    until = max(track.to, track.until or track.to)
    if track.upto is None or track.to >= track.upto:
        return Step(Track(until=until, type=track.type), more=False)
    return Step(Track(until=until, upto=track.upto, tried=track.asked, type=track.type), more=False)


async def _read(client: Client, track: Track) -> Step:
    document = track.document
    path = await fetched(client, "reportFile", document, lambda: client.report_document(document))
    rows = await client.session.compute(lambda: list(islice(table(path), track.row, track.row + ROWS)))
    if len(rows) == ROWS:
        return Step(replace(track, row=track.row + ROWS), more=True, rows=rows, path=path)
    ended = _done(track)
    return ended._replace(rows=rows, path=path)


# --- flat files and XML
def name(header: str) -> str:
    """A column by its name alone: case, hyphens and blanks differ by marketplace (guide 10.3)."""
    return re.sub(r"[\s_-]+", "_", header.strip().lower())


def table(path: Path) -> Iterator[Row]:
    """Rows by normalized column name: tab-separated without quoting, with commas and quotes (CSV), or XML."""
    with path.open(encoding="utf-8", newline="") as text:
        if text.read(1) == "<":
            yield from xml_rows(path)
            return
        text.seek(0)
        tabs = "\t" in text.readline()
        text.seek(0)
        lines = csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(text)
        names = [name(one) for one in next(lines, [])]
        for line in lines:
            if any(line):
                yield dict(zip(names, (cell.strip() for cell in line), strict=False))


def xml_rows(path: Path) -> Iterator[Row]:
    """Each `return_details`, its leaves by name; no definition of the document is known (guide 6.5).

    Raises:
        RemoteUnavailable: it is no XML.
    """
    try:
        for _, element in ET.iterparse(path, events=("end",)):  # noqa: S314 - Amazon's own document, over TLS
            if element.tag.rpartition("}")[2] == "return_details":
                yield {
                    name(leaf.tag.rpartition("}")[2]): (leaf.text or "").strip()
                    for leaf in element.iter()
                    if not len(leaf)
                }
                element.clear()
    except ET.ParseError as cause:
        raise errors.RemoteUnavailable("The report's XML cannot be read") from cause


def scan(path: Path, wanted: Callable[[Row], bool]) -> list[Row]:
    """Rows of the whole document that are wanted."""
    return [row for row in table(path) if wanted(row)]
