"""Requests the driver sends agree with Amazon's official models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from jsonschema import Draft4Validator
from omnichannel_amazon.authorization import check
from omnichannel_amazon.sync.data_model import DATA_MODEL
from omnichannel_amazon.sync.fba import FBA
from omnichannel_amazon.sync.orders import ORDERS, fetch
from omnichannel_amazon.sync.returns import RETURNS

from omnichannel_core.driver import Ask

ROOT = Path(__file__).parents[4]
SPECS = next((one for p in ROOT.parents if (one := p / "shared/specs/amazon/models").is_dir()), None)
FILES = ("orders_2026-01-01", "reports_2021-06-30", "listingsItems_2021-08-01", "sellers",
         "definitionsProductTypes_2020-09-01")  # fmt: skip
OUTSIDE = frozenset({"token", "reportFile", "schemaFile", "feedFile", "feedResult"})
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(SPECS is None, reason="../shared/specs/amazon is not here: requests are NOT validated"),
]


@cache
def operations() -> dict[str, tuple[str, re.Pattern[str], dict[str, Any], dict[str, Any]]]:
    assert SPECS is not None
    found = {}
    for name in FILES:
        model = json.loads((SPECS / f"{name}.json").read_text())
        for path, item in model["paths"].items():
            pattern = re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))
            for method, said in item.items():
                if isinstance(said, dict) and "operationId" in said:
                    found[said["operationId"]] = (method.upper(), pattern, said, model)
    return found


def objections(ask: Ask) -> Iterator[str]:
    """What the models object to."""
    if ask.operation in OUTSIDE:
        return
    method, pattern, said, model = operations()[ask.operation]
    where = urlsplit(ask.url)
    if (ask.method, bool(pattern.fullmatch(where.path))) != (method, True):
        yield f"{ask.operation}: {ask.method} {where.path}"
    known = {one["name"] for one in said.get("parameters", []) if one.get("in") == "query"}
    given = dict(parse_qsl(where.query))
    yield from (f"{ask.operation}: no parameter {name}" for name in given if name not in known)
    for one in said.get("parameters", []):
        if one.get("in") == "query" and one.get("required") and one["name"] not in given:
            yield f"{ask.operation}: {one['name']} is missing"
        if one.get("in") == "body" and ask.body:
            schema = {**one["schema"], "definitions": model["definitions"]}
            yield from (
                f"{ask.operation}: {bad.message}" for bad in Draft4Validator(schema).iter_errors(json.loads(ask.body))
            )


async def test_requests(amazon: Callable[..., Any]):
    """Path, method, parameters and body of every request are as the models say."""
    here = amazon(orders=60, days=30, returns=0.5, fba_report_lag=0.0)
    await here.authorize()
    await check(here.session)
    for stream in (DATA_MODEL, ORDERS, FBA, RETURNS):
        await here.run(stream)
    await fetch(here.session, list(here.seller.book.orders)[:1])
    assert len({ask.operation for ask in here.session.sent}) >= 11
    wrong = {bad for ask in here.session.sent for bad in objections(ask)}
    assert not wrong, "\n".join(sorted(wrong))


def test_the_check_can_fail():
    """A parameter that does not exist and a wrong path are objected to."""
    base = "https://sellingpartnerapi-eu.amazon.com/orders/2026-01-01/order"
    assert list(objections(Ask(operation="searchOrders", method="GET", url=f"{base}?colour=red")))
