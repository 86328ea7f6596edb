"""The request as it comes over the wire: types and spellings, nothing more.

Whether a board makes sense is for the gates. Everything may be left out here,
so that the gates can ask for all that is missing at once.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from kis.errors import DomainError, ErrorCode, Finding, Text, path_step
from kis.estimate.model import AccessoryDraft, BoardDraft, DeviceDraft, Form, Mount
from kis.knowledge.model import BreakerType, Location, Material

MAX_FINDINGS = 100
MOMENT = Text(
    "2025-09-24T00:00:00Z 같은 ISO 8601 시각이어야 합니다.",
    "must be a moment of ISO 8601 such as 2025-09-24T00:00:00Z.",
)
CURSOR = Text("앞 쪽의 next 값이어야 합니다.", "must be the `next` of a page.")
NO_CONTROL_CHARACTERS = r"^[^\x00-\x1f\x7f]*$"
LINES = r"^[^\x00-\x09\x0b-\x1f\x7f]*$"
VERSION_LABEL = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
# It is a step of an address, out of which clients take `.` and `..`.
GOLDEN_NAME = r"^[^\x00-\x1f\x7f/.][^\x00-\x1f\x7f/]{0,99}$"
_PATTERNS = {
    NO_CONTROL_CHARACTERS: Text(
        "줄바꿈, 탭 같은 제어 문자를 쓸 수 없습니다.",
        "must have no control characters such as line ends and tabs.",
    ),
    LINES: Text(
        "줄바꿈 말고는 탭 같은 제어 문자를 쓸 수 없습니다.",
        "must have no control characters such as tabs, but for line ends.",
    ),
    VERSION_LABEL: Text(
        "영문자, 숫자, 마침표(.), 밑줄(_), 붙임표(-) 1~64자로 쓰되,"
        " 영문자나 숫자로 시작해야 합니다.",
        "must be 1 to 64 ASCII letters, digits, '.', '_' or '-', beginning with a letter or digit.",
    ),
    GOLDEN_NAME: Text(
        "1~100자로 쓰되, 빗금(/)과 제어 문자를 쓰거나 마침표(.)로 시작할 수 없습니다.",
        "must be 1 to 100 characters, none of them '/' or a control character,"
        " and not begin with '.'.",
    ),
}
_BOUNDS = ("ge", "gt", "le", "max_length")
_ANY_PATTERN = Text("허용되지 않는 문자가 있습니다.", "has characters that are not allowed.")
Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=NO_CONTROL_CHARACTERS
    ),
]
"""Without the spaces around it: they come along when a cell is copied."""
Remark = Annotated[str, Field(max_length=200, pattern=NO_CONTROL_CHARACTERS)]
Poles = Literal["1P", "2P", "3P", "4P"]
Ampere = Annotated[int, Field(ge=1, le=10_000)]
Quantity = Annotated[int, Field(ge=1, le=1_000)]


class _Wire(BaseModel):
    """Base: strict types, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class InstallationRequest(_Wire):
    """Where the board goes."""

    location: Annotated[Location | None, Field(description="옥내/옥외. Indoor or outdoor.")] = None
    mount: Annotated[
        Mount | None, Field(description="벽부·노출(WALL, SURFACE), 매입(FLUSH), 자립(STAND).")
    ] = None
    material: Annotated[Material | None, Field(description="외함 재질. Default STEEL.")] = None


class DeviceRequest(_Wire):
    """The kind of breaker that the board is made of."""

    type: Annotated[
        BreakerType | None, Field(description="배선용 MCCB, 누전 ELCB, DIN: MCB, RCBO.")
    ] = None


class BreakerRequest(_Wire):
    """A breaker by model, or by frame (af), poles and type."""

    model: Annotated[Name | None, Field(description="모델명. Model.")] = None
    af: Annotated[Ampere | None, Field(description="프레임(A). Frame size in ampere.")] = None
    poles: Annotated[Poles | None, Field(description="극수. Poles.")] = None
    at: Annotated[Ampere | None, Field(description="정격전류(A). Rated current in ampere.")] = None
    type: BreakerType | None = None
    brand: Annotated[Name | None, Field(description="Only for MIXED boards.")] = None
    name: Annotated[Remark, Field(description="회로명. Name of the circuit.")] = ""


class BranchRequest(BreakerRequest):
    """A branch line: a breaker and how many of it."""

    quantity: Annotated[Quantity, Field(description="수량.")] = 1


class AccessoryItemRequest(_Wire):
    """An accessory by its code."""

    code: Name
    quantity: Quantity = 1


class AccessoriesRequest(_Wire):
    """Whether there are accessories, and which."""

    enabled: bool | None = None
    items: Annotated[list[AccessoryItemRequest], Field(max_length=1_000)] = []


