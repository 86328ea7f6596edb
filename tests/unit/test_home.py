"""KIS_HOME: folders, and the .env that the runbook edits with sed."""

import re
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kis.home import FOLDERS, ensure_secrets, prepare_home
from kis.settings import SettingsError, load_settings

NAMES = ["API_KEY", "ADMIN_API_KEY", "EVIDENCE_SECRET", "KIS_MASTER_KEY"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    prepare_home(tmp_path)
    return tmp_path


@pytest.fixture
def env_file(home: Path) -> Path:
    return home / "kis-backend" / ".env"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_prepare_home_creates_the_folders_of_the_runbook(tmp_path: Path) -> None:
    home = tmp_path / "srv" / "kis"
    prepare_home(home)
    assert {path.name for path in home.iterdir()} == set(FOLDERS)
    assert all(mode_of(home / name) & ~0o750 == 0 for name in FOLDERS)


def test_prepare_home_leaves_alone_what_is_there(home: Path) -> None:
    (home / "data" / "kis.db").write_bytes(b"kept")
    (home / "backups").chmod(0o700)
    prepare_home(home)
    assert (home / "data" / "kis.db").read_bytes() == b"kept"
    assert mode_of(home / "backups") == 0o700


def test_home_that_is_no_folder_is_a_clear_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be used"):
        prepare_home(tmp_path / "file" / "home")


def test_first_start_generates_every_secret(home: Path, env_file: Path) -> None:
    generated = ensure_secrets(home, {})
    assert list(generated) == NAMES
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in generated.values())
    assert len(set(generated.values())) == len(NAMES)
    assert mode_of(env_file) == 0o600
    settings = load_settings({"KIS_HOME": str(home)})
    assert settings.api_key == generated["API_KEY"]
    assert settings.admin_api_key == generated["ADMIN_API_KEY"]
    assert settings.evidence_secret == generated["EVIDENCE_SECRET"]
    assert settings.master_key == generated["KIS_MASTER_KEY"]


def test_second_start_generates_nothing(home: Path, env_file: Path) -> None:
    ensure_secrets(home, {})
    content = env_file.read_bytes()
    assert ensure_secrets(home, {}) == {}
    assert env_file.read_bytes() == content
    assert [path.name for path in env_file.parent.iterdir()] == [".env"]


def test_secret_from_the_environment_is_not_generated(home: Path, env_file: Path) -> None:
    generated = ensure_secrets(home, {"API_KEY": "k" * 16, "ADMIN_API_KEY": " "})
    assert list(generated) == NAMES[1:]
    assert b"\nAPI_KEY=" not in env_file.read_bytes()


def test_completing_keeps_every_other_line(home: Path, env_file: Path) -> None:
    before = "# 메모\r\nPORT=4000\nAPI_KEY=\nUNKNOWN='a b'\nEVIDENCE_SECRET=".encode()
    env_file.write_bytes(before + b"e" * 32)
    generated = ensure_secrets(home, {})
    assert list(generated) == ["API_KEY", "ADMIN_API_KEY", "KIS_MASTER_KEY"]
    filled_in = before.replace(b"\nAPI_KEY=", f"\nAPI_KEY={generated['API_KEY']}".encode())
    added = "".join(f"{name}={generated[name]}\n" for name in ("ADMIN_API_KEY", "KIS_MASTER_KEY"))
    assert env_file.read_bytes() == filled_in + b"e" * 32 + b"\n" + added.encode()


@pytest.mark.parametrize("content", ["", "".join(f"{name}={'s' * 32}\n" for name in NAMES)])
def test_file_that_others_can_read_is_closed(home: Path, env_file: Path, content: str) -> None:
    env_file.write_text(content)
    env_file.chmod(0o644)
    ensure_secrets(home, {})
    assert mode_of(env_file) == 0o600


@pytest.mark.parametrize("content", ["", "".join(f"{name}={'s' * 32}\n" for name in NAMES)])
def test_file_that_the_group_of_the_service_can_read_stays_so(
    home: Path, env_file: Path, content: str
) -> None:
    """As root makes it for a service that may not change it."""
    env_file.write_text(content)
    env_file.chmod(0o640)
    ensure_secrets(home, {})
    assert mode_of(env_file) == 0o640


def test_linked_file_stays_a_link(home: Path, env_file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "secrets.env"
    elsewhere.write_text("PORT=4000\n")
    env_file.symlink_to(elsewhere)
    generated = ensure_secrets(home, {})
    assert env_file.is_symlink()
    assert generated["API_KEY"] in elsewhere.read_text()


def test_starts_at_the_same_time_agree_on_the_secrets(home: Path, env_file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: ensure_secrets(home, {}), range(16)))
    (generated,) = filter(None, results)
    lines = env_file.read_text().splitlines()[1:]
    assert lines == [f"{name}={secret}" for name, secret in generated.items()]


def test_unreadable_file_is_not_overwritten(home: Path, env_file: Path) -> None:
    env_file.write_bytes(b"API_KEY=\xff\n")
    with pytest.raises(SettingsError, match="cannot read"):
        ensure_secrets(home, {})
    assert env_file.read_bytes() == b"API_KEY=\xff\n"


def test_runbook_rotates_the_evidence_secret(home: Path, env_file: Path) -> None:
    generated = ensure_secrets(home, {})
    new = "f" * 64
    subprocess.run(
        ["sed", "-i", f"s/EVIDENCE_SECRET=.*/EVIDENCE_SECRET={new}/", env_file], check=True
    )
    settings = load_settings({"KIS_HOME": str(home)})
    assert settings.evidence_secret == new
    assert settings.api_key == generated["API_KEY"]
    assert ensure_secrets(home, {}) == {}


def test_runbook_rotates_the_api_key_and_thereby_both(home: Path, env_file: Path) -> None:
    ensure_secrets(home, {})
    new = "e" * 64
    subprocess.run(["sed", "-i", f"s/API_KEY=.*/API_KEY={new}/", env_file], check=True)
    settings = load_settings({"KIS_HOME": str(home)})
    assert settings.api_key == settings.admin_api_key == new
    assert not settings.admin_key_usable
    assert ensure_secrets(home, {}) == {}
