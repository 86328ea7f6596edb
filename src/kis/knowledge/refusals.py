"""The ways in which a step of the life cycle is refused, in words."""

from collections.abc import Sequence
from typing import Literal

from kis.errors import DomainError, ErrorCode, Text, refusal
from kis.korean import with_particle
from kis.units import Size

Undoing = Literal["done", "under way", "overtaken"]
"""How the way back from a version went; overtaken: by somebody who activated a third one."""


def version_not_found(label: str, path: str = "$.versionLabel") -> DomainError:
    """No version has that label; `path` is where the request names it."""
    return _refusal(
        ErrorCode.VERSION_NOT_FOUND,
        path,
        Text(f"버전 {with_particle(label, '이/가')} 없습니다.", f"There is no version {label}."),
        Text(
            "이름을 확인하십시오: 콘솔의 치수 지식, GET /v1/knowledge/versions",
            "See Dimensions on the console, or GET /v1/knowledge/versions.",
        ),
    )


def version_exists(label: str) -> DomainError:
    """The label is taken by other content."""
    return _refusal(
        ErrorCode.VERSION_ALREADY_EXISTS,
        "$.versionLabel",
        Text(
            f"버전 {with_particle(label, '은/는')} 다른 내용으로 이미 있습니다.",
            f"Version {label} exists already, with other content.",
        ),
        Text("새 이름을 쓰십시오.", "Use a new label."),
    )


def label_reserved(label: str) -> DomainError:
    """The label is a word that stands in the place of a label in an address."""
    return _refusal(
        ErrorCode.INVALID_REQUEST,
        "$.versionLabel",
        Text(
            f"{with_particle(label, '은/는')} 주소에서 다른 뜻이므로 버전 이름이 될 수 없습니다.",
            f"{label} means something else in addresses and cannot be a label.",
        ),
        Text(
            f"다른 이름을 쓰십시오. 예: {label}-01",
            f"Use another label, such as {label}-01.",
        ),
    )


def not_validated(label: str, path: str = "$.versionLabel") -> DomainError:
    """Only a validated version can become active; `path` is where the request names it."""
    return _refusal(
        ErrorCode.VERSION_NOT_VALIDATED,
        path,
        Text(
            f"버전 {with_particle(label, '은/는')} 아직 검증되지 않았습니다.",
            f"Version {label} is not validated.",
        ),
        Text("먼저 검증(validate)을 통과해야 합니다.", "Have it pass validation first."),
    )


def staged_again(label: str) -> DomainError:
    """A version that was validated does not fit the active one any more."""
    return _refusal(
        ErrorCode.VERSION_NOT_VALIDATED,
        "$.versionLabel",
        Text(
            f"검증되었던 버전 {with_particle(label, '은/는')} 다시 staged입니다.",
            f"Version {label} was validated and is staged again.",
        ),
        Text(
            "지금의 활성 버전에 맞게 고친 표를 새 이름으로 들여오십시오.",
            "Import tables that fit the active version, under a new label.",
        ),
    )


def base_moved(label: str, active_label: str) -> DomainError:
    """Another version became active since it was validated."""
    return _refusal(
        ErrorCode.VERSION_BASE_MOVED,
        "$.versionLabel",
        Text(
            f"{with_particle(label, '을/를')} 검증한 뒤"
            f" {with_particle(active_label, '이/가')} 활성화되었습니다.",
            f"{active_label} became active after {label} was validated.",
        ),
        Text(
            "다시 검증(validate)하면 변경분을 지금의 활성 버전 위에 얹습니다."
            " 이전에 활성이던 버전으로 돌아가려면 되돌리기(rollback)를 쓰십시오.",
            "Validate again to lay the changes on the active version;"
            " to return to an earlier version, roll back to it.",
        ),
    )


def never_activated(label: str) -> DomainError:
    """A rollback leads only to what was active before."""
    return _refusal(
        ErrorCode.VERSION_NEVER_ACTIVATED,
        "$.targetVersionLabel",
        Text(
            f"버전 {with_particle(label, '은/는')} 활성이었던 적이 없습니다.",
            f"Version {label} was never active.",
        ),
        Text("되돌리지 말고 활성화(activate)하십시오.", "Activate it instead."),
    )


def version_active(label: str) -> DomainError:
    """The active version cannot be deleted."""
    return _refusal(
        ErrorCode.VERSION_ACTIVE,
        "",
        Text(
            f"버전 {with_particle(label, '은/는')} 지금 활성 버전입니다.",
            f"Version {label} is active.",
        ),
        Text("다른 버전을 활성화한 뒤 삭제하십시오.", "Activate another version first."),
    )


