"""Webhook subscriptions of an app, and its own uninstall."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from omnichannel_shopify_simulator.execution import resolves
from omnichannel_shopify_simulator.requests import Request
from omnichannel_shopify_simulator.values import error, gid, number
from omnichannel_shopify_simulator.webhooks import Hook

Row = dict[str, Any]
NEEDS = (("ORDERS", "read_orders"), ("REFUNDS", "read_orders"), ("ORDER_", "read_orders"), ("RETURNS", "read_returns"),
         ("FULFILLMENT_ORDERS", "read_merchant_managed_fulfillment_orders"), ("FULFILLMENTS", "read_orders"),
         ("PRODUCTS", "read_products"), ("COLLECTIONS", "read_products"), ("INVENTORY", "read_inventory"),
         ("LOCATIONS", "read_locations"), ("CUSTOMERS", "read_customers"))  # fmt: skip
PERSONAL = ("ORDERS", "CUSTOMERS", "REFUNDS", "FULFILLMENT", "RETURNS", "ORDER_")


@resolves("QueryRoot", "webhookSubscriptions")
def subscriptions(request: Request, row: Row, args: Row) -> list[Row]:
    rows = [hook.row() for hook in request.install.hooks.values()]
    rows = [one for one in rows if not args.get("topics") or one["topic"] in args["topics"]]
    return [one for one in rows if args.get("uri") in {None, one["uri"]}]


@resolves("QueryRoot", "webhookSubscription")
def subscription(request: Request, row: Row, args: Row) -> Row | None:
    hook = request.install.hooks.get(number(args["id"]))
    return hook.row() if hook else None


def _wrong(request: Request, topic: str, words: Row, own: Hook | None) -> str:
    uri = words.get("uri") or (own.uri if own else "")
    parts = urlsplit(uri)
    if parts.scheme not in {"https", "arn", "pubsub"} or (parts.scheme == "https" and not parts.hostname):
        return "Address protocol http:// is not supported" if parts.scheme == "http" else "Address is invalid"
    if any(hook.topic == topic and hook.uri == uri and hook is not own for hook in request.install.hooks.values()):
        return "Address for this topic has already been taken"
    needed = next((scope for prefix, scope in NEEDS if topic.startswith(prefix)), "")
    if needed and needed not in request.scopes:
        return f"You are missing the {needed} scope for this topic"
    if request.install.level < 1 and topic.startswith(PERSONAL):
        return "This app is not approved to subscribe to webhook topics containing protected customer data."
    return ""


@resolves("Mutation", "webhookSubscriptionCreate")
def create(request: Request, row: Row, args: Row) -> Row:
    words, topic = args["webhookSubscription"], args["topic"]
    wrong = _wrong(request, topic, words, None)
    if wrong:
        said = error(wrong, ["webhookSubscription", "callbackUrl"])
        return {"webhookSubscription": None, "userErrors": [said]}
    made = Hook(next(request.store.hooks.numbers), topic, words["uri"], created=request.now, updated=request.now)
    _fill(made, words)
    request.install.hooks[made.number] = made
    return {"webhookSubscription": made.row(), "userErrors": []}


def _fill(hook: Hook, words: Row) -> None:
    hook.uri = words.get("uri") or hook.uri
    hook.format = words.get("format") or hook.format
    hook.include_fields = words.get("includeFields") or hook.include_fields
    hook.filter, hook.name = words.get("filter", hook.filter), words.get("name", hook.name)


@resolves("Mutation", "webhookSubscriptionUpdate")
def update(request: Request, row: Row, args: Row) -> Row:
    hook, words = request.install.hooks.get(number(args["id"])), args["webhookSubscription"]
    wrong = "Webhook subscription does not exist" if hook is None else _wrong(request, hook.topic, words, hook)
    if hook is None or wrong:
        return {"webhookSubscription": None, "userErrors": [error(wrong, ["id"])]}
    _fill(hook, words)
    hook.updated = request.now
    return {"webhookSubscription": hook.row(), "userErrors": []}


@resolves("Mutation", "webhookSubscriptionDelete")
def delete(request: Request, row: Row, args: Row) -> Row:
    if request.install.hooks.pop(number(args["id"]), None) is None:
        said = error("Webhook subscription does not exist", ["id"])
        return {"deletedWebhookSubscriptionId": None, "userErrors": [said]}
    return {"deletedWebhookSubscriptionId": gid("WebhookSubscription", number(args["id"])), "userErrors": []}


@resolves("Mutation", "appUninstall")
def uninstall(request: Request, row: Row, args: Row) -> Row:
    app = request.install.row()["app"]
    request.store.uninstall(request.install.app.client_id)
    return {"app": app, "userErrors": []}
