"""An export as it lies there: a zip or a folder. Members are only read, by their official names."""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from omnichannel_pos.index import INDEX, SIZE_MAX, listed
from omnichannel_pos.refusals import FileRefused
from omnichannel_pos.tables import TABLES

MEMBERS_MAX = 500
DIRECTORY_MAX = 1024**2  # bytes of the zip's own directory, which is read into memory as a whole
MEMBER_MAX = 4 * 1024**3  # bytes of one table, opened
TOTAL_MAX = 8 * 1024**3  # bytes of all
RATIO_MAX = 400  # opened to packed, of members over RATIO_FROM: tables of receipts pack 10 to 60 times
RATIO_FROM = 10 * 1024**2
_BLOCK = 1024 * 1024
_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError)  # a method zipfile lacks is the last


class Source:
    """Tables by official name -> (name inside, size in bytes). Opened with `with`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        self.tables: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Self:
        try:
            self._open()
        except _UNREADABLE as wrong:
            self.close()
            raise FileRefused(f"{self.path.name} cannot be opened: {_why(wrong)}.", "unreadable") from wrong
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._zip is not None:
            self._zip.close()

    def _open(self) -> None:
        if self.path.is_dir():
            there = _folder(self.path)
        else:
            _check_directory(self.path)
            self._zip = zipfile.ZipFile(self.path)
            there = _members(self._zip)
        if INDEX not in there:
            raise FileRefused(f"{self.path.name} has no {INDEX}: it is no DSFinV-K export.", "bad_index")
        with self._stream(there[INDEX][0]) as stream:
            says = listed(stream.read(SIZE_MAX + 1))
        gone = sorted(name for name in says if name not in there)
        if gone:
            raise FileRefused(f"{INDEX} lists {', '.join(gone[:5])}, which {self.path.name} lacks.", "incomplete")
        named = {file: says.get(file, file) for file in there}
        self.tables = {official: there[file] for file, official in named.items() if official in TABLES}

    @contextmanager
    def _stream(self, name: str) -> Iterator[IO[bytes]]:
        if self._zip is not None:
            with self._zip.open(name) as stream:
                yield stream
        else:
            with (self.path / name).open("rb") as stream:
                yield stream

    def blocks(self, table: str) -> Iterator[bytes]:
        """A table's bytes; whatever the zip's directory says about their number, no more than that.

        Raises:
            FileRefused: unreadable, or longer than said.
        """
        name, size = self.tables[table]
        left = size
        try:
            with self._stream(name) as stream:
                while block := stream.read(min(_BLOCK, left + 1)):
                    left -= len(block)
                    if left < 0:
                        raise FileRefused(f"{table} is longer than {self.path.name} says.", "zip_bomb")
                    yield block
        except _UNREADABLE as wrong:
            raise FileRefused(f"{table} of {self.path.name} cannot be read: {_why(wrong)}.", "unreadable") from wrong

    def read(self, table: str) -> bytes:
        """A table's bytes at once, b'' where there is none."""
        return b"".join(self.blocks(table)) if table in self.tables else b""

    def size(self) -> int:
        """Bytes of all tables that are read, opened."""
        return sum(size for _, size in self.tables.values())


def digest(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files by name."""
    found = hashlib.sha256()
    files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
    for file in files:
        if path.is_dir():
            found.update(file.name.encode("utf-8", "surrogateescape") + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                found.update(block)
    return found.hexdigest()


def _check_directory(path: Path) -> None:
    """The size of a zip's directory by its end record, before anything reads the directory itself.

    Raises:
        FileRefused: too large. BadZipFile: there is no end record.
    """
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 65_557))  # the record and the longest comment behind it
        tail = stream.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0:
            raise zipfile.BadZipFile("it has no end record")
        size = int.from_bytes(tail[at + 12 : at + 16], "little")
        if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":  # a 64-bit record stands before it and counts
            stream.seek(min(int.from_bytes(tail[at - 12 : at - 4], "little"), path.stat().st_size))
            size = int.from_bytes(stream.read(56)[40:48], "little")
    if size > DIRECTORY_MAX:
        raise FileRefused(f"Its directory has {size} bytes, more than {DIRECTORY_MAX}.", "zip_bomb")


def _members(archive: zipfile.ZipFile) -> dict[str, tuple[str, int]]:
    infos = archive.infolist()
    if len(infos) > MEMBERS_MAX:
        raise FileRefused(f"It has {len(infos)} members, more than {MEMBERS_MAX}.", "zip_bomb")
    there: dict[str, tuple[str, int]] = {}
    for info in infos:
        name = info.filename.replace("\\", "/")
        if name.startswith("/") or ":" in name or ".." in name.split("/"):
            raise FileRefused(f"A member's name leads outside: {info.filename[:80]!r}.", "path_traversal")
        if info.is_dir():
            continue
        if info.flag_bits & 1:
            raise FileRefused(f"{name[:80]} is encrypted.", "unreadable")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise FileRefused(f"{name[:80]} is a link.", "path_traversal")
        if info.file_size > RATIO_FROM and info.file_size > RATIO_MAX * max(info.compress_size, 1):
            raise FileRefused(f"{name[:80]} grows more than {RATIO_MAX} times when opened.", "zip_bomb")
        _keep(there, name.rpartition("/")[2], info.filename, info.file_size)
    return there


def _folder(path: Path) -> dict[str, tuple[str, int]]:
    there: dict[str, tuple[str, int]] = {}
    for count, entry in enumerate(path.iterdir()):
        if count >= MEMBERS_MAX:
            raise FileRefused(f"The folder has more than {MEMBERS_MAX} files.", "too_large")
        if entry.is_symlink():
            raise FileRefused(f"{entry.name[:80]} is a link.", "path_traversal")
        if entry.is_file():
            _keep(there, entry.name, entry.name, entry.stat().st_size)
    return there


def _keep(there: dict[str, tuple[str, int]], short: str, name: str, size: int) -> None:
    if short.casefold() in there:
        raise FileRefused(f"There are two files {short[:80]!r}.", "bad_index")
    there[short.casefold()] = (name, size)
    if size > MEMBER_MAX or sum(one for _, one in there.values()) > TOTAL_MAX:
        raise FileRefused(f"Opened it has more than {TOTAL_MAX // 1024**3} GiB.", "zip_bomb")


def _why(wrong: BaseException) -> str:
    return f"{type(wrong).__name__}: {wrong}"[:200]
