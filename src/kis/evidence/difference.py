"""Where two JSON values differ first."""

from typing import Any

from kis.errors import path_step

_ABSENT = object()


def first_difference(a: object, b: object, root: str = "$") -> str | None:
    """Return the JSON path of the first difference of two JSON values; None if equal.

    Members are visited in sorted order. 1 equals 1.0 (RFC 8785 writes them
    alike); true does not equal 1.
    """
    # A list of what is left to do, not recursion: depth must not cost stack.
    pending = [(a, b, root)]
    while pending:
        left, right, path = pending.pop()
        if left is right:
            continue
        if isinstance(left, dict) and isinstance(right, dict):
            pending += [
                (left.get(key, _ABSENT), right.get(key, _ABSENT), path + path_step(key))
                for key in sorted(left.keys() | right.keys(), reverse=True)
            ]
        elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
            pending += [
                (_item(left, index), _item(right, index), path + path_step(index))
                for index in reversed(range(max(len(left), len(right))))
            ]
        elif left != right or isinstance(left, bool) is not isinstance(right, bool):
            return path
    return None


def _item(items: list[Any] | tuple[Any, ...], index: int) -> object:
    return items[index] if index < len(items) else _ABSENT
