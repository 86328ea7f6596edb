"""The database: engines, the one writer, and the schema's history.

Knows no domain: the tables live in the domain folders and share
`kis.db.metadata.metadata`.
"""
