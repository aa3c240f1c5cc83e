"""Who may pass: region, token, role, bucket, in this order (guide 3)."""

from __future__ import annotations

from omnichannel_amazon_simulator.answers import Call
from omnichannel_amazon_simulator.errors import BAD_TOKEN, EXPIRED_TOKEN, Refused, denied, nowhere, throttled
from omnichannel_amazon_simulator.marketplaces import HOSTS
from omnichannel_amazon_simulator.routing import Route
from omnichannel_amazon_simulator.tokens import Token


def admit(call: Call, route: Route | None) -> None:
    """Binds token and seller to the call, charges its bucket.

    Raises:
        Refused: 401, 403 or 429.
    """
    text = call.headers.get("x-amz-access-token")
    if route is None or not text:
        raise nowhere()
    call.operation = route.operation
    token = call.world.wallet.access.get(text)
    _alive(call, token)
    assert token is not None  # noqa: S101 - _alive refused it otherwise
    call.token = token
    if route.scope:
        if token.scope != route.scope:
            raise Refused(401, "Unauthorized", "Access to requested resource is denied.", "")
        _charge(call, token.client_id, "")
        return
    if token.grant is None:
        raise Refused(401, "Unauthorized", "Access to requested resource is denied.", "")
    call.seller = call.world.sellers[token.grant.seller_id]
    region = HOSTS.get(call.host)
    if region is not None and region != call.seller.region:
        raise denied()
    if token.resources:
        _restricted(call, token)
    if route.roles and not route.roles & token.grant.roles:
        raise denied()
    _charge(call, token.client_id, call.seller.id)


def _alive(call: Call, token: Token | None) -> None:
    """An expired token is a 403 like a revoked one; only the details differ (guide 3.1)."""
    if token is None or not token.alive:
        raise denied(BAD_TOKEN)
    if call.now >= token.expires:
        raise denied(EXPIRED_TOKEN)
    if token.grant is not None and (not token.grant.lives(call.now) or token.grant.seller_id not in call.world.sellers):
        raise denied(BAD_TOKEN)


def _restricted(call: Call, token: Token) -> None:
    """A restricted data token is good for the paths it names and for nothing else (guide 7)."""
    for method, path, _ in token.resources:
        if method == call.method and _covers(path, call.path):
            return
    raise denied()


def _covers(path: str, asked: str) -> bool:
    parts, segments = path.split("/"), asked.split("/")
    return len(parts) == len(segments) and all(
        part == segment or part.startswith("{") for part, segment in zip(parts, segments, strict=True)
    )


def _charge(call: Call, client: str, seller: str) -> None:
    """The bucket of application and seller; then the one of the application alone, where it has one.

    JSON listings feeds have a limit of their own instead (guide 3.3), see `feeds`.
    """
    if call.operation == "createFeed" and b'"JSON_LISTINGS_FEED"' in call.body:
        return
    buckets, now = call.world.buckets, call.now
    if not buckets.of(client, seller, call.operation, now).charge(now):
        raise throttled()
    app = call.world.apps.get(client)
    if app is not None and call.operation in app.rates and not buckets.of(client, "*", call.operation, now).charge(now):
        raise throttled()
