"""The rule set from a decoded JSON object: every problem, not only the first."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal, Protocol, get_args, get_origin

import msgspec

from kis.errors import Text
from kis.knowledge.cells import one_of, read_name
from kis.knowledge.json_text import canonical_object, inside_key
from kis.knowledge.lengths import is_length, lengths_from_mm, outside_key
from kis.knowledge.model import Grade, StockMount
from kis.knowledge.problems import CellError, Problems, Reason, json_place, not_allowed, required
from kis.knowledge.rules import MIXED_BRANDS, RuleSet
from kis.knowledge.stock_rows import unknown_key
from kis.units import to_mm

PATH = "$.rules"

_OBJECT = Text("JSON 객체", "a JSON object")
_ARRAY = Text("JSON 배열", "a JSON array")
_FILLED = Text("비어 있지 않은 배열", "an array that is not empty")
_ASCENDING = Text("앞 행보다 큰 maxFrameSizeA", "a maxFrameSizeA above that of the row before")
_ONE_HEIGHT = Text("heightMm과 heightAboveBodyMm 중 하나", "either heightMm or heightAboveBodyMm")
_BRAND = Text(
    f"앞뒤에 공백이 없는 이름 ({MIXED_BRANDS} 제외)",
    f"a name other than {MIXED_BRANDS}, without spaces around it",
)
_LENGTH = Text("길이(mm)", "a length in mm")
_TEXT = Text("문자열", "text")
_MAIN_POLES = ("1P", "2P", "3P", "4P")
_MOUNTS = ("WALL", "SURFACE", "FLUSH", "STAND")
_FORMS = ("ECONOMIC", "STANDARD")


class _FrameRow(Protocol):
    """A row of a table that is ordered by its upper frame size."""

    @property
    def max_frame_size_a(self) -> int: ...


def parse_rules(value: object, problems: Problems) -> RuleSet | None:
    """Return the rule set; None when something is wrong, which goes to `problems`.

    Lengths are mm under `...Mm` keys.
    """
    before = problems.total
    if not isinstance(value, dict):
        problems.add(json_place(PATH), not_allowed(value, _OBJECT))
        return None
    try:
        plain = canonical_object(value)
    except CellError as error:
        problems.add(json_place(PATH), *error.reasons)
        return None
    reasons: list[Reason] = []
    in_tenths = lengths_from_mm(plain, reasons)
    reasons = reasons or list(_mismatches(in_tenths, RuleSet, "", is_dmm=False))
    problems.add(json_place(PATH), *reasons)
    if problems.total > before:
        return None
    rules = msgspec.convert(in_tenths, RuleSet)
    problems.add(json_place(PATH), *_incoherences(rules))
    return rules if problems.total == before else None


def _mismatches(value: object, wanted: Any, inside: str, *, is_dmm: bool) -> Iterator[Reason]:
    """Tell where `value` is not of the type `wanted`, down to every leaf."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        yield from _struct_mismatches(value, wanted, inside)
    elif origin is tuple:
        if not isinstance(value, list):
            yield not_allowed(value, _ARRAY, inside)
            return
        for index, part in enumerate(value):
            yield from _mismatches(part, arguments[0], f"{inside}[{index}]", is_dmm=is_dmm)
    elif origin is dict:
        if not isinstance(value, dict):
            yield not_allowed(value, _OBJECT, inside)
            return
        for key, part in value.items():
            yield from _mismatches(part, arguments[1], inside + inside_key(key), is_dmm=is_dmm)
    else:
        yield from _leaf_mismatch(value, wanted, inside, is_dmm=is_dmm)


def _struct_mismatches(
    value: object, wanted: type[msgspec.Struct], inside: str
) -> Iterator[Reason]:
    if not isinstance(value, dict):
        yield not_allowed(value, _OBJECT, inside)
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    outside = [outside_key(key) for key in fields]
    for key in value:
        if key not in fields:
            yield unknown_key(key, outside)._replace(inside=inside + inside_key(key))
    for key, field in fields.items():
        step = f"{inside}.{outside_key(key)}"
        if key in value:
            yield from _mismatches(value[key], field.type, step, is_dmm=is_length(key))
        elif field.required:
            yield required(outside_key(key), _allowed(field.type, is_dmm=is_length(key)), step)


def _leaf_mismatch(value: object, wanted: Any, inside: str, *, is_dmm: bool) -> Iterator[Reason]:
    try:
        msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        given = to_mm(value) if is_dmm and type(value) is int else value
        yield not_allowed(given, _allowed(wanted, is_dmm=is_dmm), inside)


def _allowed(wanted: Any, *, is_dmm: bool) -> Text:
    """Return in words what a value of the type `wanted` may be; lengths in mm."""
    origin = get_origin(wanted)
    if origin is Literal:
        return one_of(get_args(wanted))
    if origin is tuple:
        return _ARRAY
    if origin is dict or (isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)):
        return _OBJECT
    return _allowed_range(wanted, is_dmm=is_dmm)


