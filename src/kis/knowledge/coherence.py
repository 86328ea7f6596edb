"""What the parts of a version must have in common, once they are laid together. Pure.

Most references between rules and rows need no check here: a frame above a rule's
table is a question to the owner, a kind of accessory that no rule names takes the
general way, and words such as mounts and materials are checked one by one.
"""

from collections.abc import Iterable
from itertools import islice

from kis.errors import Text
from kis.knowledge.model import Breaker
from kis.knowledge.problems import Problems, Reason, json_place
from kis.knowledge.snapshot import Tables
from kis.korean import with_particle

MAX_NAMED = 5
"""How many rows a finding names."""


def check_coherence(tables: Tables) -> None:
    """Refuse rules without a brand that breakers of the version have.

    Nobody could ask for these rows by their brand, and the version could not be
    imported as it is.

    Raises:
        DomainError: KNOWLEDGE_INVALID, a finding for each brand.

    """
    orphans: dict[str, list[Breaker]] = {}
    known = frozenset(tables.rules.brands)
    for row in tables.breakers:
        if row.brand not in known:
            orphans.setdefault(row.brand, []).append(row)
    problems = Problems()
    for brand, rows in orphans.items():
        problems.add(json_place("$.rules.brands"), _brand_in_use(brand, rows))
    problems.raise_if_any()


def _brand_in_use(brand: str, rows: list[Breaker]) -> Reason:
    named = _listed(f"{row.model} {row.poles}P" for row in rows)
    count = len(rows)
    quoted = f"'{brand}'"
    allowed = Text(
        f"brands에 {with_particle(quoted, '을/를')} 두거나,"
        ' mode "replace"로 그 행이 없는 breakers를 함께 올리기',
        f'"{brand}" among the brands, or breakers without these rows and mode "replace"',
    )
    message = Text(
        f"brands에 {with_particle(quoted, '이/가')} 없는데 그 차단기 {count}행이 남습니다({named})."
        f" 허용: {allowed.ko}.",
        f"'{brand}' is not among the brands, but {count} of its breakers stay ({named})."
        f" Allowed: {allowed.en}.",
    )
    return Reason(brand, message, allowed)


def _listed(names: Iterable[str]) -> str:
    found = list(islice(names, MAX_NAMED + 1))
    return ", ".join(found[:MAX_NAMED]) + (", ..." if len(found) > MAX_NAMED else "")
