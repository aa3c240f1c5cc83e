"""The exchange directory of a store: in, out, ack, archive, error. Files are moved, never changed."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from omnichannel_pos.refusals import FileRefused

FOLDERS = ("in", "out", "ack", "archive", "error")
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload")
YOUNG = 30.0  # seconds: a file that cannot be read may still be written so long


class Found(msgspec.Struct, frozen=True):
    """A file or folder in `in/` and how it looked: another mark is another file."""

    name: str
    mark: str
    age: float  # seconds since it was last written

    @property
    def young(self) -> bool:
        """Perhaps somebody still writes it."""
        return 0 <= self.age < YOUNG


class Done(msgspec.Struct, frozen=True):
    """A file that is through: where it goes once its last page is committed, and why it goes to `error/`."""

    name: str
    mark: str
    to: str = "archive"
    code: str = ""
    reasons: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


def make(exchange: Path) -> None:
    """All folders; again is nothing."""
    for name in FOLDERS:
        (exchange / name).mkdir(parents=True, exist_ok=True)


def arrived(exchange: Path, now: datetime) -> list[Found]:
    """What lies in `in/`, the oldest first; hidden and unfinished names are not there yet."""
    make(exchange)
    found = []
    with os.scandir(exchange / "in") as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED) or not _plain(entry.name):
                continue
            try:
                written, mark = _look(Path(entry.path))
            except FileNotFoundError:
                continue
            found.append((written, Found(entry.name, mark, now.timestamp() - written)))
    return [one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].name))]


def unchanged(exchange: Path, name: str, mark: str) -> bool:
    """Whether it is still the file it was."""
    try:
        return _look(exchange / "in" / name)[1] == mark
    except FileNotFoundError:
        return False


def put_away(exchange: Path, done: Done, now: datetime) -> None:
    """Move it, unless it is gone or another one has taken its name meanwhile; the reason stands beside it first."""
    if not unchanged(exchange, done.name, done.mark):
        return
    folder = exchange / done.to
    if done.to == "archive":
        folder = folder / f"{now:%Y-%m}"
    folder.mkdir(parents=True, exist_ok=True)
    target = free(folder, done.name)
    if done.to == "error":
        reason(target, done.code, done.reasons, done.ids, now)
    (exchange / "in" / done.name).replace(target)


def reason(file: Path, code: str, reasons: Sequence[str], ids: Sequence[str], now: datetime) -> None:
    """Written beside a file in `error/`, before the file itself comes."""
    said = {"file": file.name, "error": FileRefused("").key, "code": code, "reasons": reasons, "ids": ids,
            "at": now.isoformat(timespec="seconds"),
            "now": "Correct it and move the file back, or retry the error."}  # fmt: skip
    write(file.with_name(file.name + ".reason.json"), json.dumps(said, indent=1).encode())


def refused(exchange: Path) -> Iterator[tuple[Path, Mapping[str, object]]]:
    """Files in `error/` with the reason beside each."""
    for reason in sorted((exchange / "error").glob("*.reason.json")):
        file = reason.with_name(reason.name.removesuffix(".reason.json"))
        if file.exists():
            yield file, json.loads(reason.read_bytes())


def bring_back(exchange: Path, file: Path) -> None:
    """From `error/` to `in/`: it is read once more."""
    target = free(exchange / "in", file.name)
    file.replace(target)
    os.utime(target)
    file.with_name(file.name + ".reason.json").unlink(missing_ok=True)


def write(file: Path, body: bytes) -> None:
    """Whole, on disk, or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".tmp")
    with part.open("wb") as out:
        out.write(body)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)


def _plain(name: str) -> bool:
    """A name that can be kept as text: it goes into rows and messages."""
    return name.isprintable() and len(name) <= 200


def _look(path: Path) -> tuple[float, str]:
    """When it was last written, and its mark; of a folder, of all that is in it."""
    own = path.lstat()
    written, mark = own.st_mtime, f"{own.st_ino}.{own.st_size}.{own.st_mtime_ns}.{own.st_ctime_ns}"
    if not stat.S_ISDIR(own.st_mode):
        return written, mark
    said = [mark]
    for entry in sorted(path.iterdir())[:1000]:
        one = entry.lstat()
        written = max(written, one.st_mtime)
        said.append(f"{entry.name}.{one.st_size}.{one.st_mtime_ns}")
    return written, hashlib.blake2b("\n".join(said).encode("utf-8", "surrogateescape"), digest_size=12).hexdigest()


def free(folder: Path, name: str) -> Path:
    """A name nothing has yet: what is archived is never overwritten."""
    target, count = folder / name, 1
    while target.exists() or target.is_symlink():
        count += 1
        target = folder / f"{count}~{name}"
    return target
