"""All tables, for SQLite and PostgreSQL. Times are integers: microseconds since 1970, UTC."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

VERSION_TABLE = "omni_alembic_version"
metadata = sa.MetaData()
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN_STATES = "state IN ('queued','running','waiting')"  # text: a partial index's predicate must not be bound


def _table(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> sa.Table:
    return sa.Table(f"omni_{name}", metadata, *parts, **options)


def _partial(table: sa.Table, name: str, columns: str, where: str, *, unique: bool = False) -> None:
    kind = "UNIQUE INDEX" if unique else "INDEX"
    ddl: Any = sa.DDL(  # type: ignore[no-untyped-call]
        f"CREATE {kind} {name} ON {table.name} ({columns}) WHERE {where}"
    )
    sa.event.listen(table, "after_create", ddl)


def _id() -> sa.Column[int]:
    return sa.Column("id", BIG, primary_key=True, autoincrement=True)


def _text(name: str, default: str | None = "") -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def _spoken(name: str) -> sa.Column[str]:
    """Text for eyes: upper and lower case sort and compare alike (on PostgreSQL its collation decides)."""
    kind = sa.Text().with_variant(sa.Text(collation="NOCASE"), "sqlite")
    return sa.Column(name, kind, nullable=False, server_default="")


def _int(name: str, default: str | None = "0") -> sa.Column[int]:
    return sa.Column(name, BIG, nullable=False, server_default=default)


def _maybe(name: str) -> sa.Column[int]:
    return sa.Column(name, BIG, nullable=True)


store = _table("store", sa.Column("key", sa.Text, primary_key=True), _text("value"))
number = _table("number", sa.Column("name", sa.Text, primary_key=True), _int("next", "1"))

# --- the gate -----------------------------------------------------------------------------------------------------
account = _table(
    "account",
    sa.Column("id", sa.Text, primary_key=True),
    _text("name"),
    sa.Column("main", sa.Text, sa.ForeignKey("omni_account.id"), nullable=True),
    _int("created_at"),
)
license_ = _table(
    "license",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, sa.ForeignKey("omni_account.id"), nullable=False),
    _text("driver"), _text("text"), _int("added_at"), _int("issued_at"),
    sa.Index("omni_license_account", "account_id", "driver"),
)  # fmt: skip
installation = _table(
    "installation",
    sa.Column("account_id", sa.Text, sa.ForeignKey("omni_account.id"), primary_key=True),
    sa.Column("driver", sa.Text, primary_key=True),
    _int("installed_at"),
)
application = _table(
    "application",
    sa.Column("account_id", sa.Text, sa.ForeignKey("omni_account.id"), primary_key=True),  # the main account
    sa.Column("name", sa.Text, primary_key=True),
    _text("driver"), _int("version", "1"), _int("added_at"),
)  # fmt: skip

# --- connections --------------------------------------------------------------------------------------------------
connection = _table(
    "connection",
    sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.Text, sa.ForeignKey("omni_account.id"), nullable=False),
    _text("driver"), _spoken("name"), _text("status", "active"), _text("health", "ok"), _spoken("health_reason"),
    _int("order_return_errors"), _int("other_errors"),
    _text("remote_account"), _spoken("remote_title"), _text("channel"), _int("grant_id"),
    _text("works", "[]"), _text("missing", "{}"), _text("expires", "{}"), _text("calls_trouble"),
    _text("credentials", "{}"), _text("subject"), _text("callback_key"),
    _int("created_at"), _maybe("last_synced_at"), _maybe("arrived_at"), _int("subscribe_at"), _int("version", "1"),
    _int("fence"),
    *[
        sa.Index(f"omni_connection_{name}", "account_id", name, "id")
        for name in ("name", "status", "driver", "health", "health_reason", "order_return_errors", "other_errors",
                     "created_at", "last_synced_at", "remote_account", "remote_title")
    ],
    sa.Index("omni_connection_id", "account_id", "id"),
    sa.Index("omni_connection_remote", "driver", "remote_account"),
    sa.Index("omni_connection_callback", "callback_key"),
)  # fmt: skip
draft = _table(
    "draft",
    sa.Column("id", BIG, primary_key=True, autoincrement=False),
    sa.Column("account_id", sa.Text, nullable=True),
    _text("driver"), _text("actor"), _maybe("connection_id"), _text("name"), _text("typed", "{}"),
    _text("context", "{}"), _text("remote_account"), _text("state_hash"), _int("created_at"), _int("expires_at"),
    sa.Index("omni_draft_state", "state_hash"),
    sa.Index("omni_draft_expires", "expires_at"),
)  # fmt: skip
grant = _table(
    "grant",
    _id(),
    _text("account_id"), _text("driver"), _text("remote_account"), _text("proof"),
    sa.UniqueConstraint("account_id", "driver", "remote_account", "proof", name="omni_grant_key"),
    sqlite_autoincrement=True,
)  # fmt: skip
token = _table(
    "token",
    sa.Column("grant_id", BIG, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    _maybe("expires_at"), _maybe("granted_at"), _maybe("renewed_at"), _text("scopes", "[]"), _int("version"),
    _text("lease"), _int("lease_until"), _text("trouble"),
)  # fmt: skip
secret = _table(
    "secret",
    sa.Column("account_id", sa.Text, primary_key=True),  # '' while nobody confirmed
    sa.Column("owner_kind", sa.Text, primary_key=True),  # connection, draft, grant, application, store
    sa.Column("owner_id", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    _text("key_id"), _text("sealed", None),
    sa.Index("omni_secret_key", "key_id"),
)  # fmt: skip
settings = _table(
    "settings",  # connection_id 0 is the account's default for the driver
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("driver", sa.Text, primary_key=True),
    sa.Column("connection_id", BIG, primary_key=True),
    sa.Column("page", sa.Text, primary_key=True),
    _int("inherits"), _text("own", "{}"), _int("version", "1"),
)  # fmt: skip
view = _table(
    "view",
    _id(),
    sa.Column("account_id", sa.Text, sa.ForeignKey("omni_account.id"), nullable=False),
    _text("owner"), _text("name"), _int("published"), _text("saved", "{}"), _int("created_at"),
    sa.Index("omni_view_account", "account_id", "owner"),
    sqlite_autoincrement=True,
)  # fmt: skip
working_view = _table(
    "working_view",  # what an actor changed and has not saved; view_id 0 is the list without a view
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("view_id", BIG, primary_key=True),
    _text("look", "{}"),
)

# --- processes ----------------------------------------------------------------------------------------------------
process = _table(
    "process",
    _id(),
    _text("account_id"), _maybe("connection_id"), _text("kind"), _text("key"), _text("state", "queued"),
    _text("payload", "{}"), _int("fence"), _text("worker"), _int("lease_until"), _int("run_at"),
    _int("done"), _maybe("total"), _text("message"), _int("cancel"), _int("attempts"), _int("crashes"),
    _text("error_key"), _text("error"), _int("created_at"), _maybe("started_at"), _maybe("finished_at"),
    sa.Index("omni_process_account", "account_id", "id"),
    sa.Index("omni_process_connection", "connection_id", "id"),
    sqlite_autoincrement=True,
)  # fmt: skip
schedule = _table(
    "schedule",
    sa.Column("connection_id", BIG, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    _text("account_id"), _int("minutes"), _int("own"), _int("next_at"), _int("resting"),
)  # fmt: skip
stream = _table(
    "stream",  # where a pull goes on; the fence of (connection, stream)
    sa.Column("connection_id", BIG, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    _text("account_id"),
    sa.Column("cursor", sa.LargeBinary, nullable=True),
    _int("fence"), _int("holder"), _int("run"), _int("run_complete"), _int("pages"), _int("records"),
    _maybe("last_run_at"), _text("waiting"), _maybe("full_at"),
)  # fmt: skip
limit = _table(
    "limit",  # shared budgets of a store on a server: one state each
    sa.Column("name", sa.Text, primary_key=True),
    _text("state"), _int("changed_at"),
)  # fmt: skip

# --- the hub ------------------------------------------------------------------------------------------------------
record = _table(
    "record",
    sa.Column("connection_id", BIG, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("remote_id", sa.Text, nullable=False),
    _text("revision"), _text("state"), _text("number"), _text("parent"), _maybe("at"), _int("complete", "1"),
    _int("run"), _maybe("retired_at"), _int("changed_at"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.PrimaryKeyConstraint("connection_id", "kind", "remote_id", name="omni_record_key"),
    sa.Index("omni_record_at", "connection_id", "kind", "at", "remote_id"),
)  # fmt: skip
line = _table(
    "line",
    sa.Column("connection_id", BIG, nullable=False),
    sa.Column("order_id", sa.Text, nullable=False),
    sa.Column("line_id", sa.Text, nullable=False),
    _text("sku"), _text("name"), _text("quantity"), _text("price"), _text("gross"), _text("currency"),
    sa.PrimaryKeyConstraint("connection_id", "order_id", "line_id", name="omni_line_key"),
    sqlite_with_rowid=False,
)  # fmt: skip
trouble = _table(
    "trouble",  # a record that could not be taken in: kept with reason and bytes until retried well or dismissed
    _id(),
    _text("account_id"), _int("connection_id"), _text("stream"), _text("kind"), _text("remote_id"),
    _text("reason"),
    sa.Column("raw", sa.LargeBinary, nullable=False, server_default=""),
    _text("state", "open"), _int("attempts"), _int("created_at"), _int("changed_at"),
    sa.UniqueConstraint("connection_id", "kind", "remote_id", name="omni_trouble_key"),
    sqlite_autoincrement=True,
)  # fmt: skip
erased = _table(
    "erased",  # records whose personal data was erased: pulled again, they stay without it
    sa.Column("connection_id", BIG, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("remote_id", sa.Text, nullable=False),
    _int("at"),
    sa.PrimaryKeyConstraint("connection_id", "kind", "remote_id", name="omni_erased_key"),
    sqlite_with_rowid=False,
)  # fmt: skip
receipt = _table(
    "receipt",  # acknowledge after the commit, until done
    sa.Column("connection_id", BIG, primary_key=True),
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("remote_id", sa.Text, primary_key=True),
    _text("receipt"), _int("done"), _int("attempts"), _int("due_at"),
    sa.Index("omni_receipt_due", "connection_id", "stream", "done", "due_at"),
)  # fmt: skip
outbox = _table(
    "outbox",
    _id(),
    _text("account_id"), _int("connection_id"), _text("stream"), _text("kind"), _text("key"), _text("thing"),
    _text("parent"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    _text("state", "queued"), _text("batch"), _text("ticket"), _text("reason"), _text("remote", "{}"),
    _int("fence"), _int("attempts"), _int("due_at"), _int("created_at"), _int("changed_at"),
    _int("full"),  # the run of everything there is that it belongs to, 0 is none
    sa.UniqueConstraint("connection_id", "stream", "key", name="omni_outbox_key"),
    sa.Index("omni_outbox_open", "connection_id", "stream", "state", "due_at"),
    sa.Index("omni_outbox_thing", "connection_id", "stream", "thing"),
    sqlite_autoincrement=True,
)  # fmt: skip
seen_call = _table(
    "seen_call",  # callbacks by the remote's own key: the same twice is once
    sa.Column("connection_id", BIG, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _int("at"),
)
answer = _table(
    "answer",  # to requests with an idempotency key; status 0 while the first one is under way
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    _text("request"), _int("status"), _text("body"), _int("at"),
    sa.Index("omni_answer_at", "at"),
)  # fmt: skip
audit = _table(
    "audit",
    _id(),
    _text("account_id"), _int("at"), _text("actor"), _text("action"), _text("subject"), _text("detail", "{}"),
    sa.Index("omni_audit_account", "account_id", "id"),
    sqlite_autoincrement=True,
)  # fmt: skip

# --- partial indexes: the same statement on both databases, and no dialect is imported for it
_partial(process, "omni_process_open", "account_id, key", f"key <> '' AND {OPEN_STATES}", unique=True)
_partial(
    process, "omni_process_due", "run_at, id, connection_id, account_id, kind, state", "state IN ('queued','waiting')"
)
_partial(process, "omni_process_running", "worker", "state = 'running'")
_partial(process, "omni_process_ended", "finished_at", "finished_at IS NOT NULL")
_partial(schedule, "omni_schedule_due", "next_at", "minutes > 0 AND resting = 0")
_partial(outbox, "omni_outbox_parent", "connection_id, parent", "parent <> ''")
_partial(outbox, "omni_outbox_failed", "connection_id, kind", "state IN ('rejected','unknown')")
_partial(outbox, "omni_outbox_due", "due_at", "state IN ('queued','pending','unknown')")
