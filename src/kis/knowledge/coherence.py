"""What the parts of a version must have in common, once they are laid together. Pure.

Most references between rules and rows need no check here: a frame above a rule's
table is a question to the owner, a kind of accessory that no rule names takes the
general way, and words such as mounts and materials are checked one by one.
"""

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from kis.errors import Text
from kis.knowledge.model import Breaker
from kis.knowledge.problems import Problems, Reason, json_place
from kis.knowledge.rules import RuleSet
from kis.knowledge.snapshot import Tables
from kis.korean import with_particle

MAX_NAMED = 5
"""How many rows a finding names."""


_NEW_VERSION = Text(
    "아직 쓰지 않은 version. 규칙을 바꾸면 새 version을 붙이십시오",
    "a version that is not used yet: give changed rules a new version",
)
_NO_BREAKER = Reason(
    None,
    Text("이 버전에는 차단기가 한 행도 남지 않습니다.", "No breaker is left in this version."),
    Text(
        'breakers에 한 행 이상, 또는 breakers 없이 다른 표만 올리기 (mode "replace"는 표를 통째로'
        " 바꿉니다)",
        'at least one row of breakers, or only other tables, without breakers (mode "replace"'
        " replaces a table as a whole)",
    ),
)


class KnownRules(NamedTuple):
    """A rule set that is kept, and the label of a version that has it."""

    label: str
    rules: RuleSet


def check_coherence(tables: Tables, known_rules: Iterable[KnownRules] = ()) -> None:
    """Refuse tables that cannot be a version.

    Without a breaker there is no board. Breakers of a brand that the rules lack
    could not be asked for, and the version could not be imported as it is. Estimates
    and evidence name the rules by their version: it must not stand for others too.

    Raises:
        DomainError: KNOWLEDGE_INVALID, with a finding for each brand and each fault.

    """
    problems = Problems()
    if not tables.breakers:
        problems.add(json_place("$.breakers"), _NO_BREAKER)
    _check_brands(tables, problems)
    _check_version(tables.rules, known_rules, problems)
    problems.raise_if_any()


def check_rules_version(rules: RuleSet, known_rules: Iterable[KnownRules]) -> None:
    """Refuse rules whose version is that of others among `known_rules`.

    Raises:
        DomainError: KNOWLEDGE_INVALID.

    """
    problems = Problems()
    _check_version(rules, known_rules, problems)
    problems.raise_if_any()


def _check_version(rules: RuleSet, known_rules: Iterable[KnownRules], problems: Problems) -> None:
    for label, known in known_rules:
        if known.version == rules.version and known != rules:
            problems.add(json_place("$.rules.version"), _version_in_use(rules.version, label))
            return


def _check_brands(tables: Tables, problems: Problems) -> None:
    orphans: dict[str, list[Breaker]] = {}
    known = frozenset(tables.rules.brands)
    for row in tables.breakers:
        if row.brand not in known:
            orphans.setdefault(row.brand, []).append(row)
    for brand, rows in orphans.items():
        problems.add(json_place("$.rules.brands"), _brand_in_use(brand, rows))


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
        f"brands에 {with_particle(quoted, '이/가')} 없는데"
        f" 그 차단기 {count}행이 남습니다({named}).",
        f"'{brand}' is not among the brands, but {count} of its breakers stay ({named}).",
    )
    return Reason(brand, message, allowed)


def _version_in_use(version: str, label: str) -> Reason:
    quoted = f"'{version}'"
    message = Text(
        f"규칙의 version {with_particle(quoted, '은/는')} 버전 {label}에서"
        " 내용이 다른 규칙에 이미 쓰였습니다.",
        f"The rules' version {quoted} is that of other rules, which {label} has.",
    )
    return Reason(version, message, _NEW_VERSION)


def _listed(names: Iterable[str]) -> str:
    found = list(islice(names, MAX_NAMED + 1))
    return ", ".join(found[:MAX_NAMED]) + (", ..." if len(found) > MAX_NAMED else "")
