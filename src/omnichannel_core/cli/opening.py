"""From options to an opened house; from errors to exit codes."""

from __future__ import annotations

import functools
import logging
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from omnichannel_core import errors

if TYPE_CHECKING:
    from omnichannel_core.app import Omnichannel
    from omnichannel_core.storage.keys import KeyRing

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


@attrs.frozen(kw_only=True)
class Options:
    """What stands before the command."""

    db: str
    data: Path | None
    account: str | None
    actor: str
    key_file: Path | None
    trust: Path | None
    endpoints: Mapping[str, str]
    allow: tuple[str, ...]
    as_json: bool
    verbose: int

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Options and, when it is named, the file `omnichannel.toml`; options win.

        Raises:
            click.UsageError: an option is not of its form.
        """
        said = _config(given["config"])
        endpoints = dict(said.get("endpoints", {}))
        for one in given["endpoint"]:
            driver, sign, url = one.partition("=")
            if not sign or not driver or not url:
                raise click.UsageError(f"--endpoint {one!r} is not DRIVER=URL.")
            endpoints[driver] = url
        return cls(
            db=given["db"] or said.get("db") or "omnichannel.db",
            data=_path(given["data"] or said.get("data")), account=given["account"] or said.get("account"),
            actor=given["actor"], key_file=_path(given["key_file"] or said.get("key_file")),
            trust=_path(given["trust"] or said.get("trust")), endpoints=endpoints,
            allow=(*said.get("allow", ()), *given["allow"]), as_json=given["as_json"], verbose=given["verbose"],
        )  # fmt: skip

    def need_account(self) -> str:
        """The account's id.

        Raises:
            click.UsageError: not said.
        """
        if not self.account:
            raise click.UsageError("Which account? Give --account ID (or set OMNICHANNEL_ACCOUNT).")
        return self.account

    def keys_from_environment(self) -> KeyRing | None:
        """None when nothing is set there, or a file is named."""
        from omnichannel_core.storage import keys

        return None if self.key_file else keys.from_environment()

    def house(self, *, work: bool = False, **more: Any) -> Omnichannel:
        """Not opened yet."""
        from omnichannel_core.app import Omnichannel
        from omnichannel_core.storage import keys

        ring = keys.from_file(self.key_file) if self.key_file else self.keys_from_environment()
        trust = read_text(self.trust, "--trust") if self.trust else None
        return Omnichannel(
            self.db,
            data=self.data,
            keys=ring,
            trust=trust,
            endpoints=self.endpoints,
            allow=self.allow,
            work=work,
            **more,
        )

    @asynccontextmanager
    async def opened(self, *, work: bool = False, **more: Any) -> AsyncIterator[Omnichannel]:
        """The house, opened."""
        async with self.house(work=work, **more) as house:
            yield house


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _config(name: str | None) -> Mapping[str, Any]:
    if name is None:
        return {}
    try:
        said = tomllib.loads(read_text(Path(name), "--config"))
    except tomllib.TOMLDecodeError as cause:
        raise click.UsageError(f"--config {name}: {cause}") from None
    for key, value in said.items():
        fits = KNOWN.get(key)
        if fits is None or not fits(value):
            raise click.UsageError(f"--config {name}: {key} is unknown or of another form; known: {', '.join(KNOWN)}.")
    return said


def _text(value: object) -> bool:
    return isinstance(value, str)


KNOWN: Mapping[str, Callable[[Any], bool]] = {
    "db": _text, "data": _text, "account": _text, "key_file": _text, "trust": _text,
    "allow": lambda value: isinstance(value, list) and all(map(_text, value)),
    "endpoints": lambda value: isinstance(value, dict) and all(map(_text, value.values())),
}  # fmt: skip


def read_text(file: Path, what: str) -> str:
    """A file that was named.

    Raises:
        click.UsageError: it cannot be read.
    """
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as cause:
        raise click.UsageError(f"{what} {file}: {getattr(cause, 'strerror', None) or 'not UTF-8 text'}.") from None


EXITS: tuple[tuple[type[errors.OmnichannelError], int], ...] = (
    (errors.FormInvalid, 2),
    (errors.NotFound, 3),
    (errors.AttentionNeeded, 4),
    (errors.ApplicationRejected, 4),
    (errors.NotAdmitted, 4),
    (errors.MoveNotAllowed, 5),
    (errors.Conflict, 5),
    (errors.RemoteError, 6),
    (errors.UsageError, 2),
)


def exit_code(trouble: errors.OmnichannelError) -> int:
    """0 ok, 1 error, 2 usage, 3 not found, 4 refused, 5 conflict, 6 remote unavailable, 130 interrupted."""
    return next((code for kind, code in EXITS if isinstance(trouble, kind)), 1)


def exit_code_of(key: str) -> int:
    """The same for an error that ended a process, known by its key."""
    kinds = list(_leaves(errors.OmnichannelError))
    found = next((kind for kind in kinds if kind.__new__(kind).key == key), errors.OmnichannelError)
    return next((code for kind, code in EXITS if issubclass(found, kind)), 1)


def _leaves(kind: type[errors.OmnichannelError]) -> Iterator[type[errors.OmnichannelError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _leaves(below)


def asynchronous(command: F) -> Callable[..., Any]:
    """Run an async command on asyncio, with the options as its first argument."""

    @click.pass_obj
    @functools.wraps(command)
    def run(options: Options, /, **given: Any) -> Any:
        import anyio

        log(options.verbose)
        return anyio.run(functools.partial(command, options, **given))

    return run


def log(verbose: int) -> None:
    """To stderr: warnings, with -v what happens, with -vv everything."""
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
