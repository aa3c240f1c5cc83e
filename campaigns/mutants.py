"""The conformance kit on mutants of a good driver: it catches at least 48 of 50, and says which it misses."""

from __future__ import annotations

import concurrent.futures
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from campaigns.figures import Figure, control
from campaigns.mutating import MUTANTS, mutated
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.testing.conformance.certifying import Verdict, certify

GOOD = Path(__file__).parents[1] / "tests" / "drivers" / "stall" / "omnichannel_stall"
BESIDE, SECONDS = 4, 400.0  # mutants at once; seconds for one
CI = 10  # mutants in a twentieth: fewer would be no sample
MOST_MISSED = 2


def run(size: float) -> Iterable[Figure]:
    """One figure: how many were missed; its control is the driver without a mutation, in which nothing is found."""
    chosen = MUTANTS if size >= 1 else MUTANTS[:: len(MUTANTS) // CI]
    with concurrent.futures.ThreadPoolExecutor(BESIDE) as pool:
        found = list(pool.map(_tried, chosen))
        healthy = _tried(None)
    caught = {mutant[0]: rule for mutant, rule in zip(chosen, found, strict=True) if rule}
    missed = [mutant[0] for mutant in chosen if mutant[0] not in caught]
    yield Figure("mutants_missed", len(missed), MOST_MISSED, details={"of": len(chosen), "missed": missed})
    yield Figure("mutants_healthy_driver_fails", bool(healthy), 0, details={"rule": healthy})
    yield control("mutants", len(caught), max(1, len(chosen) - MOST_MISSED), rules=len(set(caught.values())))


def _tried(mutant: tuple[str, str, str] | None) -> str:
    """The rule that fails first; '' when none does. In a process of its own."""
    with tempfile.TemporaryDirectory(prefix="omni-mutant-", ignore_cleanup_errors=True) as folder:
        _install(Path(folder), mutant)
        command = [sys.executable, "-m", "campaigns.mutants", folder]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=Path(__file__).parents[1]
            )
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{mutant[0] if mutant else 'the good driver'}: no verdict in {SECONDS:g} s") from None
    if done.returncode:
        raise RuntimeError(f"{mutant[0] if mutant else 'the good driver'}: {done.stderr[-600:]}")
    return str(json.loads(done.stdout.splitlines()[-1]))


def _install(site: Path, mutant: tuple[str, str, str] | None) -> None:
    package, info = site / "omnichannel_stall", site / "omnichannel_stall-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    for path in GOOD.glob("*.py"):
        text = path.read_text()
        (package / path.name).write_text(mutated(text, mutant) if mutant and path.name == "driver.py" else text)
    head = "Metadata-Version: 2.4\nName: omnichannel-stall\nVersion: 1.0\nSummary: Stall\n"
    (info / "METADATA").write_text(f"{head}Requires-Dist: omnichannel-core>=0.1\n\n")
    (info / "entry_points.txt").write_text("[omnichannel_core.drivers]\nstall = omnichannel_stall.driver\n")


def main() -> None:
    """One mutant: the folder it is in; prints the rule that fails first."""
    site = sys.argv[1]
    sys.path.insert(0, site)
    from omnichannel_stall.facts import StallFacts

    class OneLoop(StallFacts):
        """The loops differ in nothing that a mutant does."""

        loops = ("asyncio",)
        records = 200

    catalog = Catalog(lambda: metadata.distributions(path=[site]))
    found = certify(OneLoop(), catalog=catalog, stop=True)
    failed = [one for one in found.tried.values() if one.verdict is Verdict.FAILS]
    print(json.dumps(failed[0].rule if failed else ""))


if __name__ == "__main__":
    main()
