"""One export as records, closing by closing; what was opened last stays open between pages."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from pathlib import Path
from threading import Lock

from omnichannel_core.records import Record
from omnichannel_pos import splitting
from omnichannel_pos.booking import Till, book, closing
from omnichannel_pos.gathering import gather
from omnichannel_pos.reconciling import reconciled
from omnichannel_pos.refusals import FileRefused
from omnichannel_pos.sources import Source, digest
from omnichannel_pos.splitting import Key

OPEN_MAX = 4  # exports kept open in this process; each holds the records of one closing


class Export:
    """An opened export. `keys`: its closings in their order."""

    def __init__(self, path: Path, scratch: Path, currency: str) -> None:
        self._currency = currency
        self._about = {"file": path.name, "sha256": digest(path) if path.exists() else ""}
        self._records: tuple[int, list[Record]] = (-1, [])
        self._small: dict[str, str] | None = None
        self._parts: splitting.Parts | None = None
        self._folder = scratch / hashlib.sha256(f"{path.name}/{self._about['sha256']}".encode()).hexdigest()[:24]
        with Source(path) as source:
            key = splitting.only_key(source)
            if key is not None:
                self._small, self.keys = splitting.small(source), [key]
            else:
                self._parts = splitting.split(source, self._folder)
                self.keys = self._parts.keys
        if not self.keys:
            raise FileRefused(f"{path.name} has no closing in it.", "incomplete")

    def records(self, at: int) -> list[Record]:
        """All records of one closing, itself the last.

        Raises:
            FileRefused: it cannot be read, or does not add up: none of it is to be booked.
        """
        if self._records[0] != at:
            self._records = (-1, [])
            self._records = (at, self._book(self.keys[at]))
        return self._records[1]

    def _book(self, key: Key) -> list[Record]:
        if self._small is not None:
            texts = self._small
        else:
            assert self._parts is not None  # noqa: S101 - it is small or split
            texts = splitting.one(self._folder, self._parts, key)
        till = Till(texts, self._currency)
        counted = reconciled(texts, key, gather(texts, key))
        found = [record for receipt in counted for record in book(receipt, key, till)]
        found.append(closing(texts, key, till, self._about))
        return found

    @property
    def there(self) -> bool:
        """Whether what it reads from is still there: scratch may go at any time."""
        return self._parts is None or self._folder.is_dir()

    def forget(self) -> None:
        """Its scratch goes."""
        splitting.clear(self._folder)


_open: OrderedDict[tuple[str, str], Export] = OrderedDict()
_lock = Lock()


def opened(path: Path, mark: str, scratch: Path, currency: str) -> Export:
    """An export, opened anew or still open.

    Raises:
        FileRefused: it cannot be opened.
    """
    known = (str(path), mark)
    with _lock:
        found = _open.get(known)
        if found is not None and found.there:
            _open.move_to_end(known)
            return found
    found = Export(path, scratch, currency)
    with _lock:
        _open[known] = found
        while len(_open) > OPEN_MAX:
            _open.popitem(last=False)
    return found


def let_go(path: Path, mark: str) -> None:
    """It is through."""
    with _lock:
        found = _open.pop((str(path), mark), None)
    if found is not None:
        found.forget()
