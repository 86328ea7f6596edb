"""Sessions of the console, without a browser: who gets in, for how long, and what is refused."""

from pathlib import Path

import httpx

from kis.access.sessions import MOST_SESSIONS
from tests.integration.lifecycle import rows_of
from tests.services import ADMIN_API_KEY, API_KEY, Client, board, running_client

PAGE = "/console/estimates"
COOKIE = "kis_session"


def sign_in(client: Client, key: str, **more: str) -> httpx.Response:
    client.forget_cookies()
    return client.request("POST", "/console/sign-in", key=None, data={"key": key, **more})


def open_page(client: Client, cookie: str, path: str = PAGE) -> httpx.Response:
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    return client.request("GET", path, key=None, headers=headers)


def test_a_key_opens_a_session(client: Client) -> None:
    cookie = sign_in(client, API_KEY).cookies[COOKIE]
    assert open_page(client, cookie).status_code == 200
    for other in ("", "0" * 64, cookie[:-1]):
        assert open_page(client, other).status_code == 303


def test_an_api_key_in_the_header_opens_no_page(client: Client) -> None:
    assert client.get(PAGE).status_code == 303


def test_a_session_ends_with_its_key(client: Client) -> None:
    made = client.admin("POST", "/v1/keys", {"scope": "api", "label": "for a day"}).json()
    cookie = sign_in(client, made["token"]).cookies[COOKIE]
    assert open_page(client, cookie).status_code == 200
    client.admin("POST", f"/v1/keys/{made['key']['keyId']}/revoke", {"reason": "lost"})
    assert open_page(client, cookie).status_code == 303


def test_a_session_cannot_be_used_once_it_was_ended(client: Client) -> None:
    cookie = sign_in(client, API_KEY).cookies[COOKIE]
    token = open_page(client, cookie).text.partition('csrf-token" content="')[2].partition('"')[0]
    headers = {"Cookie": f"{COOKIE}={cookie}", "X-CSRF-Token": token}
    ended = client.request("POST", "/console/sign-out", key=None, headers=headers)
    assert ended.status_code == 303
    assert open_page(client, cookie).status_code == 303


def test_only_addresses_of_ours_are_gone_on_to(client: Client) -> None:
    strange = ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "x:y"]
    strange += ["///console/x", "//[", "http://[", "/console"]
    for address in [*strange, "/console/..//elsewhere.example\\", "/v1/estimate", ""]:
        answer = sign_in(client, API_KEY, next=address)
        assert answer.headers["location"] == "/console/estimate", address
    answer = sign_in(client, API_KEY, next="/console/estimates?q=LP")
    assert answer.headers["location"] == "/console/estimates?q=LP"


def test_the_audit_trail_has_who_signed_in(client: Client) -> None:
    sign_in(client, ADMIN_API_KEY)
    asked = "SELECT action, subject FROM audit_entry WHERE action = 'console.sign_in'"
    assert rows_of(client.settings.home, asked) == [("console.sign_in", "admin-env")]


def test_pages_forbid_what_is_not_ours(client: Client) -> None:
    for path in ("/", "/console/sign-in", "/console/nowhere", PAGE):
        answer = client.request("GET", path, key=None)
        if path != "/":
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_form_that_is_none_is_refused(client: Client) -> None:
    for body in (b"\xff\xfe=1", b"&".join(b"a=1" for _ in range(500))):
        answer = client.request("POST", "/console/sign-in", key=None, content=body)
        assert answer.status_code == 400


def test_a_script_is_answered_with_a_part_of_a_page(client: Client) -> None:
    asked = {"X-Console": "1"}
    refused = client.request("GET", PAGE, key=None, headers=asked)
    assert refused.status_code == 401
    assert "<html" not in refused.text
    assert "로그인이 끝났습니다" in refused.text
    data = {"key": API_KEY}
    opened = client.request("POST", "/console/sign-in", key=None, headers=asked, data=data)
    assert opened.status_code == 204
    assert len(opened.headers["X-CSRF-Token"]) == 64


def test_a_link_from_elsewhere_is_asked_for_again(client: Client) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = client.request("GET", f"{PAGE}?q=1", key=None, headers=headers)
    assert answer.status_code == 200
    assert f'http-equiv="refresh" content="0; url={PAGE}?q=1"' in answer.text


