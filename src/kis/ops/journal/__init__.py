"""Continuous protection of the SQLite file: its log, copied elsewhere as it grows (ADR 0020)."""
