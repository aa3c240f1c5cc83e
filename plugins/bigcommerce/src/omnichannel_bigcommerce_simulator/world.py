"""Everything the simulator knows: stores, apps, the clock, faults, the log of requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields
from random import Random
from typing import Any

from omnichannel_bigcommerce_simulator.apps import App, Code
from omnichannel_bigcommerce_simulator.faults import Fault
from omnichannel_bigcommerce_simulator.store import Options, Store
from omnichannel_bigcommerce_simulator.store_information import furnish
from omnichannel_bigcommerce_simulator.tokens import Token
from omnichannel_core.testing.simulated.clock import Clock
from omnichannel_core.testing.simulated.faults import Faults

Row = dict[str, Any]


@dataclass(slots=True)
class Entry:
    """One request that came in."""

    at: float
    store: str
    method: str
    path: str
    query: str
    operation: str
    status: int
    token: str  # the last four characters
    fault: str = ""


class World:
    """State of one simulator; tests reach it as `app.state.world`."""

    def __init__(self, clock: Clock, seed: int, log: int) -> None:
        self.clock = clock
        self.random = Random(seed)
        self.faults = Faults(Fault)
        self.stores: dict[str, Store] = {}
        self.apps: dict[str, App] = {}
        self.codes: dict[str, Code] = {}
        self.log: deque[Entry] = deque(maxlen=log)

    def open_store(self, **words: Any) -> Store:
        """A new store, with a first API account when `token` is given.

        Raises:
            ValueError: an option that does not exist, or a hash that does already.
        """
        known = {each.name for each in fields(Options)}
        unknown = words.keys() - known
        if unknown or not words.get("hash"):
            raise ValueError(
                f"store: no such option {min(unknown) if unknown else 'hash'!r}; there are {', '.join(sorted(known))}"
            )
        options = Options(**words)
        if options.hash in self.stores:
            raise ValueError(f"store: {options.hash} exists already")
        store = Store(options, self.clock)
        furnish(store)
        self.stores[options.hash] = store
        if options.token:
            scopes = None if options.scopes is None else frozenset(options.scopes)
            client = options.client_id or f"account-{options.hash}"
            store.admit(Token(options.token, client, options.client_secret, scopes))
        return store

    def reset(self) -> None:
        self.stores.clear()
        self.apps.clear()
        self.codes.clear()
        self.faults.orders.clear()
        self.log.clear()
