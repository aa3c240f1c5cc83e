"""Pages of the reference: hooks, errors, records, the house, command line, settings, REST; a page for each driver."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from omnichannel_core import Omnichannel, errors
from omnichannel_core.cli.commands import GROUPS, cli
from omnichannel_core.cli.opening import KNOWN
from omnichannel_core.connections.events import HostHooks
from omnichannel_core.driver import DriverHooks, MoreHooks
from omnichannel_core.gate.catalog import Catalog
from omnichannel_core.gate.gathering import gather
from reference import doors, signatures

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def write() -> None:
    """Anew, below docs/reference and docs/drivers."""
    made = {
        "reference/hooks.md": hooks(), "reference/errors.md": failures(), "reference/cli.md": command_line(),
        "reference/api.md": api(), "reference/rest.md": rest(), "reference/settings.md": settings(),
        "reference/driver.md": doors.driver(), "reference/records.md": doors.records(), "reference/kit.md": doors.kit(),
        "reference/house.md": doors.house(),
    }  # fmt: skip
    made |= {f"drivers/{name}.md": page for name, page in drivers()}
    for path, text in made.items():
        (DOCS / path).parent.mkdir(exist_ok=True)
        (DOCS / path).write_text(text.rstrip() + "\n")


def hooks() -> str:
    """Every hook with its exact signature and its words."""
    parts = ["# Hooks, from the code", "Hooks of drivers, then what a host is told. [In words](../hooks.md)."]
    for protocol in (DriverHooks, MoreHooks, HostHooks):
        parts.append(f"## {protocol.__name__}\n\n{inspect.getdoc(protocol)}")
        for name, function in vars(protocol).items():
            if inspect.isfunction(function) and not name.startswith("_"):
                code = _code(doors.plain(f"def {name}{inspect.signature(function)}"))
                parts.append(f"### {name}\n\n{code}\n\n{_words(function)}")
    return "\n\n".join(parts)


def failures() -> str:
    """The tree of errors by who has to act."""
    parts = ["# Errors, from the code", _words(errors).replace("marked *", "marked in their column")]
    for group in errors.OmnichannelError.__subclasses__():
        found = list(_below(group)) or [group]  # a group of one is raised as it is
        rows = [f"| `{one.__name__}` | `{one.__new__(one).key}` | {_may(one)} | {_words(one)} |" for one in found]
        head = "| error | key | a driver may raise it | what it says |\n|---|---|---|---|"
        parts.append("\n".join([f"## {group.__name__}\n\n{_words(group)}\n\n{head}", *rows]))
    return "\n\n".join(parts)


def _may(error: type[Any]) -> str:
    return "yes" if (inspect.getdoc(error) or "").startswith("* ") else ""


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def command_line() -> str:
    """Every command with its help."""
    root = click.Context(cli, info_name="omnichannel")
    parts = ["# Command line, from the code", _code(cli.get_help(root), "text")]
    for name in GROUPS:
        command = cli.get_command(root, name)
        if command is not None:
            parts += list(_command(command, click.Context(command, info_name=name, parent=root)))
    return "\n\n".join(parts)


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    level = min(4, len(context.command_path.split()))
    yield f"{'#' * level} {context.command_path}\n\n{_code(command.get_help(context), 'text')}"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _command(below, click.Context(below, info_name=name, parent=context))


def api() -> str:
    """Every public signature."""
    return f"# Public names, from the code\n\n{_code(signatures.text(), 'text')}"


def rest() -> str:
    """Every operation."""
    rows = [f"| `{one.method}` | `{one.path}` | {one.summary} | {one.permission} |" for one in _operations()]
    head = "| method | path below /api/v1 | what | permission |\n|---|---|---|---|"
    return "\n".join(["# REST, from the code\n", "The whole description is served at `/openapi.json`.\n", head, *rows])


def _operations() -> list[Any]:
    from omnichannel_core.web.api.operations import Operation

    found = list[Any]()
    for room in ("connections", "gate", "hub", "processes", "stores", "views"):
        module = import_module(f"omnichannel_core.web.api.{room}")
        for value in vars(module).values():
            found += [one for one in (value if isinstance(value, list | tuple) else ()) if isinstance(one, Operation)]
    return sorted(found, key=lambda one: (one.path, one.method))


def settings() -> str:
    """What a host sets: the house, the command line's options with their variables, every driver's settings pages."""
    parts = ["# Settings, from the code", "## The house", _house(), "## The command line", _options()]
    parts.append("## Bundled drivers")
    for name, driver in _gathered():
        forms = [(page.title, page.form.model_json_schema()) for page in driver.pages.values()]
        parts += [f"### {name}: {title}\n\n{_form(schema)}" for title, schema in forms]
    return "\n\n".join(parts)


def _house() -> str:
    """Arguments of `Omnichannel`, with their words and defaults."""
    given = inspect.signature(Omnichannel.__init__).parameters
    words = dict(re.findall(r"^- `(\w+)`: (.*)$", doors.words(Omnichannel), re.MULTILINE))
    rows = ["| argument | what | default |", "|---|---|---|"]
    for name, one in list(given.items())[1:]:
        shown = str(one.default) if isinstance(one.default, timedelta) else repr(one.default)
        default = "must" if one.default is one.empty else f"`{_cell(shown)}`"
        rows.append(f"| `{name}` | {_cell(words.get(name, ''))} | {default} |")
    return "\n".join(rows)


def _options() -> str:
    """Options before the command, their variables, and which ones a `--config` file may say."""
    rows = ["| option | variable | what |", "|---|---|---|"]
    for one in cli.params:
        if isinstance(one, click.Option) and not one.hidden:
            variable = f"`{one.envvar}`" if one.envvar else ""
            rows.append(f"| `{', '.join(one.opts)}` | {variable} | {_cell(one.help or '')} |")
    rows += ["", f"`--config FILE` (TOML) may say: {', '.join(f'`{name}`' for name in KNOWN)}. Options win.",
             "`OMNICHANNEL_KEYS` holds the vault's keys where no file is named."]  # fmt: skip
    return "\n".join(rows)


def _form(schema: Any) -> str:
    rows = ["| field | what | default |", "|---|---|---|"]
    for name, field in schema.get("properties", {}).items():
        what = " ".join(str(field.get(key, "")) for key in ("title", "description")).strip()
        rows.append(f"| `{name}` | {_cell(what)} | `{_cell(str(field.get('default', '')))}` |")
    return "\n".join(rows)


def drivers() -> Iterator[tuple[str, str]]:
    """A page for each: capabilities from the code, then its README, with what could not be verified."""
    for name, driver in _gathered():
        readme = (ROOT / "plugins" / name / "README.md").read_text()
        rows = [
            f"| in | {stream.name} | {', '.join(one.__name__ for one in stream.yields)} |"
            for stream in driver.pulls.values()
        ]
        rows += [f"| out | {stream.name} | {stream.takes.__name__} |" for stream in driver.pushes.values()]
        rows += [f"| no | {stream} | {_cell(why)} |" for stream, why in driver.not_supported.items()]
        table = "\n".join(["| | stream | records |", "|---|---|---|", *rows])
        head, _, rest = readme.partition("\n")
        yield name, f"{head}\n\n## Capabilities, from the code\n\n{table}\n{_unlinked(rest)}"


def _gathered() -> Iterator[tuple[str, Any]]:
    for name, found in sorted(Catalog().listing().items()):
        if (ROOT / "plugins" / name / "README.md").exists():
            yield name, gather(found)


def _unlinked(text: str) -> str:
    """Links into the repository become their words: the site has no such pages."""
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", text)


def _words(thing: object) -> str:
    return _plain(inspect.getdoc(thing) or "")


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("* ", "", 1) if text.startswith("* ") else " ".join(text.split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(text: str, language: str = "python") -> str:
    return f"```{language}\n{text.rstrip()}\n```"