def test_wrong_keys_lock_the_address(tmp_path: Path) -> None:
    with running_client(tmp_path / "home") as client:

        def sign_in(key: str) -> httpx.Response:
            form = {"key": key}
            return client.request("POST", "/console/sign-in", key=None, data=form)

        assert [sign_in("wrong").status_code for _ in range(5)] == [401] * 5
        locked = sign_in(API_KEY)
        assert locked.status_code == 429
        assert 0 < int(locked.headers["Retry-After"]) <= 30
        assert "초 뒤에 다시" in locked.text


def test_a_stranger_locks_nobody_out_whose_key_was_made_here(client: Client) -> None:
    made = client.admin("POST", "/v1/keys", {"scope": "api", "label": "an estimator"}).json()
    for _ in range(7):
        sign_in(client, "wrong")
    assert sign_in(client, API_KEY).status_code == 429
    assert sign_in(client, made["token"]).status_code == 303


def test_a_right_key_does_not_forgive_guesses(client: Client) -> None:
    for _ in range(3):
        assert sign_in(client, "wrong").status_code == 401
    assert sign_in(client, API_KEY).status_code == 303
    assert [sign_in(client, "wrong").status_code for _ in range(3)] == [401, 401, 429]


def test_signing_in_again_ends_the_session_before(client: Client) -> None:
    first = sign_in(client, API_KEY).cookies[COOKIE]
    form = {"key": ADMIN_API_KEY}
    held = {"Cookie": f"{COOKIE}={first}"}
    client.request("POST", "/console/sign-in", key=None, data=form, headers=held)
    assert open_page(client, first).status_code == 303


def test_a_key_has_a_bounded_number_of_sessions(client: Client) -> None:
    cookies = [sign_in(client, API_KEY).cookies[COOKIE] for _ in range(MOST_SESSIONS + 1)]
    assert open_page(client, cookies[0]).status_code == 303
    assert open_page(client, cookies[1]).status_code == 200
    assert rows_of(client.settings.home, "SELECT count(*) FROM console_session") == [
        (MOST_SESSIONS,)
    ]


def test_pages_count_in_the_rate_limit(tmp_path: Path) -> None:
    with running_client(tmp_path / "home", RATE_LIMIT_PER_MINUTE="3") as client:
        cookie = sign_in(client, API_KEY).cookies[COOKIE]
        assert [open_page(client, cookie).status_code for _ in range(4)] == [200] * 3 + [429]


def test_odd_input_is_refused(client: Client) -> None:
    cookie = sign_in(client, API_KEY).cookies[COOKIE]
    for path in (f"{PAGE}?q=%00", f"{PAGE}?before=%00", f"{PAGE}/compare?id=%00&id=x"):
        assert open_page(client, cookie, path).status_code == 400
    client.forget_cookies()
    for path in ("?next=//[", "?next=%00"):
        assert client.request("GET", f"/console/sign-in{path}", key=None).status_code == 200
    headers = {"Origin": "http://["}
    data = {"key": API_KEY}
    answer = client.request("POST", "/console/sign-in", key=None, data=data, headers=headers)
    assert answer.status_code == 403
    assert sign_in(client, "a\0b").status_code == 400
    for method in ("POST", "PUT", "DELETE"):
        answer = client.request(method, "/console/nowhere", key=None)
        assert (answer.status_code, "없는 주소입니다" in answer.text) == (404, True)


def test_stored_estimates_are_shown(client: Client) -> None:
    ids = [client.post("/v1/estimate/create", board(label=name)).json()["id"] for name in "AB"]
    cookie = sign_in(client, API_KEY).cookies[COOKIE]
    listed = open_page(client, cookie)
    assert listed.status_code == 200
    assert all(estimate_id in listed.text for estimate_id in ids)
    one = open_page(client, cookie, f"{PAGE}/{ids[0]}")
    assert (one.status_code, "<svg" in one.text) == (200, True)
    both = open_page(client, cookie, f"{PAGE}/compare?id={ids[0]}&id={ids[1]}")
    assert (both.status_code, both.text.count("<svg")) == (200, 2)
