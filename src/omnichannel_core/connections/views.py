"""Views: saved ways to look at the list of connections. Whose they are is the host's opaque actor id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs

from omnichannel_core import errors
from omnichannel_core.connections.listing import understand
from omnichannel_core.driver import Clock
from omnichannel_core.model.connection import NAME_MAX
from omnichannel_core.model.view import Look, View
from omnichannel_core.storage.store import Store
from omnichannel_core.storage.views import ViewRows

T = TypeVar("T")
FILTERS_MAX = 50
NO_VIEW = 0


@attrs.frozen
class Views:
    """Private until published; a published one is seen by the whole account and changed by its owner.

    Anybody who sees a view may look at it in another way: that is their own working copy, which makes the view
    *changed* for them until it is saved (by the owner) or reset.
    """

    store: Store
    clock: Clock

    # --- look
    async def list(self, account: str, actor: str) -> Sequence[View]:
        """The actor's own and the published ones, by name."""
        return await self.store.read(lambda tx: ViewRows(tx, account).seen_by(actor))

    async def get(self, account: str, actor: str, view_id: int) -> View:
        """One.

        Raises:
            NotFound: not in this account, or somebody else's and not published.
        """
        return await self.store.read(lambda tx: _seen(ViewRows(tx, account), actor, view_id))

    async def look(self, account: str, actor: str, view_id: int = NO_VIEW) -> Look:
        """What the list shows this actor now, with a view or (0) without one.

        Raises:
            NotFound: as for `get`.
        """
        return await self.store.read(lambda tx: _look(ViewRows(tx, account), actor, view_id))

    # --- work on
    async def change(self, account: str, actor: str, view_id: int, look: Look) -> View:
        """Look at it in another way, unsaved; a look that is as saved is no change.

        Raises:
            NotFound: as for `get`. FormInvalid: the look cannot be.
        """
        _check(look)

        def work(rows: ViewRows) -> View:
            seen = _seen(rows, actor, view_id)
            rows.work(actor, view_id, None if look == seen.saved else look)
            return _seen(rows, actor, view_id)

        return await self._write(account, work)

    async def change_list(self, account: str, actor: str, look: Look) -> Look:
        """The same for the list without a view, which is kept for the actor.

        Raises:
            FormInvalid: the look cannot be.
        """
        _check(look)
        await self._write(account, lambda rows: rows.work(actor, NO_VIEW, None if look == Look() else look))
        return look

    async def reset(self, account: str, actor: str, view_id: int) -> View:
        """Drop what the actor changed and did not save.

        Raises:
            NotFound: as for `get`.
        """

        def work(rows: ViewRows) -> View:
            seen = _seen(rows, actor, view_id)
            rows.work(actor, view_id, None)
            return attrs.evolve(seen, working=None)

        return await self._write(account, work)

    async def reset_list(self, account: str, actor: str) -> Look:
        """The same for the list without a view."""
        await self._write(account, lambda rows: rows.work(actor, NO_VIEW, None))
        return Look()

    # --- own
    async def create(self, account: str, actor: str, name: str, look: Look | None = None) -> View:
        """A private view of that look; without one, of what the list shows the actor without a view.

        Raises:
            FormInvalid: the name or the look cannot be.
        """
        clean = _clean(name)
        if look is not None:
            _check(look)

        def work(rows: ViewRows) -> View:
            wanted = _look(rows, actor, NO_VIEW) if look is None else look
            return _seen(rows, actor, rows.add(actor, clean, wanted, self.clock.now()))

        return await self._write(account, work)

    async def rename(self, account: str, actor: str, view_id: int, name: str) -> View:
        """Another name, trimmed.

        Raises:
            NotFound, MoveNotAllowed (somebody else's), FormInvalid.
        """
        clean = _clean(name)
        return await self._mine(account, actor, view_id, lambda rows, _: rows.change(view_id, name=clean))

    async def save(self, account: str, actor: str, view_id: int) -> View:
        """What the owner changed is what everybody sees.

        Raises:
            NotFound, MoveNotAllowed (somebody else's).
        """

        def work(rows: ViewRows, seen: View) -> None:
            rows.change(view_id, saved=seen.look)
            rows.work(actor, view_id, None)

        return await self._mine(account, actor, view_id, work)

    async def publish(self, account: str, actor: str, view_id: int) -> View:
        """The whole account sees it.

        Raises:
            NotFound, MoveNotAllowed (somebody else's).
        """
        return await self._mine(account, actor, view_id, lambda rows, _: rows.publish(view_id, True, actor))

    async def unpublish(self, account: str, actor: str, view_id: int) -> View:
        """Only its owner sees it.

        Raises:
            NotFound, MoveNotAllowed (somebody else's).
        """
        return await self._mine(account, actor, view_id, lambda rows, _: rows.publish(view_id, False, actor))

    async def delete(self, account: str, actor: str, view_id: int) -> None:
        """It goes, for everybody.

        Raises:
            NotFound, MoveNotAllowed (somebody else's).
        """

        def work(rows: ViewRows) -> None:
            _owned(rows, actor, view_id)
            rows.remove(view_id)

        await self._write(account, work)

    # --- parts of it
    async def _write(self, account: str, work: Callable[[ViewRows], T]) -> T:
        return await self.store.write(lambda tx: work(ViewRows(tx, account)))

    async def _mine(self, account: str, actor: str, view_id: int, change: Callable[[ViewRows, View], None]) -> View:
        def work(rows: ViewRows) -> View:
            change(rows, _owned(rows, actor, view_id))
            return _seen(rows, actor, view_id)

        return await self._write(account, work)


def _seen(rows: ViewRows, actor: str, view_id: int) -> View:
    found = rows.seen_by(actor, view_id)
    if not found:
        raise errors.NotFound(f"There is no view {view_id} here.")
    return found[0]


def _owned(rows: ViewRows, actor: str, view_id: int) -> View:
    seen = _seen(rows, actor, view_id)
    if seen.owner != actor:
        raise errors.MoveNotAllowed(f"View {seen.name!r} belongs to somebody else: create your own from it.")
    return seen


def _look(rows: ViewRows, actor: str, view_id: int) -> Look:
    if view_id == NO_VIEW:
        return rows.working(actor, NO_VIEW) or Look()
    return _seen(rows, actor, view_id).look


def _check(look: Look) -> None:
    understand(look)
    if len(look.filters) > FILTERS_MAX:
        raise errors.FormInvalid("That are too many filters.", {"filters": f"At most {FILTERS_MAX}."})


def _clean(typed: str) -> str:
    name = typed.strip()
    wrong = "Enter a name." if not name else f"At most {NAME_MAX} characters." if len(name) > NAME_MAX else ""
    wrong = wrong or ("Line breaks and tabs are not allowed." if not name.isprintable() else "")
    if wrong:
        raise errors.FormInvalid("A view needs a name that fits.", {"name": wrong})
    return name
