"""`omnichannel views`."""

from __future__ import annotations

from typing import Any

import click

from omnichannel_core.cli import looks, secrets
from omnichannel_core.cli.opening import Options, asynchronous
from omnichannel_core.cli.output import jsonable, rows, show, told
from omnichannel_core.model.view import Look, View


def _row(view: View) -> dict[str, Any]:
    return {"id": view.id, "name": view.name, "owner": view.owner,
            "published": view.published, "changed": view.changed, "look": jsonable(view.look)}  # fmt: skip


@click.group()
def command() -> None:
    """Saved ways to look at the list of connections."""


@command.command("list")
@asynchronous
async def list_(options: Options) -> None:
    """Yours, and those others published."""
    async with options.opened() as house:
        found = await house.views.list(options.need_account(), options.actor)
    shown = [_row(one) for one in found]
    if not options.as_json:  # the manual's asterisk
        shown = [{**one, "name": one["name"] + " *" * one["changed"]} for one in shown]
    rows(
        shown,
        ["id", "name", "owner", "published"],
        as_json=options.as_json,
        empty="No views yet.",
    )


@command.command()
@click.argument("name")
@looks.options
@asynchronous
async def create(options: Options, name: str, **look: Any) -> None:
    """A view of what is shown with these options."""
    async with options.opened() as house:
        wanted = await looks.wanted(house, options, **look)
        show(
            _row(await house.views.create(options.need_account(), options.actor, name, wanted)), as_json=options.as_json
        )


@command.command()
@click.argument("view_id", type=int)
@looks.options
@asynchronous
async def change(options: Options, view_id: int, where: tuple[str, ...], sort: tuple[str, ...], columns: str | None,
                 view: int | None) -> None:  # fmt: skip
    """Change what a view shows, unsaved (it gets its asterisk)."""
    account = options.need_account()
    async with options.opened() as house:
        start: Look = (await house.views.get(account, options.actor, view if view is not None else view_id)).look
        changed = await house.views.change(account, options.actor, view_id, looks.look_of(where, sort, columns, start))
        show(_row(changed), as_json=options.as_json)


@command.command()
@click.argument("view_id", type=int)
@click.argument("name")
@asynchronous
async def rename(options: Options, view_id: int, name: str) -> None:
    """Another name."""
    async with options.opened() as house:
        show(
            _row(await house.views.rename(options.need_account(), options.actor, view_id, name)),
            as_json=options.as_json,
        )


def _simple(verb: str, text: str) -> None:
    @command.command(verb, help=text)
    @click.argument("view_id", type=int)
    @asynchronous
    async def run(options: Options, view_id: int) -> None:
        async with options.opened() as house:
            found = await getattr(house.views, verb)(options.need_account(), options.actor, view_id)
            show(_row(found), as_json=options.as_json)


for _verb, _text in (("save", "Keep the unsaved changes."), ("reset", "Drop the unsaved changes."),
                     ("publish", "Let the whole account see it."), ("unpublish", "Keep it to yourself.")):  # fmt: skip
    _simple(_verb, _text)


@command.command()
@click.argument("view_id", type=int)
@click.option("--yes", is_flag=True, help="Without a question.")
@asynchronous
async def delete(options: Options, view_id: int, yes: bool) -> None:
    """Delete a view of yours."""
    async with options.opened() as house:
        found = await house.views.get(options.need_account(), options.actor, view_id)
        secrets.confirm(f"View {found.name!r} goes.", yes=yes)
        await house.views.delete(options.need_account(), options.actor, view_id)
    told(f"View {found.name!r} is deleted.", {"id": view_id, "deleted": True}, as_json=options.as_json)
