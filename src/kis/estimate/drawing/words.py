"""What a drawing says, in the two languages."""

from typing import NamedTuple

from kis.errors import Language, Text
from kis.estimate.words import FORMS, KINDS, LOCATIONS, MATERIALS, MOUNTS


class Words(NamedTuple):
    """The fixed words of a drawing in one language."""

    front_view: str
    side_view: str
    device_area: str
    top: str
    bottom: str
    side: str
    gap: str
    main: str
    branch: str
    branches: str
    accessory: str
    accessories: str
    busbar: str
    enclosure: str
    stock: str
    made_to_order: str
    board: str
    customer: str
    size: str
    make: str
    estimate: str
    made_at: str
    number: str
    model: str
    rating: str
    quantity: str
    circuit: str
    required: str
    to_scale: str
    symbols: str
    values: dict[str, str]


_VALUES: dict[str, Text] = {**FORMS, **LOCATIONS, **MOUNTS, **MATERIALS}
KOREAN = Words(
    front_view="내부 정면도",
    side_view="측면도",
    device_area="기기 배치 영역",
    top="상부 배선",
    bottom="하부 배선",
    side="측면",
    gap="간격",
    main="메인",
    branch="분기",
    branches="분기",
    accessory="부속",
    accessories="부속",
    busbar="분기 모선",
    enclosure="외함",
    stock="기성함",
    made_to_order="제작함",
    board="반 이름",
    customer="고객",
    size="외함 크기 W×H×D",
    make="형식 · 재질 · 설치",
    estimate="견적 번호",
    made_at="견적 일시",
    number="번호",
    model="모델",
    rating="규격",
    quantity="수량",
    circuit="회로명",
    required="필요 크기",
    to_scale="단위 mm, 비례 도면.",
    symbols="문틀, 손잡이, 모선의 굵기와 분기선은 모양만 나타냅니다.",
    values={value: text.ko for value, text in _VALUES.items()},
)
ENGLISH = Words(
    front_view="Front view, door off",
    side_view="Side view",
    device_area="Device area",
    top="Top wiring",
    bottom="Bottom wiring",
    side="Side",
    gap="Gap",
    main="Main",
    branch="Branch",
    branches="Branches",
    accessory="Accessory",
    accessories="Accessories",
    busbar="Busbar",
    enclosure="Enclosure",
    stock="stock",
    made_to_order="made to order",
    board="Board",
    customer="Customer",
    size="Enclosure W×H×D",
    make="Form, material, mounting",
    estimate="Estimate",
    made_at="Estimated at",
    number="No.",
    model="Model",
    rating="Rating",
    quantity="Qty",
    circuit="Circuit",
    required="Required",
    to_scale="In mm, to scale.",
    symbols="Door frame, handle, thickness of busbars and taps are symbols.",
    values={value: text.en for value, text in _VALUES.items()},
)
WORDS: dict[Language, Words] = {"ko": KOREAN, "en": ENGLISH}
_KINDS = {text.ko: text.en for text in KINDS.values()}


def kind_in(language: Language, name: str) -> str:
    """Return the kind of an accessory, which the bill names in Korean."""
    return name if language == "ko" else _KINDS.get(name, name).capitalize()
