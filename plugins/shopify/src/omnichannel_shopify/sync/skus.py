"""Variants by SKU. SKUs are not unique in Shopify, and its search is not exact: answers are compared here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from omnichannel_shopify.client import Client
from omnichannel_shopify.wire import Id, Wire

PER_SEARCH = 25


class InventoryItem(Wire):
    """What stock is kept of."""

    id: str = ""
    tracked: bool = True
    duplicate_sku_count: int = 0


class Variant(Wire):
    """A variant, as a search finds it."""

    id: str = ""
    sku: str | None = None
    product: Id | None = None
    inventory_item: InventoryItem | None = None


class Place(NamedTuple):
    """Where a SKU is in the shop."""

    variant: str
    product: str
    item: str
    tracked: bool = True

    def remote(self) -> dict[str, str]:
        """As an outcome tells it, for the next time."""
        return {"variant": self.variant, "product": self.product, "item": self.item}


def quoted(text: str) -> str:
    """A search term that means this text and nothing else."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


async def places(client: Client, skus: Sequence[str]) -> Mapping[str, Place | str]:
    """SKU -> where it is, or why that cannot be said."""
    wanted = list(dict.fromkeys(sku for sku in skus if sku))
    found = dict[str, list[Variant]]()
    for start in range(0, len(wanted), PER_SEARCH):
        some = wanted[start : start + PER_SEARCH]
        query = " OR ".join(f"sku:{quoted(sku)}" for sku in some)
        for variant in await client.walk("VariantsBySku", Variant, ("productVariants",), query=query):
            found.setdefault(variant.sku or "", []).append(variant)
    return {sku: one_of(sku, found.get(sku, [])) for sku in dict.fromkeys(skus)}


def one_of(sku: str, found: Sequence[Variant]) -> Place | str:
    """The one variant of a SKU, or why there is none."""
    if not sku:
        return "A SKU is needed"
    if not found:
        return f"The shop has no variant with SKU {sku}"
    if len(found) > 1:
        return f"{len(found)} variants of the shop have SKU {sku}: make it unique"
    one = found[0]
    item = one.inventory_item or InventoryItem()
    return Place(one.id, one.product.id if one.product else "", item.id, item.tracked)


async def known(client: Client, skus: Sequence[str]) -> list[Place]:
    """Where those of the SKUs are that the shop has.

    Raises:
        ValueError: several variants have one of them.
    """
    found = (await places(client, skus)).values()
    for why in found:
        if isinstance(why, str) and not why.startswith("The shop has no"):
            raise ValueError(why)
    return [one for one in found if isinstance(one, Place)]
