"""The tree of commands. Each group lives in a module of its own and is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

import click
from click.shell_completion import CompletionItem

from omnichannel_core.cli.ending import exits

GROUPS = {
    "accounts": "main accounts and sandboxes",
    "licenses": "keys, licenses, applications, revocations",
    "drivers": "what is there, licensed, installed",
    "connections": "create, edit, check, synchronize, delete connections",
    "stores": "points of sale, each with a connection of its own",
    "views": "saved ways to look at the list of connections",
    "processes": "what runs, waits and has ended",
    "hub": "orders, returns, attributes, errors; export and push",
    "vault": "keys and sealed secrets",
    "worker": "run what is queued, until stopped",
    "migrate": "bring the store's tables to this version",
    "restored": "tell that a backup of the store came back",
    "doctor": "look for trouble",
    "simulator": "run a stand-in of a marketplace",
    "new-driver": "make the distribution of a driver, ready to be filled",
    "demo": "the main job, told step by step",
}


class Lazy(click.Group):
    """Knows its commands' names; imports the module of the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in GROUPS:
            return None
        module = import_module(f"omnichannel_core.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        _accept_json(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(GROUPS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=text) for name, text in GROUPS.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> object:
        with exits(ctx):
            return super().invoke(ctx)


def _accept_json(command: click.Command) -> None:
    """`--json` counts wherever it stands: before the command or after it."""
    if all(one.name != "json_too" for one in command.params):
        command.params.append(_json_too())
    for below in getattr(command, "commands", {}).values():
        _accept_json(below)


def _json_too() -> click.Option:
    return click.Option(
        ["--json", "json_too"], is_flag=True, expose_value=False, callback=_want_json, help="Machine-readable output."
    )


def _want_json(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        import attrs

        ctx.find_root().params["as_json"] = True
        ctx.obj = attrs.evolve(ctx.obj, as_json=True)


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="omnichannel-core")
@click.option(
    "--db", envvar="OMNICHANNEL_DB", default=None, show_default="omnichannel.db", help="Store: a path or a URL."
)
@click.option("--data", envvar="OMNICHANNEL_DATA", default=None, help="Directory for files beside the store.")
@click.option("--account", envvar="OMNICHANNEL_ACCOUNT", default=None, help="The account that is meant.")
@click.option(
    "--actor", envvar="OMNICHANNEL_ACTOR", default="cli", show_default=True, help="Who acts, for views and audit."
)
@click.option("--key-file", envvar="OMNICHANNEL_KEY_FILE", default=None, help="Key file of the vault.")
@click.option("--trust", envvar="OMNICHANNEL_TRUST", default=None, help="Vendor's public keys (JWKS file).")
@click.option("--config", default=None, help="omnichannel.toml; read only when named.")
@click.option("--endpoint", multiple=True, metavar="DRIVER=URL", help="Send a driver's requests elsewhere.")
@click.option(
    "--allow", multiple=True, metavar="CIDR[:PORT]", help="Let drivers connect there, past the address guard."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output.")
@click.option("-v", "--verbose", count=True, help="Log more (-vv: everything).")
@click.pass_context
def cli(ctx: click.Context, /, **options: object) -> None:
    """Connect a host's users to any marketplace, shop or point of sale."""
    from omnichannel_core.cli.opening import Options

    ctx.obj = Options.of(options)
