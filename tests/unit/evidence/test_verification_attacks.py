"""One altered package per attack: which steps fail, and what they name."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from .packages import (
    GENUINE,
    KEYRING,
    OTHER_KEYRING,
    Json,
    Path,
    at,
    changed,
    check,
    failed,
    make_package,
    recompute,
    reseal,
)


def put(path: str, value: Any) -> Callable[[Json], None]:
    """Set what is at a dotted path; digits are indexes."""
    keys: Path = tuple(int(key) if key.isdigit() else key for key in path.split("."))

    def attack(package: Json) -> None:
        at(package, keys[:-1])[keys[-1]] = value

    return attack


def remove(path: str) -> Callable[[Json], None]:
    keys = path.split(".")

    def attack(package: Json) -> None:
        del at(package, tuple(keys[:-1]))[keys[-1]]

    return attack


def swap_signature(package: Json) -> None:
    """Put in a true signature of ours, of another estimate."""
    other = make_package()
    other["statement"]["request"]["note"] = "other"
    package["envelope"]["signature"] = reseal(other)["envelope"]["signature"]


def swap_envelope(package: Json) -> None:
    other = make_package()
    other["statement"]["request"]["note"] = "other"
    package["envelope"] = reseal(other)["envelope"]


def sign_with_another_key(package: Json) -> None:
    reseal(package, OTHER_KEYRING)


def sign_with_another_key_under_our_id(package: Json) -> None:
    reseal(package, OTHER_KEYRING)
    package["envelope"]["keyId"] = KEYRING.current_id


def duplicate_row(package: Json) -> None:
    rows = package["statement"]["rows"]["breakers"]
    rows.append(copy.deepcopy(rows[0]))


def duplicate_row_resealed(package: Json) -> None:
    duplicate_row(package)
    package["statement"]["result"] = recompute(package["statement"], package["documents"])
    reseal(package)


def make_result_up_resealed(package: Json) -> None:
    package["statement"]["result"]["enclosure"]["W"] = 500
    reseal(package)


def shrink_stock_resealed(package: Json) -> None:
    for enclosure in package["documents"]["enclosures"]:
        enclosure["widthDmm"] = 10
    reseal(package)


def break_rows_resealed(package: Json) -> None:
    del package["statement"]["rows"]["breakers"][0]["row"]["widthDmm"]
    reseal(package)


def drop_last_placement(package: Json) -> None:
    package["statement"]["result"]["layout"]["placements"].pop()


DIGEST = "$.envelope.statementDigest"
SIGNATURE = "$.envelope.signature"
ROW = "$.statement.rows.breakers[0]"
W = "$.statement.result.enclosure.W"
NOTE = "$.statement.request.note"
ACCESSORY = "$.statement.rows.accessories[0]"
KEY_ID = "$.envelope.keyId"
RETIRED = next(key_id for key_id in KEYRING.secrets if key_id != KEYRING.current_id)
STOCK = "$.documents.enclosures[0].widthDmm"

ATTACKS: list[tuple[Callable[[Json], None], dict[str, str]]] = [
    # shape: the rest is skipped
    (put("extra", 1), {"shape": "$.extra"}),
    (put("statement.extra", 1), {"shape": "$.statement.extra"}),
    (put("statement.odd key", 1), {"shape": '$.statement["odd key"]'}),
    (put("statement.rows.breakers.0.extra", 1), {"shape": f"{ROW}.extra"}),
    (put("envelope.extra", 1), {"shape": "$.envelope.extra"}),
    (put("documents.extra", 1), {"shape": "$.documents.extra"}),
    (remove("envelope"), {"shape": "$.envelope"}),
    (remove("statement.rows.rules"), {"shape": "$.statement.rows.rules"}),
    (put("statement.type", "kis.estimate/2"), {"shape": "$.statement.type"}),
    (put("statement.estimateId", 7), {"shape": "$.statement.estimateId"}),
    (put("statement.result", []), {"shape": "$.statement.result"}),
    (put("statement.rows.breakers", {}), {"shape": "$.statement.rows.breakers"}),
    (put("statement.rows.breakers.0", None), {"shape": ROW}),
    (put("envelope.signature", None), {"shape": SIGNATURE}),
    # envelope
    (put("envelope.statementDigest", "0" * 64), {"statementDigest": DIGEST, "database": DIGEST}),
    (put("envelope.algorithm", "none"), dict.fromkeys(["key", "database"], "$.envelope.algorithm")),
    (put("envelope.keyId", "evk-000000000000"), dict.fromkeys(["key", "database"], KEY_ID)),
    (put("envelope.keyId", RETIRED), {"signature": SIGNATURE, "database": KEY_ID}),
    (put("envelope.signature", ""), dict.fromkeys(["signature", "database"], SIGNATURE)),
    (put("envelope.signature", "\ud800é"), dict.fromkeys(["signature", "database"], SIGNATURE)),
    (swap_signature, dict.fromkeys(["signature", "database"], SIGNATURE)),
    (swap_envelope, {"statementDigest": DIGEST, "signature": SIGNATURE, "database": SIGNATURE}),
    (sign_with_another_key, {"key": KEY_ID, "database": KEY_ID}),
    (sign_with_another_key_under_our_id, dict.fromkeys(["signature", "database"], SIGNATURE)),
    # identity
    (
        put("evidenceId", "ev_" + "0" * 32),
        {"evidenceId": "$.evidenceId", "database": "$.evidenceId"},
    ),
    (
        put("statement.estimateId", "other"),
        {
            "statementDigest": DIGEST, "signature": SIGNATURE, "evidenceId": "$.evidenceId",
            "database": "$.statement.estimateId",
        },
    ),
    # content, without the key
    (
        put("statement.result.enclosure.W", 500),
        {"statementDigest": DIGEST, "signature": SIGNATURE, "recomputation": W, "database": W},
    ),
    (
        put("statement.result.enclosure.W", True),
        {"statementDigest": DIGEST, "signature": SIGNATURE, "recomputation": W, "database": W},
    ),
    (
        drop_last_placement,
        {
            "statementDigest": DIGEST, "signature": SIGNATURE,
            "recomputation": "$.statement.result.layout.placements[2]",
            "database": "$.statement.result.layout.placements[2]",
        },
    ),
    (
        put("statement.rows.breakers.0.row.widthDmm", 999),
        {
            "statementDigest": DIGEST, "signature": SIGNATURE, "rows": ROW,
            "recomputation": "$.statement.result.layout.placements[0].w",
            "database": f"{ROW}.row.widthDmm",
        },
    ),
    (
        put("statement.rows.accessories.0.digest", "0" * 64),
        {
            "statementDigest": DIGEST, "signature": SIGNATURE, "rows": ACCESSORY,
            "database": f"{ACCESSORY}.digest",
        },
    ),
    (
        duplicate_row,
        {
            "statementDigest": DIGEST, "signature": SIGNATURE,
            "rows": "$.statement.rows.breakers[2]",
            "recomputation": "$.statement.result.layout.placements[2].h",
            "database": "$.statement.rows.breakers[2]",
        },
    ),
    (
        put("documents.enclosures.0.widthDmm", 1),
        {"documents": "$.documents.enclosures", "database": STOCK},
    ),
    (
        put("documents.rules.economic.note", "x"),
        {"documents": "$.documents.rules", "database": "$.documents.rules.economic.note"},
    ),
    # values that RFC 8785 cannot write: found, and the signature has nothing to stand on
    (put("statement.request.note", 2**53), {"statementDigest": "$.statement", "database": NOTE}),
    (
        put("statement.request.note", float("nan")),
        {"statementDigest": "$.statement", "database": NOTE},
    ),
    (put("statement.request.note", "\ud800"), {"statementDigest": "$.statement", "database": NOTE}),
    (
        put("statement.estimateId", "\ud800"),
        {
            "statementDigest": "$.statement", "evidenceId": "$.evidenceId",
            "database": "$.statement.estimateId",
        },
    ),
    (
        put("documents.rules.economic.note", float("inf")),
        {"documents": "$.documents.rules", "database": "$.documents.rules.economic.note"},
    ),
    # with the key: whoever holds it still has to get past the engine and the database
    (make_result_up_resealed, {"recomputation": W, "database": W}),
    (shrink_stock_resealed, {"recomputation": "$.statement.request.main.model", "database": STOCK}),
    (break_rows_resealed, {"recomputation": "$.statement", "database": f"{ROW}.digest"}),
    (
        duplicate_row_resealed,
        {
            "rows": "$.statement.rows.breakers[2]",
            "database": "$.statement.result.layout.placements[2].h",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "expected"), ATTACKS)
def test_attack(attack: Callable[[Json], None], expected: dict[str, str]) -> None:
    package = make_package()
    attack(package)
    verification = check(package)
    assert failed(verification) == expected
    assert not verification.valid
    first = next(iter(expected))
    assert verification.reason is not None
    assert verification.reason.startswith(f"{first} {expected[first]}: ")


@pytest.mark.parametrize(
    "respell",
    [
        lambda text: text.rstrip("="),
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:20] + "\n" + text[20:],
        lambda text: text.replace("=", "%3D"),
        lambda text: text.replace("+", "-").replace("/", "_") + "-",
        # the two bits after the last byte: decoders that ignore them see the same tag
        lambda text: text[:-2] + chr(ord(text[-2]) + 1) + "=",
        lambda text: text[:-1] + "A",
        lambda text: text + text,
        lambda text: text.encode().hex(),
    ],
)
def test_a_signature_has_one_spelling(respell: Callable[[str], str]) -> None:
    package = changed(GENUINE, ("envelope", "signature"), respell)
    assert failed(check(package)) == dict.fromkeys(["signature", "database"], SIGNATURE)


def test_a_refusal_of_the_engine_is_told_in_both_languages() -> None:
    package = make_package()
    shrink_stock_resealed(package)
    refusal = next(c for c in check(package).checks if c.name == "recomputation")
    assert refusal.detail_ko == "다시 계산할 수 없습니다: 맞는 함이 없습니다"
    assert refusal.detail_en == "cannot recompute: no enclosure fits"
