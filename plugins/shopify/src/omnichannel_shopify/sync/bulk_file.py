"""A bulk operation's file, in flat memory: split once into parts that hold whole orders, then read part by part.

Children need not stand beside their parent (guide bigcommerce-and-shopify 2.8): every line goes to the part of its
order, by the order's number. The parts live in the scratch folder; a machine that has none fetches the file again.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from omnichannel_shopify import order_wire
from omnichannel_shopify.sync.order_cursor import EPOCH, Seen
from omnichannel_shopify.sync.order_rows import Row, unreadable
from omnichannel_shopify.wire import Id, Nodes, Wire, moment, number

T = TypeVar("T")
ORDERS_PER_PART = 200
BUFFERED = 8_000_000
"""Bytes of lines kept before they are written to their parts."""


class Line(Wire):
    """What says where a line of the file belongs."""

    id: str | None = None
    parent: str = msgspec.field(default="", name="__parentId")


class Kind(Wire):
    """What a child is."""

    id: str | None = None
    kind: str = msgspec.field(default="", name="__typename")


class Counted(msgspec.Struct, frozen=True):
    """What a file held, lines and orders."""

    lines: int
    orders: int


def parts_for(orders: int) -> int:
    """Into how many parts a file of so many orders is split."""
    return max(1, -(-orders // ORDERS_PER_PART))


def clear(scratch: Path) -> None:
    """What an operation before this one left goes."""
    for old in scratch.glob("bulk-*"):
        if old.is_dir():
            forget(old)
        else:
            old.unlink(missing_ok=True)


def split(file: Path, folder: Path, parts: int) -> Counted:
    """Splits the file and removes it; the folder appears when all of it is there.

    Raises:
        ValueError: a line is no JSON object, or belongs to no order.
    """
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    for old in (unfinished, folder):
        shutil.rmtree(old, ignore_errors=True)
    unfinished.mkdir()
    waiting, size, lines, orders = defaultdict[int, list[bytes]](list), 0, 0, 0
    decoder = msgspec.json.Decoder(Line)
    with file.open("rb") as source:
        for raw in source:
            if not raw.strip():
                continue
            try:
                line = decoder.decode(raw)
            except msgspec.DecodeError as cause:
                raise ValueError("a line is not readable") from cause
            root = number(line.parent or line.id or "")
            if not root:
                raise ValueError("a line belongs to no order")
            waiting[root % parts].append(raw if raw.endswith(b"\n") else raw + b"\n")
            lines, orders, size = lines + 1, orders + (not line.parent), size + len(raw)
            if size > BUFFERED:
                _write(unfinished, waiting)
                size = 0
    _write(unfinished, waiting)
    unfinished.rename(folder)
    file.unlink()
    return Counted(lines, orders)


def _write(folder: Path, waiting: dict[int, list[bytes]]) -> None:
    for part, rows in waiting.items():
        with (folder / f"{part}.jsonl").open("ab") as target:
            target.writelines(rows)
    waiting.clear()


def read(folder: Path, part: int) -> list[Row]:
    """The orders of a part by number, with their children."""
    path = folder / f"{part}.jsonl"
    if not path.exists():
        return []
    roots, children = dict[str, bytes](), defaultdict[str, list[bytes]](list)
    with path.open("rb") as source:
        for raw in source:
            line = msgspec.json.decode(raw, type=Line)
            if line.parent:
                children[line.parent].append(raw)
            else:
                roots[line.id or ""] = raw
    return [_order(roots[key], children.get(key, ())) for key in sorted(roots, key=number)]


def _order(root: bytes, children: Sequence[bytes]) -> Row:
    try:
        order = msgspec.json.decode(root, type=order_wire.Order)
        order.line_items = Nodes(nodes=list(_of(children, "LineItem", order_wire.Line)))
        order.shipping_lines = Nodes(nodes=list(_of(children, "ShippingLine", order_wire.Carriage)))
        order.returns = Nodes(nodes=list(_of(children, "Return", Id)))
        return Row(Seen(order.id, moment(order.updated_at) or EPOCH), order, listed=None)
    except (msgspec.MsgspecError, ValueError) as cause:
        return unreadable(root, str(cause))


def _of(children: Sequence[bytes], kind: str, shape: type[T]) -> Iterator[T]:
    for raw in children:
        head = msgspec.json.decode(raw, type=Kind)
        if head.kind == kind or (not head.kind and f"/{kind}/" in (head.id or "")):
            yield msgspec.json.decode(raw, type=shape)


def forget(folder: Path) -> None:
    """All of it has become records."""
    shutil.rmtree(folder, ignore_errors=True)
