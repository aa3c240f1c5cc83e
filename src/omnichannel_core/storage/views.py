"""Views of an account, and what actors changed in them without saving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from omnichannel_core.model.view import COLUMNS, OPERATORS, Filter, Look, View
from omnichannel_core.storage.schema import view, working_view
from omnichannel_core.storage.store import Tx
from omnichannel_core.storage.times import micros, moment

V, W = view.c, working_view.c


class ViewRows:
    """In one transaction, of one account."""

    def __init__(self, tx: Tx, account: str) -> None:
        self._tx, self._account = tx, account

    def seen_by(self, actor: str, view_id: int | None = None) -> list[View]:
        """Those the actor owns and the published ones, by name; each with the actor's own working copy."""
        query = sa.select(view).where(V.account_id == self._account, sa.or_(V.owner == actor, V.published == 1))
        if view_id is not None:
            query = query.where(V.id == view_id)
        found = self._tx.execute(query).all()
        working = {one: look for one, look in self._working(actor).items() if one}
        views = [_view_of(row._mapping, working.get(row.id)) for row in found]
        return sorted(views, key=lambda one: (one.name.casefold(), one.id))

    def add(self, owner: str, name: str, look: Look, now: datetime) -> int:
        """A private view; its id."""
        row = {"account_id": self._account, "owner": owner, "name": name, "saved": _text(look)}
        made = self._tx.execute(view.insert().values(**row, created_at=micros(now)).returning(V.id))
        return int(made.scalar_one())

    def change(self, view_id: int, *, name: str | None = None, saved: Look | None = None) -> None:
        """Another name, another saved look."""
        values = {} if name is None else {"name": name}
        values |= {} if saved is None else {"saved": _text(saved)}
        self._tx.execute(sa.update(view).where(V.account_id == self._account, V.id == view_id).values(**values))

    def publish(self, view_id: int, published: bool, owner: str) -> None:
        """Show it to the account, or no longer; then what others changed in it is forgotten."""
        mine = sa.update(view).where(V.account_id == self._account, V.id == view_id)
        self._tx.execute(mine.values(published=int(published)))
        if not published:
            others = working_view.delete().where(W.account_id == self._account, W.view_id == view_id)
            self._tx.execute(others.where(W.actor != owner))

    def remove(self, view_id: int) -> None:
        """The view, and what anybody changed in it."""
        self._tx.execute(working_view.delete().where(W.account_id == self._account, W.view_id == view_id))
        self._tx.execute(view.delete().where(V.account_id == self._account, V.id == view_id))

    def working(self, actor: str, view_id: int) -> Look | None:
        """What the actor changed and has not saved; 0 is the list without a view."""
        return self._working(actor).get(view_id)

    def work(self, actor: str, view_id: int, look: Look | None) -> None:
        """Keep the actor's working copy; None forgets it."""
        place = {"account_id": self._account, "actor": actor, "view_id": view_id}
        self._tx.execute(working_view.delete().filter_by(**place))
        if look is not None:
            self._tx.execute(working_view.insert().values(**place, look=_text(look)))

    def _working(self, actor: str) -> dict[int, Look]:
        query = sa.select(W.view_id, W.look).where(W.account_id == self._account, W.actor == actor)
        return {view_id: look_of(json.loads(text)) for view_id, text in self._tx.execute(query)}


def look_of(said: Mapping[str, Any]) -> Look:
    """A stored look; columns and operators of another version are left out."""
    filters = [Filter(**one) for one in said.get("filters", ())]
    columns = tuple(one for one in said.get("columns", ()) if one in COLUMNS)
    return Look(
        columns=columns or Look().columns,
        filters=tuple(one for one in filters if one.column in COLUMNS and one.operator in OPERATORS),
        sort=tuple(one for one in said.get("sort", ()) if one.removeprefix("-") in COLUMNS),
    )


def _text(look: Look) -> str:
    return json.dumps(attrs.asdict(look))


def _view_of(row: Mapping[Any, Any], working: Look | None) -> View:
    return View(
        id=row["id"], account=row["account_id"], owner=row["owner"], name=row["name"],
        published=bool(row["published"]), saved=look_of(json.loads(row["saved"])), working=working,
        created_at=moment(row["created_at"]),
    )  # fmt: skip
