"""That the database cannot be used: the one error of the operator's making."""


class DatabaseUnavailable(Exception):  # noqa: N818 - says what is the case, as DomainError's codes do
    """The database cannot be opened, or cannot commit. The message says why."""
