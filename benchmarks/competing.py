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

from benchmarks import peers
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
        Contender("handwritten", "handwritten", "sqlite", "result.db", floor=2.5),
        Contender("dlt", "dlt_rest", "duckdb", "result.duckdb", peer=True, floor=8, extra=QUIET_DLT),
        Contender("airbyte", "airbyte", "jsonlines", "output.txt", peer=True, floor=4, extra={"DO_NOT_TRACK": "true"}),
    )
}


def entered(names: Sequence[str] | None) -> tuple[str, ...]:
    """The contenders of a run, in the table's order; the null client always takes part, to show the headroom."""
    return tuple(name for name in CONTENDERS if not names or name in names or name == "null")


@dataclass
class Score:
    """What a contender's runs came to; `wrong` says why its figure is void."""

    runs: list[Run]
    wrong: str = ""


def compete(names: Sequence[str], total: int, times: int) -> dict[str, Score]:
    """Interleaved runs: each contender once a round. Every result is checked against the generator's own truth."""
    scores = {name: Score([]) for name in names}
    truth = held("truth", str(total), sys.executable)
    pythons = {name: CONTENDERS[name].python() for name in names}
    with serving(total) as served:
        for turn in range(times):
            for name in names:
                contender, score = CONTENDERS[name], scores[name]
                if score.wrong:
                    continue
                with TemporaryDirectory(prefix=f"bench-{name}-") as folder:
                    command = [pythons[name], "-m", f"benchmarks.contenders.{contender.module}", served.url]
                    try:
                        once = run(command, Path(folder), contender.extra)
                        score.wrong = compare(contender, pythons[name], Path(folder), truth)
                    except ContenderFailed as failure:
                        score.wrong = str(failure)
                        say(f"{name}: {failure}")
                        continue
                score.runs.append(once)
                said = f"{once.wall:.2f} s wall, {once.cpu:.2f} s CPU, {once.memory:.0f} MB"
                say(f"run {turn + 1} {name}: {said} {score.wrong}")
    return scores


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
    speed = {
        name: total / median(run.wall for run in score.runs)
        for name, score in scores.items()
        if score.runs and not score.wrong
    }
    for name, score in scores.items():
        reason = score.wrong[:300]
        yield Figure(f"{name}: orders", speed.get(name), "records/s", note=reason)
        if name in speed:
            yield Figure(f"{name}: CPU", median(run.cpu for run in score.runs) / total * 100_000, "s/100k records")
            yield Figure(f"{name}: memory", max(run.memory for run in score.runs), "MB peak")
    if SUBJECT in speed:
        for name in speed.keys() - {SUBJECT, "null"}:
            yield ratio(speed, SUBJECT, name, CONTENDERS[name].floor)
    fastest = max((name for name in speed if name != "null"), key=speed.__getitem__, default="")
    if "null" in speed and fastest:
        yield ratio(speed, "null", fastest, HEADROOM)


def ratio(speed: Mapping[str, float], subject: str, other: str, floor: float | None) -> Figure:
    """One contender's speed beside another's."""
    share = speed[subject] / speed[other]
    return Figure(f"{subject} beside {other}", speed[subject], "records/s", other, share, floor)
