"""Settings: read once at the start, frozen, passed in.

A value comes from the environment, else from `KIS_HOME/kis-backend/.env`, else
it is the default. An empty value counts as not set, so that `PORT=` in a
service file does no harm.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values

from kis.errors import Text
from kis.setting_kinds import (
    SQLITE_SCHEME,
    Description,
    Kind,
    database_address,
    file,
    folder,
    host_name,
    line_of_text,
    mail_addresses,
    mail_server_address,
    networks,
    one_of,
    secret,
    setting,
    web_address,
    whole_number,
    yes_or_no,
)

_HOME_MARK = "<KIS_HOME>"


class SettingsError(Exception):
    """The service cannot start as it is set up; says everything that is wrong at once."""

    def __init__(self, *problems: Text) -> None:
        """Keep `problems`; the exception's own words are one line a language each."""
        super().__init__("\n".join(line for text in problems for line in (text.ko, text.en)))
        self.problems = problems


EQUAL_KEYS = Text(
    "ADMIN_API_KEY가 API_KEY와 같아 관리 기능이 잠겨 있습니다."
    " .env의 ADMIN_API_KEY에 다른 값을 넣거나, 값을 비우고(새로 만듭니다) 재시작하십시오.",
    "ADMIN_API_KEY equals API_KEY: administration is locked."
    " Set another ADMIN_API_KEY in .env, or empty it (a new one is made), and restart.",
)
"""What to say where `Settings.admin_key_usable` is false."""

