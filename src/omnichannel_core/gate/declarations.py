"""What a driver declared, looked at piece by piece before anything trusts it. Nothing here awaits or opens anything."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar, get_args

import msgspec
import pydantic

from omnichannel_core.driver.authorization import AuthorizationFlow
from omnichannel_core.driver.callbacks import Callbacks
from omnichannel_core.driver.forms import Application, Credentials, Form, Settings, SettingsPage
from omnichannel_core.driver.remote import Limit, RemoteApi
from omnichannel_core.driver.streams import PullStream, PushStream
from omnichannel_core.gate.catalog import KEBAB
from omnichannel_core.records import Cancellation, Invoice, Record, Shipment

F = TypeVar("F", bound=Form)
T = TypeVar("T")
_SECRET_WORDS = frozenset({"secret", "password", "passphrase", "token"})


class Wrong(Exception):
    """What is wrong, and what the author does about it."""


def form_of(answer: object, kind: type[F], hook: str) -> type[F]:
    """A form class: frozen, refusing strangers, secrets hidden, showable as JSON Schema."""
    if not isinstance(answer, type) or not issubclass(answer, kind) or answer is Form:
        raise Wrong(f"{hook} answers {_shown(answer)}, not a subclass of {kind.__name__}; return the class itself")
    config, what = answer.model_config, f"form {answer.__name__}"
    if config.get("extra") != "forbid" or not config.get("frozen") or not config.get("hide_input_in_errors"):
        raise Wrong(f"{what} changes model_config; leave extra, frozen and hide_input_in_errors as they are")
    if issubclass(answer, Credentials | Application):
        for field in _plain_secrets(answer):
            raise Wrong(f"{what} takes the secret {field} as plain text; make it a SecretStr")
    try:
        answer.model_json_schema()
    except Exception as cause:
        raise Wrong(f"{what} cannot be shown as JSON Schema ({type(cause).__name__}); use plain types") from cause
    return answer


def _plain_secrets(form: type[pydantic.BaseModel]) -> Iterable[str]:
    for name, field in form.model_fields.items():
        inside = set(_leaves(field.annotation))
        if name.split("_")[-1] in _SECRET_WORDS and str in inside:
            yield name
        for leaf in inside:
            if isinstance(leaf, type) and issubclass(leaf, pydantic.BaseModel) and leaf is not form:
                yield from (f"{name}.{deeper}" for deeper in _plain_secrets(leaf))


def _leaves(annotation: object) -> Iterable[object]:
    parts = get_args(annotation)
    if not parts:
        yield annotation
    for part in parts:
        yield from _leaves(part)


def flow_of(answer: object) -> AuthorizationFlow:
    """A flow whose parts can be called."""
    flow = _instance(answer, AuthorizationFlow, "authorization_flow")
    _callable(flow.check, "AuthorizationFlow.check")
    for part in ("begin", "finish", "renew", "disconnect"):
        _maybe_callable(getattr(flow, part), f"AuthorizationFlow.{part}")
    if flow.begin is not None and flow.finish is None:
        raise Wrong("AuthorizationFlow has begin without finish; nobody comes back without it")
    if not isinstance(flow.plain, frozenset) or not all(isinstance(one, str) for one in flow.plain):
        raise Wrong("AuthorizationFlow.plain is a frozenset of names")
    if flow.made_for is not None:
        _record(flow.made_for, "AuthorizationFlow.made_for")
    return flow


def pages_of(answer: object) -> dict[str, SettingsPage]:
    """Settings pages by name, in their order; each form opens with no arguments."""
    pages: dict[str, SettingsPage] = {}
    forms: set[type[Settings]] = set()
    for given in _list(answer, "settings_pages"):
        page = _instance(given, SettingsPage, "settings_pages")
        what = f"settings page {_named(page.name, 'settings page', pages)}"
        _text(page.title, f"title of {what}")
        _is(page.inherits, bool, f"inherits of {what}")
        _is(page.needs, str, f"needs of {what}")
        form = form_of(page.form, Settings, what)
        if form in forms:
            raise Wrong(f"{what} has the form of another page; give it a form class of its own")
        try:
            form()
        except Exception as cause:
            raise Wrong(f"{what}: {form.__name__}() fails; give every field a default") from cause
        forms.add(form)
        pages[page.name] = page
    return pages


def streams_of(answer: object) -> tuple[dict[str, PullStream[Any]], dict[str, PushStream[Any]]]:
    """Pulls and pushes by name, in their order."""
    pulls: dict[str, PullStream[Any]] = {}
    pushes: dict[str, PushStream[Any]] = {}
    for given in _list(answer, "sync_streams"):
        if isinstance(given, PullStream):
            _named(given.name, "pull stream", pulls)
            pulls[given.name] = _pull(given)
        elif isinstance(given, PushStream):
            _named(given.name, "push stream", pushes)
            pushes[given.name] = _push(given)
        else:
            raise Wrong(f"sync_streams has {_shown(given)}; it has PullStreams and PushStreams only")
    _alone(pulls.values())
    return pulls, pushes


def _alone(pulls: Collection[PullStream[Any]]) -> None:
    """What a snapshot does not contain is retired: nobody else may bring records of its kinds."""
    for stream in pulls:
        for other in pulls:
            shared = [kind.__name__ for kind in stream.yields if kind in other.yields]
            if stream.snapshot and other is not stream and shared:
                raise Wrong(
                    f"snapshot stream {stream.name} would retire the {shared[0]} records of stream {other.name}; let "
                    "one stream yield them all"
                )


def _pull(stream: PullStream[Any]) -> PullStream[Any]:
    what = f"pull stream {stream.name}"
    if (stream.pull is None) == (stream.pull_together is None):
        raise Wrong(f"{what} has {'no pull' if stream.pull is None else 'two'}; give either pull or pull_together")
    for part in ("pull", "pull_together", "fetch", "acknowledge", "widen"):
        _maybe_callable(getattr(stream, part), f"{part} of {what}")
    if not isinstance(stream.yields, tuple) or not stream.yields:
        raise Wrong(f"{what} yields nothing; name the kinds of records as a tuple")
    for kind in stream.yields:
        _record(kind, f"yields of {what}")
    _is(stream.snapshot, bool, f"snapshot of {what}")
    _span(stream.every, f"every of {what}")
    _cursor(stream.cursor, what)
    return stream


def _cursor(kind: object, what: str) -> None:
    """The beginning can be made, kept as bytes and read again."""
    if not isinstance(kind, type) or not issubclass(kind, msgspec.Struct):
        raise Wrong(f"cursor of {what} is {_shown(kind)}; make it a msgspec.Struct")
    try:
        start = kind()
        again = msgspec.json.decode(msgspec.json.encode(start), type=kind)
    except Exception as cause:
        raise Wrong(
            f"cursor {kind.__name__} of {what} cannot begin: give every field a default JSON can hold"
        ) from cause
    if again != start:
        raise Wrong(f"cursor {kind.__name__} of {what} does not survive JSON; use types msgspec reads back")


def _push(stream: PushStream[Any]) -> PushStream[Any]:
    what = f"push stream {stream.name}"
    _record(stream.takes, f"takes of {what}")
    _callable(stream.push, f"push of {what}")
    _maybe_callable(stream.settle, f"settle of {what}")
    _at_least_one(stream.batch, f"batch of {what}")
    _is(stream.state, bool, f"state of {what}")
    _is(stream.repeatable, bool, f"repeatable of {what}")
    if stream.full_every is not None:
        _span(stream.full_every, f"full_every of {what}")
        if issubclass(stream.takes, Shipment | Invoice | Cancellation):
            raise Wrong(f"{what} has full_every, but {stream.takes.__name__} happens once; leave it out")
    return stream


def api_of(answer: object, flow: AuthorizationFlow) -> RemoteApi | None:
    """How the remote wants to be talked to; tokens need somebody who signs with them."""
    if answer is None:
        if flow.renew is not None or flow.begin is not None:
            raise Wrong("authorization_flow brings tokens but there is no remote_api; declare who signs with them")
        return None
    api = _instance(answer, RemoteApi, "remote_api")
    for part in ("sign", "judge", "origins"):
        _callable(getattr(api, part), f"RemoteApi.{part}")
    names: dict[str, Limit] = {}
    for given in _list(api.limits, "RemoteApi.limits"):
        limit = _instance(given, Limit, "RemoteApi.limits")
        names[_named(limit.name, "limit", names)] = _limit(limit)
    return api


def _limit(limit: Limit) -> Limit:
    what = f"limit {limit.name}"
    for part, value in (("rate", limit.rate), ("burst", limit.burst), ("window", limit.window)):
        if value is None and part == "window":
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise Wrong(f"{part} of {what} is {_shown(value)}; give a number above 0")
    if limit.concurrent is not None:
        _at_least_one(limit.concurrent, f"concurrent of {what}")
    if limit.per not in ("account", "application", "host"):
        raise Wrong(f"per of {what} is {_shown(limit.per)}; it is account, application or host")
    operations = limit.operations
    if operations is not None and not (
        isinstance(operations, frozenset) and all(isinstance(o, str) for o in operations)
    ):
        raise Wrong(f"operations of {what} are not a frozenset of names")
    _maybe_callable(limit.read, f"read of {what}")
    return limit


def callbacks_of(answer: object) -> Callbacks | None:
    """What the marketplace calls us for."""
    if answer is None:
        return None
    callbacks = _instance(answer, Callbacks, "callbacks")
    _callable(callbacks.receive, "Callbacks.receive")
    _maybe_callable(callbacks.subscribe, "Callbacks.subscribe")
    _maybe_callable(callbacks.unsubscribe, "Callbacks.unsubscribe")
    return callbacks


def not_supported_of(answer: object, streams: Iterable[str]) -> dict[str, str]:
    """Stream name -> why; what is declared as a stream is supported."""
    if answer is None:
        return {}
    if not isinstance(answer, Mapping):
        raise Wrong(f"not_supported answers {_shown(answer)}; return a mapping of stream names to reasons")
    reasons = dict(answer)
    for name, why in reasons.items():
        _named(name, "stream that is not supported", {})
        _text(why, f"reason of not supported {name}")
    for name in streams:
        if name in reasons:
            raise Wrong(f"{name} is declared as a stream and as not supported; leave one out")
    return reasons


# --- pieces
def _shown(value: object) -> str:
    """Its type: a value may be a secret, and its repr a trap."""
    return f"class {value.__name__}" if isinstance(value, type) else _a(type(value))


def _a(kind: type) -> str:
    return f"{'an' if kind.__name__[:1].lower() in 'aeiou' else 'a'} {kind.__name__}"


def _instance(value: object, kind: type[T], where: str) -> T:
    if not isinstance(value, kind):
        raise Wrong(f"{where} answers {_shown(value)}, not {_a(kind)}; return one")
    return value


def _list(value: object, where: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise Wrong(f"{where} answers {_shown(value)}; return a list or a tuple")
    return value


def _named(name: object, what: str, taken: Mapping[str, object]) -> str:
    if not isinstance(name, str) or not KEBAB.fullmatch(name) or len(name) > 64:
        shown = repr(name[:64]) if isinstance(name, str) else _shown(name)
        raise Wrong(f"a {what} is called {shown}; names are lower case words joined by hyphens")
    if name in taken:
        raise Wrong(f"two {what}s are called {name}; names are unique")
    return name


def _is(value: object, kind: type, what: str) -> None:
    if not isinstance(value, kind):
        raise Wrong(f"{what} is {_shown(value)}; make it {_a(kind)}")


def _text(value: object, what: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise Wrong(f"{what} is empty or no text; write one")


def _at_least_one(value: object, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Wrong(f"{what} is {_shown(value)} or below 1; give a whole number from 1")


def _span(value: object, what: str) -> None:
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise Wrong(f"{what} is not a timedelta above 0")


def _record(value: object, what: str) -> None:
    if not isinstance(value, type) or not issubclass(value, Record) or value is Record:
        raise Wrong(f"{what} has {_shown(value)}; use a kind of record from omnichannel_core.records")


def _callable(value: Callable[..., object] | object, what: str) -> None:
    if not callable(value) or inspect.isclass(value):
        raise Wrong(f"{what} is {_shown(value)}; give a function")


def _maybe_callable(value: object, what: str) -> None:
    if value is not None:
        _callable(value, what)
