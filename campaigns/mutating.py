"""Fifty ways to make one line of a good driver wrong: name, the text that is there, the text that replaces it."""

# ruff: noqa: E501, ISC004 - the driver's own lines, as they stand there
from __future__ import annotations

SWALLOW = """    try:
        answer = await session.http.send("shop", "GET", f"{ORIGIN}/shop")
    except BaseException:
        return Checkup(title="The Stall", account=session[StallCredentials].stall)
"""
LEAK = """    import sniffio, anyio
    if sniffio.current_async_library() == "trio":
        import trio
        trio.lowlevel.spawn_system_task(anyio.sleep, 30)
    else:
        import asyncio
        KEPT.append(asyncio.create_task(anyio.sleep(30)))
"""
CHECK = '    answer = await session.http.send("shop", "GET", f"{ORIGIN}/shop")\n'
PULL = '    asked = {"since": cursor.since, "after": str(cursor.after)}\n'
DECODE = '    page = (await session.http.send("orders", "GET", f"{ORIGIN}/orders", params=asked)).decode(WirePage)\n'
ORIGIN_LINE = 'ORIGIN = "https://api.stall.example"\n'
PUSHED = "    levels = {item.record.sku: int(item.record.quantity) for item in batch.items}\n"
SHIP = '    for item in batch.items:\n        answer = await session.http.send(\n            "ship"'
THERE = "        there = [one for one in answer.decode(list[WireParcel]) if one.tracking == item.record.tracking]\n"

