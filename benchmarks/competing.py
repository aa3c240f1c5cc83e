"""Contenders of one job: read every order of the loopback server once, and keep it as each of them does best."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import orders, peers
from benchmarks.checker import Holding
from benchmarks.figures import Figure, say
from benchmarks.running import ContenderFailed, Run, run
from benchmarks.serving import serving

SUBJECT = "engine"  # whose ratio to the others counts
HEADROOM = 3.0  # the server must be that much faster than the fastest contender


@dataclass(frozen=True)
class Contender:
    """One way to do the job.

    Attributes:
        module: run as `python -m benchmarks.contenders.MODULE URL` in an empty directory.
        reader: of the checker; '' when nothing is kept.
        result: the file it leaves there.
        peer: runs (and is read) in the peers' environment.
        floor: the least ratio of the subject to it; None: no limit.
        extra: environment variables it needs.
    """

    name: str
    module: str
    reader: str = ""
    result: str = ""
    peer: bool = False
    floor: float | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def python(self) -> str:
        return peers.python() if self.peer else sys.executable


QUIET_DLT = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DO_NOT_TRACK": "true"}
CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("null", "null"),
        Contender("engine", "engine", "hub", "result.db"),
        Contender("engine, whole records", "engine_whole", "hub", "result.db"),
        Contender("minimal", "minimal", "hub", "result.db", floor=0.8),
        Contender("handwritten", "handwritten", "sqlite", "result.db", peer=True, floor=2.5),
        Contender("tuned", "tuned", "sqlite", "result.db", peer=True),
        Contender("dlt", "dlt_rest", "duckdb", "result.duckdb", peer=True, floor=8, extra=QUIET_DLT),
        Contender("airbyte", "airbyte", "jsonlines", "output.txt", peer=True, floor=4, extra={"DO_NOT_TRACK": "true"}),
    )
}


def entered(names: Sequence[str] | None) -> tuple[str, ...]:
    """The contenders of a run, in the table's order; the null client always takes part, to show the headroom."""
    return tuple(name for name in CONTENDERS if not names or name in names or name == "null")


@dataclass
class Score:
    """What a contender's runs came to.

    Attributes:
        runs: of all orders.
        starts: of one page of orders: interpreter, imports, tables, and what else does not grow with the orders.
        wrong: why its figure is void.
    """

    runs: list[Run] = field(default_factory=list)
    starts: list[Run] = field(default_factory=list)
    wrong: str = ""

    def whole(self, total: int) -> float:
        """Records a second, everything counted from the first instruction."""
        return total / median(run.wall for run in self.runs)

    def steady(self, total: int) -> float:
        """Records a second of the orders beyond the first page, the start apart.

        Raises:
            ContenderFailed: there are too few orders to tell.
        """
        start = median(run.wall for run in self.starts)
        wall = median(run.wall for run in self.runs) - start
        if wall < start / 5:
            raise ContenderFailed("too few orders to tell the start apart: give more with --orders")
        return (total - orders.PAGE) / wall


def compete(names: Sequence[str], total: int, times: int) -> dict[str, Score]:
    """Interleaved runs: each contender once a round. Every result is checked against the generator's own truth."""
    scores = {name: Score() for name in names}
    pythons = {name: CONTENDERS[name].python() for name in names}
    truths = {size: held("truth", str(size), sys.executable) for size in (orders.PAGE, total)}
    with serving(orders.PAGE) as small, serving(total) as large:
        for turn in range(times):
            for name, score in scores.items():
                if not score.wrong:
                    say(f"run {turn + 1} {name}:")
                    _once(CONTENDERS[name], pythons[name], small.url, truths[orders.PAGE], score, score.starts)
                if not score.wrong:
                    _once(CONTENDERS[name], pythons[name], large.url, truths[total], score, score.runs)
    return scores


def _once(contender: Contender, python: str, url: str, truth: Holding, score: Score, into: list[Run]) -> None:
    """One run in an empty directory, checked."""
    with TemporaryDirectory(prefix=f"bench-{contender.name}-") as folder:
        command = [python, "-m", f"benchmarks.contenders.{contender.module}", url]
        try:
            once = run(command, Path(folder), contender.extra)
            score.wrong = compare(contender, python, Path(folder), truth)
        except ContenderFailed as failure:
            score.wrong = str(failure)
            say(f"  {failure}")
            return
    into.append(once)
    said = f"{once.wall:.2f} s wall, {once.cpu:.2f} s CPU, {once.memory:.0f} MB"
    say(f"  {truth.orders:,} orders: {said} {score.wrong}")


def compare(contender: Contender, python: str, folder: Path, truth: Holding) -> str:
    """'' when the result holds what it should, else what differs."""
    if not contender.reader:
        return ""
    holding = held(contender.reader, str(folder / contender.result), python)
    return "" if holding == truth else f"holds {holding}, should hold {truth}"


def held(reader: str, what: str, python: str) -> Holding:
    """Runs the checker where the result can be read.

    Raises:
        ContenderFailed: the result cannot be read.
    """
    command = [python, "-m", "benchmarks.checker", reader, what]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(peers.ROOT), "LANG": "C.UTF-8"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ContenderFailed(f"the checker could not read what was left: {done.stderr[-2000:]}")
    return Holding(**json.loads(done.stdout))


def figures(scores: Mapping[str, Score], total: int) -> Iterable[Figure]:
    """Records a second and memory of each contender, the subject's ratios to the others, the server's headroom."""
    speed: dict[str, float] = {}
    for name, score in scores.items():
        try:
            if not score.wrong:
                # the null client ends before its start can be told apart: that is counted against the server
                speed[name] = score.whole(total) if name == "null" else score.steady(total)
        except ContenderFailed as failure:
            score.wrong = str(failure)
        yield Figure(f"{name}: orders", speed.get(name), "records/s", note=score.wrong[:300])
        if name in speed:
            yield from _details(name, score, total)
    if SUBJECT in speed:
        for name in (name for name in speed if name not in (SUBJECT, "null")):
            yield ratio(speed, SUBJECT, name, CONTENDERS[name].floor)
    fastest = max((name for name in speed if name != "null"), key=speed.__getitem__, default="")
    if "null" in speed and fastest:
        yield ratio(speed, "null", fastest, HEADROOM)


def _details(name: str, score: Score, total: int) -> Iterable[Figure]:
    runs, starts = score.runs, score.starts
    cpu = median(run.cpu for run in runs) - median(run.cpu for run in starts)
    yield Figure(f"{name}: orders, start included", score.whole(total), "records/s")
    yield Figure(f"{name}: start", median(run.wall for run in starts), "s")
    yield Figure(f"{name}: CPU", cpu / (total - orders.PAGE) * 100_000, "s/100k records")
    yield Figure(f"{name}: memory", max(run.memory for run in runs), "MB peak")


def ratio(speed: Mapping[str, float], subject: str, other: str, floor: float | None) -> Figure:
    """One contender's speed beside another's, the start of both apart."""
    share = speed[subject] / speed[other]
    return Figure(f"{subject} beside {other}", speed[subject], "records/s", other, share, floor)
