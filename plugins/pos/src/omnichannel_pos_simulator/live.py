"""A receipt as a till pushes it during the day (the driver's schema receipt.json)."""

from __future__ import annotations

import json
from typing import Any

from omnichannel_pos_simulator.goods import net
from omnichannel_pos_simulator.till import Receipt, Till


def pushed(till: Till, receipt: Receipt) -> bytes:
    """JSON of one receipt of the day that is still open. What a line counts nothing for is left out."""
    lines = receipt.counted()
    sums: dict[int, int] = {}
    for line in lines:
        sums[line.tax] = sums.get(line.tax, 0) + line.gross
    return json.dumps({
        "cash_register_export_id": till.name,
        "cash_point_closing_export_id": till.closing,
        "head": {
            "transaction_export_id": receipt.id, "type": receipt.type, "number": str(receipt.number),
            "timestamp_start": receipt.at.isoformat(), "timestamp_end": receipt.at.isoformat(),
            "user_export_id": "7", "closing_client_id": "T1",
            "references": [
                {"transaction_export_id": of, "cash_register_export_id": name, "cash_point_closing_export_id": closing,
                 "lineitem_export_id": line}
                for line, name, closing, of in receipt.refs
            ],
        },
        "data": {
            "full_amount_incl_vat": _text(receipt.total),
            "amounts_per_vat_id": [_amount(gross, tax) for tax, gross in sums.items()],
            "payment_types": [
                {"type": kind, "name": name, "amount": _text(amount), "currency_code": "EUR"}
                for kind, name, amount in receipt.payments
            ],
            "lines": [_line(line) for line in lines],
        },
    }).encode()  # fmt: skip


def _line(line: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "lineitem_export_id": line.id, "text": line.text, "storno": line.void, "voucher_id": line.voucher,
        "business_case": {"type": line.kind, "amounts_per_vat_id": [_amount(line.gross, line.tax)]},
    }  # fmt: skip
    if line.article is not None:
        made["item"] = {"number": line.article.sku, "gtin": line.article.gtin, "quantity": line.quantity,
                        "price_per_unit": _text(line.article.price), "group": line.article.group}  # fmt: skip
    return made


def _amount(gross: int, tax: int) -> dict[str, Any]:
    without = net(gross, tax)
    return {"vat_definition_export_id": tax, "incl_vat": _text(gross), "excl_vat": f"{without / 100_000:.5f}",
            "vat": f"{(gross * 1000 - without) / 100_000:.5f}"}  # fmt: skip


def _text(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"
