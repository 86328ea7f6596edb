"""The gates: what must be stated is stated, and without contradiction.

They look at the request alone. What needs the tables is in `selection`.
"""

from typing import NamedTuple

import msgspec

from kis.errors import DomainError, ErrorCode, Finding, Text
from kis.estimate.model import (
    MAX_ACCESSORY_LINES,
    MAX_BRANCH_LINES,
    MAX_DEVICES,
    MIXED,
    AccessoryLine,
    AccessoryStatement,
    Board,
    BoardDraft,
    Device,
    DeviceDraft,
    Form,
    Installation,
)
from kis.knowledge.questions import Question, ask
from kis.knowledge.rules import RuleSet
from kis.korean import with_particle

DEFAULT_FORM: Form = "ECONOMIC"


def check_statements(draft: BoardDraft, rules: RuleSet, *, allow_mixed: bool) -> list[Finding]:
    """Return everything that is missing from `draft` or contradicts itself."""
    return [
        *_check_brand(draft, rules, allow_mixed=allow_mixed),
        *_check_installation(draft),
        *_check_main(draft),
        *_check_branches(draft),
        *_check_accessories(draft),
        *_check_size(draft),
    ]


class Origins(NamedTuple):
    """Where the lines of a normalised board stood in the request (first occurrence)."""

    branches: tuple[int, ...]
    accessories: tuple[int, ...]


def normalise(draft: BoardDraft, rules: RuleSet) -> tuple[Board, Origins]:
    """Return `draft`, which passed `check_statements`, complete and in canonical order.

    Equal lines become one; `Origins` leads a finding back to what was typed.
    """
    if (
        draft.brand is None
        or draft.main is None
        or draft.location is None
        or draft.mount is None
        or draft.branches is None
    ):
        raise DomainError(_missing("$", "요청", "The request is"))
    branches = _merge([to_device(line, draft, is_main=False) for line in draft.branches])
    accessories = merge_accessories(draft)
    board = Board(
        brand=draft.brand,
        form=draft.form or DEFAULT_FORM,
        installation=Installation(
            location=draft.location,
            mount=draft.mount,
            material=draft.material or rules.stock.default_material,
        ),
        main=to_device(draft.main, draft, is_main=True),
        branches=tuple(line for line, _ in branches),
        accessories=AccessoryStatement(
            enabled=bool(accessories), items=tuple(line for line, _ in accessories)
        ),
        label=draft.label,
        customer=draft.customer,
        note=draft.note,
    )
    origins = Origins(
        tuple(index for _, index in branches), tuple(index for _, index in accessories)
    )
    return board, origins


def to_device(line: DeviceDraft, draft: BoardDraft, *, is_main: bool) -> Device:
    """Return `line` with what it has from the board."""
    brand = line.brand or ("" if draft.brand == MIXED else draft.brand or "")
    # A branch given by model says its kind by the model; the main, and lines
    # given by frame alone, are of the kind that the board names.
    board_kind = draft.device_type if is_main or line.model is None else None
    return Device(
        brand=brand,
        poles=line.poles or "",
        type=line.type or board_kind,
        model=line.model or "",
        af=line.af,
        at=line.at,
        quantity=line.quantity,
        name=line.name,
    )


Identity = tuple[int, int, str, str, str, int, str]


def identify(line: Device) -> Identity:
    """Return all but the quantity; sorts by poles down, frame down, then the rest."""
    poles = int(line.poles[0]) if line.poles else 0
    return (
        -poles, -(line.af or 0), line.model, line.brand, line.type or "", line.at or 0, line.name,
    )  # fmt: skip


def _merge(lines: list[Device]) -> list[tuple[Device, int]]:
    first: dict[Identity, int] = {}
    counts: dict[Identity, int] = {}
    for index, line in enumerate(lines):
        identity = identify(line)
        first.setdefault(identity, index)
        counts[identity] = counts.get(identity, 0) + line.quantity
    merged = []
    for identity in sorted(counts):
        line = lines[first[identity]]
        if line.quantity != counts[identity]:
            line = msgspec.structs.replace(line, quantity=counts[identity])
        merged.append((line, first[identity]))
    return merged


def merge_accessories(draft: BoardDraft) -> list[tuple[AccessoryLine, int]]:
    """Return the accessories by code, equal ones as one, each with its first place."""
    first: dict[str, int] = {}
    counts: dict[str, int] = {}
    for index, item in enumerate(draft.accessories):
        first.setdefault(item.code, index)
        counts[item.code] = counts.get(item.code, 0) + item.quantity
    return [
        (AccessoryLine(code=code, quantity=counts[code]), first[code]) for code in sorted(counts)
    ]


