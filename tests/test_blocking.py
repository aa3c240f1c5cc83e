"""The house for hosts that cannot await."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.model.process import State
from omnichannel_core.synchronous import blocking

TYPED = {"shop": "a", "secret": "hush-echo"}
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@BACKENDS
def test_main_job(open_house: Any, shop: Any, backend: str) -> None:
    """A blocking host creates, follows and sees a connection; errors come as they are."""
    with blocking(open_house(), backend=backend) as (house, call):
        call(open_house.settle, house)
        saved = call(house.connections.create, "acme", "echo", "Shop", TYPED)
        assert saved.process is not None
        assert call(house.processes.run_to_end, "acme", saved.process.id).state is State.SUCCEEDED
        with pytest.raises(errors.NotFound):
            call(house.connections.get, "acme", 99)
        assert [one.name for one in call(house.connections.list, "acme")] == ["Shop"]


@BACKENDS
def test_works_by_itself_and_leaves_no_thread(open_house: Any, shop: Any, backend: str) -> None:
    """A house that works runs what is queued; afterwards its loop's thread is gone, and it may be opened again."""
    house = open_house(work=True)
    for number in (1, 2):
        with blocking(house, backend=backend) as (opened, call):
            if number == 1:
                call(open_house.settle, opened)
            saved = call(opened.connections.create, "acme", "echo", "Shop", TYPED)
            assert saved.process is not None
            assert call(opened.processes.wait, "acme", saved.process.id, 30.0).state is State.SUCCEEDED
    assert not [one for one in threading.enumerate() if "portal" in one.name.lower()]


@BACKENDS
def test_many_threads(open_house: Any, shop: Any, backend: str) -> None:
    """Threads of a host share one house."""
    with blocking(open_house(), backend=backend) as (house, call):
        call(open_house.settle, house)
        found: list[int] = []
        threads = [
            threading.Thread(
                target=lambda: found.append(call(house.connections.create, "acme", "echo", "Shop", TYPED).connection.id)
            )
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [1, 2, 3, 4, 5, 6]
