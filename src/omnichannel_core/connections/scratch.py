"""Scratch directories of connections: whatever drivers leave there (reports, parts of files) has an end."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

KEEP = timedelta(days=7)  # since it was written; a driver may find its scratch empty at any time


def home(data: Path, connection_id: int) -> Path:
    """A connection's own directory, on this machine: its scratch and its exchange."""
    return data / "connections" / str(connection_id)


def folder(data: Path, connection_id: int) -> Path:
    """A connection's scratch, on this machine."""
    return home(data, connection_id) / "scratch"


def clear(scratch: Path, keep: timedelta = timedelta(0)) -> int:
    """Blocking. Remove files written longer ago, and folders left empty; how many files."""
    before, gone = time.time() - keep.total_seconds(), 0
    for within, _, names in os.walk(scratch, topdown=False):
        for name in names:
            file = Path(within, name)
            with suppress(OSError):  # a driver may be at it too
                if file.lstat().st_mtime <= before:
                    file.unlink()
                    gone += 1
        with suppress(OSError):  # not empty
            Path(within).rmdir()
    return gone


def sweep(data: Path) -> int:
    """Blocking. What is old in the scratch of every connection on this machine; how many files."""
    return sum(clear(one, KEEP) for one in (data / "connections").glob("*/scratch"))
