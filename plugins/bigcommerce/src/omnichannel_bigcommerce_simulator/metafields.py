"""Metafields of orders, products, variants, brands, locations: per resource and over all of a kind (orders.v3.yml,
catalog/*).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty, reply
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.errors import TYPE_URL, Refused, invalid, not_found, too_many
from omnichannel_bigcommerce_simulator.paging import chosen, v3_list
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]

PERMISSIONS = ("app_only", "read", "write", "read_and_sf_access", "write_and_sf_access")
LENGTHS = {"namespace": 64, "key": 64, "value": 65_535, "description": 255}
PER_RESOURCE = 250  # per resource and client id (guide 1.14)
BATCH = 10


class Metafields:
    """All metafields of a store, by id."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self._ids = count(1)

    def seen_by(self, client_id: str, kind: str, resource: int | None = None) -> list[Row]:
        """Own ones, and others' unless they are `app_only`."""
        return [
            row
            for row in self.rows.values()
            if row["resource_type"] == kind
            and (resource is None or row["resource_id"] == resource)
            and (row["owner_client_id"] == client_id or row["permission_set"] != "app_only")
        ]

    def add(self, client_id: str, kind: str, resource: int, words: Row, now: float) -> Row:
        """Raises Refused: 422 for words missing or too long, 409 for a key that is there already, 422 over the cap."""
        check(words, whole=True)
        own = [r for r in self.rows.values() if r["resource_type"] == kind and r["resource_id"] == resource]
        own = [row for row in own if row["owner_client_id"] == client_id]
        if any((row["namespace"], row["key"]) == (words["namespace"], words["key"]) for row in own):
            raise Refused(409, "The metafield already exists", errors={"key": "duplicate namespace and key"})
        if len(own) >= PER_RESOURCE:
            raise invalid({}, f"The limit of {PER_RESOURCE} metafields was reached")
        row = {
            "id": next(self._ids),
            "key": words["key"],
            "value": words["value"],
            "namespace": words["namespace"],
            "permission_set": words["permission_set"],
            "description": words.get("description", ""),
            "resource_type": kind,
            "resource_id": resource,
            "date_created": iso(now),
            "date_modified": iso(now),
            "owner_client_id": client_id,
        }
        self.rows[row["id"]] = row
        return row

    def change(self, client_id: str, row: Row, words: Row, now: float) -> Row:
        check(words, whole=False)
        if row["owner_client_id"] != client_id and not row["permission_set"].startswith("write"):
            raise Refused(403, "You do not have permission to change this metafield", errors={})
        row |= {
            key: words[key] for key in ("key", "value", "namespace", "permission_set", "description") if key in words
        }
        row["date_modified"] = iso(now)
        return row


def check(words: Any, *, whole: bool) -> None:
    """Raises Refused: 422 with the fields at fault."""
    if not isinstance(words, dict):
        raise invalid({"": "object expected"})
    wrong: Row = {}
    if whole:
        wrong = {
            key: "error.path.missing" for key in ("permission_set", "namespace", "key", "value") if key not in words
        }
    for key, most in LENGTHS.items():
        if key in words and (
            not isinstance(words[key], str) or len(words[key]) > most or (not words[key] and key != "description")
        ):
            wrong[key] = f"{key} must be a text of 1 to {most} characters"
    if "permission_set" in words and words["permission_set"] not in PERMISSIONS:
        wrong["permission_set"] = "error.enum"
    if wrong:
        raise invalid(wrong)


def filtered(call: Call, rows: list[Row]) -> list[Row]:
    for name in ("key", "namespace"):
        words = call.words(f"{name}:in") | call.words(name)
        if words:
            rows = [row for row in rows if row[name] in words]
    least = call.date("date_modified:min")
    if least is not None:
        rows = [row for row in rows if row["date_modified"] >= iso(least)]
    return rows


