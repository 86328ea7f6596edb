"""The dashboard, as HTTP gives it."""

from tests.integration.console_calls import sign_in, words_of
from tests.services import Client, board

OVERVIEW = "/console/operation/overview"


def test_a_new_installation_is_told_what_to_do_first(client: Client) -> None:
    page = sign_in(client).open(OVERVIEW)
    words = words_of(page)
    assert "30일 동안 견적이 없습니다. 첫 견적 내기" in words
    assert 'href="/console/estimate"' in page.text
    assert "7일 동안 키나 한도로 거절한 요청이 없습니다." in words
    assert "7일 동안 답하지 않은 요청이 없습니다." in words


def test_who_was_denied_and_what_was_refused(client: Client) -> None:
    assert client.request("GET", "/v1/keys").status_code == 403
    assert client.request("GET", "/v1/estimate", key="wrong").status_code == 401
    unknown = {"model": "XYZ-999", "af": 50, "poles": "4P"}
    refused = client.request("POST", "/v1/estimate/create", json=board(main=unknown))
    assert refused.status_code == 422, refused.text
    assert client.request("POST", "/v1/estimate/create", json=board()).status_code == 201
    words = words_of(sign_in(client).open(OVERVIEW))
    assert "GET /v1/estimate 키 없음·틀림" in words
    assert "API_KEY GET /v1/keys 권한 없음" in words
    assert "활성 지식에 없는 치수나 규칙이다. 추정하지 않는다 NEED_KNOWLEDGE_UPDATE" in words
    assert "SBS-54" in words
