"""Whether a closing adds up: its receipts against businesscases.csv and payment.csv (guide section 6.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from omnichannel_pos.gathering import BOOKED, CENT, VOIDED, ZERO, Receipt
from omnichannel_pos.refusals import Unbalanced
from omnichannel_pos.splitting import Key
from omnichannel_pos.tables import KEY, key_of, number, rows, whole

Sums = dict[tuple[str, str], Decimal]


def reconciled(texts: Mapping[str, str], key: Key, receipts: Mapping[str, Receipt]) -> list[Receipt]:
    """All receipts that are to be known, voids marked.

    BON_STORNO is written by different tills for different things (guide 6.1), so it is not believed: where all
    receipts do not sum up to the closing, those marked that no counter receipt resolves are left out, or void
    receipts are let in, and whichever sums up is right.

    Raises:
        Unbalanced: nothing does; the message says which closing, which sum.
    """
    voids = [one for one in receipts.values() if one.head.type.casefold() == VOIDED]
    booked = [one for one in receipts.values() if one.head.type.casefold() == BOOKED]
    for receipt in booked:
        receipt.settle()
    _resolve(booked, receipts, key)
    cases, payments = _cases(texts), _payments(texts) if "datapayment.csv" in texts else None
    first: Unbalanced | None = None
    for readings in (_as_written, _without_marked, _with_voids):
        taken = readings(booked, voids)
        if taken is None:
            continue
        try:
            _compare(key, "businesscases.csv", cases, _case_sums, taken)
            _compare(key, "payment.csv", payments, _payment_sums, taken)
        except Unbalanced as wrong:
            first = first or wrong
            continue
        return [*taken, *_left_out(booked, taken)]
    assert first is not None  # noqa: S101 - the first reading always answers
    raise first


def _as_written(booked: Sequence[Receipt], voids: Sequence[Receipt]) -> list[Receipt] | None:
    del voids
    return list(booked)


def _without_marked(booked: Sequence[Receipt], voids: Sequence[Receipt]) -> list[Receipt] | None:
    del voids
    taken = [one for one in booked if not one.storno or one.resolves or one.voided_by]
    return taken if len(taken) < len(booked) else None


def _with_voids(booked: Sequence[Receipt], voids: Sequence[Receipt]) -> list[Receipt] | None:
    if not voids:
        return None
    for receipt in voids:
        receipt.settle()
    return [*booked, *voids]


def _left_out(booked: Sequence[Receipt], taken: Sequence[Receipt]) -> list[Receipt]:
    """Receipts that were cancelled at once: they are known, and count nothing."""
    there = {id(one) for one in taken}
    left = [one for one in booked if id(one) not in there]
    for receipt in left:
        receipt.voided_by = receipt.head.id
    return left


def _resolve(booked: Sequence[Receipt], receipts: Mapping[str, Receipt], key: Key) -> None:
    """A receipt that mirrors one of the same closing it refers to voids it; of an earlier closing it is a return."""
    for receipt in booked:
        for _, till, closing, of in receipt.refs:
            target = receipts.get(of) if (till, closing) == key else None
            if target is None or target is receipt or target.voided_by or target.resolves:
                continue
            if receipt.mirrors(target):
                target.voided_by, receipt.resolves = receipt.head.id, True
                break


def _case_sums(receipts: Iterable[Receipt]) -> Sums:
    found: Sums = {}
    for receipt in receipts:
        for line in receipt.lines.values():
            for tax, gross, _, _ in line.vat:
                at = (line.kind, tax)
                found[at] = found.get(at, ZERO) + gross
    return found


def _payment_sums(receipts: Iterable[Receipt]) -> Sums:
    found: Sums = {}
    for receipt in receipts:
        for kind, _, amount, _ in receipt.payments:
            found[kind, ""] = found.get((kind, ""), ZERO) + amount
    return found


def _cases(texts: Mapping[str, str]) -> Sums | None:
    """By kind of business and tax key; None where the closing says nothing."""
    wanted = (*KEY, "GV_TYP", "UST_SCHLUESSEL", "Z_UMS_BRUTTO", "Z_UMS_NETTO", "Z_UST")
    found: Sums = {}
    for row in rows(texts.get("businesscases.csv", ""), "businesscases.csv", wanted):
        gross = number(row[4]) if row[4].strip() else number(row[5]) + number(row[6])
        at = (row[2], whole(row[3]))
        found[at] = found.get(at, ZERO) + gross
    return found or None


def _payments(texts: Mapping[str, str]) -> Sums | None:
    wanted = (*KEY, "ZAHLART_TYP", "Z_ZAHLART_BETRAG")
    found: Sums = {}
    for row in rows(texts.get("payment.csv", ""), "payment.csv", wanted):
        found[row[2], ""] = found.get((row[2], ""), ZERO) + number(row[3])
    return found or None


def _compare(
    key: Key, name: str, said: Sums | None, sums: Callable[[Iterable[Receipt]], Sums], receipts: Sequence[Receipt]
) -> None:
    if said is None:
        return
    found = sums(receipts)
    for at in sorted({*said, *found}):
        claimed, summed = said.get(at, ZERO), found.get(at, ZERO)
        if abs(claimed - summed) >= CENT:
            what = f"{at[0]} at tax key {at[1]}" if at[1] else at[0]
            raise Unbalanced(
                f"Closing {key[0]}/{key[1]} does not add up: {name} says {claimed:f} for {what}, the receipts sum up "
                f"to {summed:f}.",
                key_of(*key),
            )
