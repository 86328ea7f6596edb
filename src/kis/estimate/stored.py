"""Reads answers again that were stored."""

from typing import TypeVar

import msgspec

from kis.errors import ErrorCode, Text, refusal

Shape = TypeVar("Shape")


def decode_stored(answer: bytes, shape: type[Shape]) -> Shape:
    """Return what of a stored answer `shape` has.

    Raises:
        DomainError: INTERNAL, it is none of ours any more.

    """
    try:
        return msgspec.json.decode(answer, type=shape)
    except msgspec.DecodeError as error:
        raise refusal(
            ErrorCode.INTERNAL,
            Text("저장된 견적이 손상되었습니다.", "The stored estimate is damaged."),
            Text(
                "콘솔의 증거 화면이나 kis-backend evidence verify 로 그 견적을 확인하십시오.",
                "Check that estimate on the console's page Evidence,"
                " or with kis-backend evidence verify.",
            ),
        ) from error
