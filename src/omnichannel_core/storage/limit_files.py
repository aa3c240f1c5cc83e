"""Shared budgets in files beside a SQLite store: whoever shares the store shares the machine, and a file lock is
a thousand times cheaper than a durable transaction. A process that dies leaves its lock, and what it wrote.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from omnichannel_core import errors

T = TypeVar("T")
OPEN_FILES = 256
_HEAD = struct.Struct("<II")  # length and checksum of the state
_PAGE = 8192
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Busy(Exception):
    """Another process is in the middle of a step (microseconds): ask again."""


class LimitFiles:
    """One file a budget. The state of an earlier boot, and a torn one, is `lost`: nobody knows what was spent since.

    Attributes:
        folder: where they are; made when the first budget is used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._boot = _boot()
        self._files: dict[str, int] = {}

    def change(self, key: str, work: Callable[[bytes | None], tuple[bytes, T]]) -> T:
        """One step of one budget: `work` gets its state (b'' new, None lost) and answers the next one and a result.

        Raises:
            Busy: another process has it right now; nothing happened. StorageError: the file cannot be used.
        """
        try:
            file = self._locked(key)
            try:
                before = self._read(file)
                after, result = work(before)
                if after != before:
                    self._write(file, after)
                return result
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)
        except BlockingIOError:
            raise Busy from None
        except OSError as cause:
            raise errors.StorageError(
                f"The budgets in {self.folder} cannot be used: {cause.strerror}. Nothing was sent."
            ) from cause

    def occupy(self, key: str, places: int) -> str:
        """Hold one of so many places by a file lock, which ends with the process; '' when none is free.

        Raises:
            StorageError: the files cannot be used.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for number in range(places):
                path = self._path(f"{key}/{number}")
                file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if os.fstat(file).st_nlink:  # else it was swept away between the two
                        os.utime(file)
                        return str(file)
                os.close(file)
        except OSError as cause:
            raise errors.StorageError(
                f"The budgets in {self.folder} cannot be used: {cause.strerror}. Nothing was sent."
            ) from cause
        return ""

    @staticmethod
    def vacate(place: str) -> None:
        """Free again."""
        os.close(int(place))

    def sweep(self, before: float) -> int:
        """Blocking: forget budgets nobody has used since that time (seconds since 1970); how many."""
        count = 0
        with contextlib.suppress(FileNotFoundError):
            for path in list(self.folder.iterdir()):
                with contextlib.suppress(OSError):
                    count += self._forget(path, before)
        return count

    def close(self) -> None:
        """Close all files."""
        while self._files:
            os.close(self._files.popitem()[1])

    def _locked(self, key: str) -> int:
        """The budget's file, locked. One that was swept away meanwhile is opened anew."""
        while True:
            file = self._files.get(key)
            if file is None:
                file = self._open(key)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_nlink:
                return file
            os.close(self._files.pop(key))

    def _open(self, key: str) -> int:
        if len(self._files) >= OPEN_FILES:
            os.close(self._files.pop(next(iter(self._files))))
        path = self._path(key)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._files[key] = file
        return file

    def _path(self, key: str) -> Path:
        return self.folder / hashlib.sha256(key.encode()).hexdigest()[:40]

    def _read(self, file: int) -> bytes | None:
        found = os.pread(file, _PAGE, 0)
        if not found:
            return b""
        if len(found) < _HEAD.size:
            return None
        length, check = _HEAD.unpack_from(found)
        told = found[_HEAD.size : _HEAD.size + length]
        boot, _, state = told.partition(b"\n")
        return state if len(told) == length and zlib.crc32(told) == check and boot == self._boot else None

    def _write(self, file: int, state: bytes) -> None:
        told = self._boot + b"\n" + state
        whole = _HEAD.pack(len(told), zlib.crc32(told)) + told
        if len(whole) > _PAGE:
            raise errors.StorageError("The state of a budget is longer than it can be; delete the folder of budgets.")
        new = os.fstat(file).st_size == 0
        if os.pwrite(file, whole, 0) < len(whole):
            raise errors.StorageError("The state of a budget could not be written: the disk is full.")
        if new:  # so that after a power cut the file is there and tells of another boot
            os.fsync(file)
            _sync(self.folder)

    @staticmethod
    def _forget(path: Path, before: float) -> int:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_mtime >= before:
                return 0
            path.unlink()
            return 1
        finally:
            os.close(file)


def _boot() -> bytes:
    """Which start of the machine this is; b'' where nobody tells."""
    try:
        return _BOOT.read_bytes().strip()
    except OSError:
        return b""


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
