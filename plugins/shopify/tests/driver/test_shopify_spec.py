"""Every operation the driver sends agrees with Shopify's official schema; the variables of every request in every other
test are held against it too (see conftest).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from graphql import GraphQLSchema, NoDeprecatedCustomRule, parse, specified_rules, validate
from graphql.language import FieldNode, Visitor, visit
from omnichannel_shopify.authorization import NEEDS
from omnichannel_shopify.callbacks import TOPICS
from omnichannel_shopify.operations import OPERATIONS
from omnichannel_shopify.order_operations import BULK_ORDERS, BULK_RETURNS
from omnichannel_shopify.settings import FINANCIAL, FULFILLMENT

ROOT = Path(__file__).parents[4]
SPECS = next((one for p in ROOT.parents if (one := p / "shared/specs/shopify").is_dir()), None)
pytestmark = pytest.mark.skipif(
    SPECS is None, reason="../shared/specs/shopify is not here: operations are NOT validated"
)
TEXTS = {**OPERATIONS, "BulkOrders": BULK_ORDERS % ("created_at:>='2026-01-01T00:00:00Z' AND test:false", BULK_RETURNS)}
IDEMPOTENT = {"inventorySetQuantities", "inventoryActivate", "refundCreate"}
"""Mutations whose descriptions demand the directive (guide 2.13); the types do not show it."""

Schemas = Callable[..., GraphQLSchema]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_operation(schema: Schemas, name: str):
    """The operation is valid against the pinned version, and uses nothing deprecated."""
    found = validate(schema(), parse(TEXTS[name]), [*specified_rules, NoDeprecatedCustomRule])
    assert not found, [one.message for one in found]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_operation_in_the_version_before(schema: Schemas, name: str):
    """The operation is valid against the version before, so that what changed with the pinned one is known."""
    assert not validate(schema("2026-07"), parse(TEXTS[name]))


def test_the_check_can_fail(schema: Schemas):
    """A wrong field, argument or deprecated field is objected to."""
    rules = [*specified_rules, NoDeprecatedCustomRule]
    for text in (
        "{ order(id: 1) { nonsense } }",
        "{ orders(frist: 1) { nodes { id } } }",
        "{ currentBulkOperation { id } }",
    ):
        assert validate(schema(), parse(text), rules)


class Fields(Visitor):
    """All fields of a text, with their directives."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, set[str]] = {}

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.found.setdefault(node.name.value, set()).update(one.name.value for one in node.directives)


def fields(text: str) -> dict[str, set[str]]:
    visitor = Fields()
    visit(parse(text), visitor)
    return visitor.found


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_s05_s08_errors_are_asked_for_and_keys_are_sent(name: str):
    """S5, S8: every mutation asks what was refused, and those that must carry a key do."""
    text = OPERATIONS[name]
    if not text.strip().startswith("mutation"):
        return
    found = fields(text)
    assert any(one.endswith("serErrors") for one in found), "userErrors"
    for mutation in IDEMPOTENT & found.keys():
        assert "idempotent" in found[mutation]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_s15_no_connection_is_cut_off_silently(name: str):
    """S15: wherever entries of a connection are asked for, it is asked too whether there are more."""
    bare = {"NewestOrder", "CustomerDataProbe", "CreateProduct", "ProductById"}
    text = " ".join(OPERATIONS[name].split())
    if name not in bare:
        assert text.count("nodes {") == text.count("pageInfo {") or "nodes(ids" in text


def test_names_are_shopifys(schema: Schemas):
    """Webhook topics and the statuses of the settings are those of the schema."""
    types = schema().type_map
    assert set(TOPICS) <= set(types["WebhookSubscriptionTopic"].values)
    assert set(FINANCIAL) == set(types["OrderDisplayFinancialStatus"].values)
    assert set(FULFILLMENT) == set(types["OrderDisplayFulfillmentStatus"].values)


def test_scopes_are_shopifys():
    """Every scope that a capability is said to need exists in Shopify's own list."""
    assert SPECS is not None
    said = json.dumps(json.loads((SPECS / "driver-subset_2026-10.access-scopes.json").read_text()))
    unknown = {scope for needed in NEEDS.values() for scope in needed if f'"{scope}"' not in said}
    assert unknown <= {"read_all_orders", "write_orders", "write_products", "write_inventory"}, unknown


def deepest(text: str, name: str) -> int:
    """How many selections of that name lie within one another at most."""
    words, stack, most = text.replace("{", " { ").replace("}", " } ").split(), list[bool](), 0
    for before, word in zip(["", *words], words, strict=False):
        if word == "{":
            stack.append(before == name)
            most = max(most, sum(stack))
        elif word == "}":
            stack.pop()
    return most


def test_bulk_query_is_within_the_bounds():
    """A bulk operation has at most five connections, one within the other at most twice below the orders."""
    text = TEXTS["BulkOrders"]
    assert text.count("edges") <= 5
    assert deepest(text, "edges") == 2
    assert deepest("{ a { edges { node { b { edges { node { c { edges { x } } } } } } } } }", "edges") == 3
