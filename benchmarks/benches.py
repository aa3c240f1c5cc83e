"""The table of benchmarks: a name, and a function from the plan to figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks import (
    amazon,
    bigcommerce,
    browsing,
    competing,
    controlling,
    crowding,
    growing,
    listing,
    pos,
    postgres,
    postgres_fair,
    postgres_idle,
    postgres_workers,
    quota,
    shopify,
)  # fmt: skip
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


def days(_: Plan) -> Iterable[Figure]:
    """A first import from Amazon, at its own rate: a day of simulated time."""
    return amazon.figures()


def history(plan: Plan) -> Iterable[Figure]:
    """Shopify's order history by bulk operation and page by page, also over kills."""
    return shopify.figures(plan.orders)


def shares(_: Plan) -> Iterable[Figure]:
    """How much of BigCommerce's quota two readers use, alone and beside somebody else: three windows of 30 seconds."""
    yield Figure("quota: a step that nobody competes with", quota.step(), "ms", limit=quota.STEP_MS, side="most")
    for said in quota.run():
        side: Literal["least", "most"] = "most" if "refused" in said["figure"] else "least"
        yield Figure(said["figure"], said["value"], said.get("unit", ""), limit=said.get("limit"), side=side)


def small(plan: Plan) -> Iterable[Figure]:
    """25,000 small processes on PostgreSQL (a quarter of the orders), beside Procrastinate alone."""
    return postgres.figures(plan.orders // 4, os.environ.get("OMNI_TEST_PG", ""))


def idle(_: Plan) -> Iterable[Figure]:
    """A worker on PostgreSQL with nothing to do, and 10,000 connections."""
    return postgres_idle.figures(named=os.environ.get("OMNI_TEST_PG", ""))


def workers(_: Plan) -> Iterable[Figure]:
    """Orders a second into PostgreSQL with one, two and four workers."""
    return postgres_workers.figures(named=os.environ.get("OMNI_TEST_PG", ""))


def fair(_: Plan) -> Iterable[Figure]:
    """How long quiet accounts and connections wait beside noisy ones."""
    return postgres_fair.figures(os.environ.get("OMNI_TEST_PG", ""))


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
    "amazon": days,
    "quota": shares,
    "shopify": history,
    "small": small,
    "idle": idle,
    "workers": workers,
    "fair": fair,
}