_BYTES = ("바이트", "bytes")
_HOME_DEFAULT = "./production"
_HOME = Description(
    "KIS_HOME",
    _HOME_DEFAULT,
    Kind(Text("폴더 경로", "the path of a folder"), Path),
    Text(
        "데이터, 로그, 백업, .env가 놓이는 폴더. 환경 변수로만 정한다",
        "folder of the database, the logs, the backups and .env; from the environment only",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that an operator can set. Secrets are left out of the repr."""

    home: Path = field(metadata={"description": _HOME})
    host: str = setting(
        "HOST", "127.0.0.1", host_name(),
        ("서버가 듣는 주소",
         "address that the server listens on"),
    )  # fmt: skip
    port: int = setting(
        "PORT", "3000", whole_number(1, 65_535),
        ("서버가 듣는 TCP 포트",
         "TCP port that the server listens on"),
    )  # fmt: skip
    tls_cert: str = setting(
        "TLS_CERT", "", file(),
        ("인증서(PEM, 발급자의 것까지). TLS_KEY와 함께 있으면 서버가 https로 답한다",
         "certificate, with its chain, in PEM; with TLS_KEY the server speaks https"),
    )  # fmt: skip
    tls_key: str = setting(
        "TLS_KEY", "", file(),
        ("TLS_CERT의 개인 키(PEM, 암호 없이)",
         "private key of TLS_CERT, in PEM without a password"),
    )  # fmt: skip
    trusted_proxies: str = setting(
        "TRUSTED_PROXIES", "", networks(),
        ("앞에 선 프록시. 이들의 X-Forwarded-For와 X-Forwarded-Proto만 믿는다",
         "proxies in front: of these alone X-Forwarded-For and X-Forwarded-Proto are believed"),
    )  # fmt: skip
    database_url: str = setting(
        "DATABASE_URL", f"sqlite:///{_HOME_MARK}/data/kis.db", database_address(),
        ("데이터베이스",
         "the database"), is_hidden=True,
    )  # fmt: skip
    api_key: str = setting(
        "API_KEY", None, secret(16),
        ("견적을 낼 수 있는 키",
         "key that may estimate"),
    )  # fmt: skip
    admin_api_key: str = setting(
        "ADMIN_API_KEY", None, secret(16),
        ("모든 것을 할 수 있는 키. API_KEY와 같으면 견적만 낼 수 있다",
         "key that may do everything; when equal to API_KEY it may only estimate"),
    )  # fmt: skip
    evidence_secret: str = setting(
        "EVIDENCE_SECRET", None, secret(32),
        ("증거 봉인(HMAC-SHA256)의 비밀값. 바꾸고 재시작하면 교체되며, 전의 증거도 검증된다",
         "secret of the evidence seal (HMAC-SHA256); changed, it is rotated at the next start"),
    )  # fmt: skip
    master_key: str = setting(
        "KIS_MASTER_KEY", None, secret(32),
        ("데이터베이스에 있는 증거 비밀값을 암호화하는 키. 백업과 따로 보관한다",
         "key that encrypts the evidence secrets in the database; keep it apart from backups"),
    )  # fmt: skip
    rate_limit_per_minute: int = setting(
        "RATE_LIMIT_PER_MINUTE", "6000", whole_number(0, 10_000_000),
        ("키와 클라이언트별 요청 한도. 0이면 한도 없음",
         "limit for each key and client; 0 turns it off"), ("요청/분", "requests per minute"),
    )  # fmt: skip
    allow_mixed_brand: bool = setting(
        "ALLOW_MIXED_BRAND", "false", yes_or_no(),
        ('요청의 brand가 "MIXED"이면 한 반에 여러 브랜드를 허용',
         'allow several brands on a board whose request says brand "MIXED"'),
    )  # fmt: skip
    log_format: Literal["text", "json"] = setting(
        "LOG_FORMAT", "text", one_of("text", "json"),
        ("로그 형식. 런북의 grep과 awk 명령은 text를 전제로 한다",
         "form of the log; the runbook's grep and awk commands read text"),
    )  # fmt: skip
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "LOG_LEVEL", "INFO", one_of("DEBUG", "INFO", "WARNING", "ERROR"),
        ("기록할 최소 수준. INFO보다 높으면 요청 기록이 남지 않는다",
         "least level that is logged; above INFO requests leave no line"),
    )  # fmt: skip
    slow_query_ms: int = setting(
        "SLOW_QUERY_MS", "100", whole_number(0, 3_600_000),
        ("이보다 오래 걸린 SQL은 slow query로 기록",
         "SQL that takes longer is logged as a slow query"), ("밀리초", "milliseconds"),
    )  # fmt: skip
    max_body_bytes: int = setting(
        "MAX_BODY_BYTES", "1048576", whole_number(1_024, 1_073_741_824),
        ("요청 본문의 최대 크기",
         "largest request body"), _BYTES,
    )  # fmt: skip
    max_import_bytes: int = setting(
        "MAX_IMPORT_BYTES", "52428800", whole_number(1_024, 1_073_741_824),
        ("들여올 지식과 검증할 증거의 본문 최대 크기",
         "largest body of a knowledge import, and of evidence to verify"), _BYTES,
    )  # fmt: skip
    idempotency_days: int = setting(
        "IDEMPOTENCY_DAYS", "30", whole_number(1, 3_650),
        ("Idempotency-Key와 그 응답을 보관하는 기간",
         "how long an Idempotency-Key and its answer are kept"), ("일", "days"),
    )  # fmt: skip

    alert_smtp_url: str = setting(
        "ALERT_SMTP_URL", "", mail_server_address(),
        ("알림 메일을 보낼 서버. 사용자 이름이 있으면 STARTTLS가 기본",
         "server that mails of alerts are sent by; STARTTLS by default where there is a user"),
        is_hidden=True,
    )  # fmt: skip
    alert_from: str = setting(
        "ALERT_FROM", "", mail_addresses(most=1),
        ("알림 메일의 보내는 사람. 없으면 kis@호스트",
         "sender of the mails; else kis@host"),
    )  # fmt: skip
    alert_to: str = setting(
        "ALERT_TO", "", mail_addresses(),
        ("모든 알림을 받는 사람(1단계)",
         "who gets every alert (level 1)"),
    )  # fmt: skip
    alert_to_level2: str = setting(
        "ALERT_TO_LEVEL2", "", mail_addresses(),
        ("서비스가 15분 동안 돌아오지 않으면 부르는 사람(시스템 관리자)",
         "who is called when the service is down for 15 minutes (the administrator)"),
    )  # fmt: skip
    alert_to_level3: str = setting(
        "ALERT_TO_LEVEL3", "", mail_addresses(),
        ("서비스가 30분 동안 돌아오지 않으면 부르는 사람(개발팀과 관리진)",
         "who is called when it is down for 30 minutes (developers and management)"),
    )  # fmt: skip
    alert_phones: str = setting(
        "ALERT_PHONES", "", line_of_text(200),
        ("알림에 보여 줄 전화번호와 이름",
         "telephone numbers, with names, that alerts show"),
    )  # fmt: skip
    alert_webhook_url: str = setting(
        "ALERT_WEBHOOK_URL", "", web_address(),
        ("알림을 JSON으로 받을 주소(메신저 등)",
         "address that gets alerts as JSON (a chat, a pager)"), is_hidden=True,
    )  # fmt: skip
    alert_disk_percent: int = setting(
        "ALERT_DISK_PERCENT", "85", whole_number(1, 100),
        ("health-check가 알리는 디스크 사용률",
         "use of the disk above which health-check warns"), ("%", "%"),
    )  # fmt: skip
    alert_database_mb: int = setting(
        "ALERT_DATABASE_MB", "1024", whole_number(1, 1_073_741_824),
        ("health-check가 알리는 데이터베이스 크기",
         "size of the database above which health-check warns"), ("MB", "MB"),
    )  # fmt: skip
    alert_backup_hours: int = setting(
        "ALERT_BACKUP_HOURS", "26", whole_number(1, 8_760),
        ("마지막 백업이 이보다 오래되면 health-check가 알린다",
         "age of the last backup above which health-check warns"), ("시간", "hours"),
    )  # fmt: skip

    journal_dir: str = setting(
        "JOURNAL_DIR", f"{_HOME_MARK}/backups/journal", folder(),
        ("SQLite의 커밋을 이어서 복사해 두는 폴더. 다른 디스크에 두는 것이 좋다",
         "folder that commits of SQLite are copied to as they come; best on another disk"),
    )  # fmt: skip
    journal_days: int = setting(
        "JOURNAL_DAYS", "7", whole_number(0, 3_650),
        ("어느 시점으로든 되돌릴 수 있게 지키는 기간. 0이면 복사하지 않는다",
         "for how long any moment can be restored; 0 turns it off"), ("일", "days"),
    )  # fmt: skip

    @property
    def admin_key_usable(self) -> bool:
        """Whether ADMIN_API_KEY opens more than estimates.

        The runbook's key rotation (`sed s/API_KEY=.*/...`) makes both keys
        equal. A key that was handed to clients must not administer.
        """
        return self.admin_api_key != self.api_key

    @property
    def database_file(self) -> Path | None:
        """The SQLite file; None where the database is a server."""
        path = self.database_url.removeprefix(SQLITE_SCHEME)
        return None if path == self.database_url else Path(path)

    @property
    def log_file(self) -> Path:
        """The file that the runbook's pipelines read."""
        return self.home / "logs" / "kis-backend.log"


def descriptions() -> Iterator[Description]:
    """Yield the description of every setting, in the order of the fields."""
    for each in fields(Settings):
        yield each.metadata["description"]


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings from `environ`, else from the home's .env, else the defaults.

    Raises:
        SettingsError: values are wrong or missing, or the .env cannot be read.

    """
    home = home_of(environ)
    stored = read_env_file(env_file_of(home))
    values: dict[str, Any] = {}
    problems: list[Text] = []
    for each in fields(Settings):
        description: Description = each.metadata["description"]
        default = (description.default or "").replace(_HOME_MARK, str(home))
        text = environ.get(description.env, "").strip() or stored.get(description.env, default)
        if not text and description.is_optional:
            values[each.name] = ""
            continue
        try:
            values[each.name] = description.kind.parse(text)
        except ValueError:
            problems.append(_not_allowed(description, text))
    if problems:
        raise SettingsError(*problems)
    return Settings(**{**values, "home": home})


def home_of(environ: Mapping[str, str]) -> Path:
    """Return KIS_HOME as an absolute path, so that a later chdir does not move it."""
    return Path(environ.get(_HOME.env, "").strip() or _HOME_DEFAULT).absolute()


def env_file_of(home: Path) -> Path:
    """Return the path of the .env file in `home`."""
    return home / "kis-backend" / ".env"


def read_env_file(path: Path) -> dict[str, str]:
    """Return what `path` sets, without names whose value is empty; {} when there is no file.

    Raises:
        SettingsError: the file is there but cannot be read.

    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            Text(f"{path} 파일을 읽을 수 없습니다: {error}", f"cannot read {path}: {error}")
        ) from None
    # No interpolation: a "$" in a secret means itself.
    values = dotenv_values(stream=StringIO(content), interpolate=False)
    return {name: text.strip() for name, text in values.items() if text and text.strip()}


def _not_allowed(description: Description, text: str) -> Text:
    name, allowed = description.env, description.kind.allowed
    if not text:
        return Text(
            f"{name} 값이 없습니다. 허용값: {allowed.ko}",
            f"{name} is not set. Allowed: {allowed.en}",
        )
    shown = description.kind.show(text)
    return Text(
        f"{name}{shown.ko} 값은 쓸 수 없습니다. 허용값: {allowed.ko}",
        f"{name}{shown.en} is not allowed. Allowed: {allowed.en}",
    )


def settings_table() -> str:
    """Return all settings as the Markdown table of `docs/settings.md`."""
    lines = [
        "| 이름 Name | 기본값 Default | 단위 Unit | 한국어 | English |",
        "|---|---|---|---|---|",
    ]
    for description in descriptions():
        default = f"`{description.default}`" if description.default else "없음 none"
        if description.is_generated:
            default = "생성 generated"
        unit = f"{description.unit.ko} {description.unit.en}".strip() or "-"
        allowed = description.kind.allowed
        korean = f"{description.about.ko}. 허용값: {allowed.ko}"
        english = f"{description.about.en}. Allowed: {allowed.en}"
        lines.append(f"| `{description.env}` | {default} | {unit} | {korean} | {english} |")
    return "\n".join(lines) + "\n"
