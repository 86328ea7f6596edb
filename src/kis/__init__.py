"""KIS: sizes Korean low-voltage switchboard enclosures, with evidence."""

__version__ = "0.1.0"
