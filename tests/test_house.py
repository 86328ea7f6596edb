"""The house rules that a program can check: sizes, mirrored tests, words for packages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "src" / "kis"
UNIT_TESTS = ROOT / "tests" / "unit"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
MIN_DOCSTRING_WORDS = 3
RAW_PARTICLES = re.compile(r"\((?:은|는|이|가|을|를|과|와|으)\)")
"""은(는), (으)로: what people write who do not know the word before it. `kis.korean` does."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def functions_in(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def lines_of(function: Function) -> int:
    """Count from `def` to the end; what explains the function does not make it long."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def mirrored_by(test_module: Path) -> bool:
    """Whether `test_engine.py`, or `test_engine_pragmas.py`, has an `engine.py` to test.

    An aspect may follow the name: tests of one module may need several files.
    """
    folder = SOURCES / test_module.relative_to(UNIT_TESTS).parent
    words = test_module.stem.removeprefix("test_").split("_")
    names = ("_".join(words[:count]) for count in range(len(words), 0, -1))
    return any((folder / f"{name}.py").is_file() for name in names)


def test_no_file_is_long() -> None:
    counts = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in python_files("src", "tests", "bench", "tools")
    }
    assert {path: lines for path, lines in counts.items() if lines > MAX_FILE_LINES} == {}


def test_no_function_is_long() -> None:
    counts = {
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}": lines_of(function)
        for path in python_files("src", "tests", "bench", "tools")
        for function in functions_in(path)
    }
    assert {name: lines for name, lines in counts.items() if lines > MAX_FUNCTION_LINES} == {}


def test_unit_tests_mirror_the_source() -> None:
    strays = [path for path in UNIT_TESTS.rglob("test_*.py") if not mirrored_by(path)]
    assert strays == []


def test_no_korean_particle_is_left_to_the_reader() -> None:
    raw = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files("src")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if RAW_PARTICLES.search(line)
    ]
    assert raw == []


@pytest.mark.parametrize(
    "package", sorted(SOURCES.rglob("__init__.py")), ids=lambda p: p.parent.name
)
def test_package_says_what_it_is_for(package: Path) -> None:
    docstring = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
    assert len(docstring.split()) >= MIN_DOCSTRING_WORDS
