"""JSON with any of the four parts of a version, rows as objects."""

from collections.abc import Collection

from kis.errors import Text
from kis.knowledge.breaker_rows import COLUMNS, BreakerRows, value_readers
from kis.knowledge.json_text import load_json
from kis.knowledge.model import Breaker
from kis.knowledge.problems import (
    CellError,
    Place,
    Problems,
    json_place,
    not_allowed,
)
from kis.knowledge.progress import Tell, each_told, untold
from kis.knowledge.rule_set import parse_rules
from kis.knowledge.spellings import CAMEL, check_spelled_once, spelled, with_spellings
from kis.knowledge.stock_rows import (
    json_row,
    json_rows,
    parse_accessories,
    parse_enclosures,
)
from kis.knowledge.upload import Upload

PARTS = ("breakers", "enclosures", "accessories", "rules")

_KEY_OF = {column: CAMEL.get(column, column) for column in COLUMNS}
_SPELLINGS = with_spellings(_KEY_OF.values())
_AT_LEAST_ONE = Text(
    f"다음 중 하나 이상: {', '.join(PARTS)}", f"at least one of {', '.join(PARTS)}"
)


def load_parts(text: str, problems: Problems) -> object:
    """Return the decoded upload, None when `text` is not JSON; faults go to `problems`."""
    try:
        value, repeated = load_json(text)
    except CellError as error:
        problems.add(json_place("$"), *error.reasons)
        return None
    problems.add(json_place("$"), *repeated)
    return value


def count_rows(value: object) -> int:
    """Return how many rows the arrays of an upload hold together."""
    if not isinstance(value, dict):
        return 0
    return sum(len(part) for part in value.values() if isinstance(part, list))


def parse_parts(
    value: object, brands: Collection[str], problems: Problems, tell: Tell = untold
) -> Upload:
    """Return the parts of a decoded upload; what is wrong goes to `problems`.

    `brands` are known when the upload brings no rules of its own.
    """
    parts = json_row(value, "$", PARTS, problems)
    if parts is None:
        return Upload()
    given = [part for part in PARTS if part in parts]
    if not given:
        problems.add(json_place("$"), not_allowed(None, _AT_LEAST_ONE))
    rules = parse_rules(parts["rules"], problems) if "rules" in given else None
    known: Collection[str] | None = brands
    if "rules" in given:
        # Rules that are refused name no brands: that is told once, not on every row.
        known = rules.brands if rules is not None else None
    return Upload(
        breakers=(
            _breakers(parts["breakers"], known, problems, tell) if "breakers" in given else None
        ),
        enclosures=(
            parse_enclosures(parts["enclosures"], problems) if "enclosures" in given else None
        ),
        accessories=(
            parse_accessories(parts["accessories"], problems) if "accessories" in given else None
        ),
        rules=rules,
    )


def _breakers(
    value: object, brands: Collection[str] | None, problems: Problems, tell: Tell
) -> tuple[Breaker, ...]:
    raw_rows = json_rows(value, "breakers", problems)

    def place_of(index: int, column: str | None) -> Place:
        path = f"$.breakers[{index}]"
        if column is None:
            return json_place(path)
        raw = raw_rows[index]
        row = raw if isinstance(raw, dict) else {}
        return json_place(f"{path}.{spelled(_KEY_OF[column], row)}")

    rows = BreakerRows(value_readers(brands), place_of, problems)
    for index, raw in enumerate(each_told(raw_rows, "rows", len(raw_rows), tell)):
        row = json_row(raw, f"$.breakers[{index}]", _SPELLINGS, problems)
        if row is not None:
            check_spelled_once(row, f"$.breakers[{index}]", problems)
            rows.add(index, [row.get(spelled(key, row)) for key in _KEY_OF.values()])
    return rows.rows()
