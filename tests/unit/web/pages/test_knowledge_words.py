from datetime import date

from kis.web.pages.knowledge_words import next_label


def test_label_is_the_next_free_one_of_the_day() -> None:
    day = date(2026, 1, 15)
    assert next_label([], day) == "v2026-01-15-01"
    assert next_label(["v2026-01-15-01", "v2026-01-15-03"], day) == "v2026-01-15-02"
