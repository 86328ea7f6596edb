"""Where API keys and sessions are kept, and is counted what several processes limit."""

from sqlalchemy import Column, Float, Integer, Table, Text

from kis.db.metadata import Blob, UtcText, metadata

api_key_table = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("scope", Text, nullable=False),
    Column("holder", Text, nullable=False),  # lasts: a key that replaces another has its holder
    Column("label", Text, nullable=False),
    Column("created_at", UtcText, nullable=False),
    Column("expires_at", UtcText),
    Column("revoked_at", UtcText),
    Column("last_used_at", UtcText),  # to the minute
    # Of the secret, SHA-256. None: the environment has the secret, and its key ends with it.
    Column("digest", Blob),
)

rate_limit_table = Table(
    "rate_limit",
    metadata,
    Column("client", Text, primary_key=True),
    # Seconds of the database's clock since 1970.
    Column("empty_at_s", Float, nullable=False),  # when its bucket is empty
    Column("asked_at_s", Float, nullable=False),
    Column("taken", Integer, nullable=False),  # requests let through when it asked last
)

console_session_table = Table(
    "console_session",
    metadata,
    Column("id", Text, primary_key=True),  # of its token, SHA-256 in hex digits
    Column("key_id", Text, nullable=False),
    Column("created_at", UtcText, nullable=False),
    Column("expires_at", UtcText, nullable=False),
)

sign_in_failure_table = Table(
    "sign_in_failure",
    metadata,
    Column("client", Text, primary_key=True),  # the address
    Column("failures", Integer, nullable=False),
    Column("failed_at", UtcText, nullable=False),
)
