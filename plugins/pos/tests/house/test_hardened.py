"""Whatever lies in `in/`: a typed reason beside it in `error/`, and the next file is processed."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omnichannel_pos_simulator.live import pushed
from omnichannel_pos_simulator.till import Day, Till
from omnichannel_pos_simulator.writing import as_zip, drop, files

pytestmark = pytest.mark.anyio
Build = Callable[[Day], bytes | dict[str, bytes]]


def day(seed: int = 9) -> Day:
    """A small one."""
    till = Till(name=f"K{seed}", seed=seed)
    till.work(12)
    return till.close()


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip of these."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return out.getvalue()


def changed(name: str, change: Callable[[bytes], bytes]) -> Build:
    """An export with one file changed."""
    return lambda one: zipped({**(there := files([one])), name: change(there[name])})


def lying_size(one: Day) -> bytes:
    """The directory says a table has ten bytes."""
    body = bytearray(as_zip([one]))
    at = body.index(b"PK\x01\x02")
    while not body[at + 46 :].startswith(b"lines.csv"):
        at = body.index(b"PK\x01\x02", at + 4)
    body[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(body)


def symlink(one: Day) -> bytes:
    """A member that is a link."""
    out = io.BytesIO(as_zip([one]))
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo("vat2.csv")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


def long_directory(one: Day) -> bytes:
    """Forty members with comments of 60,000 bytes."""
    out = io.BytesIO(as_zip([one]))
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(40):
            info = zipfile.ZipInfo(f"x{number}")
            info.comment = b"x" * 60_000
            archive.writestr(info, b"")
    return out.getvalue()


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE DataSet [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><DataSet>&c;</DataSet>'
)
OUTSIDE = b'<!DOCTYPE DataSet [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><DataSet/>'
HOSTILE: dict[str, tuple[Build, str]] = {
    "bomb": (changed("lines.csv", lambda body: body + b"0" * 60_000_000), "zip_bomb"),
    "lying size": (lying_size, "zip_bomb|unreadable"),
    "many members": (lambda one: zipped({**files([one]), **{f"x{n}": b"" for n in range(600)}}), "zip_bomb"),
    "long directory": (long_directory, "zip_bomb"),
    "traversal": (lambda one: zipped({**files([one]), "../../evil.csv": b"x"}), "path_traversal"),
    "absolute": (lambda one: zipped({**files([one]), "/etc/evil.csv": b"x"}), "path_traversal"),
    "drive": (lambda one: zipped({**files([one]), "C:\\evil.csv": b"x"}), "path_traversal"),
    "link": (symlink, "path_traversal"),
    "two of a name": (lambda one: zipped({**files([one]), "sub/Lines.CSV": b"x"}), "bad_index"),
    "entities": (changed("index.xml", lambda _: LAUGHS), "bad_index"),
    "outside entity": (changed("index.xml", lambda _: OUTSIDE), "bad_index"),
    "no xml": (changed("index.xml", lambda _: b"hello"), "bad_index"),
    "deep xml": (changed("index.xml", lambda _: b"<a>" * 50_000), "bad_index"),
    "no index": (lambda one: zipped({k: v for k, v in files([one]).items() if k != "index.xml"}), "bad_index"),
    "lying index": (lambda one: zipped({k: v for k, v in files([one]).items() if k != "vat.csv"}), "incomplete"),
    "no lines": (lambda one: zipped({k: v for k, v in files([one]).items() if k not in ("index.xml", "lines.csv")}
                                    | {"index.xml": b"<DataSet/>"}), "incomplete"),
    "huge line": (changed("lines.csv", lambda body: body + b'"' + b"y" * 3_000_000), "bad_table"),
    "huge field": (changed("lines.csv", lambda body: body + b"y" * 200_000 + b"\r\n"), "bad_table"),
    "zero bytes": (changed("lines.csv", lambda body: body.replace(b"Umsatz", b"Um\0atz")), "bad_table"),
    "no number": (changed("lines_vat.csv", lambda body: body.replace(b",00000", b",0000x")), "bad_table"),
    "not a number": (changed("lines_vat.csv", lambda body: body.replace(b",", b"NaN", 1)), "bad_table"),
    "no header": (changed("lines.csv", lambda body: body.split(b"\r\n", 1)[1]), "bad_table"),
    "half a table": (changed("lines.csv", lambda body: body[: len(body) // 2]), "bad_table|unbalanced"),
    "half a zip": (lambda one: as_zip([one])[:-900], "unreadable"),
    "damaged": (lambda one: _flip(as_zip([one])), "unreadable|bad_index"),
    "empty": (lambda one: b"", "unreadable"),
    "text": (lambda one: b"hello", "unreadable"),
    "empty folder": (lambda one: {}, "bad_index"),
    "empty zip": (lambda one: zipped({}), "bad_index"),
    "no closing": (lambda one: zipped(files([])), "incomplete"),
    "zipped twice": (lambda one: zipped({"index.xml": b"<DataSet/>", "export.zip": as_zip([one])}), "incomplete"),
}  # fmt: skip


def _flip(body: bytes) -> bytes:
    spoilt = bytearray(body)
    for at in range(100, len(spoilt) // 2, 97):
        spoilt[at] ^= 0xFF
    return bytes(spoilt)


@pytest.mark.parametrize("what", list(HOSTILE))
async def test_hostile(shop: Any, what: str) -> None:
    """It goes to error unchanged with a typed reason, books nothing, and the good file behind it is booked."""
    build, codes = HOSTILE[what]
    body, good = build(day(1)), day(2)
    inbox = shop.exchange / "in"
    old(drop(body, inbox, "bad" if isinstance(body, dict) else "bad.zip"), 200)
    old(drop(as_zip([good]), inbox, "good.zip"), 100)
    await shop.sync()
    assert set(await shop.records("Order")) == set(good.truth.orders)
    (reason,) = (shop.exchange / "error").glob("bad*.reason.json")
    said = json.loads(reason.read_bytes())
    assert said["code"] in codes.split("|")
    assert said["error"] == "file_refused"
    assert said["reasons"][0]
    if isinstance(body, bytes):
        assert (shop.exchange / "error" / "bad.zip").read_bytes() == body
    (failure,) = await shop.house.hub.errors("acme", shop.id)
    assert failure.reason == said["reasons"][0]
    assert shop.files("in") == []


def old(path: Path, seconds: float) -> None:
    """Last written so many seconds ago."""
    at = time.time() - seconds
    for one in [path, *(path.iterdir() if path.is_dir() else ())]:
        os.utime(one, (at, at))


async def test_links_in_the_inbox(shop: Any, tmp_path: Path) -> None:
    """A link in `in/` is neither followed nor archived."""
    secret = tmp_path / "secret.zip"
    secret.write_bytes(as_zip([day()]))
    (shop.exchange / "in" / "x.zip").symlink_to(secret)
    (shop.exchange / "in" / "y.json").symlink_to(secret)
    folder = drop(files([day()]), shop.exchange / "in", "z")
    (folder / "vat.csv").unlink()
    (folder / "vat.csv").symlink_to("/etc/passwd")
    await shop.sync()
    assert await shop.records("Order") == {}
    assert len(list((shop.exchange / "error").glob("*.reason.json"))) == 3
    assert secret.exists()


async def test_unfinished_names_wait(shop: Any) -> None:
    """A name that says the file is still being written is left alone."""
    (shop.exchange / "in" / "a.zip.tmp").write_bytes(b"half")
    (shop.exchange / "in" / ".hidden").write_bytes(b"x")
    (shop.exchange / "in" / "b.zip.part").write_bytes(b"half")
    await shop.sync()
    assert shop.files("in") == [".hidden", "a.zip.tmp", "b.zip.part"]
    assert shop.files("error") == []


def a_sale() -> tuple[bytes, set[str]]:
    """A live receipt, and its id."""
    till = Till(seed=3)
    return pushed(till, till.sell()), set(till.truth.orders)


@pytest.mark.parametrize("name", ["z.zip", "z.json"])
async def test_half_written_while_young(shop: Any, clock: Any, name: str) -> None:
    """A file that cannot be read yet is waited for while it may still grow, and booked when it is whole."""
    body, orders = (as_zip([day(3)]), set(day(3).truth.orders)) if name == "z.zip" else a_sale()
    file = shop.exchange / "in" / name
    file.write_bytes(body[:-100])
    os.utime(file, (clock.now().timestamp() - 5,) * 2)
    looked = 0

    def seen(process: Any) -> None:
        nonlocal looked
        if process.state == "waiting" and process.run_at > clock.now() and not looked:
            looked += 1
            file.write_bytes(body)
            os.utime(file, (clock.now().timestamp(),) * 2)

    process = await shop.house.connections.synchronize("acme", shop.id)
    await shop.house.processes.run_to_end("acme", process.id, seen)
    assert set(await shop.records("Order")) == orders
    assert looked
    assert shop.files("error") == []
