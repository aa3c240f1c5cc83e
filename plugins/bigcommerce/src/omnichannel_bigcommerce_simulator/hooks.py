"""/v3/hooks: subscriptions of the calling API account (webhooks.v3.yml, guide 1.13)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty, reply
from omnichannel_bigcommerce_simulator.deliveries import EXCEPTION, Hook
from omnichannel_bigcommerce_simulator.errors import Refused, invalid, not_found
from omnichannel_bigcommerce_simulator.paging import bounds, pagination, v3_list
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()
PER_SCOPE = 10
_SCOPE = re.compile(r"store/[A-Za-z_*0-9]+(/[A-Za-z_*0-9]+){0,5}\Z")


def _own(call: Call) -> list[Hook]:
    call.store.hooks.tick()
    return [hook for hook in call.store.hooks.hooks.values() if hook.client_id == call.token.client_id]


def _hook(call: Call) -> Hook:
    hook = next((hook for hook in _own(call) if hook.id == call.id("hook")), None)
    if hook is None:
        raise not_found("The webhook was not found")
    return hook


def _check(call: Call, words: Row, own: Hook | None) -> None:
    """Scope, an https destination on port 443, at most ten per scope, no destination twice."""
    scope, destination = words.get("scope"), words.get("destination")
    if not isinstance(scope, str) or not _SCOPE.match(scope):
        raise invalid({"scope": "scope is not valid"}, "The scope is not valid")
    parts = urlsplit(destination if isinstance(destination, str) else "")
    if parts.scheme != "https" or not parts.hostname or parts.port not in {None, 443}:
        raise invalid({"destination": "must be an https URL on port 443"}, "The destination is not valid")
    headers = words.get("headers")
    if headers is not None and not (isinstance(headers, dict) and all(isinstance(v, str) for v in headers.values())):
        raise invalid({"headers": "must be an object of texts"})
    others = [hook for hook in _own(call) if hook is not own]
    same = [hook for hook in others if hook.scope == scope]
    if any(hook.destination == destination for hook in same):
        raise invalid({"destination": "duplicate"}, "A webhook with this scope and destination exists")
    if len(same) >= (1 if scope == EXCEPTION else PER_SCOPE):
        raise invalid({"scope": f"at most {PER_SCOPE}"}, "The limit of webhooks for this scope was reached")
    if any(hook.destination == destination and EXCEPTION in {hook.scope, scope} for hook in others):
        raise invalid(
            {"destination": "duplicate"}, "The destination of delivery exceptions must differ from all others"
        )


@routes.get("/v3/hooks")
def list_hooks(call: Call) -> Answer:
    rows = [hook.row(call.store.hash) for hook in _own(call)]
    if "is_active" in call.query:
        rows = [row for row in rows if row["is_active"] is (call.query["is_active"] in {"true", "1"})]
    for name in ("scope", "destination"):
        if name in call.query:
            rows = [row for row in rows if row[name] == call.query[name]]
    return v3_list(call, rows)


@routes.post("/v3/hooks")
def add_hook(call: Call) -> Answer:
    """Unknown words, such as `events_history_enabled`, are ignored without a sound (docs#506)."""
    words = call.object()
    _check(call, words, None)
    return data(call.store.hooks.add(call.token.client_id, call.token.client_secret, words).row(call.store.hash))


@routes.get("/v3/hooks/{hook}")
def get_hook(call: Call) -> Answer:
    return data(_hook(call).row(call.store.hash))


@routes.put("/v3/hooks/{hook}")
def change_hook(call: Call) -> Answer:
    hook, words = _hook(call), call.object()
    merged = {"scope": hook.scope, "destination": hook.destination, "headers": hook.headers} | words
    _check(call, merged, hook)
    hook.scope, hook.destination, hook.headers = merged["scope"], merged["destination"], merged["headers"]
    hook.is_active = bool(words.get("is_active", hook.is_active))
    hook.updated_at = int(call.now)
    hook.last_used = call.now
    return data(hook.row(call.store.hash))


@routes.delete("/v3/hooks/{hook}")
def delete_hook(call: Call) -> Answer:
    hook = _hook(call)
    del call.store.hooks.hooks[hook.id]
    for delivery in call.store.hooks.queue.values():
        if delivery.hook is hook and delivery.state == "queued":
            delivery.state = "dropped"
    return data(hook.row(call.store.hash))


@routes.get("/v3/hooks/admin")
def get_admin(call: Call) -> Answer:
    hooks, page_limit = call.store.hooks, bounds(call)
    rows = [
        hook.row(call.store.hash) | {"status": "active" if hook.is_active else "deactivated"} for hook in _own(call)
    ]
    blocked = [
        {"destination": name, "time_left": int(domain.blocked_until - call.now), "reasons": []}
        for name, domain in hooks.domains.items()
        if hooks.blocked(name)
    ]
    meta = {"pagination": pagination(call, len(rows), len(rows), *page_limit)}
    return reply({"data": {"emails": hooks.emails, "hooks_list": rows, "blocked_domains": blocked}, "meta": meta})


@routes.put("/v3/hooks/admin")
def put_admin(call: Call) -> Answer:
    emails = call.object().get("emails")
    if not isinstance(emails, list) or not all(isinstance(each, str) and "@" in each for each in emails):
        raise Refused(422, "The emails are not valid", errors={"emails": "invalid"})
    call.store.hooks.emails = list(emails)
    return empty()
