"""Views, processes, the hub, the vault and the store."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from omnichannel_core.records import Address, Order

PLACED = {1: datetime(2020, 1, 2, tzinfo=UTC), 2: datetime(2020, 1, 2, tzinfo=UTC), 3: datetime.now(UTC)}


def test_views_by_the_manual(echo: Any) -> None:
    """Create, change, reset, save, rename, publish, unpublish and delete; the asterisk marks what is unsaved."""
    number = echo.create()
    view = echo.json("views", "create", "Mine", "--where", "status=active", "--columns", "id,name")["id"]
    assert [one["id"] for one in echo.json("connections", "list", "--view", view)] == [number]
    assert echo.json("views", "change", view, "--where", "status=inactive")["changed"] is True
    assert "Mine *" in echo("views", "list").stdout
    assert echo.json("connections", "list", "--view", view) == []
    assert echo.json("views", "reset", view)["changed"] is False
    echo("views", "change", view, "--sort=-name")
    assert echo.json("views", "save", view)["look"]["sort"] == ["-name"]
    assert echo.json("views", "rename", view, "Ours")["name"] == "Ours"
    assert echo.error("--actor", "other", "views", "reset", view, code=3) == "not_found"
    assert echo.json("views", "publish", view)["published"] is True
    assert echo.error("--actor", "other", "views", "save", view, code=5) == "move_not_allowed"
    assert echo.json("views", "unpublish", view)["published"] is False
    assert "--yes" in echo("views", "delete", view, code=2).stderr
    assert echo.json("views", "delete", view, "--yes") == {"id": view, "deleted": True}
    assert echo.json("views", "list") == []
    assert "--where" in echo("connections", "list", "--where", "nonsense", code=2).stderr


def test_processes_are_listed_watched_and_cancelled(echo: Any) -> None:
    """Watch writes JSON lines until the end; a queued process is cancelled at once."""
    number = echo.create()
    (done,) = echo.json("processes", "list")
    lines = [json.loads(one) for one in echo("--json", "processes", "watch", done["id"]).stdout.splitlines()]
    assert lines[-1]["state"] == "succeeded"
    queued = echo.json("connections", "sync", number, "--no-wait")
    assert [one["id"] for one in echo.json("processes", "list", "--open")] == [queued["id"]]
    assert echo.json("processes", "cancel", queued["id"])["state"] == "cancelled"
    assert echo.error("processes", "watch", 999, code=3) == "not_found"


def test_the_hub_is_read_exported_and_pushed_to(echo: Any, shop: Any) -> None:
    """Orders are found page by page and exported; JSON lines are pushed and answered in their order."""
    shop.orders.extend(Order(id=str(number), number=f"=N{number}") for number in range(1, 4))
    number = echo.create()
    first = echo("--json", "hub", "orders", "--limit", 2)
    cursor = first.stderr.split("--cursor ")[1].strip()
    rest = echo.json("hub", "orders", "--limit", 2, "--cursor", cursor)
    assert len(json.loads(first.stdout)) + len(rest) == 3
    lines = [json.loads(one) for one in echo("--json", "hub", "export", "orders").stdout.splitlines()]
    assert {one["record"]["id"] for one in lines} == {"1", "2", "3"}
    table = list(csv.DictReader(io.StringIO(echo("hub", "export", "orders", "--format", "csv").stdout)))
    assert table[0]["number"].startswith("'=N")
    assert echo.json("hub", "order", number, "1")["number"] == "=N1"
    stock = "".join(json.dumps({"id": sku, "sku": sku, "quantity": "3"}) + "\n" for sku in ("b", "a"))
    pushed = echo.json("hub", "push", number, "stock", typed=stock)
    assert [(one["thing"], one["state"]) for one in pushed] == [("b", "accepted"), ("a", "accepted")]
    assert set(shop.stock) == {"a", "b"}
    assert "Line 1" in echo("hub", "push", number, "stock", code=2, typed="{}").stderr
    assert "no invoices" in echo("hub", "push", number, "invoices", code=2, typed="{}").stderr
    assert echo.json("hub", "errors", "--connection", number, "--retry", "all", "--dismiss", "all") == []


def test_personal_data_ends_by_command(echo: Any, shop: Any) -> None:
    """erase and retain ask first, say whose or how long, and answer what they did."""
    for number, name in enumerate(("Ann", "Bob", "Cid"), 1):
        bill_to = Address(first_name=name, email=f"{name.lower()}@example.org")
        shop.orders.append(Order(id=str(number), bill_to=bill_to, placed_at=PLACED[number]))
    number = echo.create()
    assert "--yes" in echo("hub", "erase", number, "ann@example.org", code=2).stderr
    for wrong in ((), ("ann@example.org", "--everyone")):
        assert "WHO" in echo("hub", "erase", number, *wrong, "--yes", code=2).stderr
    assert "STREAM=DAYS" in echo("hub", "retain", number, "orders", "--yes", code=2).stderr
    assert echo.json("hub", "erase", number, "dan@example.org", "--yes")["orders"] == 0
    assert echo.json("hub", "order", number, "1")["bill_to"]["email"] == "ann@example.org"
    assert echo.json("hub", "erase", number, "ANN@example.org", "--yes")["orders"] == 1
    assert "Ann" not in json.dumps(echo.json("hub", "order", number, "1"))
    assert echo.json("hub", "retain", number, "orders=90", "stock=1", "--yes")["orders"] == 1
    assert echo.json("hub", "order", number, "3")["bill_to"]["first_name"] == "Cid"
    assert echo.json("hub", "erase", number, "--everyone", "--yes")["orders"] == 3
    assert echo.error("hub", "erase", 99, "--everyone", "--yes", code=3) == "not_found"


@pytest.mark.parametrize("words", [("accounts", "list"), ("connections", "list"), ("vault", "status"), ("doctor",)])
def test_json_counts_anywhere(echo: Any, words: tuple[str, ...]) -> None:
    """--json says the same before a group, after it and after the command."""
    said = {
        echo(*words[:at], "--json", *words[at:]).stdout for at in range(len(words) + 1)
    }  # fmt: skip
    assert len(said) == 1
    json.loads(said.pop())
    failed = echo("connections", "show", 99, "--json", code=3)
    assert json.loads(failed.stderr)["error"] == "not_found"


def test_the_vault_turns_its_keys(line: Any) -> None:
    """With a key file: a new primary key seals all secrets anew, and status counts them by key."""
    file = line.folder / "keys"
    old = line.json("vault", "keygen", file)["key_id"]
    line("vault", "keygen", file, code=1)
    store = ("--key-file", file, "--db", line.folder / "other.db")
    line(*store, "accounts", "add", "main")
    assert line.json(*store, "vault", "status") == {old: 1}
    new = line.json("vault", "add", file)["key_id"]
    counts = line.json(*store, "vault", "rotate")
    assert counts["sealed"] == counts["secrets"] == 1
    assert line.json(*store, "vault", "status") == {new: 1}


def test_the_store_is_looked_after(line: Any) -> None:
    """doctor, migrate and restored answer one document each, and doctor makes no store."""
    states = {one["what"]: one["state"] for one in line.json("doctor")}
    assert states["store"] == "ok"
    assert line.json("migrate")["version"] == line.json("migrate")["newest"]
    assert line.json("restored", "--yes") == {"unknown": 0}
    line.json("--db", line.folder / "none.db", "doctor")
    assert not (line.folder / "none.db").exists()


def test_the_config_file_counts_when_named(line: Any) -> None:
    """A file is read only when named; options win over it; doctor shows its endpoints; unknown keys are refused."""
    file = line.folder / "omnichannel.toml"
    file.write_text('[endpoints]\necho = "http://127.0.0.1:1"\nother = "http://127.0.0.1:2"\n')
    endpoint = ("--config", file, "--endpoint", "echo=http://127.0.0.1:3")
    details = [one["detail"] for one in line.json(*endpoint, "doctor") if one["what"] == "endpoint"]
    assert details == ["echo goes to http://127.0.0.1:3", "other goes to http://127.0.0.1:2"]
    assert "endpoint" not in line("doctor").stdout
    file.write_text("surprise = 1\n")
    assert "surprise" in line("--config", file, "doctor", code=2).stderr
    assert "--config" in line("--config", line.folder / "none.toml", "doctor", code=2).stderr
    assert "--trust" in line("--trust", line.folder / "none.json", "accounts", "list", code=2).stderr
