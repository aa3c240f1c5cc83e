"""Requests made from the OpenAPI document, valid and not: no server error, no answer that is not in the document."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS
from starlette.requests import Request

from omnichannel_core.app import Omnichannel
from omnichannel_core.synchronous import blocking
from omnichannel_core.web import Actor, create_web
from omnichannel_core.web.actors import EVERYTHING
from omnichannel_core.web.app import API, OPERATIONS
from omnichannel_core.web.hosts.wsgi import wsgi

CASES = int(os.environ.get("OMNICHANNEL_FUZZ", "8"))
LEFT_OUT = {"watch_processes"}  # never ends, where it may run at all


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An account with a few things, behind WSGI."""

    async def ann(_: Request) -> Actor:
        return Actor(id="ann", account="acme", permissions=EVERYTHING)

    async def begin(house: Omnichannel) -> None:
        await house.accounts.add("acme")
        await house.views.create("acme", "ann", "Mine")

    with blocking(Omnichannel(tmp_path_factory.mktemp("fuzz") / "s.db", work=False)) as (house, call):
        call(begin, house)
        yield wsgi(create_web(house, resolve=ann, stream=False), call)


@pytest.fixture(scope="module")
def document(host: Any) -> Any:
    """As it is served."""
    return schemathesis.openapi.from_wsgi("/openapi.json", host)


@pytest.mark.parametrize("name", sorted(one.name for one in OPERATIONS if one.name not in LEFT_OUT))
def test_operation(document: Any, name: str) -> None:
    """Whatever is sent, the answer is one that the document names."""
    (operation,) = [one.ok() for one in document.include(operation_id=name).get_all_operations()]
    wanted = [CHECKS.get_one(one) for one in
              ("not_a_server_error", "status_code_conformance", "content_type_conformance",
               "response_schema_conformance")]  # fmt: skip

    @settings(max_examples=CASES, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @_given(operation)
    def run(case: Any) -> None:
        case.call_and_validate(checks=wanted, headers={"Accept-Encoding": "identity"})

    run()


def _given(operation: Any) -> Any:
    from hypothesis import given

    return given(case=operation.as_strategy())


def test_prefix() -> None:
    """The operations are served where the document says."""
    assert API == "/api/v1"
