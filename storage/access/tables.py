"""Who may call, what they sent under a key of their own, and what was done to the installation itself."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from storage.core.columns import Json, Moment, Name, database_moment, metadata
from storage.core.row_digest import SealedTable

users = Table(
    "users",
    metadata,
    Column("user_id", Name, primary_key=True),
    # Never given to another: history names people by it.
    Column("login", Name, nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("roles", ARRAY(String(32)), nullable=False),
    Column("disabled", Boolean, nullable=False, server_default="false"),
    # Argon2id in the PHC form; none until its owner has set one.
    Column("password", String(255)),
    # The SHA-256 of the code with which its owner sets a password, once.
    Column("code", LargeBinary),
    Column("code_expires_at", Moment),
    # The SHA-256 of the code that binds an account of a messenger to its owner, once.
    Column("im_code", LargeBinary, unique=True),
    Column("im_code_expires_at", Moment),
    database_moment("created_at"),
    Column("last_login_at", Moment),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Name, primary_key=True),
    Column("agent_id", Name, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(String(32)), nullable=False),
    database_moment("created_at"),
    Column("expires_at", Moment),
    Column("revoked", Boolean, nullable=False, server_default="false"),
    Column("last_used_at", Moment),
    Column("label", String(64)),
    # The mode of tasks that this key sends in without naming one.
    Column("default_mode", String(8), nullable=False, server_default="auto"),
    Column("rate_limit", String(64)),
    # The person whose it is: it may do what their roles may, and of that only `scopes` where there are any.
    Column("user_id", Name, ForeignKey("users.user_id")),
    # Whether it came of logging in: it ends by logging out and with the password.
    Column("is_login", Boolean, nullable=False, server_default="false"),
    CheckConstraint("default_mode IN ('auto', 'manual')", name="default_mode"),
    Index("ix_api_keys_agent_id", "agent_id"),
    Index("ix_api_keys_user_id", "user_id", postgresql_where="user_id IS NOT NULL"),
)

# A person who is logged in to the console; the row goes when that ends.
console_sessions = Table(
    "console_sessions",
    metadata,
    Column("session_id", Name, primary_key=True),
    Column("user_id", Name, ForeignKey("users.user_id"), nullable=False),
    # The SHA-256 of the cookie.
    Column("digest", LargeBinary, nullable=False, unique=True),
    database_moment("created_at"),
    database_moment("used_at"),
    Index("ix_console_sessions_user_id", "user_id"),
)

# Who a person is in a messenger: what that account answers, its owner answers.
im_identities = Table(
    "im_identities",
    metadata,
    Column("identity_id", Name, primary_key=True),
    Column("provider", String(16), nullable=False),
    # As the provider names it in what it sends.
    Column("operator_id", String(128), nullable=False),
    Column("user_id", Name, ForeignKey("users.user_id"), nullable=False),
    database_moment("bound_at"),
    UniqueConstraint("provider", "operator_id"),
    CheckConstraint("provider IN ('feishu', 'wecom', 'dingtalk')", name="provider"),
    Index("ix_im_identities_user_id", "user_id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("agent_id", Name, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("status", SmallInteger),
    Column("body", LargeBinary),
    database_moment("created_at"),
    Column("headers", Json),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

SYSTEM_AUDIT: Final = SealedTable(
    name="system_audit",
    key="entry_id",
    position="entry_id",
    written="at",
    facts=("entry_id", "actor", "what", "key_id", "label", "at"),
    content=(),
    body="detail",
    moments=frozenset({"at"}),
)
"""What the digest of an entry covers."""

system_audit = Table(
    "system_audit",
    metadata,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    Column("actor", String(64), nullable=False),
    Column("what", String(64), nullable=False),
    Column("detail", Json, nullable=False, server_default="{}"),
    # On whose behalf: the key, and the name its user gave beside it.
    Column("key_id", Name),
    Column("label", String(32)),
    database_moment("at"),
    *SYSTEM_AUDIT.columns(),
    # What was done to one task.
    Index(
        "ix_system_audit_task_id",
        text("(detail ->> 'task_id')"),
        "entry_id",
        postgresql_where=text("(detail ->> 'task_id') IS NOT NULL"),
    ),
)

# One chain over the history tables, made beside the work: never written with what it seals.
audit_seals = Table(
    "audit_seals",
    metadata,
    Column("seal_id", BigInteger, primary_key=True, autoincrement=False),
    Column("table_name", Name, nullable=False),
    # The range of positions; it begins where the last of its table ended, so that no place is left out.
    Column("first_position", BigInteger, nullable=False),
    Column("last_position", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("rows_digest", LargeBinary, nullable=False),
    # Four bytes of each row's digest: they only help to find the row that no longer agrees.
    Column("marks", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("sealed_at", Moment, nullable=False),
    Index("ix_audit_seals_of_table", "table_name", "last_position"),
)
