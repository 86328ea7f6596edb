"""The pages of the console, by what they are about."""

from kis.web.pages import (
    estimates,
    estimating,
    evidence,
    keys,
    knowledge,
    knowledge_import,
    operation,
)
from kis.web.parts import Parts
from kis.web.visit import Page


def all_pages(parts: Parts) -> tuple[Page, ...]:
    """Return every page."""
    areas = (estimating, estimates, evidence, knowledge_import, knowledge, operation, keys)
    return tuple(page for area in areas for page in area.pages(parts))
