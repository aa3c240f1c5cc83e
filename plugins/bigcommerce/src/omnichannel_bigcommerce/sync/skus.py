"""Where a SKU lives: a product, or a variant of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from omnichannel_bigcommerce.client import Client


class Place(NamedTuple):
    """A product, and its variant where the SKU is one's; `variant` 0 is the product itself."""

    product: int
    variant: int = 0

    def remote(self) -> dict[str, str]:
        """As it is remembered for the next push."""
        return {"product": str(self.product), "variant": str(self.variant)}


def remembered(remote: Mapping[str, str]) -> Place | None:
    """What an earlier push told."""
    product, variant = remote.get("product", ""), remote.get("variant", "0")
    return Place(int(product), int(variant)) if product.isdigit() and variant.isdigit() else None


async def look(client: Client, sku: str) -> Place | None:
    """Asks BigCommerce: variants first, as a simple product's base variant bears its SKU too."""
    if not sku:
        return None
    variant = await client.variant_by_sku(sku)
    if variant is not None and variant.product_id:
        return Place(variant.product_id, variant.id if variant.option_values else 0)
    product = await client.product_by_sku(sku)
    return Place(product.id) if product is not None else None
