"""Scopes and protected customer data: what a token does not see, and how it is told (guide 2.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from omnichannel_shopify_simulator.access_table import NEEDED

MUTATIONS: dict[str, str] = {
    "bulkOperationCancel": "",
    "fulfillmentCancel": "write_merchant_managed_fulfillment_orders",
    "fulfillmentCreate": "write_merchant_managed_fulfillment_orders",
    "fulfillmentOrderHold": "write_merchant_managed_fulfillment_orders",
    "fulfillmentOrderMove": "write_merchant_managed_fulfillment_orders",
    "fulfillmentOrderReleaseHold": "write_merchant_managed_fulfillment_orders",
    "fulfillmentOrderSplit": "write_merchant_managed_fulfillment_orders",
    "fulfillmentTrackingInfoUpdate": "write_merchant_managed_fulfillment_orders",
    "inventoryActivate": "write_inventory",
    "inventoryAdjustQuantities": "write_inventory",
    "inventorySetQuantities": "write_inventory",
    "orderCancel": "write_orders",
    "orderClose": "write_orders",
    "priceListFixedPricesAdd": "write_products",
    "productDelete": "write_products",
    "productOptionsCreate": "write_products",
    "productSet": "write_products",
    "productUpdate": "write_products",
    "productVariantsBulkCreate": "write_products",
    "productVariantsBulkDelete": "write_products",
    "productVariantsBulkUpdate": "write_products",
    "publishablePublish": "write_publications",
    "refundCreate": "write_orders",
    "returnApproveRequest": "write_returns",
    "returnCancel": "write_returns",
    "returnClose": "write_returns",
    "returnDeclineRequest": "write_returns",
    "returnProcess": "write_returns",
    "returnRequest": "write_returns",
}
"""Mutation -> scope."""

GUARDED = frozenset({"Order", "Customer", "FulfillmentOrder"})
"""Objects that need level 1 of protected customer data."""

PROTECTED: dict[tuple[str, str], str] = {
    ("Customer", "displayName"): "name",
    ("Customer", "firstName"): "name",
    ("Customer", "lastName"): "name",
    ("CustomerEmailAddress", "emailAddress"): "email",
    ("CustomerPhoneNumber", "phoneNumber"): "phone",
    ("MailingAddress", "address1"): "address",
    ("MailingAddress", "address2"): "address",
    ("MailingAddress", "firstName"): "name",
    ("MailingAddress", "lastName"): "name",
    ("MailingAddress", "phone"): "phone",
    ("MailingAddress", "zip"): "address",
    ("Order", "email"): "email",
    ("Order", "phone"): "phone",
}
"""Fields of level 2 and the kind of data they hold (specs shopify: fields with `isProtected`)."""

KINDS = ("name", "address", "email", "phone")
ALL_SCOPES = frozenset(
    one for scopes in NEEDED.values() for one in scopes if not one.startswith(("read_markets", "read_quick"))
) | frozenset(scope for scope in MUTATIONS.values() if scope) | {"read_all_orders"}  # fmt: skip


def widened(scopes: Iterable[str]) -> frozenset[str]:
    """A scope to write brings the one to read along."""
    given = frozenset(scopes)
    return given | {f"read_{one.removeprefix('write_')}" for one in given if one.startswith("write_")}


def missing(kind: str, name: str, returned: str, scopes: frozenset[str]) -> str:
    """The sentence about what lacks for a field of a type, '' when nothing does."""
    if kind == "Mutation" and name in MUTATIONS:
        needed = frozenset({MUTATIONS[name]} - {""})
    else:
        needed = NEEDED.get(f"{kind}.{name}") or NEEDED.get(returned) or frozenset()
    if not needed or needed & scopes:
        return ""
    listed = " or ".join(f"`{one}` access scope" for one in sorted(needed))
    return f"Access denied for {name} field. Required access: {listed}."


def denial(message: str, path: list[Any], required: str = "") -> dict[str, Any]:
    """One entry of `errors` about access."""
    extensions = {"code": "ACCESS_DENIED", "documentation": "https://shopify.dev/api/usage/access-scopes"}
    if required:
        extensions["requiredAccess"] = required
    return {"message": message, "extensions": extensions, "path": list(path)}
