"""A dump of a store on PostgreSQL that comes back after more was sent: nothing is doubled at the remote."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from omnichannel_core.driver import Accepted, Batch, Later, Outcome, Wait
from omnichannel_core.records import Shipment
from omnichannel_core.storage import hub, migrations, outbox
from omnichannel_core.storage.store import Store
from omnichannel_core.testing import postgres

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("backing", ["postgresql"], indirect=True)]


def dumped(server: postgres.Server, url: sa.URL, file: Path) -> None:
    """As an operator would."""
    command = [server.program("pg_dump"), "--format=custom", f"--file={file}", postgres.dsn(url)]
    subprocess.run(command, check=True, capture_output=True)


def restored(server: postgres.Server, file: Path) -> sa.URL:
    """Into a new database."""
    url = server.database()
    command = [server.program("pg_restore"), "--exit-on-error", f"--dbname={postgres.dsn(url)}", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    return url


def shipment(name: str) -> Shipment:
    """Of the only order's only line."""
    return Shipment(id=name, order_id="1", lines={"7": Decimal(1)})


@pytest.mark.parametrize(("told", "arrived"), [(True, ["s1", "s2", "s3"]), (False, ["s1", "s2", "s3", "s1", "s2"])])
async def test_a_backup_comes_back(
    house: Any, store: Store, postgres_server: postgres.Server, tmp_path: Path, told: bool, arrived: list[str]
) -> None:
    """After `restored` what had arrived is found there and what had not is sent once; without it, it is sent twice."""
    remote: list[str] = []

    async def push(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        remote.extend(item.record.id for item in batch.items)
        return {item.key: Accepted() for item in batch.items}

    async def settle(_: Any, batch: Batch[Any]) -> Mapping[str, Outcome]:
        return {item.key: Accepted() if item.record.id in remote else Later(Wait(1.0)) for item in batch.items}

    house.stream("shipments", Shipment, push, settle=settle)
    house.orders("1")
    await house.queue("shipments", shipment("s1"), shipment("s2"))
    dumped(postgres_server, store.url, tmp_path / "dump")
    await house.until_quiet("shipments")
    assert remote == ["s1", "s2"]

    again, back = copy.copy(house), restored(postgres_server, tmp_path / "dump")
    again.store = Store(back.render_as_string(hide_password=False), tmp_path / "again")
    again.store.open()
    migrations.ensure(again.store)
    try:
        if told:
            await again.store.write(lambda tx: outbox.restored(tx, None, again.clock.now()))
        again.orders("1")
        await again.queue("shipments", shipment("s3"))
        await again.until_quiet("shipments")
        assert sorted(remote) == sorted(arrived)
        kept = await again.store.read(lambda tx: hub.search(tx, "a", hub.Found(kind="Order"), None, 10))
        assert len(kept) == 1
    finally:
        again.store.close()
        postgres_server.drop(again.store.url)
