"""GraphQL of returns and refunds (guide bigcommerce-and-shopify 2.11): of one order, and of many orders at once."""

from __future__ import annotations

from omnichannel_shopify.order_operations import BAG, MORE, PAYMENT

SHIPPED = "fulfillmentLineItem { id lineItem { id } }"
REVERSE_LINE = f"id totalQuantity {SHIPPED} dispositions {{ id type quantity location {{ id }} }}"
EXCHANGE_LINE = "id quantity variantId lineItems { sku title }"
SHIPPING_LINE = "id subtotalAmountSet { ...Bag } taxAmountSet { ...Bag }"
ADJUSTMENT = "id reason amountSet { ...Bag } taxAmountSet { ...Bag }"
RETURN_LINE = f"""
fragment RetLine on ReturnLineItemType {{
  __typename id quantity refundableQuantity refundedQuantity customerNote returnReasonNote
  returnReasonDefinition {{ handle name }}
  ... on ReturnLineItem {{
    {SHIPPED}
    withCodeDiscountedTotalPriceSet {{ ...Bag }}
    restockingFee {{ id amountSet {{ ...Bag }} }}
  }}
  ... on UnverifiedReturnLineItem {{ unitPrice {{ amount currencyCode }} }}
}}
"""
REFUND_LINE = """
fragment Back on RefundLineItem {
  id quantity restockType restocked location { id } lineItem { id } subtotalSet { ...Bag } totalTaxSet { ...Bag }
}
"""


def _returned(exchanges: int, reverses: int, lines: int) -> str:
    """A return; smaller pages of its parts cost less where many are asked for at once."""
    return f"""
fragment Ret on Return {{
  id name status createdAt closedAt totalQuantity
  order {{ id name updatedAt }}
  returnShippingFees {{ id amountSet {{ ...Bag }} }}
  exchangeLineItems(first: {exchanges}) {{ nodes {{ {EXCHANGE_LINE} }} {MORE} }}
  reverseFulfillmentOrders(first: {reverses}) {{
    nodes {{ id status lineItems(first: {lines}) {{ nodes {{ {REVERSE_LINE} }} {MORE} }} }}
    {MORE}
  }}
  returnLineItems(first: {lines}) {{ nodes {{ ...RetLine }} {MORE} }}
  refunds(first: 1) {{ nodes {{ id }} {MORE} }}
}}
"""


def _refunded(lines: int) -> str:
    return f"""
fragment Paid on Refund {{
  id createdAt updatedAt note
  return {{ id }}
  totalRefundedSet {{ ...Bag }}
  duties {{ amountSet {{ ...Bag }} }}
  refundLineItems(first: {lines}) {{ nodes {{ ...Back }} {MORE} }}
  refundShippingLines(first: 3) {{ nodes {{ {SHIPPING_LINE} }} {MORE} }}
  orderAdjustments(first: 3) {{ nodes {{ {ADJUSTMENT} }} {MORE} }}
  transactions(first: 5) {{ nodes {{ ...Movement }} {MORE} }}
}}
"""


WHOLE_RETURN = _returned(10, 5, 30) + RETURN_LINE + BAG
SHORT_RETURN = _returned(3, 2, 10) + RETURN_LINE + BAG
WHOLE_REFUND = _refunded(20) + REFUND_LINE + BAG + PAYMENT
SHORT_REFUND = _refunded(10) + REFUND_LINE + BAG + PAYMENT

REFUNDS = (
    "query OrderRefunds($id: ID!, $first: Int!)"
    " { order(id: $id) { id name updatedAt refunds(first: $first) { ...Paid } } }" + WHOLE_REFUND
)
RETURNS = (
    "query OrderReturns($id: ID!, $first: Int!, $after: String) {"
    f" order(id: $id) {{ returns(first: $first, after: $after) {{ nodes {{ ...Ret }} {MORE} }} }} }}" + WHOLE_RETURN
)
FEW = 5
"""Refunds of an order that `OrdersRefunds` asks for; where there are so many, there may be more."""

MANY_REFUNDS = (
    f"""
query OrdersRefunds($first: Int!, $after: String, $query: String) {{
  orders(first: $first, after: $after, query: $query, sortKey: ID) {{
    nodes {{ id refunds(first: {FEW}) {{ ...Paid }} }}
    {MORE}
  }}
}}
"""
    + SHORT_REFUND
)
MANY_RETURNS = (
    f"""
query OrdersReturns($first: Int!, $after: String, $query: String) {{
  orders(first: $first, after: $after, query: $query, sortKey: ID) {{
    nodes {{ id returns(first: 2) {{ nodes {{ ...Ret }} {MORE} }} }}
    {MORE}
  }}
}}
"""
    + SHORT_RETURN
)
RETURN_BY_ID = "query ReturnById($id: ID!) { return(id: $id) { ...Ret } }" + WHOLE_RETURN
REFUND_ORDER = "query RefundOrder($id: ID!) { node(id: $id) { ... on Refund { order { id updatedAt } } } }\n"
OPEN_RETURNS = f"""
query OrdersWithReturns($first: Int!, $after: String, $query: String) {{
  orders(first: $first, after: $after, query: $query, sortKey: ID) {{ nodes {{ id updatedAt }} {MORE} }}
}}
"""


def _more(name: str, root: str, field: str, inside: str, *fragments: str) -> str:
    """A connection of one thing, page by page; `root` is a field by id, or a type that only `node` knows."""
    page = f"{field}(first: $first, after: $after) {{ nodes {{ {inside} }} {MORE} }}"
    found = f"node(id: $id) {{ ... on {root} {{ {page} }} }}" if root[0].isupper() else f"{root}(id: $id) {{ {page} }}"
    return f"query {name}($id: ID!, $first: Int!, $after: String) {{ {found} }}\n" + "".join(fragments)


REST = (
    _more("RefundLines", "Refund", "refundLineItems", "...Back", BAG, REFUND_LINE),
    _more("RefundShipping", "Refund", "refundShippingLines", SHIPPING_LINE, BAG),
    _more("RefundAdjustments", "Refund", "orderAdjustments", ADJUSTMENT, BAG),
    _more("RefundTransactions", "Refund", "transactions", "...Movement", BAG, PAYMENT),
    _more("ReturnLines", "return", "returnLineItems", "...RetLine", BAG, RETURN_LINE),
    _more("ReturnExchanges", "return", "exchangeLineItems", EXCHANGE_LINE),
    _more("ReturnReverse", "return", "reverseFulfillmentOrders",
          f"id status lineItems(first: 30) {{ nodes {{ {REVERSE_LINE} }} {MORE} }}"),
    _more("ReverseLines", "reverseFulfillmentOrder", "lineItems", REVERSE_LINE),
)  # fmt: skip
"""What is left of a nested connection."""

TEXTS = (REFUNDS, RETURNS, MANY_REFUNDS, MANY_RETURNS, RETURN_BY_ID, REFUND_ORDER, OPEN_RETURNS, *REST)
