"""What may be told to a stranger about one connection: states, ages, counts and keys. No text of anybody."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from typing import Any

from omnichannel_core import errors
from omnichannel_core.connections.door import ConnectionsDoor
from omnichannel_core.connections.failures import Failure
from omnichannel_core.connections.hub import Hub
from omnichannel_core.connections.licensing import Drivers
from omnichannel_core.connections.processing import ProcessDoor
from omnichannel_core.driver import Clock
from omnichannel_core.driver.hookspecs import HOOK_API
from omnichannel_core.model.connection import Connection
from omnichannel_core.model.process import Process
from omnichannel_core.storage import condition
from omnichannel_core.storage.store import Store

PROCESSES = 20


async def diagnose(
    account: str, connection_id: int, *, connections: ConnectionsDoor, processes: ProcessDoor, hub: Hub,
    drivers: Drivers, clock: Clock, tables: str, store: Store,
) -> dict[str, Any]:  # fmt: skip
    """JSON, chosen field by field: names, messages, reasons, remote ids and records stay here.

    Raises:
        NotFound: not in this account.
    """
    seen = await connections.get(account, connection_id)
    ran = await processes.list(account, connection=connection_id)
    failed = await hub.errors(account, connection_id)
    schedules = await connections.schedules(account, connection_id)
    pulls = await store.read(lambda tx: condition.pulls(tx, account, connection_id))
    pushes = await store.read(lambda tx: condition.pushes(tx, account, connection_id))
    offered = [one for one in await drivers.list(account) if one.name == seen.driver]
    return {
        "made_at": clock.now().isoformat(),
        "core": {"version": metadata.version("omnichannel-core"), "hook_api": HOOK_API, "tables": tables},
        "python": {"version": platform.python_version(), "system": platform.system()},
        "driver": [
            {"name": one.name, "version": one.version, "distribution": one.distribution, "compatible": one.compatible,
             "licensed": one.licensed, "installed": one.installed, "available": one.available}
            for one in offered
        ] or [{"name": seen.driver, "available": False}],
        "connection": _connection(seen),
        "schedules": [
            {"stream": one.stream, "minutes": one.minutes, "resting": one.resting, "next_at": _at(one.next_at)}
            for one in schedules
        ],
        "pulls": [
            {"stream": one.stream, "begun": one.begun, "pages": one.pages, "records": one.records, "waits": one.waits,
             "last_run_at": _at(one.last_run_at)}
            for one in pulls
        ],
        "pushes": [{"stream": stream, "state": state, "count": count} for stream, state, count in pushes],
        "limits": await _limits(drivers, account, seen.driver),
        "processes": [_process(one) for one in sorted(ran, key=lambda one: -one.id)[:PROCESSES]],
        "failures": _failures(failed),
    }  # fmt: skip


async def _limits(drivers: Drivers, account: str, driver: str) -> list[dict[str, Any]]:
    """As the driver declares them; none where it is not admitted or does not load."""
    try:
        api = (await drivers.load(account, driver)).api
    except errors.OmnichannelError:
        return []
    return [
        {"name": one.name, "rate": one.rate, "burst": one.burst, "window": one.window, "concurrent": one.concurrent,
         "per": one.per}
        for one in (api.limits if api is not None else ())
    ]  # fmt: skip


def _connection(seen: Connection) -> dict[str, Any]:
    return {
        "id": seen.id, "status": seen.status, "health": seen.health, "created_at": _at(seen.created_at),
        "last_synced_at": _at(seen.last_synced_at), "order_return_errors": seen.order_return_errors,
        "other_errors": seen.other_errors, "works": sorted(seen.works), "missing": sorted(seen.missing),
        "expires": {what: _at(at) for what, at in sorted(seen.expires.items())},
    }  # fmt: skip


def _process(one: Process) -> dict[str, Any]:
    return {
        "id": one.id, "kind": one.kind, "state": one.state, "attempts": one.attempts, "done": one.done,
        "total": one.total, "error": one.error_key, "created_at": _at(one.created_at),
        "started_at": _at(one.started_at), "finished_at": _at(one.finished_at), "run_at": _at(one.run_at),
    }  # fmt: skip


def _failures(failed: Sequence[Failure]) -> list[dict[str, Any]]:
    counted = Counter((one.stream, one.kind, one.unknown, one.retrying) for one in failed)
    return [
        {"stream": stream, "kind": kind, "unknown": unknown, "retrying": retrying, "count": count}
        for (stream, kind, unknown, retrying), count in sorted(counted.items())
    ]


def _at(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
