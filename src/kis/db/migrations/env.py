"""Alembic runs this file: applies revisions on the connection of `kis.db.migrate`."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    transactional_ddl=True,
    version_table=context.config.attributes["revision_table"],
)
with context.begin_transaction():
    context.run_migrations()
