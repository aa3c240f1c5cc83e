"""Acknowledgements of tills in `ack/`: what arrived, what was refused, what is missing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from omnichannel_pos import exchange, ledger
from omnichannel_pos.exchange import UNFINISHED
from omnichannel_pos.ledger import Ledger, Sent
from omnichannel_pos.refusals import FileRefused

SIZE_MAX = 4_000_000  # bytes
MANY = 1000  # acknowledgements read at once


class RefusedRow(msgspec.Struct, kw_only=True):
    """A row the till does not take."""

    sku: str
    reason: str = "The till gave no reason."


class Acknowledgement(msgspec.Struct, kw_only=True):
    """A till's answer to one file, or a request.

    Attributes:
        seq: the file it is about; 0 for a request alone.
        accepted: false refuses the whole file, for `reason`.
        rejected: rows that are refused while the others are taken.
        missing: numbers that never arrived: they are sent again.
        snapshot: kinds to be sent anew as a whole, such as for a new till.
    """

    seq: int = 0
    accepted: bool = True
    reason: str = ""
    rejected: list[RefusedRow] = []
    missing: list[int] = []
    snapshot: list[str] = []
    till: str = ""


_decoder = msgspec.json.Decoder(Acknowledgement)


def work(folder: Path, now: datetime) -> None:
    """Take in what the tills said, and send again what they miss. Again is the same. Blocking."""
    there = [one for one in sorted((folder / "ack").glob("*")) if not _hidden(one.name)][:MANY]
    if not there and not (folder / ledger.FILE).exists():
        return
    resend: dict[int, Sent] = {}
    for file in there:
        try:
            said = read(file)
        except FileRefused as wrong:
            _refuse(folder, file, wrong, now)
            continue
        with ledger.opened(folder) as book:
            resend |= {one.seq: one for one in _take(book, said, now)}
        _archive(folder, file, now)
    with ledger.opened(folder) as book:
        still = book.open()
    for one in still:
        if one.seq in resend or not (folder / "out" / one.name).exists():
            resend[one.seq] = one
    for one in resend.values():
        put_out(folder, one)
    _tidy(folder, {one.name for one in resend.values()}, now)


def _hidden(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(UNFINISHED)


def read(file: Path) -> Acknowledgement:
    """One answer.

    Raises:
        FileRefused: it is none.
    """
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > SIZE_MAX:
            raise FileRefused(f"{file.name[:80]!r} is no acknowledgement.", "bad_acknowledgement")
        return _decoder.decode(file.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise FileRefused(f"{file.name[:80]!r} is no acknowledgement: {wrong}", "bad_acknowledgement") from wrong


def _take(book: Ledger, said: Acknowledgement, now: datetime) -> list[Sent]:
    """What is to be sent again: what the till misses, and whatever is still open below what it has."""
    known = book.of(said.seq) if said.seq else None
    if known is not None:
        refused = [(one.sku, one.reason) for one in said.rejected]
        if not said.accepted:
            refused.append(("", said.reason or "The till refused the whole file."))
        book.acked(said.seq, refused)
    again = book.open(below=known.seq) if known is not None else []
    wanted = set(said.snapshot)
    for seq in said.missing[:MANY]:
        lost = book.of(seq)
        if lost is not None and lost.body is not None:
            again.append(lost)
        elif lost is not None:
            wanted.add(lost.kind)
    for kind in sorted(wanted & set(book.kinds())):
        again += book.snapshot(kind, (now.timestamp(), now.isoformat(timespec="seconds")))
    return again


def put_out(folder: Path, sent: Sent) -> None:
    """Into `out/`, whole."""
    if sent.body is not None:
        exchange.write(folder / "out" / sent.name, sent.body)


def _archive(folder: Path, file: Path, now: datetime) -> None:
    target = folder / "archive" / f"{now:%Y-%m}" / "ack"
    target.mkdir(parents=True, exist_ok=True)
    _move(file, exchange.free(target, file.name))


def _refuse(folder: Path, file: Path, wrong: FileRefused, now: datetime) -> None:
    name = file.name if file.name.isprintable() else "unnamed"
    target = exchange.free(folder / "error", name)
    exchange.reason(target, wrong.code, (str(wrong),), (), now)
    _move(file, target)


def _tidy(folder: Path, wanted: set[str], now: datetime) -> None:
    """What the tills have is archived."""
    target = folder / "archive" / f"{now:%Y-%m}" / "out"
    there = [file for file in (folder / "out").glob("*.json") if file.name not in wanted]
    with ledger.opened(folder) as book:
        acked = [file for file in there if (sent := book.of(_seq(file.name))) is not None and sent.acked]
    for file in acked:
        target.mkdir(parents=True, exist_ok=True)
        _move(file, target / file.name)


def _seq(name: str) -> int:
    head = name.partition("-")[0]
    return int(head) if head.isascii() and head.isdecimal() and len(head) < 16 else 0


def _move(file: Path, target: Path) -> None:
    try:
        file.replace(target)
    except FileNotFoundError:
        return  # somebody else took it
