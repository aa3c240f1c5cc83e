"""Tokens API 2021-03-01: restricted data tokens (guide 7)."""

from __future__ import annotations

from typing import Any

from omnichannel_amazon_simulator.answers import Answer, Call, reply
from omnichannel_amazon_simulator.errors import denied, invalid
from omnichannel_amazon_simulator.report_kinds import KINDS
from omnichannel_amazon_simulator.routing import Routes
from omnichannel_amazon_simulator.tokens import TOKEN_LIFE

routes = Routes()
ELEMENTS = {
    "buyerInfo": frozenset({"tax_invoicing", "tax_remittance", "shipping"}),
    "shippingAddress": frozenset({"tax_invoicing", "shipping"}),
    "buyerTaxInformation": frozenset({"tax_invoicing", "tax_remittance"}),
}
"""Data element -> roles, one of which it needs."""
DOCUMENTS = "/reports/2021-06-30/documents/"
MOST = 50


@routes("POST", "/tokens/2021-03-01/restrictedDataToken", "createRestrictedDataToken")
def create(call: Call) -> Answer:
    wanted = call.object().get("restrictedResources")
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= MOST:
        raise invalid(f"restrictedResources takes 1 to {MOST} resources.")
    resources = tuple(_resource(call, each) for each in wanted)
    token = call.world.wallet.access_token(
        call.token.client_id, call.now, call.token.grant, kind="rdt", resources=resources
    )
    return reply({"restrictedDataToken": token.value, "expiresIn": int(TOKEN_LIFE)})


def _resource(call: Call, wanted: Any) -> tuple[str, str, tuple[str, ...]]:
    if not isinstance(wanted, dict) or wanted.get("method") not in {"GET", "PUT", "POST", "DELETE"}:
        raise invalid("A restricted resource needs method and path.")
    path, elements = str(wanted.get("path", "")), tuple(wanted.get("dataElements") or ())
    if not path.startswith("/"):
        raise invalid("A restricted resource needs method and path.")
    if elements and not path.startswith("/orders/v0/orders"):
        raise invalid("dataElements is not supported for this path.")
    if path.startswith(DOCUMENTS):
        _document(call, path.removeprefix(DOCUMENTS))
    for element in elements:
        if not ELEMENTS.get(element, frozenset()) & call.seller.roles(call):
            raise invalid(f"Application does not have access to one or more requested data elements: [{element}]")
    return str(wanted["method"]), path, elements


def _document(call: Call, ident: str) -> None:
    """Only the path of one document, and only with the roles of its report."""
    if "{" in ident:
        raise invalid("A specific path is required for report documents.")
    made = call.world.documents.all.get((call.seller.id, ident))
    if made is None or made.report_type not in KINDS:
        raise invalid("The report document does not exist.")
    if not KINDS[made.report_type].roles <= call.seller.roles(call):
        raise denied()
