"""Application Management API 2023-11-30: a new client secret, told by the queue only (guide 2.4)."""

from __future__ import annotations

from omnichannel_amazon_simulator.answers import Answer, Call, empty
from omnichannel_amazon_simulator.dates import iso
from omnichannel_amazon_simulator.routing import Routes
from omnichannel_amazon_simulator.tokens import ROTATION

routes = Routes()
OVERLAP = 7 * 86400.0


@routes("POST", "/applications/2023-11-30/clientSecret", "rotateApplicationClientSecret", scope=ROTATION)
def rotate(call: Call) -> Answer:
    """The old secret goes on for seven days; the new one arrives in every queue of the application."""
    app, exchange = call.world.apps[call.token.client_id], call.world.exchange
    app.rotate(f"amzn1.oa2-cs.v1.{call.world.random.getrandbits(128):032x}", OVERLAP, call.now)
    message = {
        "NotificationVersion": "1.0",
        "NotificationType": "APPLICATION_OAUTH_CLIENT_NEW_SECRET",
        "PayloadVersion": "2021-11-01",
        "EventTime": iso(call.now),
        "Payload": {
            "applicationOAuthClientNewSecret": {
                "clientId": app.client_id,
                "newClientSecret": app.client_secret,
                "newClientSecretExpiryTime": iso(call.now + 180 * 86400),
                "oldClientSecretExpiryTime": iso(call.now + OVERLAP),
            }
        },
    }
    for owner, row in exchange.destinations.values():
        if owner == app.client_id and "sqs" in row["resource"]:
            exchange.queues.setdefault(row["resource"]["sqs"]["arn"], []).append(message)
    return empty()
