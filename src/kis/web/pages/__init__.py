"""The pages of the console, by what they are about."""

from kis.web.pages import (
    estimates,
    estimating,
    evidence,
    keys,
    knowledge,
    knowledge_changes,
    knowledge_golden,
    knowledge_import,
    knowledge_questions,
    knowledge_tables,
    operation,
)
from kis.web.parts import Parts
from kis.web.visit import Page

AREAS = (
    estimating,
    estimates,
    evidence,
    knowledge_import,
    knowledge_questions,
    knowledge_golden,
    knowledge_tables,
    knowledge_changes,
    knowledge,
    operation,
    keys,
)


def all_pages(parts: Parts) -> tuple[Page, ...]:
    """Return every page."""
    return tuple(page for area in AREAS for page in area.pages(parts))
