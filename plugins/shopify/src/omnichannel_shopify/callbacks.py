"""What Shopify calls us for: installs and visits by the browser, webhooks by its servers (guide 2.3, 2.14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from omnichannel_core import errors
from omnichannel_core.driver import Arrived, Call, Callbacks, Changed, Left, Session
from omnichannel_shopify.client import Client, refusal
from omnichannel_shopify.credentials import SHOP, ShopifyCredentials
from omnichannel_shopify.signing import check_address, check_body, head, secrets, triggered
from omnichannel_shopify.tokens import by_visit
from omnichannel_shopify.wire import Wire, gid

ORDER_TOPICS = (
    "ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "ORDERS_EDITED", "ORDERS_PAID", "REFUNDS_CREATE",
    "RETURNS_REQUEST", "RETURNS_APPROVE", "RETURNS_DECLINE", "RETURNS_CANCEL", "RETURNS_PROCESS", "RETURNS_CLOSE",
    "RETURNS_REOPEN", "RETURNS_UPDATE", "FULFILLMENTS_CREATE", "FULFILLMENTS_UPDATE",
)  # fmt: skip
OTHER_TOPICS = (
    "APP_UNINSTALLED", "APP_SCOPES_UPDATE", "SHOP_UPDATE", "LOCATIONS_CREATE", "LOCATIONS_UPDATE", "LOCATIONS_DELETE",
    "BULK_OPERATIONS_FINISH", "METAFIELD_DEFINITIONS_CREATE", "METAFIELD_DEFINITIONS_UPDATE",
    "METAFIELD_DEFINITIONS_DELETE",
)  # fmt: skip
TOPICS = ORDER_TOPICS + OTHER_TOPICS
MODEL = frozenset({"shop", "locations", "metafield_definitions", "metaobjects"})


class Hook(Wire):
    """A subscription."""

    id: str = ""
    topic: str = ""
    uri: str = ""


async def receive(session: Session, call: Call) -> Sequence[Changed | Arrived | Left]:
    """A browser that installs or opens the app, or a delivery.

    Raises:
        CallRefused: not Shopify's for this app, or not readable.
    """
    if call.method == "GET":
        shop = check_address(session, call)
        visit = call.query.get("id_token")
        token = await by_visit(session, shop, visit) if visit else None
        return [Arrived(account=shop, fields={"shop": shop}, token=token)]  # a typed way in stays
    check_body(session, call)
    shop, topic = head(call, "shop-domain").lower(), head(call, "topic").lower()
    mine = session.get(ShopifyCredentials)
    if not SHOP.fullmatch(shop) or (mine is not None and shop != mine.shop):
        raise errors.CallRefused("The webhook is of another shop")
    return meaning(call, shop, topic, read(call.body))


def read(body: bytes) -> dict[str, Any]:
    """The payload; big ids stay exact.

    Raises:
        CallRefused: it is no JSON object.
    """
    try:
        found = msgspec.json.decode(body, type=dict[str, Any]) if body.strip() else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as cause:
        raise errors.CallRefused("The webhook's body is not readable") from cause
    return found


def meaning(call: Call, shop: str, topic: str, body: Mapping[str, Any]) -> Sequence[Changed | Arrived | Left]:
    """What to look at again. Payloads are not believed, only their ids."""
    key = head(call, "webhook-id")
    kind = topic.partition("/")[0]
    if topic == "app/uninstalled":
        return [Left(account=shop, at=triggered(call))]
    if topic == "shop/redact":
        return [Left(account=shop, at=triggered(call), erase=[])]
    if topic == "customers/redact":  # none named means none, and not all
        ids = [gid("Order", one) for one in body.get("orders_to_redact") or ()]
        return [Left(account=shop, at=triggered(call), erase=ids)] if ids else []
    if topic in ("app/scopes_update", "app/scopes-update"):
        return [Changed(account=shop, key=key)]
    if topic == "bulk_operations/finish":
        return [Changed(account=shop, stream="orders", key=key)]
    if kind in MODEL:
        return [Changed(account=shop, stream="data-model", key=key)]
    order = order_of(kind, body)
    return [Changed(account=shop, stream="orders", ids=[order], key=key)] if order else []


def order_of(kind: str, body: Mapping[str, Any]) -> str:
    """The order a payload is about, '' where it names none."""
    if kind == "orders":
        edited = body.get("order_edit")
        if isinstance(edited, Mapping):
            return gid("Order", edited.get("order_id"))
        return gid("Order", body.get("admin_graphql_api_id") or body.get("id"))
    if kind not in ("refunds", "returns", "fulfillments"):
        return ""
    order = body.get("order")
    if isinstance(order, Mapping):
        return gid("Order", order.get("admin_graphql_api_id") or order.get("id"))
    return gid("Order", body.get("order_id"))


async def subscribe(session: Session) -> None:
    """Makes it so; also daily, because Shopify deletes subscriptions after hours of trouble."""
    if not session.callback_url.startswith("https://"):
        session.log.info("Shopify calls https addresses only: changes are found by asking")
        return
    if not secrets(session):
        session.log.info("Without the API secret key no webhook can be proved: changes are found by asking")
        return
    client = Client(session)
    there = {hook.topic for hook in await hooks(client) if hook.uri == session.callback_url}
    for topic in TOPICS:
        if topic in there:
            continue
        wanted = {"uri": session.callback_url, "format": "JSON"}
        try:
            _, refused = await client.mutate(
                "Subscribe", "webhookSubscriptionCreate", repeatable=True, topic=topic, subscription=wanted
            )
        except (errors.AccessMissing, errors.RemoteRejected) as trouble:
            session.log.warning("Shopify does not take the webhook %s: %s", topic, trouble)
            continue
        if refused and "taken" not in refusal(refused):
            session.log.warning("Shopify does not take the webhook %s: %s", topic, refusal(refused))


async def hooks(client: Client) -> list[Hook]:
    """Our app's subscriptions in this shop."""
    return await client.walk("Subscriptions", Hook, ("webhookSubscriptions",), first=100)


async def unsubscribe(session: Session) -> None:
    """Takes our subscriptions back; one that is gone is fine."""
    client = Client(session)
    for hook in await hooks(client):
        if hook.uri == session.callback_url:
            await client.mutate("Unsubscribe", "webhookSubscriptionDelete", repeatable=True, id=hook.id)


CALLBACKS = Callbacks(receive=receive, subscribe=subscribe, unsubscribe=unsubscribe)