class EstimateRequest(_Wire):
    """A board to estimate. Main, branches and accessories must each be stated."""

    brand: Annotated[
        Name | None, Field(description="LS, SANGDO, 혼용은 MIXED.", examples=["SANGDO"])
    ] = None
    form: Annotated[Form | None, Field(description="경제형/표준형. Default ECONOMIC.")] = None
    installation: InstallationRequest | None = None
    device: DeviceRequest | None = None
    main: Annotated[BreakerRequest | None, Field(description="메인 차단기.")] = None
    branches: Annotated[
        list[BranchRequest] | None,
        Field(description="분기 차단기. 없으면 []. [] when none.", max_length=10_000),
    ] = None
    accessories: Annotated[AccessoriesRequest | None, Field(description="부속자재.")] = None
    label: Annotated[Remark, Field(description="반 이름. Name of the board.")] = ""
    customer: Annotated[Remark, Field(description="고객. Customer.")] = ""
    note: Annotated[Remark, Field(description="비고. Note.")] = ""

    def to_draft(self) -> BoardDraft:
        """Return the board as typed, in the engine's own terms."""
        installation = self.installation or InstallationRequest()
        accessories = self.accessories or AccessoriesRequest()
        branches = self.branches
        return BoardDraft(
            brand=self.brand,
            form=self.form,
            location=installation.location,
            mount=installation.mount,
            material=installation.material,
            device_type=self.device.type if self.device else None,
            main=_device(self.main, 1) if self.main else None,
            branches=(
                None
                if branches is None
                else tuple(_device(branch, branch.quantity) for branch in branches)
            ),
            accessories_enabled=accessories.enabled,
            accessories=tuple(AccessoryDraft(i.code, i.quantity) for i in accessories.items),
            label=self.label,
            customer=self.customer,
            note=self.note,
        )


def _device(breaker: BreakerRequest, quantity: int) -> DeviceDraft:
    return DeviceDraft(
        model=breaker.model,
        af=breaker.af,
        poles=breaker.poles,
        at=breaker.at,
        type=breaker.type,
        brand=breaker.brand,
        quantity=quantity,
        name=breaker.name,
    )


def parse_board(body: object) -> BoardDraft:
    """Return the board in a decoded JSON body.

    Raises:
        DomainError: INVALID_REQUEST, one finding for each field of a wrong kind.

    """
    return parse_body(EstimateRequest, body).to_draft()


Body = TypeVar("Body", bound=BaseModel)


def parse_body(model: type[Body], body: object) -> Body:
    """Return `body`, decoded JSON, as a `model`.

    Raises:
        DomainError: INVALID_REQUEST, one finding for each field of a wrong kind.

    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        raise DomainError(*findings_of(details)) from None


def findings_of(details: Sequence[ErrorDetails]) -> list[Finding]:
    """Return pydantic's complaints as findings in our words, the first 100."""
    return [_finding(detail) for detail in details[:MAX_FINDINGS]]


def _finding(detail: ErrorDetails) -> Finding:
    path = "$" + "".join(path_step(key) for key in detail["loc"])
    context: dict[str, Any] = detail.get("ctx", {})
    korean, english = _words(detail["type"], context)
    message = Text(f"값이 올바르지 않습니다: {korean}", f"Not a valid value: {english}")
    if detail["type"] in ("missing", "extra_forbidden"):
        # It is the name that is wrong, there is no value.
        name = path_step(detail["loc"][-1]).removeprefix(".")
        message = Text(f"{korean[:-1]}: {name}", f"{english[:-1].capitalize()}: {name}")
    # What is missing has no value: pydantic gives the object around it.
    data = {} if detail["type"] == "missing" else {"value": _shown(detail["input"])}
    return Finding(ErrorCode.INVALID_REQUEST, path, message, Text(korean, english), data)


def _words(kind: str, context: dict[str, Any]) -> tuple[str, str]:
    """Say in both languages what is allowed, from pydantic's error type and context."""
    limit = next((context[bound] for bound in _BOUNDS if bound in context), "")
    pattern = _PATTERNS.get(context.get("pattern", ""), _ANY_PATTERN)
    expected = str(context.get("expected"))
    table = {
        "extra_forbidden": ("모르는 필드입니다.", "unknown field."),
        "missing": ("필수 항목입니다.", "required."),
        "literal_error": (f"{expected.replace(' or ', ' 또는 ')} 중 하나여야 합니다.", expected),
        "int_type": ("정수여야 합니다.", "must be a whole number."),
        "int_from_float": ("정수여야 합니다.", "must be a whole number."),
        "int_parsing": ("정수여야 합니다.", "must be a whole number."),
        "int_parsing_size": ("너무 긴 수입니다.", "has too many digits."),
        "float_parsing": ("수여야 합니다.", "must be a number."),
        "finite_number": ("수여야 합니다.", "must be a number."),
        "bool_parsing": ("true 또는 false여야 합니다.", "must be true or false."),
        "cursor": (CURSOR.ko, CURSOR.en),
        "datetime_parsing": (MOMENT.ko, MOMENT.en),
        "datetime_from_date_parsing": (MOMENT.ko, MOMENT.en),
        "string_type": ("문자열이어야 합니다.", "must be a string."),
        "bool_type": ("true 또는 false여야 합니다.", "must be true or false."),
        "list_type": ("배열이어야 합니다.", "must be an array."),
        "model_type": ("객체여야 합니다.", "must be an object."),
        "text_or_object": ("문자열이나 객체여야 합니다.", "must be a string or an object."),
        "dict_type": ("객체여야 합니다.", "must be an object."),
        "greater_than_equal": (f"{limit} 이상이어야 합니다.", f"must be at least {limit}."),
        "greater_than": (f"{limit}보다 커야 합니다.", f"must be above {limit}."),
        "less_than_equal": (f"{limit} 이하여야 합니다.", f"must be at most {limit}."),
        "string_too_short": ("비어 있을 수 없습니다.", "must not be empty."),
        "string_too_long": (f"최대 {limit}자입니다.", f"at most {limit} characters."),
        "too_long": (f"최대 {limit}개입니다.", f"at most {limit} items."),
        "string_pattern_mismatch": (pattern.ko, pattern.en),
    }
    return table.get(kind, (f"형식이 다릅니다 ({kind}).", f"{kind.replace('_', ' ')}."))


def _shown(value: object) -> object:
    """Return what was sent, cut short: enough to find it, never a whole body.

    An object or array is shown as its JSON, the language in which it was sent.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text[:40]
