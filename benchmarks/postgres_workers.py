"""Orders a second into PostgreSQL with one, two and four workers, against a shop that takes its time.

The latency is what bounds a worker, not the processor: the share of it that all together use is a figure too. Each run
has work for the same time, however many workers share it. A rate is what was committed between two moments: all
workers are at work, and the last connection was taken.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs
import psutil

from benchmarks import orders
from benchmarks.figures import Figure
from benchmarks.machines import Machines
from benchmarks.running import ContenderFailed
from benchmarks.serving import Served, serving
from omnichannel_core.testing import postgres

LATENCY, SLOTS, PAGES, EACH = 0.5, 2, 10, 24  # seconds an answer; of a worker; of a connection; connections a worker
RENDERED = 100 * orders.PAGE
LEAST = {2: 1.8, 4: 3.2}
MOST_CPU = 70.0  # percent of all cores
WARM = 4.0  # seconds until all are at work
COMMITTED = "SELECT coalesce(sum(records), 0)::bigint FROM omni_stream WHERE stream = 'orders'"
WAITING = "SELECT count(*) FROM omni_process WHERE state IN ('queued', 'waiting')"
KEPT = "SELECT count(*) FROM omni_record WHERE kind = 'Order'"
WON = "SELECT count(*) FROM omni_process WHERE state = 'succeeded'"


@attrs.frozen
class Run:
    """Orders a second, percent of all cores by what takes part, and by the whole machine."""

    rate: float
    cpu: float
    machine: float


def figures(each: int = EACH, named: str = "") -> Iterable[Figure]:
    """The rates, their ratios to one worker's, and the processor's share with four."""
    note = f"{LATENCY * 1000:.0f} ms a page of {orders.PAGE}, {SLOTS} slots a worker, {each} connections a worker"
    runs: dict[int, Run] = {}
    for workers in (1, *LEAST):
        try:
            runs[workers] = _run(workers, each, named)
        except ContenderFailed as failure:
            yield Figure(f"{workers} workers", None, "orders/s", note=str(failure))
            return
        ratio = runs[workers].rate / runs[1].rate
        yield Figure(f"{workers} workers", runs[workers].rate, "orders/s", "1 worker", ratio, LEAST.get(workers), note=(
            f"{note}; {runs[workers].cpu:.0f} % of the processor, the whole machine {runs[workers].machine:.0f} %"
        ))  # fmt: skip
    most = max(one.cpu for one in runs.values())
    yield Figure("processor", most, "% of all cores", limit=MOST_CPU, side="most", note="workers, database and shop")


def _run(workers: int, each: int, named: str) -> Run:
    with (
        postgres.running(postgres.DURABLE, named) as server,
        serving(PAGES * orders.PAGE, LATENCY, RENDERED) as shop,
        tempfile.TemporaryDirectory(prefix="bench-workers-") as folder,
        contextlib.ExitStack() as stack,
    ):
        machines = Machines(server, Path(folder), shop.url)
        machines.settle(workers * each)
        pids = [stack.enter_context(machines.working(SLOTS)) for _ in range(workers)]
        run = _measure(machines, [*pids, *_others(shop)])
        machines.until_all_ended()
        kept, won = machines.ask(KEPT), machines.ask(WON)
        wanted = sum(_distinct(tenant) for tenant in range(workers * each))
        if (kept, won) != (wanted, workers * each):
            raise ContenderFailed(f"{kept} of {wanted} orders, {won} of {workers * each} processes succeeded")
        return run


def _measure(machines: Machines, pids: Sequence[int]) -> Run:
    time.sleep(WARM)
    began, first, used = time.monotonic(), machines.ask(COMMITTED), _used(pids)
    psutil.cpu_percent()
    while machines.ask(WAITING):
        time.sleep(0.1)
    seconds = time.monotonic() - began
    cores = psutil.cpu_count() or 1
    rate = (machines.ask(COMMITTED) - first) / seconds
    return Run(rate, 100 * (_used(pids) - used) / seconds / cores, psutil.cpu_percent())


def _distinct(tenant: int) -> int:
    """So many orders a tenant has: some come twice."""
    first = tenant * PAGES * orders.PAGE
    return len({orders.source(at % RENDERED)[0] for at in range(first, first + PAGES * orders.PAGE)})


def _others(shop: Served) -> list[int]:
    """The shop, and every process of the database."""
    children = psutil.Process().children(recursive=True)
    return [shop.pid, *(one.pid for one in children if one.name() == "postgres")]


def _used(pids: Sequence[int]) -> float:
    """Seconds of processor time, of those that live."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = psutil.Process(pid).cpu_times()
            total += times.user + times.system
    return total
