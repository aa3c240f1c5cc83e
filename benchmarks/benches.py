"""The table of benchmarks: a name, and a function from the plan to figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks import bigcommerce, browsing, competing, controlling, crowding, growing, listing, pos, quota
from benchmarks.figures import Figure


@dataclass(frozen=True)
class Plan:
    """The size of a run."""

    orders: int
    runs: int
    contenders: tuple[str, ...]


def contest(plan: Plan) -> Iterable[Figure]:
    """All orders, end to end, by every contender."""
    return competing.figures(competing.compete(plan.contenders, plan.orders, plan.runs), plan.orders)


def control(_: Plan) -> Iterable[Figure]:
    """The checker fails where it must."""
    return controlling.control()


def connections(_: Plan) -> Iterable[Figure]:
    """The list of connections, filtered and sorted, as people use it."""
    for said in listing.run():
        note = "; ".join(f"{key} {said[key]}" for key in ("column", "operator", "slowest") if key in said)
        yield Figure(said["figure"], said["value"], "ms", limit=said.get("budget"), side="most", note=note)


def pages(_: Plan) -> Iterable[Figure]:
    """The admin pages, as a browser gets them."""
    return browsing.figures()


def crowd(_: Plan) -> Iterable[Figure]:
    """A thousand connections, 200 ms a page."""
    return crowding.figures()


def memory(plan: Plan) -> Iterable[Figure]:
    """Ten times the orders, the same memory."""
    return growing.memory(plan.orders)


def again(_: Plan) -> Iterable[Figure]:
    """A synchronize with nothing new."""
    return growing.nothing_new(5000)


def store(_: Plan) -> Iterable[Figure]:
    """BigCommerce's own pull."""
    return bigcommerce.figures()


def tills(_: Plan) -> Iterable[Figure]:
    """A year of closings of one point of sale."""
    return pos.figures()


def shares(_: Plan) -> Iterable[Figure]:
    """How much of BigCommerce's quota two readers use, alone and beside somebody else: three windows of 30 seconds."""
    for said in quota.run():
        side: Literal["least", "most"] = "most" if "refused" in said["figure"] else "least"
        yield Figure(said["figure"], said["value"], said.get("unit", ""), limit=said.get("limit"), side=side)


BENCHES: Mapping[str, Callable[[Plan], Iterable[Figure]]] = {
    "control": control,
    "contest": contest,
    "list": connections,
    "pages": pages,
    "crowd": crowd,
    "memory": memory,
    "again": again,
    "bigcommerce": store,
    "pos": tills,
    "quota": shares,
}
