"""Bronze: declares correctly, importing opens no socket, secrets hide, wrong credentials are refused as such."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import pydantic

from omnichannel_core import errors
from omnichannel_core.connections import forms as sealed
from omnichannel_core.driver import Checkup, Form
from omnichannel_core.testing.canaries import listening, secrets_in, told
from omnichannel_core.testing.conformance.rules import Failed, Level, NotShown, rule
from omnichannel_core.testing.conformance.trying import Bench, Subject, raising
from omnichannel_core.testing.faults import Fault, always

REFUSED = (
    errors.CredentialsRejected, errors.AuthorizationNeeded, errors.AuthorizationDenied, errors.ApplicationRejected,
)  # fmt: skip
CANARY = "canary-3f9b1c77"
_WATCH = """
import sys, threading
seen = []
quiet = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.system")
sys.addaudithook(lambda event, _: seen.append(event) if event in quiet else None)
import omnichannel_core.driver, omnichannel_core.driver.forms, omnichannel_core.gate.gathering
sys.path[:0] = {path}
import importlib
threads = threading.active_count()
importlib.import_module({module})
if threading.active_count() > threads:
    seen.append("a thread")
sys.stderr.write("\\nSEEN:" + ",".join(sorted(set(seen))))
"""


@rule(Level.BRONZE, "A driver that declares wrongly is never let in: no merchant can connect.")
def declares(subject: Subject) -> None:
    """Found by its entry point, compatible, all hooks well formed."""
    if subject.found.reason:
        raise Failed(f"It is not compatible: {subject.found.reason}")
    driver = subject.driver
    if not driver.title.strip():
        raise Failed("Its distribution has no summary; users see it as the driver's name.")
    if not (driver.pulls or driver.pushes):
        raise Failed("It has no stream; nothing comes in or goes out.")


@rule(Level.BRONZE, "Hooks are asked in any process at any time; answers that differ make workers disagree.")
def declares_the_same_again(subject: Subject) -> None:
    """Asked twice, it says the same."""
    first, second = subject.gather(), subject.gather()
    same = (
        first.credentials is second.credentials and first.application is second.application
        and {n: p.form for n, p in first.pages.items()} == {n: p.form for n, p in second.pages.items()}
        and {n: s.cursor for n, s in first.pulls.items()} == {n: s.cursor for n, s in second.pulls.items()}
        and list(first.pushes) == list(second.pushes)
    )  # fmt: skip
    if not same:
        raise Failed("Its hooks answer differently when asked again; declare forms and streams once, in the module.")


@rule(Level.BRONZE, "A catalog page of a hundred drivers must not open a hundred sockets.")
def imports_quietly(subject: Subject) -> None:
    """In an interpreter of its own: no socket, no child process, no thread, no word on the terminal."""
    script = _WATCH.format(path=json.dumps(sys.path), module=json.dumps(subject.found.module))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    said, mark, seen = done.stderr.rpartition("\nSEEN:")
    if not mark:
        raise Failed(f"Importing it fails: {done.stderr.strip()[-300:]}")
    if seen:
        raise Failed(f"Importing it does {seen}; do it when a hook's object is called, through the session.")
    if done.stdout or said.strip():
        raise Failed("Importing it writes to the terminal; use session.log, later.")


@rule(Level.BRONZE, "A form's repr ends up in logs and tracebacks.")
def secrets_hide_in_forms(subject: Subject) -> None:
    """No repr, text or dump of a form shows a secret; strangers are refused."""
    driver = subject.driver
    given: list[tuple[type[Form], Mapping[str, Any]]] = [(driver.credentials, subject.facts.credentials)]
    if driver.application is not None:
        given.append((driver.application, subject.facts.application or {}))
    for form, typed in given:
        filled = form.model_validate(_with_canaries(form, typed))
        for shown in (repr(filled), str(filled), f"{filled.model_dump()!r}", filled.model_dump_json()):
            if CANARY in shown:
                raise Failed(f"{form.__name__} shows a secret when it is printed; leave it a SecretStr and its repr.")
        try:
            form.model_validate({**typed, "stranger": 1})
        except pydantic.ValidationError:
            continue
        raise Failed(f"{form.__name__} takes a field it does not know; leave model_config alone.")


@rule(Level.BRONZE, "A form that shows its secrets as JSON Schema defaults hands them to every browser.")
def forms_can_be_shown(subject: Subject) -> None:
    """Credentials, application and every page have a schema, and what is typed is stored and restored."""
    driver, facts = subject.driver, subject.facts
    filled = driver.credentials.model_validate(facts.credentials)
    plain, secrets = sealed.plain_and_secrets(filled)
    json.dumps(plain)
    again = sealed.restore(driver.credentials, plain, {name: pydantic.SecretStr(one) for name, one in secrets.items()})
    if again != filled:
        raise Failed("Its credentials are not the same after being stored; use types that JSON can hold.")
    if filled.remote_account() != again.remote_account() or filled.channel() != again.channel():
        raise Failed("remote_account() or channel() of equal credentials differ; derive them from the form alone.")
    forms: list[type[Form]] = [driver.credentials, *(page.form for page in driver.pages.values())]
    shown = json.dumps([one.model_json_schema() for one in forms])
    if secrets_in(shown, tuple(secrets.values())):
        raise Failed("A form's schema contains a secret; take the default away.")


def _without_token(bench: Bench, problem: errors.OmnichannelError) -> str:
    """Why the remote may say 401 where nobody typed anything wrong."""
    if bench.driver.flow.renew is not None or not isinstance(problem, errors.CredentialsRejected):
        return ""
    return ". The flow has no `renew`, so `sign` gets a token only from AUTHORIZE (fact `tokens`)."


@rule(
    Level.BRONZE, "A connection is made only after a check: one that fails for good credentials stops every merchant."
)
def checks(subject: Subject) -> None:
    """Right credentials lead to a Checkup with a title, and to the account the form says."""

    async def work(bench: Bench) -> None:
        session = bench.session()
        try:
            found = await bench.driver.flow.check(session)
        except errors.OmnichannelError as problem:
            told = f"The check of the right credentials raises {type(problem).__name__}: {problem}"
            raise Failed(told + _without_token(bench, problem)) from problem
        if not isinstance(found, Checkup) or not found.title.strip():
            raise Failed("The check answers no Checkup with a title; merchants tell shops apart by it.")
        typed = session[bench.driver.credentials].remote_account()
        if typed and found.account and typed != found.account:
            raise Failed("The check names another account than remote_account() of the form; compare what they take.")

    subject.each(work)


@rule(
    Level.BRONZE, "Wrong credentials ask the merchant, a remote that is down only waits: they must be told apart.",
    out_of_place=lambda subject: "" if subject.driver.has_credentials else "nothing is typed",
)  # fmt: skip
def refuses_wrong_credentials(subject: Subject) -> None:
    """They are refused as such."""
    if subject.facts.wrong_credentials is None:
        raise NotShown("say `wrong_credentials`: well formed, and refused by the remote")

    async def work(bench: Bench) -> None:
        session = bench.session(bench.facts.wrong_credentials)
        session.tokens.clear()
        async with raising("The check of wrong credentials") as caught:
            await bench.driver.flow.check(session)
        if not isinstance(caught[0], REFUSED):
            raise Failed(
                f"The check of wrong credentials raises {type(caught[0]).__name__}; raise CredentialsRejected."
            )

    subject.each(work)


@rule(Level.BRONZE, "What is logged or raised is read by people who must not know the secrets.")
def secrets_stay_in(subject: Subject) -> None:
    """Neither log nor error nor repr nor record shows one: when all is well, and when the remote refuses or breaks."""

    async def work(bench: Bench) -> None:
        for plan in (None, 401, 403, 500, 400, Fault.MALFORMED, Fault.RESET):
            if plan is not None and bench.proxy is None:
                break
            if bench.proxy is not None:
                bench.proxy.plan(always(plan))
            with listening() as heard:
                told_of = await _everything(bench)
            session = bench.sessions[-1]
            shown = [repr(bench.driver), *told_of, *heard.lines]
            if secrets_in("\n".join(shown), session.secrets()):
                raise Failed("A secret is shown in a log line, an error, a repr or a record; never format it.")

    subject.each(work)


async def _everything(bench: Bench) -> list[str]:
    """What a check and the beginnings of all pulls show and raise."""
    session, shown = bench.session(), list[str]()
    try:
        shown.append(repr(await bench.driver.flow.check(session)))
    except Exception as problem:  # noqa: BLE001 - it is looked at, whatever it is
        shown.append(told(problem))
    for stream in bench.driver.pulls.values():
        try:
            page = await bench.step(session, stream, stream.cursor())
            shown.append(repr(page))
        except Exception as problem:  # noqa: BLE001 - as above
            shown.append(told(problem))
    logging.getLogger(__name__).debug("tried")
    return shown


def _with_canaries(form: type[Form], typed: Mapping[str, Any]) -> dict[str, Any]:
    return {**typed, **{name: CANARY for name in _secret_fields(form) if not isinstance(typed.get(name), list | tuple)}}


def _secret_fields(form: type[pydantic.BaseModel]) -> Iterator[str]:
    for name, field in form.model_fields.items():
        if pydantic.SecretStr in (field.annotation, *get_args(field.annotation)):
            yield name
