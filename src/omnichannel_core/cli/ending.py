"""How a command ends: whatever it raised becomes a message on stderr and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from omnichannel_core import errors

INTERRUPTED = 130


@contextmanager
def exits(ctx: click.Context) -> Iterator[None]:
    """Around a command. Typed errors have their own codes; an unexpected one is 1 and one line, with -vv all of it."""
    try:
        yield
        sys.stdout.flush()
    except (click.exceptions.Exit, click.ClickException, click.Abort, SystemExit):
        raise
    except BaseException as trouble:  # noqa: BLE001 - the outermost frame
        raise SystemExit(_code(ctx, single(trouble))) from None


def single(trouble: BaseException) -> BaseException:
    """What a group of one holds."""
    while isinstance(trouble, BaseExceptionGroup) and len(trouble.exceptions) == 1:
        trouble = trouble.exceptions[0]
    return trouble


def _code(ctx: click.Context, trouble: BaseException) -> int:
    from omnichannel_core.cli.opening import exit_code
    from omnichannel_core.cli.output import dumps, say, say_error

    as_json = bool(ctx.params.get("as_json"))
    if isinstance(trouble, errors.OmnichannelError):
        say_error(trouble, as_json=as_json)
        return exit_code(trouble)
    if isinstance(trouble, (click.exceptions.Exit, click.ClickException, click.Abort, SystemExit)):
        raise trouble
    if isinstance(trouble, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(trouble, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if int(ctx.params.get("verbose") or 0) > 1:
        logging.getLogger(__name__).error("unexpected", exc_info=trouble)
    words = (str(trouble).splitlines() or [""])[0][:300]
    text = f"Unexpected {type(trouble).__name__}: {words}"
    if as_json:
        click.echo(dumps({"error": "unexpected", "message": text, "fields": {}}), err=True)
    else:
        say(f"{text}\nRun it again with -vv to see where.")
    return 1
