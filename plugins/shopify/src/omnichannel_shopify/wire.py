"""Shapes every answer has (specs shopify/admin_2026-10.graphql). Unknown fields and enum values pass through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
NULL = msgspec.Raw(b"null")


class Wire(msgspec.Struct, rename="camel", gc=False):
    """What Shopify sends: names in camel case."""


class Throttle(Wire):
    """The bucket, as every answer tells it."""

    maximum_available: float = 0.0
    currently_available: float = 0.0
    restore_rate: float = 0.0


class Cost(Wire):
    """What the operation cost; `actual_query_cost` is None when it did not run."""

    requested_query_cost: float = 0.0
    actual_query_cost: float | None = None
    throttle_status: Throttle | None = None


class Search(Wire):
    """How a search filter was understood."""

    warnings: list[msgspec.Raw] = []


class Extensions(Wire):
    """Beside the data."""

    cost: Cost | None = None
    search: list[Search] | None = None


class TroubleMore(Wire):
    """What says which trouble it is."""

    code: str | None = None


class Trouble(Wire):
    """One of `errors`."""

    message: str = ""
    extensions: TroubleMore | None = None
    path: list[str | int] | None = None

    @property
    def code(self) -> str:
        """As sent; '' where none was."""
        return (self.extensions.code or "") if self.extensions else ""


class Envelope(Wire):
    """Every GraphQL answer; `errors` is a list, or a text where it is no GraphQL answer."""

    data: msgspec.Raw = NULL
    errors: msgspec.Raw = NULL
    extensions: Extensions | None = None


class UserError(Wire):
    """What a mutation refuses, with HTTP 200."""

    message: str = ""
    code: str | None = None
    field: list[str] | None = None
    element_index: int | None = None


class PageInfo(Wire):
    """Where a connection goes on."""

    has_next_page: bool = False
    end_cursor: str | None = None


class Nodes(Wire, Generic[T]):
    """A connection."""

    nodes: list[T] = []
    page_info: PageInfo = msgspec.field(default_factory=PageInfo)


class Id(Wire):
    """A mere reference."""

    id: str = ""


class MoneyV2(Wire):
    """An amount in one currency."""

    amount: Decimal = Decimal(0)
    currency_code: str = ""


class Bag(Wire):
    """An amount in the shop's currency and in the one the buyer saw."""

    shop_money: MoneyV2 | None = None
    presentment_money: MoneyV2 | None = None


class Pair(Wire):
    """A custom attribute."""

    key: str = ""
    value: str | None = None


def moment(text: str | None) -> datetime | None:
    """ISO 8601 with zone, in UTC; None where there is none.

    Raises:
        ValueError: it is no moment.
    """
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def number(gid: str) -> int:
    """The numeric part of a global id (`gid://shopify/Order/123` -> 123); 0 where there is none."""
    tail = gid.rpartition("/")[2].partition("?")[0]
    return int(tail) if tail.isascii() and tail.isdigit() else 0


def gid(kind: str, said: object) -> str:
    """A global id from one, or from a number as webhooks and REST-minded people say it."""
    text = str(said or "").strip()
    return text if text.startswith("gid://") or not text else f"gid://shopify/{kind}/{text}"


def pairs(rows: list[Pair] | None, prefix: str = "") -> Mapping[str, str]:
    """Custom attributes as texts."""
    return {f"{prefix}{row.key}": row.value or "" for row in rows or () if row.key}
