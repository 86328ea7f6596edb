"""Watching over an installation: what is looked at, who is told, and when."""
