"""Two doors to storage: whatever takes a transaction is bound to an account, or says why it need not be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import omnichannel_core.storage

STORAGE = Path(omnichannel_core.storage.__file__).parent
WORKER = "The worker's door"  # how a docstring begins where only ids, leases, due times and counts come out
WITHOUT = {  # module.function -> what binds it instead
    "accounts": "accounts themselves",
    "condition": "counts of the whole store",
    "engine": "process ids only",
    "fairness": "a worker's own look at process ids",
    "limits": "budgets of remote accounts, by key",
    "numbers": "numbers of the whole store",
    "turns": "a worker's own, by id and fence",
    "vault": "the whole store's keys",
    "licenses.fact": "the whole store's",
    "licenses.facts": "the whole store's",
    "licenses.set_fact": "the whole store's",
    "streams": "what was taken with an account",
    "sending": "what was taken with an account",
    "calls.first_time": "a connection found by its account",
    "drafts.put": "the draft brings its account",
    "drafts.unconfirmed": "nobody's yet: proved by a claim",
    "drafts.there": "the draft brings its account",
    "drafts.take_state": "proved by a state",
    "drafts.remove": "the draft brings its account",
    "drafts.sweep": "what is over, whosever",
    "fulls.mark": "rows that were taken",
    "fulls.plan": "a stream that was taken",
    "fulls.inherit": "rows just queued",
    "outbox.drop_outdated": "rows just queued",
    "pages.retire": "a run that was taken",
    "receipts.receipt_done": "a receipt found by its account",
    "erasure.forget": "a connection that is gone",
    "processes.in_hand": "(account, id) of each",
}


def functions() -> Iterator[tuple[str, ast.FunctionDef, bool]]:
    """(module.name, it, whether its class is made for an account)."""
    for file in sorted(STORAGE.glob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                yield f"{file.stem}.{node.name}", node, False
            elif isinstance(node, ast.ClassDef):
                methods = [one for one in node.body if isinstance(one, ast.FunctionDef)]
                bound = any(one.name == "__init__" and "account" in names(one) for one in methods)
                yield from ((f"{file.stem}.{one.name}", one, bound) for one in methods)


def names(function: ast.FunctionDef) -> set[str]:
    """Of its arguments."""
    return {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}


def unbound() -> dict[str, ast.FunctionDef]:
    """Public ones that take a transaction and no account."""
    return {
        name: one for name, one, bound in functions()
        if "tx" in names(one) and not one.name.startswith("_") and not bound and "account" not in names(one)
    }  # fmt: skip


def test_every_question_names_its_account() -> None:
    """A function without account is the worker's door by its docstring, or stands in the list with its reason."""
    free = {
        name for name, one in unbound().items()
        if WORKER not in (ast.get_docstring(one) or "") and not {name, name.partition(".")[0]} & set(WITHOUT)
    }  # fmt: skip
    assert free == set(), "bind it to an account, or say here why not"


def test_the_list_is_no_longer_than_needed() -> None:
    """What is bound meanwhile, or gone, leaves the list; and the test finds what it is for."""
    there = {part for name in unbound() for part in (name, name.partition(".")[0])}
    assert set(WITHOUT) - there == set()
    bound = {name for name, one, of_class in functions() if of_class or "account" in names(one)}
    assert {"connections.get", "hub.search", "outbox.rows", "processes.page"} <= bound
