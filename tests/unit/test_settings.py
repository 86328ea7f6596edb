"""Settings: where values come from, and what is said about wrong ones."""

import dataclasses
from pathlib import Path

import pytest

from kis.settings import Settings, SettingsError, load_settings, settings_table

SETTINGS_PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
GENERATED_BELOW = "<!-- generated: settings_table() -->\n"

API_KEY = "a" * 16
ADMIN_API_KEY = "b" * 16
EVIDENCE_SECRET = "c" * 32
MASTER_KEY = "d" * 32
SECRETS = {
    "API_KEY": API_KEY,
    "ADMIN_API_KEY": ADMIN_API_KEY,
    "EVIDENCE_SECRET": EVIDENCE_SECRET,
    "KIS_MASTER_KEY": MASTER_KEY,
}


def load(home: Path, **environ: str) -> Settings:
    return load_settings({"KIS_HOME": str(home), **SECRETS, **environ})


def refused(home: Path, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(home, **environ)
    return str(caught.value)


def write_env_file(home: Path, content: bytes) -> None:
    (home / "kis-backend").mkdir()
    (home / "kis-backend" / ".env").write_bytes(content)


def test_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings(
        home=tmp_path,
        host="127.0.0.1",
        port=3000,
        tls_cert="",
        tls_key="",
        trusted_proxies="",
        database_url=f"sqlite:///{tmp_path}/data/kis.db",
        api_key=API_KEY,
        admin_api_key=ADMIN_API_KEY,
        evidence_secret=EVIDENCE_SECRET,
        master_key=MASTER_KEY,
        rate_limit_per_minute=6000,
        allow_mixed_brand=False,
        log_format="text",
        log_level="INFO",
        slow_query_ms=100,
        max_body_bytes=1024 * 1024,
        max_import_bytes=50 * 1024 * 1024,
        idempotency_days=30,
        alert_smtp_url="",
        alert_from="",
        alert_to="",
        alert_to_level2="",
        alert_to_level3="",
        alert_phones="",
        alert_webhook_url="",
        alert_disk_percent=85,
        alert_database_mb=1024,
        alert_backup_hours=26,
        journal_dir=f"{tmp_path}/backups/journal",
        journal_days=7,
    )


def test_environment_comes_before_file_and_file_before_default(tmp_path: Path) -> None:
    write_env_file(tmp_path, b"PORT=4000\nHOST=::1\n")
    settings = load(tmp_path, PORT="5000")
    assert (settings.port, settings.host, settings.slow_query_ms) == (5000, "::1", 100)


def test_empty_value_counts_as_not_set(tmp_path: Path) -> None:
    write_env_file(tmp_path, b"PORT=4000\nHOST=\nLOG_LEVEL\n")
    settings = load(tmp_path, PORT=" ", HOST="")
    assert (settings.port, settings.host, settings.log_level) == (4000, "127.0.0.1", "INFO")


def test_file_is_not_interpolated(tmp_path: Path) -> None:
    write_env_file(tmp_path, b"API_KEY=0123456789abcdef${HOME}\n")
    assert load(tmp_path, API_KEY="").api_key == "0123456789abcdef${HOME}"


def test_home_is_absolute_and_named_by_the_environment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "production"
    home.mkdir()
    write_env_file(home, b"KIS_HOME=/elsewhere\n")
    settings = load_settings(SECRETS)
    assert settings.home == home
    assert settings.log_file == home / "logs" / "kis-backend.log"


@pytest.mark.parametrize(
    ("name", "text", "field", "meant"),
    [
        ("ALLOW_MIXED_BRAND", "yes", "allow_mixed_brand", True),
        ("ALLOW_MIXED_BRAND", "TRUE", "allow_mixed_brand", True),
        ("ALLOW_MIXED_BRAND", "1", "allow_mixed_brand", True),
        ("ALLOW_MIXED_BRAND", "No", "allow_mixed_brand", False),
        ("LOG_FORMAT", "JSON", "log_format", "json"),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("RATE_LIMIT_PER_MINUTE", "0", "rate_limit_per_minute", 0),
        ("PORT", "65535", "port", 65535),
        ("HOST", "::1", "host", "::1"),
        ("DATABASE_URL", "sqlite:////srv/k.db", "database_url", "sqlite:////srv/k.db"),
        ("ALERT_TO", "a@maker.kr, b@maker.kr,a@maker.kr", "alert_to", "a@maker.kr,b@maker.kr"),
        (
            "TRUSTED_PROXIES",
            "10.0.0.7, 10.1.0.0/16,::1",
            "trusted_proxies",
            "10.0.0.7,10.1.0.0/16,::1",
        ),
        ("ALERT_PHONES", "당직 010-1234-5678", "alert_phones", "당직 010-1234-5678"),
        ("ALERT_WEBHOOK_URL", "https://chat/x", "alert_webhook_url", "https://chat/x"),
    ],
)
def test_value_is_read(tmp_path: Path, name: str, text: str, field: str, meant: object) -> None:
    assert getattr(load(tmp_path, **{name: text}), field) == meant


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("PORT", "0", "1 to 65535"),
        ("PORT", "65536", "1 to 65535"),
        ("PORT", "3_000", "1 to 65535"),
        ("PORT", "٣٠٠٠", "1 to 65535"),
        ("PORT", "9" * 5000, "1 to 65535"),
        ("SLOW_QUERY_MS", "-1", "0 to 3600000"),
        ("IDEMPOTENCY_DAYS", "1.5", "1 to 3650"),
        ("ALLOW_MIXED_BRAND", "maybe", "true, false"),
        ("LOG_FORMAT", "xml", "text, json"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO"),
        ("HOST", "a host", "IP address"),
        ("DATABASE_URL", "kis.db", "postgresql://user:password"),
        ("DATABASE_URL", "sqlite://", "postgresql://user:password"),
        ("DATABASE_URL", "sqlite:///:memory:", "postgresql://user:password"),
        ("DATABASE_URL", "sqlite:///kis.db?mode=ro", "postgresql://user:password"),
        ("API_KEY", "short", "at least 16"),
        ("ADMIN_API_KEY", "sixteen characters", "without spaces"),
        ("API_KEY", "열여섯글자가넘는한글열쇠는머리글에못실린다", "ASCII"),
        ("EVIDENCE_SECRET", "c" * 31, "at least 32"),
        ("ALERT_SMTP_URL", "mail.maker.kr:587", "smtp://user:password"),
        ("ALERT_SMTP_URL", "smtp://mail.maker.kr:many", "smtp://user:password"),
        ("ALERT_SMTP_URL", "smtp://mail.maker.kr/?starttls=perhaps", "smtp://user:password"),
        ("ALERT_SMTP_URL", "smtp://mail.maker.kr/?tls=true", "smtp://user:password"),
        ("ALERT_TO", "team@maker.kr; admin@maker.kr", "separated by commas"),
        ("ALERT_TO", "the team", "separated by commas"),
        ("TRUSTED_PROXIES", "*", "separated by commas"),
        ("TRUSTED_PROXIES", "proxy.example", "separated by commas"),
        ("TRUSTED_PROXIES", "10.0.0.7/24", "separated by commas"),
        ("TRUSTED_PROXIES", "10.0.0.7,", "separated by commas"),
        ("ALERT_FROM", "a@maker.kr,b@maker.kr", "a mail address"),
        ("ALERT_PHONES", "1" * 201, "at most 200"),
        ("ALERT_WEBHOOK_URL", "chat.maker.kr/x", "http"),
    ],
)
def test_wrong_value_is_named_with_what_is_allowed(
    tmp_path: Path, name: str, text: str, allowed: str
) -> None:
    korean, english = refused(tmp_path, **{name: text}).split("\n")
    assert korean.startswith(name)
    assert "허용값: " in korean
    assert english.startswith(name)
    assert allowed in english
    assert len(english) < 250


