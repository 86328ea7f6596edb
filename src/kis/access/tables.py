"""Where API keys are kept, and the rate limit is counted that several processes share."""

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
