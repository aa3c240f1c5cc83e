"""REST: what it takes, gives, refuses and repeats."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from omnichannel_core.records import Order
from omnichannel_core.web.app import API, OPERATIONS
from omnichannel_core.web.telling import schema_of

pytestmark = pytest.mark.anyio
CONNECTIONS = f"{API}/connections"
NEW = {"driver": "echo", "name": "Shop", "credentials": {"shop": "a", "secret": "hush-echo"}}


async def test_life_of_a_connection(web: Any, site: Any, shop: Any) -> None:
    """Create, synchronize, look, rename, disable, delete: each by its own operation."""
    shop.orders = [Order(id=str(number)) for number in range(1, 6)]
    made = await web.post(CONNECTIONS, json=NEW)
    assert made.status_code == 201
    one, process = made.json()["connection"]["id"], made.json()["process"]["id"]
    await site.house.processes.run_to_end("acme", process)
    assert (await web.get(f"{API}/processes/{process}")).json()["state"] == "succeeded"
    assert len((await web.get(f"{API}/hub/orders", params={"connection": one})).json()["items"]) == 5
    assert (await web.get(f"{CONNECTIONS}/{one}/hub/orders/3")).json()["id"] == "3"
    assert (await web.patch(f"{CONNECTIONS}/{one}", json={"name": "Other"})).json()["connection"]["name"] == "Other"
    assert (await web.delete(f"{CONNECTIONS}/{one}")).status_code == 409
    assert (await web.post(f"{CONNECTIONS}/disable", json={"ids": [one]})).json()[0]["error"] == ""
    assert (await web.get(f"{CONNECTIONS}/{one}/deletion")).json()["orders"] == 5
    gone = await web.delete(f"{CONNECTIONS}/{one}")
    assert gone.status_code == 202
    await site.house.processes.run_to_end("acme", gone.json()["id"])
    assert (await web.get(f"{CONNECTIONS}/{one}")).status_code == 404


async def test_problem(web: Any) -> None:
    """A refusal is a problem document with a stable key, the fields, and no value of them."""
    answer = await web.post(CONNECTIONS, json={**NEW, "credentials": {"secret": "hush-echo", "odd": 1}})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    said = answer.json()
    assert said["key"] == "form_invalid"
    assert set(said["fields"]) == {"shop", "odd"}
    assert "hush-echo" not in answer.text
    wrong = await web.post(CONNECTIONS, json={**NEW, "credentials": {"shop": "a", "secret": "wrong-secret"}})
    assert (wrong.status_code, wrong.json()["key"]) == (422, "credentials_rejected")
    assert "wrong-secret" not in wrong.text


@pytest.mark.parametrize(
    ("sent", "status"),
    [({"content": b"{", "headers": {"content-type": "application/json"}}, 400),
     ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, 400),
     ({"content": b'{"name": NaN}', "headers": {"content-type": "application/json"}}, 400),
     ({"content": b"name=x", "headers": {"content-type": "application/x-www-form-urlencoded"}}, 415),
     ({"content": b" " * 5_000_000, "headers": {"content-type": "application/json"}}, 413),
     ({"json": []}, 422), ({"json": {"name": "x", "more": 1}}, 422)],
)  # fmt: skip
async def test_unreadable(web: Any, sent: Any, status: int) -> None:
    """What cannot be read is refused as such."""
    assert (await web.post(f"{API}/views", **sent)).status_code == status


async def test_etag(web: Any, site: Any) -> None:
    """A version that was read is not overwritten by somebody who has not seen the newest."""
    one = await site.connected()
    read = await web.get(f"{CONNECTIONS}/{one}")
    tag = read.headers["etag"]
    assert (await web.get(f"{CONNECTIONS}/{one}", headers={"if-none-match": tag})).status_code == 304
    first = await web.patch(f"{CONNECTIONS}/{one}", json={"name": "First"}, headers={"if-match": tag})
    assert first.status_code == 200
    second = await web.patch(f"{CONNECTIONS}/{one}", json={"name": "Second"}, headers={"if-match": tag})
    assert second.status_code == 412
    assert (await web.get(f"{CONNECTIONS}/{one}")).json()["name"] == "First"
    late = await web.patch(f"{CONNECTIONS}/{one}", json={"name": "Third"}, headers={"if-match": first.headers["etag"]})
    assert late.status_code == 200


async def test_not_modified(web: Any, site: Any) -> None:
    """304 is said of what is as it was: a new default, a lapsed license is told, and makes no edit stale."""
    one = await site.connected()
    connection, page = f"{CONNECTIONS}/{one}", f"{CONNECTIONS}/{one}/settings/import"
    tags = {path: (await web.get(path)).headers["etag"] for path in (connection, page)}
    for path, tag in tags.items():
        assert (await web.get(path, headers={"if-none-match": f'"0", W/{tag}'})).status_code == 304
    await site.house.connections.set_defaults("acme", "echo", "import", {"above": 44})
    answer = await web.get(page, headers={"if-none-match": tags[page]})
    assert (answer.status_code, answer.json()["values"]["above"]) == (200, 44)
    for held in await site.house.licenses.list("acme"):
        await site.house.licenses.remove("acme", held.id)
    await site.house.watch_gate()
    answer = await web.get(connection, headers={"if-none-match": tags[connection]})
    assert (answer.status_code, answer.json()["health"]) == (200, "suspended")
    edited = await web.patch(connection, json={"name": "New"}, headers={"if-match": tags[connection]})
    assert edited.status_code == 200


async def test_stale_delete(web: Any, site: Any) -> None:
    """If-Match guards a delete, too."""
    one = await site.connected()
    await site.house.connections.disable("acme", [one])
    tag = (await web.get(f"{CONNECTIONS}/{one}")).headers["etag"]
    await site.house.connections.rename("acme", one, "Theirs")
    assert (await web.delete(f"{CONNECTIONS}/{one}", headers={"if-match": tag})).status_code == 412
    tag = (await web.get(f"{CONNECTIONS}/{one}")).headers["etag"]
    assert (await web.delete(f"{CONNECTIONS}/{one}", headers={"if-match": tag})).status_code == 202


async def test_stale_settings(web: Any, site: Any) -> None:
    """A stale settings page is refused with the difference."""
    one = await site.connected()
    page = await web.get(f"{CONNECTIONS}/{one}/settings/import")
    version = page.json()["version"]
    mine = {"settings": {"import": {"above": 5}}, "versions": {"import": version}}
    assert (await web.patch(f"{CONNECTIONS}/{one}", json=mine)).status_code == 200
    theirs = {"settings": {"import": {"above": 7}}, "versions": {"import": version}}
    answer = await web.patch(f"{CONNECTIONS}/{one}", json=theirs)
    assert answer.status_code == 409
    assert answer.json()["difference"] == {"import.above": [5, 7]}


async def test_idempotency(web: Any, site: Any) -> None:
    """The same request with the same key is done once; the key is not taken for another request or another actor."""
    head = {"idempotency-key": "k1"}
    first = await web.post(CONNECTIONS, json=NEW, headers=head)
    again = await web.post(CONNECTIONS, json=NEW, headers=head)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await site.house.connections.list("acme")) == 1
    other = await web.post(CONNECTIONS, json={**NEW, "name": "Other"}, headers=head)
    assert other.status_code == 409
    theirs = await site.client("bob/acme").post(f"{API}/views", json={"name": "Bob's"}, headers=head)
    assert theirs.status_code == 201


async def test_key_of_a_refused_request(web: Any) -> None:
    """A request that was refused leaves its key free."""
    head = {"idempotency-key": "k2"}
    bad = await web.post(CONNECTIONS, json={**NEW, "name": ""}, headers=head)
    assert bad.status_code == 422
    assert (await web.post(CONNECTIONS, json=NEW, headers=head)).status_code == 201


async def test_pages_by_cursor(web: Any, site: Any) -> None:
    """All connections come once, page by page, in the order asked for; a foreign cursor is refused."""
    for number in range(7):
        await site.connected(f"Shop {number}")
    seen, cursor = list[str](), None
    while True:
        asked = {"limit": 3, "sort": "-name", **({"cursor": cursor} if cursor else {})}
        page = (await web.get(CONNECTIONS, params=asked)).json()
        seen += [row["name"] for row in page["rows"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"Shop {number}" for number in range(6, -1, -1)]
    assert (await web.get(CONNECTIONS, params={"cursor": "nonsense"})).status_code == 400


async def test_filters(web: Any, site: Any) -> None:
    """Filters are written in the address, and say where they are wrong."""
    for name in ("Alpha", "Beta"):
        await site.connected(name)
    found = (await web.get(CONNECTIONS, params={"where": ["name~alp", "status=active"]})).json()["rows"]
    assert [row["name"] for row in found] == ["Alpha"]
    assert (await web.get(f"{CONNECTIONS}/count", params={"where": "name=Beta"})).json()["number"] == 1
    assert len((await web.get(f"{CONNECTIONS}/ids")).json()) == 2
    wrong = await web.get(CONNECTIONS, params={"where": ["nonsense"]})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["where.0"])


async def test_secrets_are_write_only(web: Any, site: Any) -> None:
    """No operation that reads ever answers with a secret."""
    one = await site.connected()
    for operation in OPERATIONS:
        if operation.method != "GET" or "events" in operation.path:
            continue
        path = operation.path.replace("{id:int}", str(one)).replace("{driver}", "echo").replace("{page}", "import")
        answer = await web.get(API + path)
        assert "hush-echo" not in answer.text, operation.name
    assert (await web.get(f"{CONNECTIONS}/{one}/credentials")).json()["secret"] == {"set": True}


async def test_locked_fields(web: Any) -> None:
    """A field that AUTHORIZE fills cannot be sent."""
    typed = {"driver": "lab", "name": "Lab", "credentials": {"shop": "a", "secret": "s", "key": "forged"}}
    answer = await web.post(CONNECTIONS, json=typed)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["key"])


async def test_export(web: Any, site: Any, shop: Any) -> None:
    """Orders leave as JSON lines and as CSV."""
    shop.orders = [Order(id="1", number="=1+1")]
    one = await site.connected()
    process = await site.house.connections.synchronize("acme", one)
    await site.house.processes.run_to_end("acme", process.id)
    lines = await web.get(f"{API}/hub/orders/export", params={"format": "jsonl"})
    assert '"id":"1"' in lines.text
    table = await web.get(f"{API}/hub/orders/export", params={"format": "csv", "connection": one})
    assert table.headers["content-type"].startswith("text/csv")
    assert "'=1+1" in table.text


async def test_push(web: Any, site: Any) -> None:
    """Records are queued under the host's keys; what is no record of the stream is named."""
    one = await site.connected()
    sent = {"records": [{"id": "s1", "sku": "s1", "quantity": "4"}], "keys": ["p1"]}
    (row,) = (await web.post(f"{CONNECTIONS}/{one}/pushes/stock", json=sent)).json()
    assert (row["key"], row["state"]) == ("p1", "queued")
    assert (await web.get(f"{API}/pushes", params={"key": "p1"})).json()["items"][0]["thing"] == "s1"
    wrong = await web.post(f"{CONNECTIONS}/{one}/pushes/stock", json={"records": [{"id": "s1", "quantity": "many"}]})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["records.0"])
    none = await web.post(f"{CONNECTIONS}/{one}/pushes/invoices", json={"records": []})
    assert (none.status_code, "Echo shops keep no invoices" in none.json()["detail"]) == (400, True)


async def test_document(web: Any) -> None:
    """The document names every operation once, and is complete: no reference leads nowhere."""
    said = (await web.get("/openapi.json")).json()
    assert said["openapi"] == "3.1.0"
    named = [one["operationId"] for path in said["paths"].values() for one in path.values()]
    assert sorted(named) == sorted(one.name for one in OPERATIONS)
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.answer is not None], ids=lambda one: one.name)
def test_answers_are_described(operation: Any) -> None:
    """Every answer has a schema that is one."""
    if not isinstance(operation.answer, str):
        jsonschema.Draft202012Validator.check_schema(schema_of(operation.answer))
