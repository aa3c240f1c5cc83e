"""Between what is typed, what is stored, and pydantic forms. Secrets leave a form by their dotted field path."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import pydantic
import pydantic_core

from omnichannel_core import errors
from omnichannel_core.connections.typed import DATE, Reader, kinds, leaves, tags, ui_of

if TYPE_CHECKING:
    from omnichannel_core.driver import Form

F = TypeVar("F", bound="Form")
MARK = "$secret"
MISSING = "Fill in this field."
_NO_DATES = (
    "date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact",
    "datetime_type", "datetime_parsing", "datetime_from_date_parsing", "datetime_object_invalid",
)  # fmt: skip
SHORT = 4  # shorter texts occur in any message
_GONE: Any = object()


def plain_and_secrets(form: pydantic.BaseModel) -> tuple[dict[str, Any], dict[str, str]]:
    """A form as JSON without its secrets, and the secrets by path. What was never set is left out.

    A secret's place holds `{"$secret": path}`; a dot or backslash in a mapping's key is escaped in the path, and a key
    that begins with `$` gets one more.
    """
    secrets: dict[str, str] = {}
    plain: dict[str, Any] = _strip(form, "", secrets)
    return plain, secrets


def _strip(value: Any, path: str, secrets: dict[str, str]) -> Any:
    if isinstance(value, pydantic.SecretStr):
        secrets[path] = value.get_secret_value()
        return {MARK: path}
    if isinstance(value, pydantic.BaseModel):
        kept = [name for name in type(value).model_fields if name in value.model_fields_set | tags(type(value)).keys()]
        return {name: _strip(getattr(value, name), _under(path, name), secrets) for name in kept}
    if isinstance(value, Mapping):
        return {_key(str(name)): _strip(one, _under(path, _quoted(str(name))), secrets) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_strip(one, _under(path, str(at)), secrets) for at, one in enumerate(value)]
    if isinstance(value, set | frozenset):
        return sorted((pydantic_core.to_jsonable_python(one) for one in value), key=_rank)
    return pydantic_core.to_jsonable_python(value)


def _rank(one: Any) -> tuple[str, float, str]:
    """Where a member of a set stands: numbers as numbers, all else as text."""
    return str(type(one)), one if isinstance(one, int | float) else 0, str(one)


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _key(name: str) -> str:
    return f"${name}" if name.startswith("$") else name


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace(".", "\\.")


def joined(plain: Mapping[str, Any], secrets: Mapping[str, pydantic.SecretStr]) -> dict[str, Any]:
    """What `plain_and_secrets` took apart, ready to be validated. A secret that is gone leaves its field out."""
    filled: dict[str, Any] = _fill(dict(plain), secrets)
    return filled


def _fill(value: Any, secrets: Mapping[str, pydantic.SecretStr]) -> Any:
    if isinstance(value, dict):
        if set(value) == {MARK}:
            return secrets.get(value[MARK], _GONE)
        filled = {name.removeprefix("$"): _fill(one, secrets) for name, one in value.items()}
        return {name: one for name, one in filled.items() if one is not _GONE}
    if isinstance(value, list):
        return [one for one in (_fill(one, secrets) for one in value) if one is not _GONE]
    return value


def restore(form: type[F], plain: Mapping[str, Any], secrets: Mapping[str, pydantic.SecretStr]) -> F:
    """The stored form, lifted by its own `upgrade` (which sees secrets as SecretStr).

    Raises:
        FormInvalid: what is stored does not fit this version of the driver; the merchant types it again.
        ContractBroken: the form's own code failed.
    """
    values = joined(plain, secrets)
    with _guarded(form, "upgrade"):
        values = form.upgrade(values)
    return _validated(form, values, Reader())


def validate(
    form: type[F],
    typed: Mapping[str, Any],
    *,
    stored: F | None = None,
    editing: bool | None = None,
    brought: Mapping[str, Any] | None = None,
) -> F:
    """What a person typed: the whole form, secrets and locked fields excepted.

    With `stored`, a secret that is absent, empty or `{"set": true}` stays; `{"set": false}` forgets an optional one. On
    an edit (`editing`, by default whenever something is stored) fixed fields stay as they are. Fields whose `when` is
    off are not used. Locked fields take only what is stored, or was `brought` by an authorization. Blanks in other than
    text are nothing; dates may be written 21.11.2026.

    Raises:
        FormInvalid: names each field and what is wrong with it; no value is in the message.
        ContractBroken: the form's own code failed.
    """
    reader = Reader(editing=stored is not None if editing is None else editing, brought=brought or {})
    values = reader.section(form, typed, stored)
    checked = _validated(form, values, reader)
    if stored is not None and reader.editing:
        _check_fixed(checked, stored)
    return checked


def _validated(form: type[F], values: Mapping[str, Any], reader: Reader) -> F:
    fields = dict(reader.wrong)
    try:
        with _guarded(form, "validation"):
            checked = form.model_validate(dict(values))
    except pydantic.ValidationError as cause:
        typed = [*leaves(values, SHORT), *reader.secrets]
        for one in cause.errors(include_url=False, include_context=False, include_input=False):
            fields.setdefault(_place(one, values), _say(one, typed))
    if fields:
        raise errors.FormInvalid(f"{form.__name__} is not valid: check {', '.join(fields)}.", fields) from None
    return checked


@contextmanager
def _guarded(form: type[Form], what: str) -> Iterator[None]:
    """A form's own code is its driver's: what it raises may hold what was typed, so only its kind is told."""
    try:
        yield
    except (pydantic.ValidationError, errors.OmnichannelError):
        raise
    except Exception as cause:  # noqa: BLE001 - a driver's code
        raise errors.ContractBroken(f"The {what} of {form.__name__} failed: {type(cause).__name__}.") from None


def _place(error: Mapping[str, Any], values: Any) -> str:
    """The field's dotted name: of the error's path only what was typed, not the tags and types in between."""
    path: list[str] = []
    *before, last = error["loc"] or ("form",)
    for part in before:
        if not _part_of(values, part):
            continue
        values = values[part]
        path.append(str(part))
    inside = _part_of(values, last)
    if inside or not path or error["type"] == "missing":
        path.append(str(last))
    return ".".join(path)


def _part_of(values: Any, name: object) -> bool:
    """Whether what was typed has such a part."""
    if isinstance(values, Mapping):
        return name in values
    return isinstance(values, list | tuple) and isinstance(name, int) and name < len(values)


def _say(error: Mapping[str, Any], typed: Sequence[str]) -> str:
    known = {
        "missing": MISSING,
        "extra_forbidden": "There is no such field.",
        "none_required": "This field is filled by AUTHORIZE and cannot be typed.",
        "string_pattern_mismatch": "This is not in the expected form.",
        "union_tag_invalid": "Choose one of the possible values.",
        "union_tag_not_found": "Choose one of the possible values.",
        **dict.fromkeys(_NO_DATES, DATE),
    }
    said = known.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ").removeprefix(
        "Assertion failed, "
    )
    own = error["type"] in _built_in()
    return said if own or not any(text in said for text in typed) else "This is not accepted."


def _check_fixed(now: pydantic.BaseModel, stored: pydantic.BaseModel) -> None:
    changed = list(_moved(now, stored, ""))
    if changed:
        raise errors.FormInvalid(
            f"{type(now).__name__}: {', '.join(changed)} cannot be changed.",
            dict.fromkeys(changed, "This is set once, at create."),
        )


def _moved(now: pydantic.BaseModel, stored: pydantic.BaseModel, path: str) -> Iterator[str]:
    for name, field in type(now).model_fields.items():
        value, was = getattr(now, name), getattr(stored, name, None)
        if ui_of(field).fixed and value != was:
            yield _under(path, name)
        elif isinstance(value, pydantic.BaseModel) and isinstance(was, type(value)):
            yield from _moved(value, was, _under(path, name))


def proof(form: Form, key: bytes = b"") -> str:
    """Digest of the typed secrets: connections that typed the same share a grant. With a key it cannot be guessed."""
    text = json.dumps(sorted(plain_and_secrets(form)[1].items()))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def shown(form: pydantic.BaseModel) -> dict[str, Any]:
    """A form for eyes: every secret is `{"set": true}`."""
    seen: dict[str, Any] = show(form)
    return seen


def show(value: Any) -> Any:
    """Any part of a form for eyes."""
    if isinstance(value, pydantic.SecretStr):
        return {"set": bool(value.get_secret_value())}
    if isinstance(value, pydantic.BaseModel):
        return {name: _show_field(value, name) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(name): show(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [show(one) for one in value]
    return _strip(value, "", {})


def _show_field(form: pydantic.BaseModel, name: str) -> Any:
    value = getattr(form, name)
    secret = value is None and pydantic.SecretStr in kinds(type(form).model_fields[name].annotation)
    return {"set": False} if secret else show(value)


def secret_values(form: pydantic.BaseModel) -> Iterator[str]:
    """Every secret in a form, for redaction."""
    for name in type(form).model_fields:
        yield from _secrets_in(getattr(form, name))


def _secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, pydantic.SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, pydantic.BaseModel):
        yield from secret_values(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _secrets_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _secrets_in(one)


def schema(form: type[Form]) -> dict[str, Any]:
    """JSON Schema with `x-ui`, in the order of declaration; what web and command line render from."""
    said = form.model_json_schema(mode="validation")
    return {**said, "properties": said.get("properties", {})}


# --- drafts -------------------------------------------------------------------------------------------------------
def revealed(value: Any) -> Any:
    """Values with their secrets in the clear, as JSON: only ever handed to the vault."""
    if isinstance(value, pydantic.SecretStr):
        return value.get_secret_value()
    if isinstance(value, pydantic.BaseModel):
        return plain_values(value)
    if isinstance(value, Mapping):
        return {str(name): revealed(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [revealed(one) for one in value]
    return _strip(value, "", {})


def plain_values(form: pydantic.BaseModel) -> dict[str, Any]:
    """What was set in a form, secrets in the clear: to be validated again, or handed to the vault."""
    return {name: revealed(getattr(form, name)) for name in type(form).model_fields if name in form.model_fields_set}


def shown_values(form: type[Form], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values for eyes, also of a form that is not complete yet."""
    try:
        return shown(form.model_validate(dict(typed)))
    except pydantic.ValidationError:
        return {name: _masked(form, name, one) for name, one in typed.items() if name in form.model_fields}


def _masked(form: type[pydantic.BaseModel], name: str, value: Any) -> Any:
    """A field that may hold a secret anywhere is only said to be set."""
    among = kinds(form.model_fields[name].annotation)
    plain = isinstance(value, str | int | float | bool) and pydantic.SecretStr not in among
    return value if plain or value is None else {"set": bool(value)}


@cache
def _built_in() -> frozenset[str]:
    """The kinds of errors that pydantic words itself; the others are a driver's own words."""
    from pydantic_core import core_schema

    return frozenset(get_args(core_schema.ErrorType)) - {"value_error", "assertion_error"}
