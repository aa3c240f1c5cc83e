"""A worker's sign of life: a file lock held as long as its process lives, so a dead owner is known at once."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path


class Presence:
    """This worker's own lock file; `name` goes into the rows it takes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.name = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._path = folder / f"{self.name}.lock"
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def alive(self, worker: str) -> bool:
        """Whether that worker's process still holds its lock; its file is removed when not."""
        if worker == self.name:
            return True
        path = self.folder / f"{worker}.lock"
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            path.unlink(missing_ok=True)
            return False
        finally:
            os.close(file)

    def others(self) -> int:
        """How many processes besides this one have the store open, on this machine."""
        names = [path.stem for path in self.folder.glob("*.lock")]
        return sum(self.alive(name) for name in names if name != self.name)

    def close(self) -> None:
        """This worker is gone."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)
