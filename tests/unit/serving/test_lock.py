"""The lock: one process a database, a server named in it, everybody else waits."""

from pathlib import Path

import pytest

from kis.ops.reaching import Endpoint
from kis.serving.lock import Locked, lock_file, only_process
from kis.settings import Settings, SettingsError
from tests.services import settings_in

ADDRESS = "http://127.0.0.1:3000"
ENDPOINT = Endpoint(ADDRESS, "/etc/kis/our own.pem")


def test_lock_stands_beside_the_database(tmp_path: Path) -> None:
    assert lock_file(settings_in(tmp_path)) == tmp_path / "data" / "kis.lock"


def test_links_to_one_database_are_one_lock(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "data")
    settings = settings_in(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/link/kis.db")
    assert lock_file(settings) == lock_file(settings_in(tmp_path))


def test_held_lock_is_refused_after_the_wait(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with (
        only_process(settings),
        pytest.raises(Locked) as caught,
        only_process(settings, wait_s=0.01),
    ):
        pass
    assert caught.value.address == ""


def test_server_is_told_at_once(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with only_process(settings) as lock:
        lock.name(ENDPOINT)
        # The default wait is half a minute: a server that runs is not waited for.
        with pytest.raises(Locked) as caught, only_process(settings):
            pass
    assert caught.value.address == ADDRESS
    assert caught.value.endpoint == ENDPOINT


def lock_path(settings: Settings) -> Path:
    path = lock_file(settings)
    assert path is not None
    return path


def test_a_server_needs_no_lock(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, DATABASE_URL="postgresql://kis@localhost/kis")
    assert lock_file(settings) is None
    with only_process(settings) as lock, only_process(settings):
        lock.name(ENDPOINT)


def test_shorter_address_leaves_nothing_of_the_longer(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with only_process(settings) as lock:
        lock.name(ENDPOINT)
        lock.name(Endpoint("http://a:1"))
        assert lock_path(settings).read_text() == "http://a:1"


def test_address_of_a_server_that_died_is_forgotten(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    lock_path(settings).write_text(ADDRESS)
    with only_process(settings):
        assert lock_path(settings).read_text() == ""


def test_lock_is_free_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    for _ in range(2):
        with only_process(settings, wait_s=0):
            pass


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/kis.db")
    with pytest.raises(SettingsError) as caught, only_process(settings):
        pass
    assert "nowhere" in caught.value.problems[0].ko
