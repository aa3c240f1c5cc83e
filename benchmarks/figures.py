"""What a benchmark says: one JSON line a figure on stdout, a table for people on stderr."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        value: in `unit`; None is void: a result did not pass the checker, or a run failed.
        against: what the ratio is to.
        ratio: None when the figure compares nothing.
        limit: what must be reached by the ratio, or by the value where there is no ratio; None: nothing must.
        side: whether the limit is the least or the most that is well.
        note: why it is void, in words.
    """

    figure: str
    value: float | None
    unit: str
    against: str = ""
    ratio: float | None = None
    limit: float | None = None
    side: Literal["least", "most"] = "least"
    note: str = ""

    @property
    def ok(self) -> bool:
        """Not void, and within its limit."""
        if self.value is None:
            return False
        if self.limit is None:
            return True
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.limit if self.side == "least" else measured <= self.limit

    def line(self) -> str:
        """The figure as one line of JSON."""
        said = {**asdict(self), "ok": self.ok}
        for key in ("value", "ratio"):
            said[key] = said[key] if said[key] is None else round(said[key], 4)
        return json.dumps(said)


class Report:
    """Gathers figures, says each at once, and the table at the end."""

    def __init__(self) -> None:
        self._figures: list[Figure] = []

    def add(self, figure: Figure) -> None:
        self._figures.append(figure)
        print(figure.line(), flush=True)

    def close(self) -> bool:
        """Prints the table; whether there are figures and all are well."""
        for each in self._figures:
            value = "void" if each.value is None else f"{each.value:,.1f}"
            ratio = "" if each.ratio is None else f"{each.ratio:.2f} x {each.against}"
            sign = "" if each.limit is None else f"{'>=' if each.side == 'least' else '<='} {each.limit:g}"
            verdict = "ok" if each.ok else f"MISSED {each.note}"
            print(f"{each.figure:<36} {value:>14} {each.unit:<14} {ratio:<28} {sign:<9} {verdict}", file=sys.stderr)
        return bool(self._figures) and all(each.ok for each in self._figures)


def say(text: str) -> None:
    """Progress, for people."""
    print(text, file=sys.stderr, flush=True)
