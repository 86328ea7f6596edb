"""Every page: a first visit within 300 kB, compressed, and room on a telephone and on a wall."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Open
from tests.services import ADMIN_API_KEY, Server, board, running_server

MOST_BYTES = 300_000
PLACES = (
    "/console/sign-in", "/console/estimate", "/console/estimates", "/console/estimates/{id}",
    "/console/evidence?id={id}", "/console/knowledge", "/console/knowledge/{label}",
    "/console/knowledge/{label}/tables", "/console/operation", "/console/keys",
)  # fmt: skip

MORE_PLACES = (
    "/console/estimates/compare?id={id}&id={other}", "/console/knowledge/{label}/changes",
    "/console/knowledge/questions", "/console/knowledge/golden?estimate={id}",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("budget") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def known(server: Server) -> dict[str, str]:
    first, other = (
        server.request("POST", "/v1/estimate/create", json=board(label=label)).json()
        for label in ("LP-1", "LP-2")
    )
    return {"id": first["id"], "other": other["id"], "label": first["knowledgeVersion"]}


@pytest.mark.parametrize("place", PLACES)
def test_first_visit_is_small(open_tab: Open, known: dict[str, str], place: str) -> None:
    path = place.format(**known)
    door = open_tab()
    door.sign_in(ADMIN_API_KEY)
    tab = open_tab()
    if "sign-in" not in place:
        tab.page.context.add_cookies([*map(dict, door.page.context.cookies())])  # type: ignore[list-item]
    talk = tab.page.context.new_cdp_session(tab.page)
    talk.send("Network.enable")
    taken: list[float] = []
    talk.on("Network.loadingFinished", lambda done: taken.append(done["encodedDataLength"]))
    page = tab.go(path)
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert taken
    assert sum(taken) <= MOST_BYTES, f"{path}: {sum(taken):,.0f} bytes"
    print(f"{path}: {sum(taken):,.0f} bytes in {len(taken)}")  # noqa: T201 - with -s, a figure


@pytest.mark.parametrize(("width", "height"), [(360, 740), (3840, 2160)])
def test_every_page_fits(open_tab: Open, known: dict[str, str], width: int, height: int) -> None:
    tab = open_tab(viewport={"width": width, "height": height})
    page = tab.go(PLACES[0])
    fits = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(fits)
    tab.check()
    tab.sign_in(ADMIN_API_KEY)
    for place in (*PLACES[1:], *MORE_PLACES):
        tab.go(place.format(**known))
        page.wait_for_load_state("networkidle")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate(fits), place
        tab.check()