# --- the checks ------------------------------------------------------------------


def _missing(path: str, what_ko: str, what_en: str, hint: Text | None = None) -> Finding:
    """Return that something is not stated; `what_en` ends with its verb, is or are."""
    return Finding(
        ErrorCode.REQ_MORE_INFO,
        path,
        Text(f"{what_ko} 정보가 없습니다.", f"{what_en} not stated."),
        hint or Text("값을 명시하십시오.", "State it; KIS does not guess."),
    )


def _check_brand(draft: BoardDraft, rules: RuleSet, *, allow_mixed: bool) -> list[Finding]:
    if draft.brand is None:
        names = ", ".join(rules.brands)
        hint = Text(f"{names} 중 하나를 쓰십시오.", f"One of {names}")
        return [_missing("$.brand", "브랜드", "The brand is", hint)]
    if draft.brand == MIXED:
        if allow_mixed:
            return []
        names = ", ".join(rules.brands)
        return [
            Finding(
                ErrorCode.BRAND_CONFLICT,
                "$.brand",
                Text(
                    "이 설치에서는 브랜드 혼용(MIXED)이 허용되지 않습니다.",
                    "This installation does not allow MIXED brands.",
                ),
                Text(
                    f"{names} 중 하나를 고르거나 ALLOW_MIXED_BRAND를 켜십시오.",
                    f"Choose one of {names}, or have ALLOW_MIXED_BRAND switched on.",
                ),
            )
        ]
    stated = _stated_brands(draft)
    findings = [_unknown_brand(brand, path) for brand, path in stated if brand not in rules.brands]
    findings += [
        Finding(
            ErrorCode.BRAND_CONFLICT,
            path,
            Text(
                f"반의 브랜드는 {draft.brand}인데 {brand} 차단기가 있습니다.",
                f"The board's brand is {draft.brand}, but this breaker is {brand}.",
            ),
            Text(
                "한 브랜드로 통일하거나 반의 브랜드를 MIXED로 하십시오"
                " (설치가 허용할 때: ALLOW_MIXED_BRAND=true).",
                "Use one brand, or say MIXED as the board's brand"
                " (where the installation allows it: ALLOW_MIXED_BRAND=true).",
            ),
        )
        for brand, path in stated
        if brand in rules.brands and draft.brand in rules.brands and brand != draft.brand
    ]
    return findings


def _stated_brands(draft: BoardDraft) -> list[tuple[str, str]]:
    stated = [(draft.brand or "", "$.brand")]
    if draft.main is not None and draft.main.brand is not None:
        stated.append((draft.main.brand, "$.main.brand"))
    stated += [
        (line.brand, f"$.branches[{index}].brand")
        for index, line in enumerate(draft.branches or ())
        if line.brand is not None
    ]
    return stated


def _unknown_brand(brand: str, path: str) -> Finding:
    question = Question(kind="brand", brand=brand)
    return Finding(
        ErrorCode.NEED_KNOWLEDGE_UPDATE,
        path,
        Text(f"{brand} 브랜드는 치수 지식에 없습니다.", f"The brand {brand} is not known."),
        ask(question),
        {"question": question},
    )


def _check_installation(draft: BoardDraft) -> list[Finding]:
    findings = []
    if draft.location is None:
        hint = Text("INDOOR(옥내)나 OUTDOOR(옥외)를 쓰십시오.", "INDOOR or OUTDOOR")
        findings.append(
            _missing("$.installation.location", "설치 장소", "The location is", hint),
        )
    if draft.mount is None:
        hint = Text(
            "WALL·SURFACE(벽부·노출), FLUSH(매입), STAND(자립) 중 하나를 쓰십시오.",
            "WALL, SURFACE, FLUSH or STAND",
        )
        findings.append(_missing("$.installation.mount", "설치 방식", "The mounting is", hint))
    return findings


def _check_main(draft: BoardDraft) -> list[Finding]:
    if draft.main is None:
        return [_missing("$.main", "메인 차단기", "The main breaker is")]
    return [*_check_device(draft.main, "$.main", draft), *_check_main_type(draft.main, draft)]