def _allowed_range(wanted: Any, *, is_dmm: bool) -> Text:
    """Return in words the bounds of a number, or of the length of a text."""
    for part in (wanted, *get_args(wanted)):
        for meta in get_args(part):
            if not isinstance(meta, msgspec.Meta):
                continue
            if meta.ge is None or meta.le is None:
                span = f"{meta.min_length}~{meta.max_length}"
                return Text(f"{span}자의 문자열", f"text of {span} characters")
            if is_dmm:
                span = f"{to_mm(int(meta.ge))}~{to_mm(int(meta.le))} mm"
                return Text(f"{span}의 수", f"a number in {span}")
            span = f"{meta.ge}~{meta.le}"
            return Text(f"{span}의 정수", f"a whole number in {span}")
    return _TEXT


def _incoherences(rules: RuleSet) -> Iterator[Reason]:
    """Tell what has the right types but could not be worked with."""
    yield from _table_faults(".pitchClasses", rules.pitch_classes)
    yield from _table_faults(".depth.table", rules.depth.table)
    yield from _table_faults(".standard.main", rules.standard.main)
    yield from _table_faults(".standard.branch", rules.standard.branch)
    yield from _table_faults(".standard.mainOnly", rules.standard.main_only)
    for index, row in enumerate(rules.standard.main_only):
        if (row.height_dmm is None) == (row.height_above_body_dmm is None):
            yield not_allowed({}, _ONE_HEIGHT, f".standard.mainOnly[{index}]")
    widths = rules.economic.width_allowance_dmm_by_main_poles
    yield from _missing_keys(".economic.widthAllowanceMmByMainPoles", widths, _MAIN_POLES, _LENGTH)
    mounts = one_of(get_args(StockMount))
    yield from _missing_keys(".stockMount", rules.stock_mount, _MOUNTS, mounts)
    yield from _missing_keys(".gradePreference", rules.grade_preference, _FORMS, _ARRAY)
    yield from _brand_faults(rules.brands)
    yield from _word_faults(rules)
    yield from _drawing_faults(rules)


def _drawing_faults(rules: RuleSet) -> Iterator[Reason]:
    """Tell which allowances leave less room than the drawing shares out of them."""
    drawing, economic = rules.drawing, rules.economic
    above = drawing.economic_top_dmm + drawing.economic_main_to_branches_dmm
    if economic.height_allowance_dmm < above:
        inside = ".economic.heightAllowanceMm"
        yield not_allowed(to_mm(economic.height_allowance_dmm), _at_least(above), inside)
    across = drawing.busbar_gap_dmm + 2 * drawing.side_clearance_dmm
    for poles, width_dmm in economic.width_allowance_dmm_by_main_poles.items():
        if width_dmm < across:
            inside = f".economic.widthAllowanceMmByMainPoles{inside_key(poles)}"
            yield not_allowed(to_mm(width_dmm), _at_least(across), inside)


def _at_least(dmm: int) -> Text:
    return Text(f"{to_mm(dmm)} mm 이상", f"at least {to_mm(dmm)} mm")


def _table_faults(inside: str, table: Sequence[_FrameRow]) -> Iterator[Reason]:
    if not table:
        yield not_allowed([], _FILLED, inside)
    for index in range(1, len(table)):
        frame = table[index].max_frame_size_a
        if frame <= table[index - 1].max_frame_size_a:
            yield not_allowed(frame, _ASCENDING, f"{inside}[{index}].maxFrameSizeA")


def _missing_keys(
    inside: str, given: Collection[str], needed: Sequence[str], allowed: Text
) -> Iterator[Reason]:
    for key in needed:
        if key not in given:
            yield required(key, allowed, inside + inside_key(key))


def _word_faults(rules: RuleSet) -> Iterator[Reason]:
    for mount, stock in rules.stock_mount.items():
        if stock not in get_args(StockMount):
            inside = f".stockMount{inside_key(mount)}"
            yield not_allowed(stock, one_of(get_args(StockMount)), inside)
    for form, grades in rules.grade_preference.items():
        for index, grade in enumerate(grades):
            if grade not in get_args(Grade):
                inside = f".gradePreference{inside_key(form)}[{index}]"
                yield not_allowed(grade, one_of(get_args(Grade)), inside)


def _brand_faults(brands: Sequence[str]) -> Iterator[Reason]:
    if not brands:
        yield not_allowed([], _FILLED, ".brands")
    for index, brand in enumerate(brands):
        inside = f".brands[{index}]"
        try:
            trimmed = read_name(brand)
        except CellError as error:
            for reason in error.reasons:
                yield reason._replace(inside=inside)
            continue
        # Cells are trimmed before they are compared: no row could have such a brand.
        if trimmed != brand or brand == MIXED_BRANDS:
            yield not_allowed(brand, _BRAND, inside)
