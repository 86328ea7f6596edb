"""The formulas of DOMAIN, figure by figure. Lengths here are millimetres."""

import msgspec
import pytest

from kis.errors import DomainError, ErrorCode
from kis.estimate.model import Form, SelectedAccessory, SelectedDevice, Selection
from kis.estimate.sizing import Budget, budget
from kis.knowledge.model import Accessory
from kis.knowledge.questions import Question
from kis.knowledge.snapshot import Snapshot

from .boards import accessory, breaker, selected, selected_accessory


def body(frame: int, poles: int = 3, size: tuple[int, int, int] = (90, 130, 60)) -> SelectedDevice:
    width, height, depth = (side * 10 for side in size)
    return selected(breaker(f"{frame}AF", poles, frame, width, height_dmm=height, depth_dmm=depth))


def board(
    main: SelectedDevice, *branches: SelectedDevice, accessories: tuple[SelectedAccessory, ...] = ()
) -> Selection:
    return Selection(main, branches, accessories)


def of(form: Form, selection: Selection, snapshot: Snapshot) -> Budget:
    return budget(form, selection, snapshot.rules)


class TestEconomic:
    @pytest.mark.parametrize(("poles", "allowance"), [(1, 250), (2, 250), (3, 300), (4, 300)])
    def test_width(self, poles: int, allowance: int, seed_snapshot: Snapshot) -> None:
        """2 x tallest branch + allowance by the main's poles, for each busbar."""
        branches = (body(50, size=(75, 96, 60)), body(100))
        needs = of("ECONOMIC", board(body(100, poles), *branches), seed_snapshot)
        assert needs.width_dmm(1) == (2 * 130 + allowance) * 10
        assert needs.width_dmm(3) == 3 * (2 * 130 + allowance) * 10

    def test_width_of_a_wide_main(self, seed_snapshot: Snapshot) -> None:
        main = body(600, 4, (350, 275, 103))
        assert of("ECONOMIC", board(main), seed_snapshot).width_dmm(1) == 6500
        few = board(main, body(30, size=(33, 70, 42)))
        assert of("ECONOMIC", few, seed_snapshot).width_dmm(1) == 6500

    def test_height(self, seed_snapshot: Snapshot) -> None:
        """Main + rows + 200; accessories bring no share."""
        meter = selected_accessory(accessory("M", "meter", 1300, 1300))
        for selection in (board(body(100)), board(body(100), accessories=(meter,))):
            needs = of("ECONOMIC", selection, seed_snapshot)
            assert needs.outside_dmm == 1300 + 2000
            assert needs.height_dmm(3000) == 1300 + 3000 + 2000


class TestStandard:
    @pytest.mark.parametrize(
        ("frame", "top", "bottom", "width"),
        [
            (30, 130, 150, 600), (60, 130, 150, 600), (63, 170, 150, 600), (100, 170, 150, 600),
            (125, 170, 150, 700), (150, 200, 150, 700), (200, 200, 150, 700),
            (250, 200, 150, 700), (300, 400, 200, 800), (400, 400, 200, 800),
            (600, 500, 250, 900), (630, 600, 250, 1000), (800, 600, 250, 1000),
        ],
    )  # fmt: skip
    def test_main(
        self, frame: int, top: int, bottom: int, width: int, seed_snapshot: Snapshot
    ) -> None:
        """H = A + main + 30 + C + Dn, with the table's A, Dn and least W."""
        needs = of("STANDARD", board(body(frame), body(30)), seed_snapshot)
        assert needs.top_dmm == top * 10
        assert needs.outside_dmm == (top + 130 + 30 + bottom) * 10
        assert needs.width_dmm(1) == width * 10
        tall = 20_000
        assert needs.height_dmm(tall) == (top + 130 + 30 + bottom) * 10 + tall

    @pytest.mark.parametrize(
        ("frame", "width"),
        [(30, 600), (50, 600), (100, 600), (125, 700), (200, 800), (250, 800), (400, 900),
         (600, 1000), (800, 1000)],
    )  # fmt: skip
    def test_width_by_the_largest_branch(
        self, frame: int, width: int, seed_snapshot: Snapshot
    ) -> None:
        """The main's 600 is the least here; 30AF alone would do with 500."""
        selection = board(body(50), body(30), body(frame))
        assert of("STANDARD", selection, seed_snapshot).width_dmm(1) == width * 10

    def test_each_busbar_has_the_width_of_the_table(self, seed_snapshot: Snapshot) -> None:
        """600 mm for branches of 50AF, though 2 x 130 + 300 would do."""
        needs = of("STANDARD", board(body(800), body(50)), seed_snapshot)
        assert [needs.width_dmm(busbars) for busbars in (1, 2, 3)] == [10_000, 12_000, 18_000]

    def test_bodies_wider_than_the_table(self, seed_snapshot: Snapshot) -> None:
        wide_main = board(body(50, size=(350, 130, 60)), body(30))
        assert of("STANDARD", wide_main, seed_snapshot).width_dmm(1) == 6500
        tall_branch = board(body(50), body(30, size=(33, 260, 60)))
        assert of("STANDARD", tall_branch, seed_snapshot).width_dmm(1) == 8200

    @pytest.mark.parametrize(
        ("frame", "size"),
        [
            (100, (300, 400, 150)), (250, (300, 400, 150)),
            (400, (700, 257 + 680, 250)), (600, (800, 257 + 980, 300)),
            (800, (800, 257 + 1160, 300)),
        ],
    )  # fmt: skip
    def test_main_on_its_own(
        self, frame: int, size: tuple[int, int, int], seed_snapshot: Snapshot
    ) -> None:
        needs = of("STANDARD", board(body(frame, 4, (187, 257, 60))), seed_snapshot)
        assert (needs.width_dmm(1), needs.height_dmm(0), needs.depth_dmm) == tuple(
            side * 10 for side in size
        )

    def test_main_on_its_own_larger_than_its_table(self, seed_snapshot: Snapshot) -> None:
        needs = of("STANDARD", board(body(100, 4, (280, 380, 140))), seed_snapshot)
        assert (needs.width_dmm(1), needs.height_dmm(0), needs.depth_dmm) == (3800, 4800, 1800)

    def test_one_branch_is_never_less_than_none(self, seed_snapshot: Snapshot) -> None:
        """600AF: 280 + 980 alone, only 500 + 280 + 30 + 33 + 250 with a branch."""
        selection = board(body(600, 4, (280, 280, 109)), body(30, size=(33, 70, 42)))
        assert of("STANDARD", selection, seed_snapshot).height_dmm(330) == 12_600

    def test_accessories_take_a_quarter_of_the_rows(self, seed_snapshot: Snapshot) -> None:
        timer = selected_accessory(accessory("T", "timer", 650, 1000))
        needs = of("STANDARD", board(body(100), body(100), accessories=(timer,)), seed_snapshot)
        base = (170 + 130 + 30 + 150) * 10
        assert needs.height_dmm(3000) == base + 3000 + 750
        assert needs.height_dmm(3001) == base + 3001 + 751  # a tenth that is begun counts

    @pytest.mark.parametrize(("kind", "duct"), [("wiring_duct", 400), ("contactor", 400),
                                                ("timer", 0)])  # fmt: skip
    def test_duct_takes_forty(self, kind: str, duct: int, seed_snapshot: Snapshot) -> None:
        """A contactor brings ducts along."""
        item = selected_accessory(accessory("K", kind, 460, 750))
        needs = of("STANDARD", board(body(100), body(100), accessories=(item,)), seed_snapshot)
        assert needs.accessory_duct_dmm == duct
        assert needs.height_dmm(4000) == (170 + 130 + 30 + 150) * 10 + 4000 + 1000 + duct


