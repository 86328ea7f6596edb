"""What each error code means and what to do about it, for `docs/errors.md`."""

from typing import NamedTuple

from kis.api.errors import STATUS
from kis.errors import ErrorCode, Text


class Advice(NamedTuple):
    """The meaning of a code, and what its reader does next."""

    meaning: Text
    remedy: Text


GUIDE = {
    ErrorCode.REQ_MORE_INFO: Advice(
        Text("명시되지 않은 항목이 있다", "something is not stated"),
        Text(
            "path의 항목을 명시한다. 없으면 없다고 쓴다 (`branches: []`)",
            "state what `path` names; say so when there is none (`branches: []`)",
        ),
    ),
    ErrorCode.ACCESSORY_CONFLICT: Advice(
        Text("부속자재가 없다면서 품목이 있다", "accessories are disabled, yet items are listed"),
        Text("enabled를 true로 하거나 items를 비운다", "set `enabled` to true, or empty `items`"),
    ),
    ErrorCode.BRAND_CONFLICT: Advice(
        Text("한 반에 다른 브랜드가 섞였다", "the board mixes brands"),
        Text(
            "한 브랜드로 통일하거나, 설치가 허용하면(ALLOW_MIXED_BRAND) brand를 MIXED로 한다",
            "use one brand, or `MIXED` where the installation allows it (ALLOW_MIXED_BRAND)",
        ),
    ),
    ErrorCode.POLES_MISMATCH: Advice(
        Text("모델의 극수와 요청한 극수가 다르다", "the model has other poles than asked for"),
        Text("극수나 모델을 고친다", "correct the poles or the model"),
    ),
    ErrorCode.DEVICE_TYPE_MISMATCH: Advice(
        Text("모델의 종류와 요청한 종류가 다르다", "the model is of another type than asked for"),
        Text("종류나 모델을 고친다", "correct the type or the model"),
    ),
    ErrorCode.FRAME_SIZE_MISMATCH: Advice(
        Text("모델의 프레임과 요청한 af가 다르다", "the model has another frame than asked for"),
        Text("af를 고치거나 생략한다", "correct `af` or leave it out"),
    ),
    ErrorCode.RATED_CURRENT_MISMATCH: Advice(
        Text("그 정격전류의 제품이 없다", "there is no breaker of that rated current"),
        Text("hint에 나온 값 중에서 고른다", "choose one of the values in `hint`"),
    ),
    ErrorCode.NEED_KNOWLEDGE_UPDATE: Advice(
        Text(
            "활성 지식에 없는 치수나 규칙이다. 추정하지 않는다",
            "the active knowledge has no such row, and KIS does not guess",
        ),
        Text(
            "hint의 질문에 답하는 행을 들여와 활성화한 뒤 같은 요청을 다시 보낸다."
            " 열린 질문: GET /v1/knowledge/questions",
            "import and activate the row that `hint` asks for, then send the same request again;"
            " open questions: GET /v1/knowledge/questions",
        ),
    ),
    ErrorCode.BOARD_TOO_LARGE: Advice(
        Text("한 면으로 견적하기에 너무 크다", "the board is too large for one estimate"),
        Text("여러 면으로 나눈다", "split it into several boards"),
    ),
    ErrorCode.MALFORMED_JSON: Advice(
        Text(
            "본문이 JSON이 아니다. 중복 키, NaN, 짝 없는 서로게이트도 받지 않는다",
            "the body is not JSON; duplicate keys, NaN and lone surrogates are refused too",
        ),
        Text("본문을 고친다", "correct the body"),
    ),
    ErrorCode.INVALID_REQUEST: Advice(
        Text("필드나 매개변수의 형식이 다르다", "a field or parameter is of a wrong kind"),
        Text("findings의 path마다 고친다", "correct each `path` of the findings"),
    ),
    ErrorCode.UNAUTHENTICATED: Advice(
        Text("API 키가 없거나 틀리다", "the API key is missing or wrong"),
        Text("X-API-Key 헤더에 키를 넣는다", "send the key in the X-API-Key header"),
    ),
    ErrorCode.FORBIDDEN: Advice(
        Text("이 키로는 할 수 없는 요청이다", "this key may not do that"),
        Text(
            "관리자 키를 쓴다. ADMIN_API_KEY가 API_KEY와 같으면 관리 기능은 잠긴다",
            "use the admin key; while ADMIN_API_KEY equals API_KEY, administration is locked",
        ),
    ),
    ErrorCode.NOT_FOUND: Advice(
        Text("그런 주소나 항목이 없다", "there is nothing at this address"),
        Text("주소와 id를 확인한다", "check the address and the id"),
    ),
    ErrorCode.METHOD_NOT_ALLOWED: Advice(
        Text("이 주소에서 쓸 수 없는 메서드다", "the address does not take this method"),
        Text("Allow 헤더의 메서드를 쓴다", "use a method of the Allow header"),
    ),
    ErrorCode.BODY_TOO_LARGE: Advice(
        Text("본문이 한도를 넘는다", "the body is over the limit"),
        Text(
            "나누어 보낸다. 한도: MAX_BODY_BYTES, MAX_IMPORT_BYTES",
            "split it; the limits are MAX_BODY_BYTES and MAX_IMPORT_BYTES",
        ),
    ),
    ErrorCode.HEADERS_TOO_LARGE: Advice(
        Text(
            "헤더나 트레일러가 64 KiB를 넘어 연결을 끊었다",
            "headers or trailers are over 64 KiB; the connection was closed",
        ),
        Text("헤더를 줄인다", "send fewer or shorter headers"),
    ),
    ErrorCode.REQUEST_TIMEOUT: Advice(
        Text("요청의 나머지가 30초 동안 오지 않았다", "nothing more of the request came for 30 s"),
        Text("답을 받지 못한 것부터 다시 보낸다", "send again what was not answered"),
    ),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: Advice(
        Text("Content-Type을 받을 수 없다", "the Content-Type is not accepted"),
        Text("hint의 Content-Type으로 보낸다", "send the Content-Type in `hint`"),
    ),
    ErrorCode.RATE_LIMITED: Advice(
        Text("분당 요청 한도를 넘었다", "over the limit of requests a minute"),
        Text("Retry-After 헤더의 초만큼 기다려 다시 보낸다", "retry after Retry-After seconds"),
    ),
    ErrorCode.IDEMPOTENCY_IN_FLIGHT: Advice(
        Text(
            "같은 Idempotency-Key의 요청을 처리하고 있다",
            "a request with this Idempotency-Key is still being answered",
        ),
        Text(
            "Retry-After 헤더의 초만큼 기다려 그대로 다시 보낸다",
            "repeat it after Retry-After seconds",
        ),
    ),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: Advice(
        Text(
            "Idempotency-Key가 다른 요청에 이미 쓰였다",
            "the Idempotency-Key was used for another request",
        ),
        Text("새 키를 쓴다", "use a new key"),
    ),
    ErrorCode.NOTE_CHANGED: Advice(
        Text(
            "읽은 뒤에 다른 사람이 메모를 고쳤다. 보낸 것은 저장하지 않았다",
            "somebody else has changed the note since it was read; nothing of yours was stored",
        ),
        Text(
            "findings의 data에 있는 지금 메모와 합쳐, 그 revision으로 다시 보낸다",
            "merge it with the present note in `data` of the finding; send that `revision`",
        ),
    ),
    ErrorCode.KEY_NOT_FOUND: Advice(
        Text("그 id의 키가 없다", "no key has that id"),
        Text("id를 확인한다: kis-backend keys list", "see kis-backend keys list"),
    ),
    ErrorCode.KEY_ENDED: Advice(
        Text("이미 끝났거나 교체된 키다", "the key has ended, or was replaced"),
        Text("지금 쓰는 키를 교체하거나 새로 만든다", "rotate the key in use, or make a new one"),
    ),
    ErrorCode.KEY_CURRENT: Advice(
        Text(
            "지금 증거를 봉인하는 키는 폐기할 수 없다", "the key that seals now cannot be revoked"
        ),
        Text(
            "먼저 교체한다: kis-backend keys rotate evidence",
            "rotate it first: kis-backend keys rotate evidence",
        ),
    ),
    ErrorCode.KEY_LAST_ADMIN: Advice(
        Text("그 키 말고는 끝이 없는 관리자 키가 없다", "no other admin key is without an end"),
        Text(
            "먼저 다른 관리자 키를 만든다: kis-backend keys create admin",
            "make another one first: kis-backend keys create admin",
        ),
    ),
    ErrorCode.KNOWLEDGE_INVALID: Advice(
        Text(
            "올린 표에 잘못이 있다. 아무것도 저장하지 않았다",
            "the upload has faults; none of it was stored",
        ),
        Text(
            "findings의 행과 열을 고친다 (처음 100개)",
            "correct the lines in the findings (the first 100)",
        ),
    ),
    ErrorCode.VERSION_NOT_FOUND: Advice(
        Text("그 이름의 버전이 없다", "no version has that label"),
        Text("이름을 확인한다: GET /v1/knowledge/versions", "see GET /v1/knowledge/versions"),
    ),
    ErrorCode.VERSION_ALREADY_EXISTS: Advice(
        Text("그 이름의 버전이 다른 내용으로 이미 있다", "the label is taken by other content"),
        Text("새 이름을 쓴다", "use a new label"),
    ),
    ErrorCode.VERSION_BASE_MOVED: Advice(
        Text(
            "검증한 뒤 다른 버전이 활성화되었다",
            "another version became active since this one was validated",
        ),
        Text("다시 검증(validate)한다", "validate it again"),
    ),
    ErrorCode.VERSION_NOT_VALIDATED: Advice(
        Text("검증되지 않은 버전이다", "the version is not validated"),
        Text("먼저 검증(validate)한다", "validate it first"),
    ),
    ErrorCode.VERSION_NEVER_ACTIVATED: Advice(
        Text("활성이었던 적이 없는 버전이다", "the version was never active"),
        Text("활성화(activate)한다", "use activate"),
    ),
    ErrorCode.VERSION_ACTIVE: Advice(
        Text("활성 버전은 지울 수 없다", "the active version cannot be deleted"),
        Text("다른 버전을 먼저 활성화한다", "activate another version first"),
    ),
    ErrorCode.ACTIVATION_CONFLICT: Advice(
        Text("다른 활성화가 먼저 끝났다", "another activation finished first"),
        Text("활성 버전을 확인한 뒤 다시 한다", "look at the active version, then retry"),
    ),
    ErrorCode.ACTIVATION_NOT_ACKNOWLEDGED: Advice(
        Text(
            "새 버전을 쓰지 못하는 워커가 있어 이전 버전으로 스스로 되돌렸다",
            "a worker could not take the new version, so the one before was made active again",
        ),
        Text(
            "workers에 나온 워커의 로그를 보고 고치거나 재시작한 뒤 다시 활성화한다",
            "see the log of the worker that `workers` names; mend or restart it, activate again",
        ),
    ),
    ErrorCode.REGRESSION_FAILED: Advice(
        Text("기준 사례의 크기가 달라진다", "golden cases would come out differently"),
        Text(
            "표나 기준 사례를 고치거나 force와 reason을 준다",
            "mend the tables or the golden cases, or give `force` and a `reason`",
        ),
    ),
    ErrorCode.GOLDEN_CASE_EXISTS: Advice(
        Text("그 이름의 기준 사례가 이미 있다", "a golden case of that name exists"),
        Text("다른 이름을 쓰거나 먼저 지운다", "use another name, or delete it first"),
    ),
    ErrorCode.GOLDEN_SIZE_MISMATCH: Advice(
        Text(
            "기준 사례의 expected가 활성 지식의 견적과 다르다",
            "`expected` is not the size that the active knowledge gives the board",
        ),
        Text(
            "expected나 표를 고치거나 expected를 생략한다",
            "correct `expected` or the tables, or leave `expected` out",
        ),
    ),
    ErrorCode.BACKUP_RUNNING: Advice(
        Text("다른 백업이나 복구가 진행 중이다", "another backup or restore is under way"),
        Text("끝난 뒤 다시 한다", "try again once it has ended"),
    ),
    ErrorCode.BACKUP_FAILED: Advice(
        Text(
            "백업하지 못했거나 사본이 점검을 통과하지 못했다. 마지막 정상 백업은 그대로다",
            "no backup was made, or one that is not sound; the last good one is as it was",
        ),
        Text("kis-backend db check로 점검한다", "look the database over: kis-backend db check"),
    ),
    ErrorCode.DISK_FULL: Advice(
        Text("디스크에 자리가 없다. 아무것도 남기지 않았다", "the disk is full; nothing was left"),
        Text("디스크를 비우고 다시 한다", "make room and try again"),
    ),
    ErrorCode.OVERLOADED: Advice(
        Text(
            "저장 대기열이 가득 차서 저장하지 않았다",
            "too many writes are waiting; nothing was stored",
        ),
        Text("Retry-After 헤더의 초만큼 기다려 다시 보낸다", "retry after Retry-After seconds"),
    ),
    ErrorCode.NOT_READY: Advice(
        Text(
            "시작 중이거나 종료 중이거나 데이터베이스를 쓸 수 없다",
            "the service is starting or stopping, or cannot use its database",
        ),
        Text("이유를 확인한다: GET /readyz", "see the reasons at GET /readyz"),
    ),
    ErrorCode.INTERNAL: Advice(
        Text("서버 내부 오류다", "a fault on our side"),
        Text(
            "requestId를 운영자에게 알린다. 로그의 ERROR 줄에 같은 값이 있다",
            "tell the operator the requestId; an ERROR line of the log has it",
        ),
    ),
}


def errors_table() -> str:
    """Return all codes as the Markdown table of `docs/errors.md`."""
    lines = [
        "| 코드 Code | 상태 Status | 뜻 | 할 일 | Meaning | What to do |",
        "|---|---|---|---|---|---|",
    ]
    for code in ErrorCode:
        meaning, remedy = GUIDE[code]
        cells = (f"`{code}`", str(STATUS[code]), meaning.ko, remedy.ko, meaning.en, remedy.en)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
