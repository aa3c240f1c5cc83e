"""/v3/customers: batches of ten, three changes at once (customers.v3.yml, guide 1.7)."""

from __future__ import annotations

from typing import Any

from omnichannel_bigcommerce_simulator.answers import Answer, Call, data, empty
from omnichannel_bigcommerce_simulator.dates import iso
from omnichannel_bigcommerce_simulator.errors import Refused, invalid, too_many
from omnichannel_bigcommerce_simulator.paging import by_id, v3_list
from omnichannel_bigcommerce_simulator.routing import Routes

Row = dict[str, Any]
routes = Routes()
BATCH = 10
_WORDS = ("email", "first_name", "last_name", "company", "phone", "notes", "tax_exempt_category", "customer_group_id")


def _taken(call: Call, email: str, own: int) -> bool:
    return any(row["email"].lower() == email.lower() and row["id"] != own for row in call.store.customers.values())


def _batch(call: Call) -> list[Row]:
    rows = call.array()
    if len(rows) > BATCH:
        raise too_many(BATCH)
    for n, words in enumerate(rows):
        email = words.get("email", "a@b") if isinstance(words, dict) else ""
        if not isinstance(email, str) or "@" not in email or _taken(call, email, words.get("id", 0)):
            raise invalid({f"{n}.email": f"email {email} is invalid or in use"})
    return rows


@routes.get("/v3/customers", "customers")
def list_customers(call: Call) -> Answer:
    rows = by_id(call.store.customers.values(), call)
    emails = {email.lower() for email in call.words("email:in")}
    return v3_list(call, [row for row in rows if not emails or row["email"].lower() in emails], cursors=True)


@routes.post("/v3/customers", "customers", cap=3)
def add_customers(call: Call) -> Answer:
    rows = _batch(call)
    for n, words in enumerate(rows):
        missing = {
            f"{n}.{key}": "error.path.missing" for key in ("email", "first_name", "last_name") if not words.get(key)
        }
        if missing:
            raise invalid(missing)
    return data([_add(call, words) for words in rows])


def _add(call: Call, words: Row) -> Row:
    number = max(call.store.customers, default=1000) + 1
    blank: Row = dict.fromkeys(_WORDS, "") | {"customer_group_id": 0}
    row = blank | {key: words[key] for key in _WORDS if key in words}
    stamps = {"date_created": iso(call.now), "date_modified": iso(call.now), "registration_ip_address": ""}
    counts = {"address_count": 0, "attribute_count": 0, "authentication": {"force_password_reset": False}}
    call.store.customers[number] = {"id": number, **row, **stamps, **counts, "origin_channel_id": 1}
    return call.store.customers[number]


@routes.put("/v3/customers", "customers", cap=3)
def change_customers(call: Call) -> Answer:
    rows = _batch(call)
    if any(words.get("id") not in call.store.customers for words in rows):
        raise Refused(422, "A customer was not found", errors={"id": "unknown"})
    for words in rows:
        known = call.store.customers[words["id"]]
        known |= {key: words[key] for key in _WORDS if key in words} | {"date_modified": iso(call.now)}
    return data([call.store.customers[words["id"]] for words in rows])


@routes.delete("/v3/customers", "customers")
def delete_customers(call: Call) -> Answer:
    wanted = call.integers("id:in")
    if not wanted:
        raise invalid({"id:in": "error.path.missing"})
    for number in wanted:
        call.store.customers.pop(number, None)
    return empty()