class TestDepth:
    @pytest.mark.parametrize(
        ("frame", "depth"),
        [(50, 150), (200, 150), (225, 200), (250, 200), (300, 250), (400, 250), (600, 350),
         (800, 400)],
    )  # fmt: skip
    def test_by_the_largest_frame(self, frame: int, depth: int, seed_snapshot: Snapshot) -> None:
        for selection in (board(body(frame), body(30)), board(body(30), body(frame))):
            assert of("ECONOMIC", selection, seed_snapshot).depth_dmm == depth * 10
            assert of("STANDARD", selection, seed_snapshot).depth_dmm >= depth * 10

    @pytest.mark.parametrize("deep", ["main", "branch", "accessory"])
    def test_never_less_than_the_deepest_body_and_forty(
        self, deep: str, seed_snapshot: Snapshot
    ) -> None:
        size = {deep: (90, 130, 170)}
        plain = (90, 130, 60)
        item = Accessory("T", "timer", 650, 1000, 1700 if deep == "accessory" else None)
        selection = board(
            body(100, size=size.get("main", plain)),
            body(100, size=size.get("branch", plain)),
            accessories=(selected_accessory(item),),
        )
        assert of("ECONOMIC", selection, seed_snapshot).depth_dmm == 2100

    @pytest.mark.parametrize(
        ("kinds", "depth"),
        [(("timer",), 150), (("lamp",), 200), (("push_button",), 200), (("spd",), 250),
         (("lamp", "spd"), 300)],
    )  # fmt: skip
    def test_what_is_in_the_door(
        self, kinds: tuple[str, ...], depth: int, seed_snapshot: Snapshot
    ) -> None:
        items = tuple(selected_accessory(accessory(kind, kind, 300, 300)) for kind in kinds)
        selection = board(body(100), accessories=items)
        assert of("ECONOMIC", selection, seed_snapshot).depth_dmm == depth * 10
        assert of("STANDARD", selection, seed_snapshot).depth_dmm == depth * 10


@pytest.mark.parametrize(
    ("form", "main", "branch", "table"),
    [
        ("ECONOMIC", 1000, 100, "depth"),
        ("ECONOMIC", 100, 1000, "depth"),
        ("STANDARD", 1000, None, "standardMainOnly"),
        ("STANDARD", 100, 10_001, "standardBranch"),
        ("STANDARD", 100, 1000, "depth"),
    ],
)
def test_frame_above_a_table_is_a_question(
    form: Form, main: int, branch: int | None, table: str, seed_snapshot: Snapshot
) -> None:
    selection = board(body(main), *([body(branch)] if branch else []))
    with pytest.raises(DomainError) as refusal:
        of(form, selection, seed_snapshot)
    finding = refusal.value.main
    assert (finding.code, finding.path) == (ErrorCode.NEED_KNOWLEDGE_UPDATE, "$")
    question = finding.data["question"]
    assert isinstance(question, Question)
    assert (question.kind, question.rule_table) == ("rule", table)
    assert question.frame_size_a == max(main, branch or 0)


def test_standard_main_table_may_end_first(seed_snapshot: Snapshot) -> None:
    rules = seed_snapshot.rules
    standard = msgspec.structs.replace(rules.standard, main=rules.standard.main[:2])
    with pytest.raises(DomainError) as refusal:
        budget("STANDARD", board(body(125), body(30)),
               msgspec.structs.replace(rules, standard=standard))  # fmt: skip
    assert refusal.value.main.data["question"] == Question(
        kind="rule", rule_table="standardMain", frame_size_a=125
    )
