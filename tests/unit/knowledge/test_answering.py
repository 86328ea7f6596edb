from typing import Any

from kis.knowledge.answering import Answer, upload_of
from kis.knowledge.formats import parse_upload
from kis.knowledge.questions import Question

SIDES = {"W": "350", "H": "275.5", "D": "103", "source": "LS 2026, p. 12"}


def rows(question: Question, **typed: str) -> dict[str, Any]:
    upload, _ = upload_of([Answer(question, {**SIDES, **typed})])
    return upload


def test_model_becomes_a_row_with_its_source() -> None:
    question = Question("breakerModel", brand="LS", model="METASOL-600", poles=4)
    upload = rows(question, af="600", type="MCCB", series="METASOL")
    parsed = parse_upload("json", upload, brands=("LS",))
    assert parsed.breakers is not None
    (row,) = parsed.breakers
    assert (row.key, row.frame_size_a) == (("LS", "METASOL-600", 4), 600)
    assert (row.width_dmm, row.height_dmm, row.depth_dmm) == (3500, 2755, 1030)
    assert row.extra == {"source": "LS 2026, p. 12"}


def test_frame_is_answered_by_naming_a_model() -> None:
    question = Question("breakerFrame", brand="LS", frame_size_a=600, poles=3, type="ELCB")
    parsed = parse_upload("json", rows(question, model="EBN-603"), brands=("LS",))
    assert parsed.breakers is not None
    assert (parsed.breakers[0].type, parsed.breakers[0].model) == ("ELCB", "EBN-603")


def test_accessory_keeps_its_kind() -> None:
    parsed = parse_upload("json", rows(Question("accessory", code="MC-9"), kind="contactor"))
    assert parsed.accessories is not None
    assert (parsed.accessories[0].code, parsed.accessories[0].width_dmm) == ("MC-9", 3500)


def test_rows_lead_back_to_their_questions() -> None:
    first, second = Question("accessory", code="A"), Question("outline", code="B")
    upload, origins = upload_of([Answer(first, SIDES), Answer(second, SIDES)])
    assert [row["code"] for row in upload["accessories"]] == ["A", "B"]
    assert origins == {"$.accessories[0]": first, "$.accessories[1]": second}


def test_only_what_has_a_dimension_is_an_answer() -> None:
    assert Answer(Question("accessory", code="A"), {"D": "5"}).is_given
    assert not Answer(Question("accessory", code="A"), {"W": " ", "source": "x"}).is_given
