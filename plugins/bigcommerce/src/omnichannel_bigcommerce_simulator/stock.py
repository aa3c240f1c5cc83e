"""Stock by location: tracking modes, absolute before relative, safety stock, and reads that lag behind writes (guide
1.15).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from omnichannel_bigcommerce_simulator.catalog import Catalog, Product
from omnichannel_bigcommerce_simulator.errors import Refused
from omnichannel_core.testing.simulated.clock import Clock

Row = dict[str, Any]
Key = tuple[int, int]  # (location id, variant id; minus the product id where the product is tracked)


@dataclass(slots=True)
class Level:
    """Stock of one thing at one location; on hand = available + safety stock."""

    available: int = 0
    safety: int = 0
    warning: int = 0
    bin: str = ""
    in_stock: bool = True


def refused(title: str, errors: Row | None = None, status: int = 422) -> Refused:
    return Refused(status, title, errors=errors or {}, problem=True)


class Stock:
    """Levels, and what was written but cannot be read yet."""

    def __init__(self, catalog: Catalog, clock: Clock, lag: float) -> None:
        self.catalog, self.clock, self.lag = catalog, clock, lag
        self.levels: dict[Key, Level] = {}
        self._pending: list[tuple[float, Key, int]] = []
        self._written: dict[Key, int] = {}

    def settle(self) -> None:
        """Makes readable what is old enough."""
        now = self.clock.now()
        while self._pending and self._pending[0][0] <= now:
            _, key, available = self._pending.pop(0)
            self.levels.setdefault(key, Level()).available = available

    def write(self, key: Key, available: int) -> None:
        self._written[key] = available
        if self.lag:
            self._pending.append((self.clock.now() + self.lag, key, available))
        else:
            self.levels.setdefault(key, Level()).available = available

    def current(self, key: Key) -> int | None:
        """What was written last, readable or not; None when nothing ever was (relative writes are refused then)."""
        return self._written.get(key)

    def subject(self, item: Row) -> int:
        """The second half of a key: what an item of an adjustment means.

        Raises:
            Refused: 422 in the words of guide 1.15, quoting the identity.
        """
        catalog = self.catalog
        if "variant_id" in item:
            found = catalog.variants.get(item["variant_id"])
            if found is None:
                raise refused(f"[Item with variant_id {item['variant_id']} was not found]")
            return self._by_variant(found[0], item["variant_id"], f"variant_id {item['variant_id']}")
        if "product_id" in item:
            product = catalog.products.get(item["product_id"])
            if product is None:
                raise refused(f"[Item with product_id {item['product_id']} was not found]")
            return self._by_product(product, f"product_id {item['product_id']}")
        owner = catalog.skus.get(str(item.get("sku", "")).lower())
        if owner is None:
            raise refused(f"[Item with sku {item.get('sku')} was not found]")
        product = catalog.products[owner[0]]
        if product.row["inventory_tracking"] == "variant":
            return self._by_variant(product, owner[1], f"sku {item['sku']}")
        return self._by_product(product, f"sku {item['sku']}")

    def _by_variant(self, product: Product, variant: int, name: str) -> int:
        mode = product.row["inventory_tracking"]
        if mode == "product":
            raise refused(f"[Item with {name} is tracked by product, please update stock by product id]")
        if mode == "none":
            raise refused(f"[Item with {name} is not tracked, please enable inventory tracking first]")
        return variant

    def _by_product(self, product: Product, name: str) -> int:
        mode = product.row["inventory_tracking"]
        if mode == "variant":
            raise refused(f"[Item with {name} is tracked by variant, please update stock by variant id]")
        if mode == "none":
            raise refused(f"[Item with {name} is not tracked, please enable inventory tracking first]")
        return -product.id

    def at(self, location: int, product: Product, variant: Row) -> Level:
        """What can be read now."""
        self.settle()
        key = variant["id"] if product.row["inventory_tracking"] == "variant" else -product.id
        return self.levels.get((location, key), Level())

    def variant_total(self, product: Product, variant: Row) -> int:
        self.settle()
        if product.row["inventory_tracking"] != "variant":
            return self._total(-product.id)
        return self._total(variant["id"])

    def product_total(self, product: Product) -> int:
        """Catalog reads show the total over locations (guide 1.15)."""
        if product.row["inventory_tracking"] == "variant":
            return sum(self.variant_total(product, variant) for variant in product.variants)
        self.settle()
        return self._total(-product.id)

    def _total(self, subject: int) -> int:
        return sum(level.available for (_, key), level in self.levels.items() if key == subject) if self.levels else 0

    def from_catalog(self, product: Product, words: Row, now: float) -> None:
        """Inventory fields sent to the catalog are routed to the default location."""
        if "inventory_level" in words and product.row["inventory_tracking"] == "product":
            self.write((1, -product.id), int(words["inventory_level"]))
        for variant, given in zip(product.variants, words.get("variants", []), strict=False):
            self.from_variant(product, variant, given, now)

    def from_variant(self, product: Product, variant: Row, words: Row, now: float) -> None:
        if "inventory_level" in words and product.row["inventory_tracking"] == "variant":
            self.write((1, variant["id"]), int(words["inventory_level"]))
