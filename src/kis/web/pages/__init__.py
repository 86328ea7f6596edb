"""The pages of the console, by what they are about."""

from kis.web.pages import estimates, evidence, knowledge
from kis.web.parts import Parts
from kis.web.visit import Page


def all_pages(parts: Parts) -> tuple[Page, ...]:
    """Return every page."""
    return (*estimates.pages(parts), *evidence.pages(parts), *knowledge.pages(parts))
