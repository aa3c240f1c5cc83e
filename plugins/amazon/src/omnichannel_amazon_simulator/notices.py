"""Notifications API v1 and what arrives in the queue: at least once, in no order (guide 12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from omnichannel_amazon_simulator.answers import Answer, Call, Row, names, payload, reply
from omnichannel_amazon_simulator.dates import iso
from omnichannel_amazon_simulator.errors import Refused, invalid, missing
from omnichannel_amazon_simulator.order import Order
from omnichannel_amazon_simulator.order_shape import recipient
from omnichannel_amazon_simulator.report_orders import V0_STATUS
from omnichannel_amazon_simulator.routing import Routes
from omnichannel_amazon_simulator.tokens import NOTIFICATIONS

if TYPE_CHECKING:
    from omnichannel_amazon_simulator.sellers import Seller
    from omnichannel_amazon_simulator.world import World

routes = Routes()
ROOT = "/notifications/v1"
TYPES = frozenset(
    names("""
    ORDER_CHANGE FEED_PROCESSING_FINISHED REPORT_PROCESSING_FINISHED FBA_INVENTORY_AVAILABILITY_CHANGES
    LISTINGS_ITEM_STATUS_CHANGE LISTINGS_ITEM_ISSUES_CHANGE LISTINGS_ITEM_MFN_QUANTITY_CHANGE
    ITEM_INVENTORY_EVENT_CHANGE PRODUCT_TYPE_DEFINITIONS_CHANGE TRANSACTION_UPDATE
    ANY_OFFER_CHANGED""")
)
PROGRAMS = {"AMAZON_BUSINESS": "Business", "PRIME": "Prime", "PREMIUM": "Premium", "INVOICE_BY_AMAZON": "IBA"}


@dataclass(slots=True)
class Exchange:
    """Destinations of applications, subscriptions of sellers, messages in queues.

    Attributes:
        duplicates: probability that a message comes twice; `shuffled`: the queue has no order.
    """

    random: Random
    destinations: dict[str, tuple[str, Row]] = field(default_factory=dict)
    subscriptions: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    queues: dict[str, list[Row]] = field(default_factory=dict)
    duplicates: float = 0.0
    shuffled: bool = False
    count: int = 0

    def ident(self) -> str:
        self.count += 1
        return f"{self.count:08x}-0000-4000-8000-{self.random.getrandbits(48):012x}"


def emit(world: World, seller: Seller, kind: str, content: Row, version: str = "1.0") -> None:
    """Puts a notification into the queue of everyone who subscribed."""
    exchange, now = world.exchange, world.clock.now()
    for (client, owner, subscribed), row in exchange.subscriptions.items():
        if owner != seller.id or subscribed != kind:
            continue
        destination = exchange.destinations.get(row["destinationId"])
        app = world.apps.get(client)
        if destination is None or app is None or "sqs" not in destination[1]["resource"]:
            continue
        message = {
            "NotificationVersion": "1.0",
            "NotificationType": kind,
            "PayloadVersion": version,
            "EventTime": iso(now),
            "Payload": content,
            "NotificationMetadata": {
                "ApplicationId": app.application_id,
                "SubscriptionId": row["subscriptionId"],
                "PublishTime": iso(now),
                "NotificationId": exchange.ident(),
            },
        }
        queue = exchange.queues.setdefault(destination[1]["resource"]["sqs"]["arn"], [])
        queue.append(message)
        if exchange.random.random() < exchange.duplicates:
            queue.append(message)
        if exchange.shuffled:
            exchange.random.shuffle(queue)


def order_change(seller: Seller, order: Order, what: str) -> Row:
    """ORDER_CHANGE in the vocabulary of Orders API v0."""
    return {
        "OrderChangeNotification": {
            "NotificationLevel": "OrderLevel",
            "SellerId": seller.id,
            "AmazonOrderId": order.id,
            "OrderChangeType": what,
            "OrderChangeTrigger": {"TimeOfOrderChange": iso(order.updated), "ChangeReason": "Other"},
            "Summary": {
                "MarketplaceId": order.marketplace,
                "OrderStatus": V0_STATUS[order.status],
                "PurchaseDate": iso(order.created),
                "DestinationPostalCode": recipient(order)["postalCode"],
                "FulfillmentType": "AFN" if order.fulfilled_by == "AMAZON" else "MFN",
                "OrderType": "StandardOrder",
                "NumberOfItemsShipped": sum(line.shipped for line in order.lines),
                "NumberOfItemsUnshipped": sum(line.quantity - line.shipped for line in order.lines),
                "EarliestShipDate": iso(order.created),
                "LatestShipDate": iso(order.created + 86400),
                "OrderPrograms": [PROGRAMS[each] for each in order.programs if each in PROGRAMS],
                "ShippingPrograms": [],
                "OrderItems": [_item(order, number) for number in range(len(order.lines))],
            },
        }
    }


def _item(order: Order, number: int) -> Row:
    line = order.lines[number]
    return {
        "OrderItemId": line.id,
        "SellerSKU": line.sku,
        "SupplySourceId": None,
        "OrderItemStatus": "Shipped" if line.shipped == line.quantity else "Unshipped",
        "Quantity": line.quantity,
        "QuantityShipped": line.shipped,
        "IsBuyerRequestedCancel": bool(line.wish),
        "ItemPromotionIds": [],
    }


# destinations


def _destination(ident: str, found: tuple[str, Row]) -> Row:
    return {"destinationId": ident, **found[1]}


@routes("POST", f"{ROOT}/destinations", "createDestination", scope=NOTIFICATIONS)
def create_destination(call: Call) -> Answer:
    words, exchange = call.object(), call.world.exchange
    resource = words.get("resourceSpecification") or {}
    if not words.get("name") or not isinstance(resource, dict) or len(resource) != 1:
        raise invalid("name and one of sqs and eventBridge are required.")
    if "sqs" in resource and not str(resource["sqs"].get("arn", "")).startswith("arn:aws:sqs:"):
        raise invalid("arn is not the one of a queue.")
    if "eventBridge" in resource:
        resource = {
            "eventBridge": {"name": f"aws.partner/sellingpartnerapi.amazon.com/{words['name']}"}
            | resource["eventBridge"]
        }
    row = {"name": words["name"], "resource": resource}
    if any(owner == call.token.client_id and each == row for owner, each in exchange.destinations.values()):
        raise Refused(409, "Conflict", "The destination exists already.")
    ident = exchange.ident()
    exchange.destinations[ident] = (call.token.client_id, row)
    return payload(_destination(ident, exchange.destinations[ident]))


@routes("GET", f"{ROOT}/destinations", "getDestinations", scope=NOTIFICATIONS)
def destinations(call: Call) -> Answer:
    rows = call.world.exchange.destinations.items()
    return payload([_destination(ident, found) for ident, found in rows if found[0] == call.token.client_id])


def _own(call: Call) -> tuple[str, Row]:
    found = call.world.exchange.destinations.get(call.params["destinationId"])
    if found is None or found[0] != call.token.client_id:
        raise missing("The destination does not exist.")
    return found


@routes("GET", f"{ROOT}/destinations/{{destinationId}}", "getDestination", scope=NOTIFICATIONS)
def get_destination(call: Call) -> Answer:
    return payload(_destination(call.params["destinationId"], _own(call)))


@routes("DELETE", f"{ROOT}/destinations/{{destinationId}}", "deleteDestination", scope=NOTIFICATIONS)
def delete_destination(call: Call) -> Answer:
    _own(call)
    del call.world.exchange.destinations[call.params["destinationId"]]
    return reply({})


# subscriptions: with the seller's token, reading and deleting one by its id without


def _type(call: Call) -> str:
    kind = call.params["notificationType"]
    if kind not in TYPES:
        raise invalid(f"Notification type {kind} is not supported.")
    return kind


@routes("POST", f"{ROOT}/subscriptions/{{notificationType}}", "createSubscription")
def subscribe(call: Call) -> Answer:
    kind, words, exchange = _type(call), call.object(), call.world.exchange
    key = (call.token.client_id, call.seller.id, kind)
    if key in exchange.subscriptions:
        raise Refused(409, "Conflict", "A subscription of this type exists already.")
    if words.get("destinationId") not in exchange.destinations or not words.get("payloadVersion"):
        raise invalid("destinationId and payloadVersion are required.")
    row = {"subscriptionId": exchange.ident(), "payloadVersion": words["payloadVersion"]}
    row["destinationId"] = words["destinationId"]
    if words.get("processingDirective"):
        row["processingDirective"] = words["processingDirective"]
    exchange.subscriptions[key] = row
    return payload(row)


@routes("GET", f"{ROOT}/subscriptions/{{notificationType}}", "getSubscription")
def get_subscription(call: Call) -> Answer:
    row = call.world.exchange.subscriptions.get((call.token.client_id, call.seller.id, _type(call)))
    if row is None:
        raise missing("There is no subscription of this type.")
    return payload(row)


def _by_id(call: Call) -> tuple[str, str, str]:
    for key, row in call.world.exchange.subscriptions.items():
        wanted = (call.token.client_id, _type(call), call.params["subscriptionId"])
        if (key[0], key[2], row["subscriptionId"]) == wanted:
            return key
    raise missing("The subscription does not exist.")


@routes(
    "GET",
    f"{ROOT}/subscriptions/{{notificationType}}/{{subscriptionId}}",
    "getSubscriptionById",
    scope=NOTIFICATIONS,
)
def get_by_id(call: Call) -> Answer:
    return payload(call.world.exchange.subscriptions[_by_id(call)])


@routes(
    "DELETE",
    f"{ROOT}/subscriptions/{{notificationType}}/{{subscriptionId}}",
    "deleteSubscriptionById",
    scope=NOTIFICATIONS,
)
def unsubscribe(call: Call) -> Answer:
    del call.world.exchange.subscriptions[_by_id(call)]
    return reply({})
