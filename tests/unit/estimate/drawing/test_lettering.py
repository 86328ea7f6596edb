"""What is written on devices, and beside them."""

from kis.estimate.model import BoardDraft, DeviceDraft
from kis.knowledge.snapshot import Snapshot
from tests.unit.estimate.boards import draft, line

from .pictures import SVG, of_class, picture


def written(board: BoardDraft, snapshot: Snapshot) -> dict[str, list[str]]:
    """Return the lines of each device."""
    root = picture(board, snapshot)
    return {
        device.attrib["data-device"]: [text.text or "" for text in device.iter(f"{SVG}text")]
        for device in of_class(root, "kis-device")
    }


def test_large_body_says_everything(seed_snapshot: Snapshot) -> None:
    lines = written(draft("SBS-54", line("SES-54", 2, at=30, name="동력")), seed_snapshot)
    assert lines["M1"] == ["M1 SBS-54", "4P 50AF"]
    assert lines["B1"] == ["B1 SES-54", "4P 50AF/30AT", "동력"]


def test_small_body_has_its_number_and_the_rest_beside_it(seed_snapshot: Snapshot) -> None:
    small = line("SIE-32", 38, at=20, name="전등")
    lines = written(draft("SBS-104", line("SES-54", 2), small), seed_snapshot)
    assert lines["B3"] == ["B3", "SIE-32 2P 30AF/20AT 전등"]


def test_accessory_says_what_kind_it_is(seed_snapshot: Snapshot) -> None:
    lines = written(draft("SBS-54", accessories=[("METER-3PH", 1)]), seed_snapshot)
    assert lines["A1"] == ["A1 METER-3PH", "계기"]


def test_long_name_of_a_circuit_is_cut_and_makes_nothing_smaller(seed_snapshot: Snapshot) -> None:
    def sizes(name: str) -> list[str]:
        branch = DeviceDraft(model="SES-54", quantity=2, name=name)
        root = picture(draft("SBS-54", branch), seed_snapshot)
        (device,) = (d for d in of_class(root, "kis-device") if d.attrib["data-device"] == "B1")
        return [text.attrib["font-size"] for text in device.iter(f"{SVG}text")]

    lines = written(draft("SBS-54", line("SES-54", 2, name="옥상 실외기 " * 20)), seed_snapshot)
    assert lines["B1"][2].endswith("…")
    assert sizes("옥상 실외기 " * 20) == sizes("옥상")


def test_bodies_of_one_size_are_written_on_alike(seed_snapshot: Snapshot) -> None:
    names = ("가", "전등 전열 겸용", "")
    board = draft("SBS-54", *(line("SIE-32", 6, name=name) for name in names))
    root = picture(board, seed_snapshot)
    sizes = {
        tuple(text.attrib["font-size"] for text in device.iter(f"{SVG}text"))[:1]
        for device in of_class(root, "kis-branch")
    }
    assert len(sizes) == 1


def test_body_with_no_room_beside_it_is_written_on_in_small(seed_snapshot: Snapshot) -> None:
    """The widest bodies of two busbars: what is beside them is too narrow for their model."""
    wide, others = line("ABN-203", 7), (line("ABN-104", 40), line("ABN-53", 24))
    board = draft("ABS-404", wide, *others, brand="LS")
    lines = written(board, seed_snapshot)
    assert lines["B1"] == ["B1 ABN-203", "3P 200AF"]
    assert lines["B5"] == ["B5", "ABN-104", "4P 100AF"]
