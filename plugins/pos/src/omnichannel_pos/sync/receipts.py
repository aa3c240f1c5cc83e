"""What comes in: closings and live receipts from `in/`, oldest first (guide actindo-pos-and-other-shops 6.3).

A pull asks and changes nothing: files are only read. A page that ends a turn (`tidy`) is followed by a pull whose
cursor is committed; that pull moves the files whose last record was committed before. So a file is never out of sight
before it is booked, whenever the process dies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from omnichannel_core.driver import Page, PullStream, Session, Wait
from omnichannel_core.records import Bad, CashEntry, Closing, Order, PosStore, Record, Return
from omnichannel_pos import answers, exchange, importing, live
from omnichannel_pos.exchange import Done, Found
from omnichannel_pos.refusals import FileRefused, Unbalanced

PAGE = 2000  # records
LIVE_PAGE = 250  # live receipts
DONE_MAX = 64  # files through before they are moved
FAILED_MAX = 20  # reasons said of one file


class Files(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file, the closing in it and the record of that closing to go on with; files through and not moved yet.

    Attributes:
        tidy: this cursor ended its turn: once it is asked again it is committed, and `done` may be moved.
        young: files that cannot be read yet and may still be written.
    """

    file: str = ""
    mark: str = ""
    closing: int = 0
    record: int = 0
    failed: tuple[str, ...] = ()
    failed_ids: tuple[str, ...] = ()
    done: tuple[Done, ...] = ()
    tidy: bool = False
    young: tuple[str, ...] = ()


async def pull(session: Session, cursor: Files) -> Page[Files]:
    """The next records."""
    store = session.subject
    currency = store.currency if isinstance(store, PosStore) else ""
    step = _Step(session.exchange, session.scratch, currency, session.clock.now())
    return await session.compute(lambda: step(cursor))


