"""Continuous protection: the log copied, bases, and databases rebuilt from both."""