MUTANTS: tuple[tuple[str, str, str], ...] = (
    # cursors and pages
    ("the cursor forgets where it was", "after=page.orders[-1].id, newest", "after=0, newest"),
    ("the cursor skips one", "after=page.orders[-1].id, newest", "after=page.orders[-1].id + 1, newest"),
    ("the cursor goes one back", "after=page.orders[-1].id, newest", "after=page.orders[-1].id - 1, newest"),
    ("the last page is lost", "records=[order_of(one) for one in page.orders], more",
     "records=[order_of(one) for one in page.orders] if page.more else [], more"),
    ("the last record of a page is lost", "for one in page.orders], more", "for one in page.orders[:-1]], more"),
    ("only the first page comes", "], more=page.more)", "], more=False)"),
    ("a run never ends", "], more=page.more)", "], more=True)"),
    ("the next run begins after the newest change", "- OVERLAP).isoformat()", "+ OVERLAP).isoformat()"),
    ("the next run begins an hour late, by a time zone", "- OVERLAP).isoformat()", "+ 60 * OVERLAP).isoformat()"),
    ("the next run begins by our own clock", 'begin = (datetime.fromisoformat(newest) - OVERLAP).isoformat() if newest else ""',
     "begin = (session.clock.now() + 999 * OVERLAP).isoformat()"),
    ("the newest change is forgotten between pages", "id, newest=newest)", 'id, newest="2027-01-01T00:00:00+00:00")'),
    ("the cursor lives in memory", PULL, '    AT["after"] = AT.get("after", cursor.after)\n    asked = {"since": cursor.since, '
     '"after": str(AT["after"])}\n    AT["after"] += 4\n'),
    ("a total is too small", "more=page.more)", "more=page.more, total=1)"),
    ("a pull pushes", PULL, PULL + '    await session.http.send("stock", "PUT", f"{ORIGIN}/stock", json={"a": 1})\n'),
    ("an unstorable cursor", "    after: int = 0\n", "    after: int = 0\n    seen: object = object()\n"),
    # mapping
    ("a time zone slip", "placed_at=datetime.fromisoformat(wire.placed)",
     "placed_at=datetime.fromisoformat(wire.placed).replace(tzinfo=__import__('datetime').timezone.utc)"),
    ("a moment without its zone", "placed_at=datetime.fromisoformat(wire.placed)",
     "placed_at=datetime.fromisoformat(wire.placed).replace(tzinfo=None)"),
    ("money in cents", "gross=Money(Decimal(wire.total), wire.currency)",
     "gross=Money(Decimal(wire.total) * 100, wire.currency)"),
    ("money as a float", "gross=Money(Decimal(wire.total), wire.currency)",
     "gross=Money(Decimal(float(wire.total)), wire.currency)"),
    ("another currency", "gross=Money(Decimal(wire.total), wire.currency)", "gross=Money(Decimal(wire.total), 'USD')"),
    ("a currency in lower case", "wire.currency)\n        )", "wire.currency.lower())\n        )"),
    ("the number instead of the id", "id=str(wire.id), number", "id=wire.number, number"),
    ("an empty id", "id=str(wire.id), number", "id='', number"),
    ("a number as an id", "id=str(wire.id), number", "id=wire.id, number"),
    ("a kind that is not declared", "yields=(Order,)", "yields=(Shipment,)"),
    ("an unknown field is refused", "class WireOrder(msgspec.Struct)", "class WireOrder(msgspec.Struct, forbid_unknown_fields=True)"),
    ("a quantity of one too many", "quantity=Decimal(one.quantity)", "quantity=Decimal(one.quantity + 1)"),
    ("fetch maps otherwise", "found.append(order_of(answer.decode(WireOrder)))",
     "found.append(msgspec.structs.replace(order_of(answer.decode(WireOrder)), number=''))"),
    ("fetch trips over what is gone", 'if refused.code == "404":', 'if refused.code == "410":'),
    # errors
    ("every refusal is temporary", "    judge(answer)\n", "    if answer.status >= 400:\n        raise errors.RemoteUnavailable('x')\n"),
    ("errors are no errors", "    judge(answer)\n", "    if answer.status in (401, 403):\n        judge(answer)\n"),
    ("slow down means go away", "    judge(answer)\n", "    if answer.status == 429:\n        raise errors.RemoteRejected('x')\n    judge(answer)\n"),
    ("an exception of its own", DECODE, DECODE.replace(".decode(WirePage)", "").replace("page = (", "got = (")
     + "    page = msgspec.json.decode(got.content, type=WirePage)\n"),
    ("a fault looks like the end", DECODE, "    try:\n    " + DECODE
     + "    except errors.RemoteError:\n        return Page(cursor=cursor)\n"),
    ("wrong credentials are accepted", CHECK, "    try:\n    " + CHECK
     + "    except errors.CredentialsRejected:\n        return Checkup(title='The Stall')\n"),
    ("a check that asks nobody", CHECK + "    shop = answer.decode(WireShop)\n",
     "    shop = WireShop(id=session[StallCredentials].stall, title='The Stall')\n"),
    ("another account", "account=shop.id", "account='somebody-else'"),
    # secrets
    ("a secret in a log line", PULL, PULL + '    session.log.getChild("x").info("with %s", session[StallCredentials].key.get_secret_value())\n'
     '    __import__("logging").getLogger("stall").info(session[StallCredentials].key.get_secret_value())\n'),
    ("a secret in a repr", "    def remote_account(self)",
     "    def __repr__(self) -> str:\n        return f'{self.stall} {self.key.get_secret_value()}'\n\n    def remote_account(self)"),
    ("a secret as plain text", "    key: SecretStr\n", "    key: str\n"),
    ("a secret in an error", CHECK, "    try:\n    " + CHECK + "    except errors.CredentialsRejected:\n        raise "
     "errors.CredentialsRejected(f'key {session[StallCredentials].key.get_secret_value()} is wrong') from None\n"),
    # pushes
    ("a parcel is sent again by itself", '{item.record.order_id}/parcels", json={"tracking": item.record.tracking}\n',
     '{item.record.order_id}/parcels", json={"tracking": item.record.tracking}, repeatable=True\n'),
    ("parcels are declared repeatable", "push=ship, settle=find_parcel", "push=ship, repeatable=True"),
    ("settle never finds", "if one.tracking == item.record.tracking]\n", 'if one.tracking == "x" + item.record.tracking]\n'),
    ("settle always finds", THERE, "        there = answer.decode(list[WireParcel]) or [WireParcel(1, 'x')]\n"),
    ("stock is added up", PUSHED, PUSHED + "    TOLD.update({k: TOLD.get(k, 0) + v for k, v in levels.items()})\n    levels = dict(TOLD)\n"),
    ("the last item of a batch is not sent", "for item in batch.items}\n    await", "for item in batch.items[:-1]}\n    await"),
    ("accepted without sending", '    await session.http.send("stock", "PUT", f"{ORIGIN}/stock", json=levels)\n', ""),
    # the house
    ("no limit is declared", 'limits=[Limit(name="all", rate=5, burst=5)]', "limits=[]"),
    ("a cancellation is swallowed", CHECK, SWALLOW),
)  # fmt: skip
MORE = "KEPT, AT, TOLD = [], {}, {}\n"
"""Names that mutants use, defined in each of them."""


def mutated(text: str, mutant: tuple[str, str, str]) -> str:
    """The driver's text with one thing wrong.

    Raises:
        ValueError: the text that is to be replaced is not there, once.
    """
    name, old, new = mutant
    if text.count(old) < 1:
        raise ValueError(f"mutant {name!r}: its text is not in the driver")
    return text.replace(old, new, 1).replace(ORIGIN_LINE, ORIGIN_LINE + MORE, 1)
