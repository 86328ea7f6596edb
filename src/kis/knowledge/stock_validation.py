"""Accessories and enclosures that estimates will not treat as their owner may expect.

Remarks for people, no refusals: a kind without rules of its own is a kind all the
same, and a shop may have no stock at all.
"""

from collections.abc import Iterator

from kis.errors import Text
from kis.knowledge.diff import Changed
from kis.knowledge.model import Accessory
from kis.knowledge.rules import AccessoryRules
from kis.knowledge.snapshot import Tables
from kis.knowledge.validation import Remark
from kis.korean import with_particle

UNKNOWN_KIND = "UNKNOWN_KIND"
OUTLINE_UNKNOWN = "OUTLINE_UNKNOWN"
NO_STOCK = "NO_STOCK"


def check_stock(base: Tables, tables: Tables, changed: Changed) -> list[Remark]:
    """Return remarks on the changed accessories of `tables`, and on stock that is gone.

    A kind is known by the rules or by an accessory of `base`. They are ordered by
    row, then code; what concerns the enclosures as a whole comes last.
    """
    wanted = frozenset(changed.accessories)
    known = sorted({*named_kinds(tables.rules.accessories), *(r.kind for r in base.accessories)})
    remarks: list[Remark] = []
    for row in tables.accessories:
        if row.code in wanted:
            remarks += _remarks_on(row, known, tables.rules.accessories)
    if not tables.enclosures:
        remarks.append(_no_stock())
    return remarks


def named_kinds(rules: AccessoryRules) -> frozenset[str]:
    """Return every kind of accessory that the rules treat in some way of its own."""
    brought = {each.kind for companions in rules.companions.values() for each in companions}
    return frozenset(
        {
            *rules.beside_main_kinds, *rules.shelves, rules.duct_kind, *rules.companions,
            *brought, *rules.door_kinds, *rules.extra_depth_dmm_by_kind,
        }
    )  # fmt: skip


def _remarks_on(row: Accessory, known: list[str], rules: AccessoryRules) -> Iterator[Remark]:
    if not rules.can_place(row):
        message = Text(
            f"{row.code}: 폭이나 높이가 없어 표본에 넣지 않았습니다."
            " 이 부속자재가 든 견적은 치수를 묻습니다.",
            f"{row.code}: without width and height it is in no sample;"
            " estimates with it will ask for them.",
        )
        yield Remark(OUTLINE_UNKNOWN, "accessories", (row.code,), message)
    if row.kind not in known:
        quoted, kinds = f"'{row.kind}'", ", ".join(known)
        message = Text(
            f"{row.code}: 종류 {with_particle(quoted, '은/는')} 규칙에도 다른 부속자재에도 없어"
            f" 특별히 다루지 않습니다. 아는 종류: {kinds}",
            f"{row.code}: no rule and no other accessory has the kind {quoted};"
            f" it gets no special treatment. Known kinds: {kinds}",
        )
        yield Remark(UNKNOWN_KIND, "accessories", (row.code,), message)


def _no_stock() -> Remark:
    message = Text(
        "기성함이 하나도 없습니다. 모든 견적이 제작함이 됩니다.",
        "There is no stock enclosure: every estimate will be made to order.",
    )
    return Remark(NO_STOCK, "enclosures", (), message)
