"""Backups: made while serving, checked before they count, and restored."""