def test_length_of_a_wrong_secret_is_told_in_each_language_alone(tmp_path: Path) -> None:
    korean, english = refused(tmp_path, API_KEY="short").split("\n")
    assert korean.startswith("API_KEY (5자) 값은 쓸 수 없습니다.")
    assert english.startswith("API_KEY (5 characters) is not allowed.")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    write_env_file(tmp_path, b"LOG_LEVEL=LOUD\n")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, PORT="http", API_KEY="")
    told = [problem.en for problem in caught.value.problems]
    assert [line.split(" ")[0] for line in told] == ["PORT='http'", "API_KEY", "LOG_LEVEL='LOUD'"]
    assert "API_KEY is not set" in str(caught.value)
    assert "API_KEY 값이 없습니다" in str(caught.value)


def test_wrong_secret_is_never_shown(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        API_KEY="hunter2",
        EVIDENCE_SECRET="swordfish",
        DATABASE_URL="mysql://kis:passw0rd@db/kis",
    )
    assert "mysql" in said
    for secret in ("hunter2", "swordfish", "passw0rd"):
        assert secret not in said


def test_control_characters_of_a_wrong_value_do_not_reach_the_terminal(tmp_path: Path) -> None:
    assert "\x1b" not in refused(tmp_path, PORT="\x1b[2J3000")


@pytest.mark.parametrize("content", [b"PORT=\xff\xfe\n", None])
def test_unreadable_file_is_a_clear_message(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        (tmp_path / "kis-backend" / ".env").mkdir(parents=True)
    else:
        write_env_file(tmp_path, content)
    assert f"cannot read {tmp_path}/kis-backend/.env" in refused(tmp_path)


def test_settings_show_no_secret_and_cannot_be_changed(tmp_path: Path) -> None:
    settings = load(tmp_path, DATABASE_URL="sqlite:///whereabouts.db")
    for hidden in (API_KEY, ADMIN_API_KEY, EVIDENCE_SECRET, MASTER_KEY, "whereabouts"):
        assert hidden not in f"{settings!r} {settings!s}"
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.port = 1  # type: ignore[misc]


def test_a_shared_key_may_not_administer(tmp_path: Path) -> None:
    assert load(tmp_path).admin_key_usable
    assert not load(tmp_path, ADMIN_API_KEY=API_KEY).admin_key_usable


def test_documented_settings_are_the_settings() -> None:
    documented = SETTINGS_PAGE.read_text(encoding="utf-8").partition(GENERATED_BELOW)[2]
    assert documented == settings_table(), f"put settings_table() below {GENERATED_BELOW!r}"
