"""From options to an opened house; from errors to exit codes."""

from __future__ import annotations

import functools
import logging
import os
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import anyio
import attrs
import click

from omnichannel_core import errors
from omnichannel_core.app import Omnichannel
from omnichannel_core.cli.output import say_error
from omnichannel_core.storage import keys

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
        endpoints = {str(k): str(v) for k, v in said.get("endpoints", {}).items()}
        for one in given["endpoint"]:
            driver, sign, url = one.partition("=")
            if not sign or not driver or not url:
                raise click.UsageError(f"--endpoint {one!r} is not DRIVER=URL.")
            endpoints[driver] = url
        return cls(
            db=given["db"] if given["db"] != "omnichannel.db" else said.get("db", given["db"]),
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

    def house(self, *, work: bool = False, **more: Any) -> Omnichannel:
        """Not opened yet."""
        ring = keys.from_file(self.key_file) if self.key_file else keys.from_environment()
        trust = self.trust.read_text() if self.trust else None
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
        return tomllib.loads(Path(name).read_text())
    except (OSError, tomllib.TOMLDecodeError) as cause:
        raise click.UsageError(f"--config {name}: {cause}") from None


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


def asynchronous(command: F) -> Callable[..., Any]:
    """Run an async command on asyncio, with the options as its first argument; errors become exit codes."""

    @click.pass_obj
    @functools.wraps(command)
    def run(options: Options, /, **given: Any) -> Any:
        _log(options.verbose)
        try:
            return anyio.run(functools.partial(command, options, **given))
        except BaseException as trouble:
            found = _single(trouble)
            if isinstance(found, errors.OmnichannelError):
                say_error(found, as_json=options.as_json)
                raise SystemExit(exit_code(found)) from None
            if isinstance(found, KeyboardInterrupt):
                raise SystemExit(130) from None
            if isinstance(found, BrokenPipeError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise SystemExit(0) from None
            if found is not trouble:
                raise found from None
            raise

    return run


def _single(trouble: BaseException) -> BaseException:
    while isinstance(trouble, BaseExceptionGroup) and len(trouble.exceptions) == 1:
        trouble = trouble.exceptions[0]
    return trouble


def _log(verbose: int) -> None:
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
