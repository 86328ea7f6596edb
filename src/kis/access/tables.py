"""Where the rate limit is counted that several processes share."""

from sqlalchemy import Column, Float, Integer, Table, Text

from kis.db.metadata import metadata

rate_limit_table = Table(
    "rate_limit",
    metadata,
    Column("client", Text, primary_key=True),
    # Seconds of the database's clock since 1970.
    Column("empty_at_s", Float, nullable=False),  # when its bucket is empty
    Column("asked_at_s", Float, nullable=False),
    Column("taken", Integer, nullable=False),  # requests let through when it asked last
)
