"""Addresses of static files."""


def asset(path: str) -> str:
    """Return the address of a file below `static`."""
    return f"/static/{path}"
