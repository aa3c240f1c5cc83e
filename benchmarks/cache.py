"""The pages, rendered once into a file that only grows: the first N pages serve any smaller size.

Beside `orders-<digest of the generator>.pages` lies `.index`: for each page its end as 8 bytes, little-endian. A page
is `{"data":[...]`, without its end: the server adds `meta`, which depends on the size and the tenant.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import tempfile
from pathlib import Path

from benchmarks import orders

CHUNK = 40  # pages held in memory while rendering


def location() -> Path:
    """Where the pages lie: a folder of the temporary directory, or `BENCHMARKS_CACHE`."""
    folder = Path(os.environ.get("BENCHMARKS_CACHE") or Path(tempfile.gettempdir()) / "omnichannel-benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.blake2b(Path(orders.__file__).read_bytes(), digest_size=6).hexdigest()
    return folder / f"orders-{digest}.pages"


def ensure(pages: int) -> Path:
    """Renders what is missing of the first `pages` pages; whole pages that an earlier run wrote are kept."""
    path = location()
    for stale in path.parent.glob("orders-*.*"):
        if stale.stem != path.stem:
            stale.unlink(missing_ok=True)
    with path.with_suffix(".index").open("a+b") as index:
        fcntl.flock(index, fcntl.LOCK_EX)
        ends = _ends(index.fileno())
        with path.open("ab") as body:
            body.truncate(ends[-1] if ends else 0)
            for first in range(len(ends), pages, CHUNK):
                _append(body.fileno(), index.fileno(), first, min(first + CHUNK, pages))
    return path


def ends(path: Path) -> list[int]:
    """The end of each page within the file."""
    with path.with_suffix(".index").open("rb") as index:
        return _ends(index.fileno())


def page(number: int) -> bytes:
    """One page's orders as the file has them, for tests of the server."""
    return b'{"data":' + orders.render(number * orders.PAGE, (number + 1) * orders.PAGE)


def _ends(index: int) -> list[int]:
    size = os.fstat(index).st_size // 8
    if not size:
        return []
    with mmap.mmap(index, size * 8, access=mmap.ACCESS_READ) as view:
        return list(struct.unpack(f"<{size}Q", view[: size * 8]))


def _append(body: int, index: int, first: int, end: int) -> None:
    """Bodies first, synced, then their ends: an index never names what is not there."""
    at = os.lseek(body, 0, os.SEEK_END)
    marks = []
    for number in range(first, end):
        at += _write(body, page(number))
        marks.append(at)
    os.fsync(body)
    _write(index, struct.pack(f"<{len(marks)}Q", *marks))


def _write(file: int, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    return len(data)
