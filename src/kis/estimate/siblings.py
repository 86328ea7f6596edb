"""The same board with fewer branches: what such boards need. Pure."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from kis.estimate.busbars import reachable_loads
from kis.estimate.enclosure import Need, Siblings
from kis.estimate.model import Form, Selection
from kis.estimate.sizing import Budget, budget
from kis.knowledge.model import StockEnclosure
from kis.knowledge.rules import RuleSet
from kis.units import round_up


class _Family(NamedTuple):
    """Boards of one width and depth at most. Bit n of `loads`: rows can come to n."""

    needs: Budget
    width_dmm: int
    loads: int


def siblings(form: Form, selection: Selection, rules: RuleSet, tallest_dmm: int) -> Siblings:
    """Return what boards with the main and accessories of `selection` need.

    `covered_by` is of boards on one busbar, with some of the branches; accessories
    are taken to need no height of their own.

    Raises:
        DomainError: NEED_KNOWLEDGE_UPDATE where a frame is above a rule's table.

    """
    step = rules.stock.step_dmm
    needs_alone = budget(form, selection.with_branches(()), rules)
    width_alone = round_up(needs_alone.width_dmm(1), step)
    families: list[_Family] = []

    def covered_by(row: StockEnclosure) -> Iterator[Need]:
        if not families:  # few boards come here, and it takes as long as the rest
            families.append(_Family(needs_alone, width_alone, 1))
            families.extend(_families(form, selection, rules, tallest_dmm))
        height = row.height_dmm // step * step
        for needs, width, loads in families:
            room = height - needs.outside_dmm
            if room < 0 or row.width_dmm < width or row.depth_dmm < needs.depth_dmm:
                continue
            load = (loads & ((1 << (room + 1)) - 1)).bit_length() - 1
            if load >= 0 and needs.height_dmm(load) <= height:
                yield Need(width, round_up(needs.height_dmm(load), step), needs.depth_dmm)

    height_alone = round_up(needs_alone.height_dmm(0), step)
    return Siblings(Need(width_alone, height_alone, needs_alone.depth_dmm), covered_by)


def _families(
    form: Form, selection: Selection, rules: RuleSet, tallest_dmm: int
) -> Iterator[_Family]:
    """Yield a family for each pair of a width and a depth that branches ask for."""
    alone = [
        (branch, _family(form, selection.with_branches((branch,)), rules, 0))
        for branch in selection.branches
    ]
    widths = {family.width_dmm for _, family in alone}
    depths = {family.needs.depth_dmm for _, family in alone}
    for width, depth in product(sorted(widths), sorted(depths)):
        branches = tuple(
            branch
            for branch, family in alone
            if family.width_dmm <= width and family.needs.depth_dmm <= depth
        )
        if branches:
            family = _family(form, selection.with_branches(branches), rules, tallest_dmm)
            yield family._replace(loads=family.loads & ~1)


def _family(form: Form, selection: Selection, rules: RuleSet, tallest_dmm: int) -> _Family:
    needs = budget(form, selection, rules)
    loads = reachable_loads(selection.branches, form, rules, tallest_dmm)
    return _Family(needs, round_up(needs.width_dmm(1), rules.stock.step_dmm), loads)
