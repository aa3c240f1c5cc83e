"""Everything the simulator knows: shops, apps, the clock, faults, the log of requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields
from random import Random
from typing import Any

from omnichannel_core.testing.simulated.clock import Clock
from omnichannel_core.testing.simulated.faults import Faults
from omnichannel_shopify_simulator.faults import Fault
from omnichannel_shopify_simulator.installs import App
from omnichannel_shopify_simulator.store import Options, Store


@dataclass(slots=True)
class Entry:
    """One request that came in; `operation` is a GraphQL operation's name, "token" or "bulk_file"."""

    at: float
    shop: str
    method: str
    path: str
    operation: str
    status: int
    token: str  # the last four characters
    code: str = ""
    fault: str = ""
    cost: float = 0.0


class World:
    """State of one simulator; tests reach it as `app.state.world`."""

    def __init__(self, clock: Clock, seed: int, log: int) -> None:
        self.clock = clock
        self.random = Random(seed)
        self.faults = Faults(Fault)
        self.stores: dict[str, Store] = {}
        self.apps: dict[str, App] = {}
        self.codes: dict[str, tuple[str, str, frozenset[str], float]] = {}
        self.log: deque[Entry] = deque(maxlen=log)

    def secret(self, prefix: str) -> str:
        """A new token or code."""
        return f"{prefix}{self.random.getrandbits(128):032x}"

    def open_store(self, **words: Any) -> Store:
        """A new shop.

        Raises:
            ValueError: an option that does not exist, or a shop that does already.
        """
        known = {each.name for each in fields(Options)}
        unknown = words.keys() - known
        if unknown or not words.get("shop"):
            raise ValueError(
                f"store: no such option {min(unknown) if unknown else 'shop'!r}; there are {', '.join(sorted(known))}"
            )
        words["shop"] = words["shop"].removesuffix(".myshopify.com")
        options = Options(**words)
        if options.shop in self.stores:
            raise ValueError(f"store: {options.shop} exists already")
        store = self.stores[options.shop] = Store(options, self.clock)
        return store

    def at_host(self, host: str) -> Store | None:
        name, dot, rest = host.partition(":")[0].removesuffix(".localhost").partition(".")
        return self.stores.get(name) if dot and rest == "myshopify.com" else None

    def reset(self) -> None:
        self.stores.clear()
        self.apps.clear()
        self.codes.clear()
        self.faults.orders.clear()
        self.log.clear()
