"""Estimates: from a board to an enclosure, and where the answers are kept.

Read `engine` first: it names the steps. `service` is what the rim calls.
"""
