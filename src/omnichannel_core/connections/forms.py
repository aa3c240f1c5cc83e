"""Between what is typed, what is stored, and pydantic forms. Secrets leave a form by their dotted field path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import to_jsonable_python

from omnichannel_core import errors
from omnichannel_core.driver import Form, Ui

F = TypeVar("F", bound=Form)


def plain_and_secrets(form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """A form as JSON without its secrets, and the secrets by path. What was never set is left out."""
    secrets: dict[str, str] = {}
    plain = _strip(form, "", secrets)
    assert isinstance(plain, dict)  # noqa: S101 - a form is a mapping
    return plain, secrets


def _strip(value: Any, path: str, secrets: dict[str, str]) -> Any:
    if isinstance(value, SecretStr):
        secrets[path] = value.get_secret_value()
        return {"secret": path}
    if isinstance(value, BaseModel):
        kept = {name: getattr(value, name) for name in type(value).model_fields if name in value.model_fields_set}
        return {name: _strip(one, _under(path, name), secrets) for name, one in kept.items()}
    if isinstance(value, Mapping):
        return {str(name): _strip(one, _under(path, str(name)), secrets) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_strip(one, _under(path, str(at)), secrets) for at, one in enumerate(value)]
    return to_jsonable_python(value)


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def joined(plain: Mapping[str, Any], secrets: Mapping[str, SecretStr]) -> dict[str, Any]:
    """What `plain_and_secrets` took apart, ready to be validated. A secret that is gone leaves its field out."""
    filled: dict[str, Any] = _fill(dict(plain), secrets)
    return filled


def _fill(value: Any, secrets: Mapping[str, SecretStr]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"secret"} and isinstance(value["secret"], str):
            return secrets.get(value["secret"])
        filled = {name: _fill(one, secrets) for name, one in value.items()}
        return {name: one for name, one in filled.items() if one is not None or value[name] is None}
    if isinstance(value, list):
        return [_fill(one, secrets) for one in value]
    return value


def restore(form: type[F], plain: Mapping[str, Any], secrets: Mapping[str, SecretStr]) -> F:
    """The stored form, lifted by its own `upgrade`.

    Raises:
        FormInvalid: what is stored does not fit this version of the driver; the merchant types it again.
    """
    return _validated(form, form.upgrade(joined(plain, secrets)))


def validate(form: type[F], typed: Mapping[str, Any], *, stored: F | None = None) -> F:
    """What a person typed. On an edit (`stored`) an empty secret keeps the stored one and fixed fields stay.

    Raises:
        FormInvalid: names each field and what is wrong with it; no value is in the message.
    """
    values = dict(typed)
    if stored is not None:
        _keep_secrets(values, stored)
    _hide(form, values)
    checked = _validated(form, values)
    if stored is not None:
        _check_fixed(form, checked, stored)
    return checked


def _validated(form: type[F], values: Mapping[str, Any]) -> F:
    try:
        return form.model_validate(dict(values))
    except ValidationError as cause:
        fields = {".".join(str(part) for part in one["loc"]) or "form": _say(one) for one in cause.errors(
            include_url=False, include_context=False, include_input=False)}  # fmt: skip
        names = ", ".join(fields)
        raise errors.FormInvalid(f"{form.__name__} is not valid: check {names}.", fields) from None


def _say(error: Mapping[str, Any]) -> str:
    known = {
        "missing": "Fill in this field.",
        "extra_forbidden": "There is no such field.",
        "none_required": "This field is filled by AUTHORIZE and cannot be typed.",
        "string_pattern_mismatch": "This is not in the expected form.",
    }
    return known.get(error["type"], str(error["msg"]).removeprefix("Value error, "))


def _keep_secrets(values: dict[str, Any], stored: BaseModel) -> None:
    for name in type(stored).model_fields:
        was = getattr(stored, name)
        if isinstance(was, SecretStr) and values.get(name) in (None, ""):
            values[name] = was
        elif isinstance(was, BaseModel) and isinstance(values.get(name), Mapping):
            values[name] = dict(values[name])
            _keep_secrets(values[name], was)


def _hide(form: type[BaseModel], values: dict[str, Any]) -> None:
    """Fields whose `when` is off are not used: what was typed in them is left out."""
    for name, field in form.model_fields.items():
        for ui in (one for one in field.metadata if isinstance(one, Ui)):
            if ui.when and not values.get(ui.when, form.model_fields[ui.when].get_default(call_default_factory=True)):
                values.pop(name, None)


def _check_fixed(form: type[BaseModel], now: BaseModel, stored: BaseModel) -> None:
    for name, field in form.model_fields.items():
        fixed = any(isinstance(one, Ui) and one.fixed for one in field.metadata)
        if fixed and getattr(now, name) != getattr(stored, name):
            raise errors.FormInvalid(
                f"{form.__name__}: {name} cannot be changed.", {name: "This is set once, at create."}
            )


def proof(form: Form) -> str:
    """Digest of the typed secrets: connections that typed the same share a grant."""
    secrets = plain_and_secrets(form)[1]
    text = "\x1f".join(f"{path}\x1e{value}" for path, value in sorted(secrets.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def shown(form: Form) -> dict[str, Any]:
    """A form for eyes: every secret is `{"set": true}`."""
    plain = {name: getattr(form, name) for name in type(form).model_fields}
    return {name: _show(value) for name, value in plain.items()}


def _show(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return {"set": bool(value.get_secret_value())}
    if isinstance(value, BaseModel):
        return {name: _show(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(name): _show(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_show(one) for one in value]
    return to_jsonable_python(value)


def secret_values(form: BaseModel) -> Iterator[str]:
    """Every secret in a form, for redaction."""
    for name in type(form).model_fields:
        yield from _secrets_in(getattr(form, name))


def _secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        yield from secret_values(value)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _secrets_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _secrets_in(one)


def schema(form: type[Form]) -> dict[str, Any]:
    """JSON Schema with `x-ui`, in the order of declaration; what web and command line render from."""
    return form.model_json_schema(mode="validation")
