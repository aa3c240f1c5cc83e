"""A driver whose remote is arithmetic: order n is what n says, and every page that is fetched is counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

import anyio
import anyio.lowlevel
import msgspec

from campaigns.board import ACKNOWLEDGING, FETCHING, Board
from omnichannel_core.driver import (
    AuthorizationFlow,
    Checkup,
    Credentials,
    Page,
    PullStream,
    Session,
    SettingsPage,
    Streams,
    hookimpl,
)
from omnichannel_core.records import Line, Money, Order, Record

PAGE = 4
BOARD = Board()


class Cursor(msgspec.Struct, frozen=True):
    """Orders seen."""

    seen: int = 0


def lines_of(number: int) -> int:
    """How many lines an order has."""
    return number % 3 + 1


def has_receipt(number: int) -> bool:
    """Whether it wants to be acknowledged."""
    return number % PAGE == 0


def order(number: int) -> Order:
    """By its number."""
    price = Money(Decimal(number % 97) + Decimal("0.99"), "EUR")
    lines = {
        str(at): Line(id=str(at), sku=f"sku-{number}-{at}", quantity=Decimal(at + 1), price=price)
        for at in range(lines_of(number))
    }
    return Order(
        id=str(number), number=f"N{number}", revision="1", lines=lines, placed_at=datetime(2026, 1, 1, tzinfo=UTC),
        receipt="new" if has_receipt(number) else "",
    )  # fmt: skip


async def check(session: Session) -> Checkup:
    """Always well."""
    return Checkup(title="Counted")


async def pull(session: Session, cursor: Cursor) -> Page[Cursor]:
    """The next orders, after a moment."""
    BOARD.at(FETCHING)
    BOARD.fetched(cursor.seen // PAGE)
    await anyio.sleep(0.001)
    after = min(cursor.seen + PAGE, BOARD.total)
    orders = [order(number) for number in range(cursor.seen, after)]
    return Page(cursor=Cursor(after), records=orders, more=after < BOARD.total, total=BOARD.total)


async def acknowledge(session: Session, record: Record) -> None:
    """Told that it is stored."""
    BOARD.at(ACKNOWLEDGING)
    await anyio.lowlevel.checkpoint()


@hookimpl
def credential_schema() -> type[Credentials]:
    """Nothing to type."""
    return Credentials


@hookimpl
def authorization_flow() -> AuthorizationFlow:
    """Checked only."""
    return AuthorizationFlow(check=check)


@hookimpl
def settings_pages() -> Sequence[SettingsPage]:
    """None."""
    return []


@hookimpl
def sync_streams() -> Streams:
    """Orders."""
    return [PullStream(name="orders", yields=(Order,), cursor=Cursor, pull=pull, acknowledge=acknowledge)]
