"""Pages of both versions: v2 without a total and 204 when empty, v3 with `meta.pagination` (guide 1.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from omnichannel_bigcommerce_simulator.answers import Answer, Call, empty, encode, reply

Row = dict[str, Any]


def bounds(call: Call, default: int = 50, most: int = 250) -> tuple[int, int]:
    """(page from 1, limit); what is out of range is brought into it, as the platform does."""
    page = max(1, call.integer("page") or 1)
    limit = call.integer("limit")
    return page, default if not limit or limit < 1 else min(limit, most)


def v2_list(call: Call, rows: Sequence[Any]) -> Answer:
    """A v2 collection: an array, or 204 without a body when the page is empty."""
    page, limit = bounds(call)
    part = list(rows[(page - 1) * limit : page * limit])
    return reply(part) if part else empty()


def pagination(call: Call, total: int, count: int, page: int, limit: int) -> Row:
    pages = max(1, -(-total // limit))
    rest = "".join(f"&{key}={value}" for key, value in call.query.items() if key not in {"page", "limit"})
    links = {"current": f"?page={page}&limit={limit}{rest}"}
    if page > 1:
        links["previous"] = f"?page={page - 1}&limit={limit}{rest}"
    if page < pages:
        links["next"] = f"?page={page + 1}&limit={limit}{rest}"
    numbers = {"total": total, "count": count, "per_page": limit, "current_page": page, "total_pages": pages}
    return {**numbers, "links": links}


def v3_list(
    call: Call,
    rows: Sequence[Any],
    *,
    default: int = 50,
    most: int = 250,
    render: Callable[[Any], Any] | None = None,
    cursors: bool = False,
    links: bool = True,
) -> Answer:
    """A v3 collection. With `cursors`, `after`/`before` page by id and page numbers are ignored once one is given.

    Args:
        links: price lists have none beside the page numbers.
        render: makes the answer's row of a stored one, only for the rows of the page.
    """
    page, limit = bounds(call, default, most)
    if cursors and ("after" in call.query or "before" in call.query):
        return _by_cursor(call, rows, limit, render)
    part = list(rows[(page - 1) * limit : page * limit])
    meta: Row = {"pagination": pagination(call, len(rows), len(part), page, limit)}
    if not links:
        del meta["pagination"]["links"]
    if cursors:
        meta["cursor_pagination"] = _cursor_meta(part, limit, more=page * limit < len(rows))
    return reply({"data": [render(row) for row in part] if render else part, "meta": meta})


def _cursor(row: Row) -> str:
    return encode({"id": row["id"]}).hex()


def _cursor_meta(part: list[Row], limit: int, *, more: bool) -> Row:
    meta: Row = {"count": len(part), "per_page": limit, "links": {}}
    if part:
        meta |= {"start_cursor": _cursor(part[0]), "end_cursor": _cursor(part[-1])}
        if more:
            meta["links"] = {"next": f"?limit={limit}&after={_cursor(part[-1])}"}
    return meta


def _by_cursor(call: Call, rows: Sequence[Row], limit: int, render: Callable[[Any], Any] | None) -> Answer:
    after, before = call.query.get("after"), call.query.get("before")
    names = [_cursor(row) for row in rows]
    if after:
        start = names.index(after) + 1 if after in names else len(rows)
    else:
        end = names.index(before) if before in names else 0
        start = max(0, end - limit)
    part = list(rows[start : start + limit])
    meta = {"cursor_pagination": _cursor_meta(part, limit, more=start + limit < len(rows))}
    return reply({"data": [render(row) for row in part] if render else part, "meta": meta})


def chosen(call: Call, row: Row) -> Row:
    """`include_fields` and `exclude_fields`; the id always stays."""
    wanted, unwanted = call.words("include_fields"), call.words("exclude_fields")
    if wanted:
        row = {key: value for key, value in row.items() if key in wanted or key == "id"}
    return {key: value for key, value in row.items() if key not in unwanted or key == "id"} if unwanted else row


def by_id(rows: Iterable[Row], call: Call) -> list[Row]:
    """The `id` filters of v3: id, id:in, id:not_in, id:min, id:max, id:greater, id:less."""
    kept = list(rows)
    one, some, others = call.integer("id"), call.integers("id:in"), call.integers("id:not_in")
    if one is not None:
        kept = [row for row in kept if row["id"] == one]
    if some is not None:
        kept = [row for row in kept if row["id"] in some]
    if others is not None:
        kept = [row for row in kept if row["id"] not in others]
    low, high = call.integer("id:min"), call.integer("id:max")
    above, below = call.integer("id:greater"), call.integer("id:less")
    if low is not None or above is not None:
        least = max(low if low is not None else 0, (above + 1) if above is not None else 0)
        kept = [row for row in kept if row["id"] >= least]
    if high is not None or below is not None:
        bounds_above = [value for value in (high, below - 1 if below is not None else None) if value is not None]
        kept = [row for row in kept if row["id"] <= min(bounds_above)]
    return kept
