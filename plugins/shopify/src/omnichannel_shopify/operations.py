"""Every operation the driver sends, by its name. A test validates each against the official schema.

Page sizes are variables (`$first`), so that a page which costs too much can be halved. Nested connections say whether
they have more; lists without a cursor are asked for in full and counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from omnichannel_shopify import catalog_operations, fulfillment_operations, order_operations, return_operations

NAME = re.compile(r"(?:query|mutation) (\w+)")


def named(*texts: str) -> Mapping[str, str]:
    """Texts of one operation each, by its name."""
    return {NAME.findall(text)[0]: text for text in texts}


CHECK = """
query ConnectionCheck {
  shop {
    id name myshopifyDomain currencyCode enabledPresentmentCurrencies ianaTimezone taxesIncluded weightUnit
    plan { publicDisplayName partnerDevelopment shopifyPlus }
  }
  currentAppInstallation { id app { id title handle } accessScopes { handle } }
}
"""
PROBE = """
query CustomerDataProbe {
  orders(first: 1, sortKey: UPDATED_AT, reverse: true) {
    nodes { id email phone shippingAddress { address1 } customer { id firstName } }
  }
}
"""
HOOKS = """
query Subscriptions($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) {
    nodes { id topic uri } pageInfo { hasNextPage endCursor }
  }
}
"""
SUBSCRIBE = """
mutation Subscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""
UNSUBSCRIBE = """
mutation Unsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}
"""
UNINSTALL = "mutation Uninstall { appUninstall { app { id } userErrors { field message } } }"

OPERATIONS: Mapping[str, str] = named(
    CHECK, PROBE, HOOKS, SUBSCRIBE, UNSUBSCRIBE, UNINSTALL,
    *order_operations.TEXTS,
    *return_operations.TEXTS,
    *fulfillment_operations.TEXTS,
    *catalog_operations.TEXTS,
)  # fmt: skip