class _Step:
    """One page. Blocking; runs off the event loop."""

    def __init__(self, folder: Path, scratch: Path, currency: str, now: datetime) -> None:
        self._exchange, self._scratch, self._currency, self._now = folder, scratch, currency, now

    def __call__(self, cursor: Files) -> Page[Files]:
        if cursor.tidy:
            for done in cursor.done:
                exchange.put_away(self._exchange, done, self._now)
            cursor = Files(young=cursor.young if cursor.done else ())
        if not cursor.file and not cursor.done:
            answers.work(self._exchange, self._now)
        if cursor.file and exchange.unchanged(self._exchange, cursor.file, cursor.mark):
            return self._book(cursor)
        return self._next(cursor)

    # --- which file
    def _next(self, cursor: Files) -> Page[Files]:
        through = {(one.name, one.mark) for one in cursor.done}
        there = [one for one in exchange.arrived(self._exchange, self._now) if (one.name, one.mark) not in through]
        ready = [one for one in there if one.mark not in cursor.young]
        if not ready or len(cursor.done) >= DONE_MAX:
            return self._pause(cursor, there, ready)
        first = ready[0]
        if not first.name.lower().endswith(".json"):
            return self._book(_at(cursor, first), first)
        batch = ready[:LIVE_PAGE]
        end = next((at for at, one in enumerate(batch) if not one.name.lower().endswith(".json")), len(batch))
        return self._live(cursor, batch[:end])

    def _pause(self, cursor: Files, there: Sequence[Found], ready: Sequence[Found]) -> Page[Files]:
        """Nothing more now, or enough to be moved."""
        if cursor.done:
            return Page(cursor=msgspec.structs.replace(cursor, tidy=True), more=Wait(0, "moving files"))
        if there and not ready:
            wait = Wait(max(exchange.YOUNG - min(one.age for one in there), 1.0), "a file is still being written")
            return Page(cursor=Files(tidy=True), more=wait)
        return Page(cursor=Files())

    # --- a closing
    def _book(self, cursor: Files, found: Found | None = None) -> Page[Files]:
        path = self._exchange / "in" / cursor.file
        try:
            if (path.suffix.lower() != ".zip" and not path.is_dir()) or path.is_symlink():
                raise FileRefused(f"{cursor.file} is neither a zip, a folder nor a receipt as JSON.", "unreadable")
            export = importing.opened(path, cursor.mark, self._scratch, self._currency)
        except FileRefused as wrong:
            return self._refuse(cursor, wrong, found)
        at = cursor.closing
        try:
            records = export.records(at)
        except FileRefused as wrong:
            if len(export.keys) == 1:
                return self._refuse(cursor, wrong, found)
            return self._failed(cursor, wrong, len(export.keys), "/".join(export.keys[at]))
        upto = cursor.record + PAGE
        page = records[cursor.record : upto]
        if upto < len(records):
            return Page(cursor=msgspec.structs.replace(cursor, record=upto), records=page, more=True)
        return self._on(cursor, len(export.keys), page)

    def _on(self, cursor: Files, closings: int, page: Sequence[Record | Bad]) -> Page[Files]:
        """The next closing of the file, or the file is through."""
        if cursor.closing + 1 < closings:
            moved = msgspec.structs.replace(cursor, closing=cursor.closing + 1, record=0)
            return Page(cursor=moved, records=page, more=True)
        if cursor.failed:
            done = Done(cursor.file, cursor.mark, "error", "unbalanced", cursor.failed, cursor.failed_ids)
        else:
            done = Done(cursor.file, cursor.mark)
        importing.let_go(self._exchange / "in" / cursor.file, cursor.mark)
        return Page(cursor=Files(done=(*cursor.done, done), young=cursor.young), records=page, more=True)

    def _failed(self, cursor: Files, wrong: FileRefused, closings: int, closing: str) -> Page[Files]:
        """One closing of several: nothing of it is booked, the others are; the file ends in `error/`."""
        one = wrong.closing if isinstance(wrong, Unbalanced) else closing
        failed = msgspec.structs.replace(
            cursor,
            failed=(*cursor.failed, str(wrong))[-FAILED_MAX:],
            failed_ids=(*cursor.failed_ids, one)[-FAILED_MAX:],
        )
        return self._on(failed, closings, [Bad(kind=Closing, id=one, reason=str(wrong))])

    def _refuse(self, cursor: Files, wrong: FileRefused, found: Found | None) -> Page[Files]:
        """The whole file: to `error/`, unless it may still be being written."""
        importing.let_go(self._exchange / "in" / cursor.file, cursor.mark)
        if found is not None and found.young:
            young = Files(done=cursor.done, young=(*cursor.young, cursor.mark)[-1000:])
            return Page(cursor=young, more=True)
        one = wrong.closing if isinstance(wrong, Unbalanced) else cursor.file
        done = Done(cursor.file, cursor.mark, "error", wrong.code, (str(wrong),), (one,))
        bad = Bad(kind=Closing, id=one, reason=str(wrong))
        return Page(cursor=Files(done=(*cursor.done, done), young=cursor.young), records=[bad], more=True)

    # --- live receipts
    def _live(self, cursor: Files, batch: Sequence[Found]) -> Page[Files]:
        records, done, young = list[Record | Bad](), list(cursor.done), list(cursor.young)
        for one in batch:
            try:
                body = _body(self._exchange / "in" / one.name)
                records += live.records(live.read(body), self._currency)
                done.append(Done(one.name, one.mark))
            except FileRefused as wrong:
                if one.young:
                    young.append(one.mark)
                    continue
                done.append(Done(one.name, one.mark, "error", wrong.code, (str(wrong),), (one.name,)))
                records.append(Bad(kind=Order, id=one.name, reason=str(wrong)))
        cursor = Files(done=tuple(done), tidy=bool(done), young=tuple(young[-1000:]))
        return Page(cursor=cursor, records=records, more=Wait(0, "moving files") if done else True)


def _at(cursor: Files, found: Found) -> Files:
    return Files(file=found.name, mark=found.mark, done=cursor.done, young=cursor.young)


def _body(path: Path) -> bytes:
    try:
        if path.is_symlink() or not path.is_file():
            raise FileRefused(f"{path.name} is no file.", "bad_receipt")
        with path.open("rb") as stream:
            return stream.read(live.BODY_MAX + 1)
    except OSError as wrong:
        raise FileRefused(f"{path.name} cannot be read: {type(wrong).__name__}.", "unreadable") from wrong


async def fetch(session: Session, ids: Sequence[str]) -> Sequence[Record | Bad]:
    """A retry: files in `error/` that these failures came from go back to `in/`; the pull that follows reads them."""

    def bring_back() -> None:
        for file, reason in list(exchange.refused(session.exchange)):
            said = reason.get("ids")
            if isinstance(said, list) and set(said) & set(ids):
                exchange.bring_back(session.exchange, file)

    await session.compute(bring_back)
    return []


RECEIPTS = PullStream(name="receipts", yields=(Order, Return, CashEntry, Closing), cursor=Files, pull=pull, fetch=fetch)
