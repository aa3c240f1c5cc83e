"""Views on the list of connections."""

from __future__ import annotations

import json
from typing import Any

import pytest

from omnichannel_core import errors
from omnichannel_core.connections.views import Views
from omnichannel_core.model.view import Filter, Look
from omnichannel_core.storage.schema import account, view, working_view
from omnichannel_core.storage.store import Store

pytestmark = pytest.mark.anyio
BY_NAME = Look(
    columns=("name", "id"),
    filters=(Filter(column="status", operator="=", value="active", paused=True),),
    sort=("-name",),
)
BY_ID = Look(sort=("-id",))


@pytest.fixture
def views(store: Store, clock: Any) -> Views:
    """Of accounts a and b."""

    def work(tx: Any) -> None:
        for owner in "ab":
            tx.execute(account.insert().values(id=owner, name=owner, created_at=0))

    store.write_now(work)
    return Views(store, clock)


async def test_a_view_is_private_until_published(views: Views) -> None:
    """A new view is its owner's alone; published it is the whole account's, and never another account's."""
    made = await views.create("a", "eve", "  Mine  ", BY_NAME)
    assert (made.name, made.owner, made.published, made.look, made.changed) == ("Mine", "eve", False, BY_NAME, False)
    assert made.created_at == views.clock.now()
    for owner, actor in (("a", "bob"), ("b", "eve")):
        assert await views.list(owner, actor) == []
        with pytest.raises(errors.NotFound):
            await views.get(owner, actor, made.id)
    assert (await views.publish("a", "eve", made.id)).published
    assert [one.id for one in await views.list("a", "bob")] == [made.id]
    assert await views.list("b", "eve") == []
    assert not (await views.unpublish("a", "eve", made.id)).published
    assert await views.list("a", "bob") == []


async def test_only_the_owner_changes_a_published_view(views: Views) -> None:
    """Others see a published view and may look at it differently, but not rename, save, unpublish or delete it."""
    made = await views.create("a", "eve", "Mine", BY_NAME)
    for call in (views.publish, views.unpublish, views.save, views.delete):
        with pytest.raises(errors.NotFound):
            await call("a", "bob", made.id)
    await views.publish("a", "eve", made.id)
    for call in (views.publish, views.unpublish, views.save, views.delete):
        with pytest.raises(errors.MoveNotAllowed):
            await call("a", "bob", made.id)
    with pytest.raises(errors.MoveNotAllowed):
        await views.rename("a", "bob", made.id, "His")
    changed = await views.change("a", "bob", made.id, BY_ID)
    assert (changed.changed, changed.look, changed.saved) == (True, BY_ID, BY_NAME)
    assert not (await views.get("a", "eve", made.id)).changed


async def test_changed_until_saved_or_reset(views: Views) -> None:
    """A changed view has its asterisk for who changed it, until it is saved, reset, or changed back."""
    made = await views.create("a", "eve", "Mine", BY_NAME)
    assert (await views.change("a", "eve", made.id, BY_ID)).changed
    assert (await views.reset("a", "eve", made.id)).look == BY_NAME
    await views.change("a", "eve", made.id, BY_ID)
    assert not (await views.change("a", "eve", made.id, BY_NAME)).changed
    await views.change("a", "eve", made.id, BY_ID)
    saved = await views.save("a", "eve", made.id)
    assert (saved.changed, saved.saved) == (False, BY_ID)
    assert await views.get("a", "eve", made.id) == saved


async def test_working_copies_are_each_actors_own(views: Views) -> None:
    """What one actor changed another does not see; a save of the owner leaves it, unpublishing and deleting end it."""
    made = await views.create("a", "eve", "Mine", BY_NAME)
    await views.publish("a", "eve", made.id)
    await views.change("a", "bob", made.id, BY_ID)
    other = Look(sort=("driver",))
    await views.change("a", "eve", made.id, other)
    await views.save("a", "eve", made.id)
    seen = await views.get("a", "bob", made.id)
    assert (seen.look, seen.saved, seen.changed) == (BY_ID, other, True)
    await views.change("a", "eve", made.id, BY_ID)
    await views.unpublish("a", "eve", made.id)
    await views.publish("a", "eve", made.id)
    assert not (await views.get("a", "bob", made.id)).changed
    assert (await views.get("a", "eve", made.id)).changed
    await views.delete("a", "eve", made.id)
    assert await views.list("a", "eve") == []
    left = await views.store.read(lambda tx: len(tx.execute(working_view.select()).all()))
    assert left == 0


async def test_the_list_without_a_view_is_kept_for_the_actor(views: Views) -> None:
    """How an actor looks at the list without a view is remembered, can be reset, and is what a new view begins with."""
    assert await views.look("a", "eve") == Look()
    await views.change_list("a", "eve", BY_ID)
    assert await views.look("a", "eve") == BY_ID
    assert await views.look("a", "bob") == Look()
    made = await views.create("a", "eve", "From it")
    assert made.saved == BY_ID
    assert await views.look("a", "eve", made.id) == BY_ID
    assert await views.reset_list("a", "eve") == Look()
    assert await views.look("a", "eve") == Look()


async def test_views_are_listed_by_name(views: Views) -> None:
    """Views are told by name, upper and lower case alike, equal names allowed; ids are never used again."""
    made = [await views.create("a", "eve", name) for name in ("beta", "Alpha", "alpha")]
    assert [one.name for one in await views.list("a", "eve")] == ["Alpha", "alpha", "beta"]
    await views.delete("a", "eve", made[-1].id)
    assert (await views.create("a", "eve", "next")).id > made[-1].id
    assert (await views.rename("a", "eve", made[0].id, " Zeta ")).name == "Zeta"


@pytest.mark.parametrize("name", ["", "   ", "x" * 256, "two\nlines", "tab\there"])
async def test_a_name_is_needed_and_fits(views: Views, name: str) -> None:
    """A view's name is trimmed, required, at most 255 characters, on one line."""
    made = await views.create("a", "eve", "x" * 255)
    for call in (lambda: views.create("a", "eve", name), lambda: views.rename("a", "eve", made.id, name)):
        with pytest.raises(errors.FormInvalid) as refused:
            await call()
        assert set(refused.value.fields) == {"name"}


async def test_a_look_that_cannot_be_is_not_kept(views: Views) -> None:
    """A look with an unknown column, a bad value or too many filters is refused wherever it is brought."""
    made = await views.create("a", "eve", "Mine")
    one = Filter(column="id", operator="=", value="1")
    for look in (Look(columns=("x",)), Look(filters=(one,) * 51), Look(sort=("id", "id"))):
        for call in (
            lambda look=look: views.create("a", "eve", "x", look),
            lambda look=look: views.change("a", "eve", made.id, look),
            lambda look=look: views.change_list("a", "eve", look),
        ):
            with pytest.raises(errors.FormInvalid):
                await call()


async def test_a_stored_look_of_another_version_is_read(views: Views) -> None:
    """Columns and operators that are no more are left out of a stored look; the rest is as saved."""
    made = await views.create("a", "eve", "Mine", BY_NAME)
    odd = {
        "columns": ["gone", "id"],
        "filters": [
            {"column": "gone", "operator": "=", "value": "1"},
            {"column": "id", "operator": "=", "value": "1"},
        ],
        "sort": ["-gone", "-id"],
    }
    await views.store.write(lambda tx: tx.execute(view.update().values(saved=json.dumps(odd))))
    look = (await views.get("a", "eve", made.id)).look
    assert look == Look(columns=("id",), filters=(Filter(column="id", operator="=", value="1"),), sort=("-id",))
