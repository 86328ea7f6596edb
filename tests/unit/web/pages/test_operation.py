"""What the dashboard makes of the log's words."""

import pytest

from kis.web.pages.operation import legible


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        ("/v1/estimate/4%301", "/v1/estimate/401"),
        ("/v1/knowledge/%EC%99%B8%ED%95%A8", "/v1/knowledge/외함"),
        ("/a%20b", "/a b"),
        ("/%E2%80%AEx", "/%E2%80%AEx"),
        ("/%0A", "/%0A"),
        ("/%FF", "/\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_letters_that_can_be_seen_are_shown(logged: str, shown: str) -> None:
    assert legible(logged) == shown
