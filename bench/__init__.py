"""Measures the service from outside: `python -m bench`, figures in RESULTS.md."""
