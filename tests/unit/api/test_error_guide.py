"""The table of `docs/errors.md`."""

from kis.api.error_guide import GUIDE, errors_table
from kis.api.errors import STATUS
from kis.errors import ErrorCode


def test_one_line_a_code_in_the_order_of_the_codes() -> None:
    _, _, *lines = errors_table().splitlines()
    assert [line.split(" | ")[0] for line in lines] == [f"| `{code}`" for code in ErrorCode]


def test_line_says_status_meaning_and_remedy() -> None:
    code = ErrorCode.RATE_LIMITED
    meaning, remedy = GUIDE[code]
    (line,) = [line for line in errors_table().splitlines() if f"`{code}`" in line]
    cells = [cell.strip() for cell in line.strip("|").split(" | ")]
    assert cells == [
        f"`{code}`", str(STATUS[code]), meaning.ko, remedy.ko, meaning.en, remedy.en,
    ]  # fmt: skip
