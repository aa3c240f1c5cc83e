"""Starts the server for one comparison and reads its counter."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.request import urlopen

from benchmarks import cache, orders

SERVER_CORE = 0


@dataclass(frozen=True)
class Served:
    """A running server; `url` has no slash at its end."""

    url: str
    pid: int

    def requests(self) -> int:
        """Order requests answered since the start."""
        with urlopen(f"{self.url}/stats", timeout=10) as answer:
            return int(json.load(answer)["requests"])


@contextlib.contextmanager
def serving(total: int, latency: float = 0.0, rendered: int | None = None) -> Iterator[Served]:
    """A server on its own core: `total` orders a tenant, shared out of `rendered` ones."""
    path = cache.ensure((rendered or total) // orders.PAGE)
    command = [sys.executable, "-m", "benchmarks.server", "--pages", str(path), "--orders", str(total)]
    with subprocess.Popen(
        [*command, "--latency", str(latency)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=pin(SERVER_CORE),
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            port = json.loads(child.stdout.readline())["port"]
            yield Served(f"http://127.0.0.1:{port}", child.pid)
        finally:
            child.stdin.close()
            child.wait(timeout=10)


def pin(core: int) -> Callable[[], None]:
    """Binds a child to one core before it runs; on a machine of one core all share it."""
    cores = {core} & os.sched_getaffinity(0) or os.sched_getaffinity(0)
    return lambda: os.sched_setaffinity(0, cores)
