"""All orders of a seller, found by id, by time of creation, by time of change."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from typing import Any

from omnichannel_amazon_simulator.order import MOVES, Line, Order, Package, Return

Position = tuple[float, str]


class OrderBook:
    """Orders and returns. `changed` is told of every change, after it."""

    def __init__(self, changed: Callable[[Order, str], None]) -> None:
        self.orders: dict[str, Order] = {}
        self.returns: list[Return] = []
        self.changed = changed
        self._created: list[Position] = []
        self._updated: list[Position] = []

    def load(self, orders: list[Order]) -> None:
        """Many at once; nobody is told."""
        self.orders.update((order.id, order) for order in orders)
        self._created = sorted((order.created, order.id) for order in self.orders.values())
        self._updated = sorted((order.updated, order.id) for order in self.orders.values())

    def add(self, order: Order) -> None:
        self.orders[order.id] = order
        insort(self._created, (order.created, order.id))
        insort(self._updated, (order.updated, order.id))
        self.changed(order, "OrderStatusChange")

    def walk(self, by: str, after: Position, before: float) -> Iterator[tuple[Position, Order]]:
        """Orders in order of `created` or `updated`: positions above `after`, times up to `before`."""
        index = self._created if by == "created" else self._updated
        for at in range(bisect_left(index, (after[0], after[1] + "\0" if after[1] else "")), len(index)):
            position = index[at]
            if position[0] > before:
                return
            yield position, self.orders[position[1]]

    def touch(self, order: Order, now: float, what: str = "") -> None:
        """A change: `updated` is now, at least a millisecond after the one before."""
        del self._updated[bisect_left(self._updated, (order.updated, order.id))]
        order.updated = max(now, order.updated + 0.001)
        order.revision += 1
        insort(self._updated, (order.updated, order.id))
        self.changed(order, what)

    # moves

    def move(self, order: Order, status: str, now: float) -> None:
        """Another status.

        Raises:
            ValueError: the state machine has no such move.
        """
        if status not in MOVES[order.status]:
            raise ValueError(f"order {order.id}: {order.status} does not become {status}")
        order.status = status
        if status == "SHIPPED":
            order.shipped_at = now
            for line in order.lines:
                line.shipped = line.quantity
        if status == "CANCELLED":
            for line in order.lines:
                line.cancelled_by = line.cancelled_by or ("BUYER" if line.wish else "MERCHANT")
        self.touch(order, now, "OrderStatusChange")

    def pack(self, order: Order, package: Package, now: float) -> None:
        """A parcel leaves; one of the same reference is replaced."""
        packages = order.packages or []
        for old in packages:
            if old.reference == package.reference:
                self._unpack(order, old)
        order.packages = [old for old in packages if old.reference != package.reference] + [package]
        for ident, quantity in package.items.items():
            line = order.line(ident)
            if line is not None:
                line.shipped += quantity
        order.shipped_at = package.at
        order.status = "PARTIALLY_SHIPPED" if order.open() else "SHIPPED"
        self.touch(order, now, "OrderStatusChange")

    def _unpack(self, order: Order, package: Package) -> None:
        for ident, quantity in package.items.items():
            line = order.line(ident)
            if line is not None:
                line.shipped -= quantity

    def wish(self, order: Order, reason: str, now: float) -> None:
        """The buyer asks to cancel."""
        for line in order.lines:
            line.wish = reason
        self.touch(order, now, "BuyerRequestedChange")

    def come_back(self, order: Order, line: Line, now: float, **words: Any) -> Return:
        """A return of a line."""
        made = Return(order, line, words.pop("quantity", line.quantity), now, **words)
        made.rma = made.rma or f"D{len(self.returns) + 1:07d}RRMA"
        made.plate = made.plate or f"LPNHK{len(self.returns) + 1:09d}"
        self.returns.append(made)
        return made
