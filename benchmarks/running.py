"""Runs one contender in a process of its own on its own core, and watches it from outside."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.peers import ROOT
from benchmarks.serving import pin

CONTENDER_CORE = 1
SAMPLE = 0.05  # seconds between two looks at memory
PATIENCE = 1800.0  # seconds after which a run is ended
# As production should set it: glibc otherwise raises its limit for blocks of their own to the largest ever freed,
# and answers of all sizes then cut its heap to pieces (16 MB over a million orders).
ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "131072"}


class ContenderFailed(Exception):
    """A contender ended with another code than 0; carries the end of what it said."""


@dataclass(frozen=True)
class Run:
    """One run: wall and CPU seconds (user and system of the whole tree), peak resident MB summed over the tree."""

    wall: float
    cpu: float
    memory: float


def run(
    command: Sequence[str], folder: Path, extra: Mapping[str, str] | None = None, patience: float = PATIENCE
) -> Run:
    """Runs to the end, output into `folder/output.txt`.

    Raises:
        ContenderFailed: it ended with another code than 0, or took longer than `patience` seconds.
    """
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), **ALLOCATOR,
        **(extra or {}),
    }  # fmt: skip
    output = folder / "output.txt"
    with output.open("wb") as sink:
        before = os.times()
        began = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
            preexec_fn=pin(CONTENDER_CORE), start_new_session=True,
        )  # fmt: skip
        memory = _watch(child, began, patience)
        wall = time.perf_counter() - began
        after = os.times()
    if child.returncode != 0:
        said = output.read_bytes()[-3000:].decode(errors="replace")
        raise ContenderFailed(f"{' '.join(command)} ended with {child.returncode}:\n{said}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(wall, cpu, memory)


def _watch(child: subprocess.Popen[bytes], began: float, patience: float) -> float:
    """Waits for the end; the highest sum of resident memory over the tree, in MB."""
    top = psutil.Process(child.pid)
    peak = 0
    ended = os.pidfd_open(child.pid)  # wakes at once: waiting with a timeout would be off by up to a sample
    try:
        while not select.select([ended], [], [], SAMPLE if peak else SAMPLE / 10)[0]:
            peak = max(peak, _resident(top))
            if time.perf_counter() - began > patience:
                for process in [*top.children(recursive=True), top]:
                    process.kill()
    finally:
        os.close(ended)
    child.wait()
    return peak / 1e6


def _resident(top: psutil.Process) -> int:
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):  # it ended while we looked
        for process in (top, *top.children(recursive=True)):
            total += process.memory_info().rss
    return total
