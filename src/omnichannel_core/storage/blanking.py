"""What blanking is: a record without what tells who it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from omnichannel_core.records import Address, Order, Payment, Record, Return

S = TypeVar("S", bound=msgspec.Struct)


def blanked(one: Record) -> Record:
    """The record without what tells who it was: ids, numbers, times, sums, taxes and countries stay."""
    if isinstance(one, Order):
        return _blanked_order(one)
    if isinstance(one, Return):
        lines = {name: _without(line, reason="", extra={}) for name, line in one.lines.items()}
        return msgspec.structs.replace(
            one, reason=_empty(one.reason), lines=lines, payments=_payments(one.payments), extra={}
        )
    return one


def _blanked_order(one: Order) -> Order:
    bill_to = one.bill_to if one.bill_to is UNSET else _address(one.bill_to)
    addresses = one.addresses if one.addresses is UNSET else {k: _address(v) for k, v in one.addresses.items()}
    lines = one.lines if one.lines is UNSET else {
        name: _without(line, options={}, extra={}) for name, line in one.lines.items()
    }  # fmt: skip
    charges = one.charges if one.charges is UNSET else {k: _without(v, extra={}) for k, v in one.charges.items()}
    payments = one.payments if one.payments is UNSET else _payments(one.payments)
    return msgspec.structs.replace(
        one, customer=_empty(one.customer), email=_empty(one.email), note=_empty(one.note), bill_to=bill_to,
        addresses=addresses, lines=lines, charges=charges, payments=payments, extra={},
    )  # fmt: skip


def _address(one: Address) -> Address:
    return Address(id=one.id, country=one.country)


def _payments(payments: Mapping[str, Payment]) -> dict[str, Payment]:
    return {name: _without(one, reference="", extra={}) for name, one in payments.items()}


def _without(one: S, **blank: Any) -> S:
    return msgspec.structs.replace(one, **blank)


def _empty(value: Any) -> Any:
    return value if value is UNSET else ""
