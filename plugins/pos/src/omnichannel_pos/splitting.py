"""The closings of an export, one after another in flat memory: a small one as it is, a large one by byte ranges."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from omnichannel_pos.refusals import FileRefused
from omnichannel_pos.sources import Source
from omnichannel_pos.tables import KEY, LINE_MAX, header, rows, text_of, whole

SMALL = 16 * 1024**2  # bytes of all tables: a day of a busy till has 2 to 5 MB
CLOSING_MAX = 64 * 1024**2  # bytes of one closing's tables: 30,000 receipts and more
RUNS_MAX = 200_000  # stretches of rows of one closing, over all tables
Key = tuple[str, str]  # Z_KASSE_ID, Z_NR


class Ranges(msgspec.Struct):
    """Where in a table the rows of each closing lie: its header line, and (begin, end) in bytes by closing."""

    head: bytes
    of: dict[str, list[tuple[int, int]]]


class Parts(msgspec.Struct):
    """A large export, split: closings in the order of their keys, and ranges by table."""

    keys: list[Key]
    tables: dict[str, Ranges]


def only_key(source: Source) -> Key | None:
    """The key of an export that has one closing and is small enough to be read at once; None otherwise."""
    if source.size() > SMALL:
        return None
    text = text_of(source.read("cashpointclosing.csv"), "cashpointclosing.csv")
    found = {(till, whole(number)) for till, number in rows(text, "cashpointclosing.csv", KEY)}
    return found.pop() if len(found) == 1 else None


def small(source: Source) -> dict[str, str]:
    """All tables' texts."""
    return {name: text_of(source.read(name), name) for name in source.tables}


def split(source: Source, folder: Path) -> Parts:
    """Unpack the tables of a large export into `folder` and find each closing's rows; again when it is gone.

    Raises:
        FileRefused: no table, a line or a closing too large.
    """
    said = folder / "parts.msgpack"
    if said.exists():
        return msgspec.msgpack.decode(said.read_bytes(), type=Parts)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tables, runs = dict[str, Ranges](), 0
    for name in source.tables:
        with (folder / name).open("wb") as out:
            for block in source.blocks(name):
                out.write(block)
        found = _ranges(folder / name, name)
        if found is not None:
            tables[name] = found
            runs += sum(len(one) for one in found.of.values())
        if runs > RUNS_MAX:
            raise FileRefused("The rows of its closings are mixed too finely to be read apart.", "too_large")
    keys = {_key(one) for table in tables.values() for one in table.of}
    parts = Parts(sorted(keys, key=lambda key: (key[0], key[1].rjust(20, "0"))), tables)
    part = folder / "parts.tmp"
    part.write_bytes(msgspec.msgpack.encode(parts))
    part.replace(said)
    return parts


def one(folder: Path, parts: Parts, key: Key) -> dict[str, str]:
    """The tables' texts of one closing.

    Raises:
        FileRefused: too large.
    """
    texts, size = dict[str, str](), 0
    for name, table in parts.tables.items():
        stretches = [stretch for raw, found in table.of.items() if _key(raw) == key for stretch in found]
        size += sum(end - begin for begin, end in stretches)
        if size > CLOSING_MAX:
            raise FileRefused(
                f"Closing {key[0]}/{key[1]} has more than {CLOSING_MAX // 1024**2} MiB of rows.", "too_large"
            )
        with (folder / name).open("rb") as stream:
            texts[name] = text_of(table.head + b"".join(_stretches(stream, stretches)), name)
    return texts


def _stretches(stream: object, stretches: list[tuple[int, int]]) -> Iterator[bytes]:
    for begin, end in stretches:
        stream.seek(begin)  # type: ignore[attr-defined]
        yield stream.read(end - begin)  # type: ignore[attr-defined]


def _key(raw: str) -> Key:
    till, _, number = raw.partition("\0")
    return text_of(till.encode("latin-1"), "Z_KASSE_ID"), whole(number)


def _ranges(file: Path, name: str) -> Ranges | None:
    """Rows of one closing mostly stand together; each stretch is one range. Read as bytes: a range is no character."""
    at, of = 0, dict[str, list[tuple[int, int]]]()
    with file.open("rb") as stream:
        head = stream.readline(LINE_MAX + 1)
        if not head.strip():
            return None
        names, delimiter = header(text_of(head, name).rstrip("\r\n"), name)
        till, number = (names.index(one) if one in names else -1 for one in KEY)
        at = len(head)

        def lines() -> Iterator[str]:
            nonlocal at
            while line := stream.readline(LINE_MAX + 1):
                if len(line) > LINE_MAX:
                    raise FileRefused(f"{name} has a line of more than {LINE_MAX} bytes.", "bad_table")
                at += len(line)
                yield line.decode("latin-1")

        begin, last = at, None
        try:
            for row in csv.reader(lines(), delimiter=delimiter):
                if row:
                    said = f"{_cell(row, till)}\0{_cell(row, number)}"
                    if said == last:
                        of[said][-1] = (of[said][-1][0], at)
                    else:
                        of.setdefault(said, []).append((begin, at))
                    last = said
                begin = at
        except csv.Error as wrong:
            raise FileRefused(f"{name} is not a CSV table: {wrong}.", "bad_table") from wrong
    return Ranges(head, of)


def _cell(row: list[str], at: int) -> str:
    return row[at] if 0 <= at < len(row) else ""


def clear(folder: Path) -> None:
    """What was unpacked goes."""
    shutil.rmtree(folder, ignore_errors=True)
