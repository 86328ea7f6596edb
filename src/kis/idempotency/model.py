"""What an idempotency key means for a request, and which requests are under way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from kis.errors import DomainError, ErrorCode, Text, refusal

MAX_KEY_LENGTH = 255


class RecordKey(NamedTuple):
    """Whose request it is (the holder's), what it does, and the key that the client chose."""

    owner: str
    operation: str
    key: str


class Replay(NamedTuple):
    """The stored answer to the same request."""

    status: int
    body: bytes


class Claims:
    """The keys whose first request is still being answered, in this process.

    Nothing is written for a claim, so a crash leaves no key stuck. Across
    processes the primary key of the record decides.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._held: set[RecordKey] = set()

    @contextmanager
    def hold(self, key: RecordKey | None) -> Iterator[None]:
        """Hold `key` for the duration of a request; None holds nothing.

        Raises:
            DomainError: IDEMPOTENCY_IN_FLIGHT, another request holds it.

        """
        if key is None:
            yield
            return
        if key in self._held:
            raise refusal(
                ErrorCode.IDEMPOTENCY_IN_FLIGHT,
                Text(
                    "같은 Idempotency-Key의 요청을 처리하고 있습니다.",
                    "A request with this Idempotency-Key is still being answered.",
                ),
                Text("잠시 후 다시 보내십시오.", "Send it again in a moment."),
                "Idempotency-Key",
            )
        self._held.add(key)
        try:
            yield
        finally:
            self._held.discard(key)


def check_key(key: str | None) -> None:
    """Check that a client's key can be stored and logged.

    Raises:
        DomainError: INVALID_REQUEST, it is empty, too long, or not printable ASCII.

    """
    if key is None or (0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        return
    allowed = Text(
        f"출력 가능한 ASCII 문자 1~{MAX_KEY_LENGTH}자로 쓰십시오.",
        f"1 to {MAX_KEY_LENGTH} printable ASCII characters",
    )
    raise refusal(
        ErrorCode.INVALID_REQUEST,
        Text("Idempotency-Key가 올바르지 않습니다.", "The Idempotency-Key is not valid."),
        allowed,
        "Idempotency-Key",
    )


def key_reused() -> DomainError:
    """Return the error of a key that was used for another request before."""
    return refusal(
        ErrorCode.IDEMPOTENCY_KEY_REUSED,
        Text(
            "이 Idempotency-Key는 다른 내용의 요청에 이미 쓰였습니다.",
            "This Idempotency-Key was used for a different request.",
        ),
        Text("새 키를 쓰십시오.", "Use a new key."),
        "Idempotency-Key",
    )
