"""Keys of lengths that people may spell in two ways: `widthMm`, or `width_mm` as in CSV."""

from collections.abc import Collection, Mapping

from kis.errors import Text
from kis.knowledge.problems import Problems, Reason, json_place

CAMEL = {
    "width_mm": "widthMm",
    "height_mm": "heightMm",
    "depth_mm": "depthMm",
    "thickness_mm": "thicknessMm",
}
_SNAKE = {camel: snake for snake, camel in CAMEL.items()}
_ONE_SPELLING = Text("두 이름 중 하나", "one of the two spellings")


def with_spellings(keys: Collection[str]) -> list[str]:
    """Return `keys`, and after them the other spellings of those that have one."""
    return [*keys, *(_SNAKE[key] for key in keys if key in _SNAKE)]


def spelled(key: str, row: Mapping[str, object]) -> str:
    """Return `key`, camelCase, as `row` spells it; as it is where `row` has neither."""
    snake = _SNAKE.get(key, key)
    return snake if snake in row else key


def check_spelled_once(row: Mapping[str, object], path: str, problems: Problems) -> None:
    """Add a problem for each key that `row` has in both spellings."""
    for snake, camel in CAMEL.items():
        if snake in row and camel in row:
            message = Text(
                f"'{camel}' 키와 '{snake}' 키는 함께 쓸 수 없습니다.",
                f"'{camel}' and '{snake}' cannot both be given.",
            )
            problems.add(json_place(f"{path}.{snake}"), Reason(row[snake], message, _ONE_SPELLING))
