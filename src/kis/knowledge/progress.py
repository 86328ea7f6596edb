"""How far long work has come, as it tells whoever waits for it. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple, TypeVar

Step = Literal[
    "rows", "compare", "samples", "keep", "load", "golden", "latest", "workers"
]  # fmt: skip
"""Reading and checking rows, comparing versions, sample boards, storing, loading a version,
golden cases, stored estimates, waiting for the workers to have it."""

Each = TypeVar("Each")
HUNDRED = 100


class Progress(NamedTuple):
    """What is being done now. Where it is counted: `done` of `total`, which else is 0."""

    step: Step
    done: int = 0
    total: int = 0


Tell = Callable[[Progress], None]


def untold(_: Progress) -> None:
    """Tell nobody."""


def each_told(things: Iterable[Each], step: Step, total: int, tell: Tell) -> Iterator[Each]:
    """Yield `things`; tell at first, and about a hundred times, how many of `total` are done."""
    tell(Progress(step, 0, total))
    every = max(1, total // HUNDRED)
    for number, thing in enumerate(things, start=1):
        yield thing
        if number % every == 0:
            tell(Progress(step, min(number, total), total))