def register(
    routes: Routes,
    root: str,
    kind: str,
    scope: str,
    exists: Callable[[Call, int], None],
    above: str = "",
    over: str = "",
) -> None:
    """Adds the nine operations below `root/{resource}/metafields` and `over`.

    Args:
        root: e.g. "/v3/orders"; `over` the address over all resources, default "{root}/metafields".
        exists: raises 404 when the resource is not there.
        above: name of the path parameter that holds the resource, default "resource".
    """
    name = above or "resource"
    one = f"{root}/{{{name}}}/metafields"
    whole = over or f"{root}/metafields"

    @routes.get(one, scope)
    def list_of_one(call: Call) -> Answer:
        exists(call, call.id(name))
        rows = call.store.metafields.seen_by(call.token.client_id, kind, call.id(name))
        return v3_list(call, filtered(call, rows), render=lambda row: chosen(call, row), cursors=kind == "order")

    @routes.post(one, scope)
    def add(call: Call) -> Answer:
        exists(call, call.id(name))
        return data(call.store.metafields.add(call.token.client_id, kind, call.id(name), call.object(), call.now))

    @routes.get(f"{one}/{{metafield}}", scope)
    def get(call: Call) -> Answer:
        return data(_one(call, kind, name))

    @routes.put(f"{one}/{{metafield}}", scope)
    def change(call: Call) -> Answer:
        row = _one(call, kind, name)
        return data(call.store.metafields.change(call.token.client_id, row, call.object(), call.now))

    @routes.delete(f"{one}/{{metafield}}", scope)
    def remove(call: Call) -> Answer:
        del call.store.metafields.rows[_one(call, kind, name)["id"]]
        return empty()

    _register_over(routes, whole, kind, scope, exists)


def _register_over(routes: Routes, whole: str, kind: str, scope: str, exists: Callable[[Call, int], None]) -> None:
    """The four operations over all resources of a kind."""

    @routes.get(whole, scope)
    def list_of_all(call: Call) -> Answer:
        rows = call.store.metafields.seen_by(call.token.client_id, kind)
        return v3_list(call, filtered(call, rows), render=lambda row: chosen(call, row), cursors=True)

    @routes.post(whole, scope)
    def add_many(call: Call) -> Answer:
        def act(words: Row) -> Row:
            exists(call, words.get("resource_id", 0))
            return call.store.metafields.add(call.token.client_id, kind, words["resource_id"], words, call.now)

        return _batch(call, act)

    @routes.put(whole, scope)
    def change_many(call: Call) -> Answer:
        def act(words: Row) -> Row:
            row = call.store.metafields.rows.get(words.get("id", 0))
            if row is None or row["resource_type"] != kind:
                raise not_found()
            return call.store.metafields.change(call.token.client_id, row, words, call.now)

        return _batch(call, act)

    @routes.delete(whole, scope)
    def remove_many(call: Call) -> Answer:
        gone = [number for number in call.array() if call.store.metafields.rows.pop(number, None)]
        total = len(call.array())
        return reply(
            {"data": gone, "errors": [], "meta": {"total": total, "success": len(gone), "failed": total - len(gone)}}
        )


def _one(call: Call, kind: str, name: str) -> Row:
    row = call.store.metafields.rows.get(call.id("metafield"))
    if row is None or row["resource_type"] != kind or row["resource_id"] != call.id(name):
        raise not_found("The metafield was not found")
    return row


def _batch(call: Call, act: Callable[[Row], Row]) -> Answer:
    """A batch of ten at most; what fails is told without its place in the batch (guide 1.8)."""
    rows = call.array()
    if len(rows) > BATCH:
        raise too_many(BATCH)
    done: list[Row] = []
    wrong: list[Row] = []
    for words in rows:
        try:
            done.append(act(words if isinstance(words, dict) else {}))
        except Refused as refusal:
            wrong.append(
                {"status": refusal.status, "title": refusal.title, "type": TYPE_URL, "errors": refusal.errors or {}}
            )
    meta = {"total": len(rows), "success": len(done), "failed": len(wrong)}
    return reply({"data": done, "errors": wrong, "meta": meta}, 422 if wrong else 200)
