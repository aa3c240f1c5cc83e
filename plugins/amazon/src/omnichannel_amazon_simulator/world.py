"""Everything the simulator knows: applications, sellers, tokens, buckets, the clock, faults, the log of requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, fields
from functools import partial
from random import Random
from typing import Any

from omnichannel_amazon_simulator import notices
from omnichannel_amazon_simulator.documents import Documents
from omnichannel_amazon_simulator.faults import Fault
from omnichannel_amazon_simulator.rates import Buckets
from omnichannel_amazon_simulator.sellers import Options, Seller
from omnichannel_amazon_simulator.tokens import App, Wallet
from omnichannel_core.testing.simulated.clock import Clock
from omnichannel_core.testing.simulated.faults import Faults


@dataclass(slots=True)
class Entry:
    """One request that came in; `token` is the last four characters of what it showed."""

    at: float
    seller: str
    method: str
    path: str
    query: str
    operation: str
    status: int
    token: str
    host: str
    fault: str = ""


class World:
    """State of one simulator; tests reach it as `app.state.world`."""

    def __init__(self, clock: Clock, seed: int, log: int) -> None:
        self.clock, self.seed = clock, seed
        self.log: deque[Entry] = deque(maxlen=log)
        self.faults = Faults(Fault)
        self.reset()

    def reset(self) -> None:
        """Forgets everything but the clock."""
        self.random = Random(self.seed)
        self.wallet = Wallet(self.random)
        self.buckets = Buckets()
        self.documents = Documents(self.random)
        self.exchange = notices.Exchange(self.random)
        self.apps: dict[str, App] = {}
        self.sellers: dict[str, Seller] = {}
        self.signed_in = ""
        self.requests = 0
        self.faults.orders.clear()
        self.log.clear()

    def add_app(self, words: dict[str, Any]) -> App:
        """A registered application.

        Raises:
            ValueError, TypeError: a field that does not fit.
        """
        app = App(**words)
        self.apps[app.client_id] = app
        for operation, (rate, burst) in app.rates.items():
            self.buckets.rates[f"*/{operation}"] = (rate, burst)
        return app

    def open_seller(self, words: dict[str, Any]) -> Seller:
        """A new selling account.

        Raises:
            ValueError: an option that does not exist, or an id that does already.
        """
        known = {each.name for each in fields(Options)}
        unknown = words.keys() - known
        if unknown or not words.get("seller_id"):
            name = min(unknown) if unknown else "seller_id"
            raise ValueError(f"seller: no such option {name!r}; there are {', '.join(sorted(known))}")
        options = Options(**words)
        if options.seller_id in self.sellers:
            raise ValueError(f"seller: {options.seller_id} exists already")
        seller = self.sellers[options.seller_id] = Seller(options, self.clock, self.seed)
        seller.listeners.append(partial(notices.emit, self, seller))
        return seller

    def settle(self) -> None:
        """Lets happen what is due."""
        now = self.clock.now()
        for seller in self.sellers.values():
            seller.agenda.settle(now)