def activation_conflict() -> DomainError:
    """Another activation came first."""
    return _refusal(
        ErrorCode.ACTIVATION_CONFLICT,
        "",
        Text(
            "그 사이 다른 활성화가 먼저 끝났습니다.", "Another activation finished in the meantime."
        ),
        Text("활성 버전을 확인한 뒤 다시 하십시오.", "Look at the active version, then retry."),
    )


def not_acknowledged(label: str, before: str, workers: object, undoing: Undoing) -> DomainError:
    """Not every worker has version `label`: how far the way back to the one before has come."""
    back = with_particle(before, "으로/로")
    undone = {
        "done": Text(f"{back} 되돌렸습니다.", f"{before} is active again."),
        "under way": Text(f"{back} 되돌리는 중입니다.", f"{before} is being made active again."),
        "overtaken": Text(
            "되돌리려 했으나, 그 사이 다른 버전이 활성화되었습니다.",
            "another version was activated meanwhile.",
        ),
    }[undoing]
    return refusal(
        ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED,
        Text(
            f"모든 워커가 {with_particle(label, '을/를')} 쓰지는 못하여 {undone.ko}",
            f"Not every worker could take {label}: {undone.en}",
        ),
        Text(
            "workers에 나온 워커의 로그를 보고 고치거나 재시작한 뒤 다시 하십시오.",
            "See the log of the worker that `workers` names; mend or restart it, then retry.",
        ),
        workers=workers,
    )


def regression_failed(names: Sequence[str], report: object) -> DomainError:
    """Golden cases would come out differently."""
    listed = ", ".join(names)
    return refusal(
        ErrorCode.REGRESSION_FAILED,
        Text(
            f"기준 사례가 달라져 활성화하지 않았습니다: {listed}",
            f"Not activated, golden cases come out differently: {listed}",
        ),
        Text(
            "표를 고치거나, 옳은 변경이면 사유를 적고 그대로 활성화하십시오 (API: force, reason)."
            " 낡은 기준 사례는 지우고 다시 고정할 수 있습니다 (API: /v1/knowledge/golden).",
            "Mend the tables, or if the change is right activate all the same, with a reason"
            " (API: force, reason). Golden cases that are out of date can be removed and pinned"
            " anew (API: /v1/knowledge/golden).",
        ),
        "$.versionLabel",
        regression=report,
    )


def reason_needed() -> DomainError:
    """Forcing an activation is recorded with its reason."""
    return _refusal(
        ErrorCode.REQ_MORE_INFO,
        "$.reason",
        Text("강제 활성화(force)에는 사유(reason)가 필요합니다.", "force needs a reason."),
        Text("사유를 적으십시오.", "State the reason."),
    )


def acceptance_reason_needed() -> DomainError:
    """Pinning a golden case anew is recorded with its reason."""
    return _refusal(
        ErrorCode.REQ_MORE_INFO,
        "$.reason",
        Text("달라진 크기를 받아들이는 사유가 필요합니다.", "Say why the new size is right."),
        Text("사유를 적으십시오.", "State the reason."),
    )


def golden_exists(name: str) -> DomainError:
    """The name of a golden case is taken."""
    return _refusal(
        ErrorCode.GOLDEN_CASE_EXISTS,
        "$.name",
        Text(
            f"기준 사례 {with_particle(name, '이/가')} 이미 있습니다.",
            f"The golden case {name} exists already.",
        ),
        Text("다른 이름을 쓰거나 먼저 삭제하십시오.", "Use another name, or delete it first."),
    )


def golden_size_mismatch(name: str, expected: Size, actual: Size) -> DomainError:
    """The size that a golden case states is not what its board comes out at."""
    stated, found = (f"{size.W} x {size.H} x {size.D} mm" for size in (expected, actual))
    return refusal(
        ErrorCode.GOLDEN_SIZE_MISMATCH,
        Text(
            f"기준 사례 {name}의 expected는 {stated}인데 활성 지식으로는 {found}입니다.",
            f"The golden case {name} expects {stated}, but the active knowledge gives {found}.",
        ),
        Text(
            "크기를 고치거나 생략하십시오. 그 크기가 옳으면 표를 먼저 고치십시오.",
            "Correct the size or leave it out; if it is right, mend the tables first.",
        ),
        "$.expected",
        expected=expected,
        actual=actual,
    )


def golden_not_found(name: str) -> DomainError:
    """No golden case has that name."""
    return _refusal(
        ErrorCode.NOT_FOUND,
        "",
        Text(
            f"기준 사례 {with_particle(name, '이/가')} 없습니다.",
            f"There is no golden case {name}.",
        ),
        Text(
            "이름을 확인하십시오: 콘솔의 기준 사례, GET /v1/knowledge/golden",
            "See Golden cases on the console, or GET /v1/knowledge/golden.",
        ),
    )


def _refusal(code: ErrorCode, path: str, message: Text, hint: Text) -> DomainError:
    return refusal(code, message, hint, path)