def _check_main_type(main: DeviceDraft, draft: BoardDraft) -> list[Finding]:
    if main.type is None or draft.device_type in (None, main.type):
        return []
    return [
        Finding(
            ErrorCode.DEVICE_TYPE_MISMATCH,
            "$.main.type",
            Text(
                f"메인은 {main.type}인데 반의 차단기 종류는 {draft.device_type}입니다.",
                f"The main is {main.type}, but the board's kind is {draft.device_type}.",
            ),
            Text("둘을 같게 하거나 하나를 빼십시오.", "Make the two agree, or leave one out."),
            {"expected": draft.device_type, "actual": main.type},
        )
    ]


def _check_branches(draft: BoardDraft) -> list[Finding]:
    if draft.branches is None:
        hint = Text(
            "분기가 없으면 ‘분기 없음’이라고 밝히십시오 (API: branches: []).",
            "When there are none, say “No branches” (API: `branches: []`).",
        )
        return [_missing("$.branches", "분기 차단기", "The branch breakers are", hint)]
    return [
        finding
        for index, line in enumerate(draft.branches)
        for finding in _check_device(line, f"$.branches[{index}]", draft)
    ]


def _check_device(line: DeviceDraft, path: str, draft: BoardDraft) -> list[Finding]:
    findings = []
    if line.model is None:
        if line.af is None:
            hint = Text("모델이나 프레임(AF)을 적으십시오.", "State the model or the frame (AF).")
            findings.append(_missing(path, "차단기 모델이나 프레임", "Model or frame is", hint))
        if line.poles is None:
            hint = Text("1P, 2P, 3P, 4P 중 하나를 쓰십시오.", "One of 1P, 2P, 3P, 4P")
            findings.append(_missing(f"{path}.poles", "극수", "The number of poles is", hint))
        if line.type is None and draft.device_type is None:
            hint = Text(
                "MCCB(배선용)나 ELCB(누전)를 쓰십시오. DIN 레일용은 MCB, RCBO입니다.",
                "MCCB or ELCB; for DIN rails MCB or RCBO",
            )
            where = "$.device.type" if path == "$.main" else f"{path}.type"
            findings.append(_missing(where, "차단기 종류", "The kind of breaker is", hint))
        if draft.brand == MIXED and line.brand is None:
            findings.append(_missing(f"{path}.brand", "차단기 브랜드", "The breaker's brand is"))
    return findings


def _check_accessories(draft: BoardDraft) -> list[Finding]:
    if draft.accessories_enabled is None:
        hint = Text(
            '없으면 ‘없음’이라고 밝히십시오 (API: {"enabled": false, "items": []}).',
            'When there are none, say “None” (API: {"enabled": false, "items": []}).',
        )
        return [_missing("$.accessories", "부속자재", "Accessories are", hint)]
    if draft.accessories_enabled and not draft.accessories:
        hint = Text(
            "품목을 적거나 ‘없음’으로 하십시오 (API: enabled: false).",
            "List them, or say “None” (API: enabled: false).",
        )
        return [_missing("$.accessories.items", "부속자재 품목", "The accessory items are", hint)]
    if not draft.accessories_enabled and draft.accessories:
        return [
            Finding(
                ErrorCode.ACCESSORY_CONFLICT,
                "$.accessories.items",
                Text(
                    "부속자재를 쓰지 않는다고 하면서 품목이 있습니다.",
                    "Accessories are disabled, yet items are listed.",
                ),
                Text(
                    "부속자재를 ‘있음’으로 하거나(API: enabled: true) 품목을 비우십시오.",
                    "Say “Some” (API: enabled: true), or list none.",
                ),
            )
        ]
    return []


def _check_size(draft: BoardDraft) -> list[Finding]:
    branches = draft.branches or ()
    devices = 1 + sum([line.quantity for line in branches])
    devices += sum([item.quantity for item in draft.accessories])
    limits = (
        ("$.branches", len(branches), MAX_BRANCH_LINES, "분기 행", "branch lines"),
        ("$.accessories.items", len(draft.accessories), MAX_ACCESSORY_LINES,
         "부속자재 행", "accessory lines"),
        ("$", devices, MAX_DEVICES, "기기", "devices"),
    )  # fmt: skip
    return [
        Finding(
            ErrorCode.BOARD_TOO_LARGE,
            path,
            Text(
                f"{with_particle(what_ko, '이/가')} {count}개입니다. 최대 {most}개입니다.",
                f"{count} {what_en}; at most {most} are allowed.",
            ),
            Text("반을 여러 면으로 나누십시오.", "Split it into several boards."),
        )
        for path, count, most, what_ko, what_en in limits
        if count > most
    ]
