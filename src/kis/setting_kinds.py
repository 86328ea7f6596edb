"""What the value of a setting may be: in words for people, and how it is read."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from kis.errors import Text

_SHOWN_CHARACTERS = 80
_MAIL_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[A-Za-z0-9.-]+", re.ASCII)
_NO_UNIT = Text("", "")

SQLITE_SCHEME = "sqlite:///"
POSTGRESQL_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg", "postgresql+asyncpg")


def _quoted(text: str) -> Text:
    # repr, so that a stray control character cannot act on the operator's terminal.
    shown = f"={text[:_SHOWN_CHARACTERS]!r}{'...' if len(text) > _SHOWN_CHARACTERS else ''}"
    return Text(shown, shown)


def _without_value(text: str) -> Text:
    return Text(f" ({len(text)}자)", f" ({len(text)} characters)")


def _scheme_only(text: str) -> Text:
    # What follows may hold a password.
    scheme, separator, _ = text.partition("://")
    shown = f"='{scheme[:_SHOWN_CHARACTERS]}://...'"
    return Text(shown, shown) if separator else _without_value(text)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: what is allowed in words, and how it is read.

    `parse` raises ValueError; `show` renders a wrong value for the message.
    """

    allowed: Text
    parse: Callable[[str], object]
    show: Callable[[str], Text] = _quoted


def whole_number(low: int, high: int) -> Kind:
    """Return the kind of decimal whole numbers from `low` to `high`."""

    def parse(text: str) -> int:
        # int() alone would take "1_000", "+5" and digits of other scripts.
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(high))):
            raise ValueError(text)
        if not low <= int(text) <= high:
            raise ValueError(text)
        return int(text)

    return Kind(Text(f"{low}~{high}의 정수", f"a whole number from {low} to {high}"), parse)


def folder() -> Kind:
    """Return the kind of paths of folders: absolute, so that a later chdir does not move them."""
    return Kind(Text("폴더 경로", "the path of a folder"), lambda text: str(Path(text).absolute()))


def file() -> Kind:
    """Return the kind of paths of files: absolute, as those of `folder`."""
    return Kind(Text("파일 경로", "the path of a file"), lambda text: str(Path(text).absolute()))


def one_of(*choices: str) -> Kind:
    """Return the kind of `choices`, in any letter case."""

    def parse(text: str) -> str:
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        raise ValueError(text)

    return Kind(Text(", ".join(choices), ", ".join(choices)), parse)


def yes_or_no() -> Kind:
    """Return the kind of switches that are on or off."""
    meanings = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

    def parse(text: str) -> bool:
        if text.lower() not in meanings:
            raise ValueError(text)
        return meanings[text.lower()]

    return Kind(Text("true, false, 1, 0, yes, no", "true, false, 1, 0, yes, no"), parse)


def secret(least: int) -> Kind:
    """Return the kind of keys of at least `least` characters; a wrong one is never shown."""

    def parse(text: str) -> str:
        # Visible ASCII only: another key could never arrive in an HTTP header.
        if len(text) < least or not all("!" <= character <= "~" for character in text):
            raise ValueError
        return text

    allowed = Text(
        f"공백 없는 ASCII 문자 {least}자 이상", f"at least {least} ASCII characters without spaces"
    )
    return Kind(allowed, parse, _without_value)


def host_name() -> Kind:
    """Return the kind of addresses that a socket can listen on."""

    def parse(text: str) -> str:
        if not (text.isascii() and all(c.isalnum() or c in ".:-_" for c in text)):
            raise ValueError(text)
        return text

    return Kind(Text("IP 주소 또는 호스트 이름", "an IP address or a host name"), parse)


def networks() -> Kind:
    """Return the kind of IP addresses and networks, separated by commas; read as without spaces."""

    def parse(text: str) -> str:
        # What is no address would be taken for a name, and never met.
        return ",".join(_network(each.strip()) for each in text.split(","))

    allowed = Text(
        "쉼표로 나눈 IP 주소나 네트워크(10.0.0.7, 10.0.0.0/24)",
        "IP addresses or networks, separated by commas (10.0.0.7, 10.0.0.0/24)",
    )
    return Kind(allowed, parse)


def _network(text: str) -> str:
    return str(ip_network(text) if "/" in text else ip_address(text))


def database_address() -> Kind:
    """Return the kind of addresses of databases: a SQLite file, or PostgreSQL."""

    def parse(text: str) -> str:
        scheme, separator, rest = text.partition("://")
        if not separator:
            raise ValueError(text)
        if scheme in POSTGRESQL_SCHEMES:
            # Whatever driver an address names, ours is used.
            return f"postgresql://{_with_database(rest, text)}"
        path = rest.removeprefix("/")
        if scheme != "sqlite" or path == rest or not path or path.startswith(":") or "?" in path:
            raise ValueError(text)
        return text

    allowed = Text(
        "sqlite:///파일경로 또는 postgresql://사용자:암호@호스트:포트/데이터베이스",
        "sqlite:///path/to/file or postgresql://user:password@host:port/database",
    )
    return Kind(allowed, parse, _scheme_only)


def _with_database(rest: str, text: str) -> str:
    """Check that an address names a database, which is never assumed."""
    if not rest.partition("?")[0].partition("/")[2]:
        raise ValueError(text)
    return rest


class MailServer(NamedTuple):
    """Where mails are handed in: plain, by STARTTLS, or by TLS from the first byte."""

    host: str
    port: int
    user: str
    password: str
    security: Literal["none", "starttls", "tls"]


def mail_server(text: str) -> MailServer:
    """Return what an address of the kind `mail_server_address` says.

    Raises:
        ValueError: it is none.

    """
    parts = urlsplit(text)
    query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    start_tls = query.pop("starttls", "true" if parts.username else "false")
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or query:
        raise ValueError(text)
    if parts.path not in {"", "/"} or parts.fragment or start_tls not in {"true", "false"}:
        raise ValueError(text)
    if parts.scheme == "smtps":
        security: Literal["none", "starttls", "tls"] = "tls"
    else:
        security = "starttls" if start_tls == "true" else "none"
    port = parts.port or {"none": 25, "starttls": 587, "tls": 465}[security]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(parts.hostname, port, user, password, security)


def mail_server_address() -> Kind:
    """Return the kind of addresses of mail servers; with a user they are encrypted by default."""

    def parse(text: str) -> str:
        mail_server(text)
        return text

    shape = "smtp://user:password@host:587/?starttls=true, smtps://host:465"
    return Kind(Text(shape, shape), parse, _scheme_only)


def web_address() -> Kind:
    """Return the kind of http and https addresses, which may hold a secret."""

    def parse(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not text.isascii():
            raise ValueError(text)
        return text

    return Kind(
        Text("http:// 또는 https:// 주소", "an http:// or https:// address"), parse, _scheme_only
    )


def mail_addresses(*, most: int = 50) -> Kind:
    """Return the kind of mail addresses, separated by commas; read as without spaces."""

    def parse(text: str) -> str:
        addresses = [each.strip() for each in text.split(",")]
        if len(addresses) > most or not all(map(_MAIL_ADDRESS.fullmatch, addresses)):
            raise ValueError(text)
        return ",".join(dict.fromkeys(addresses))

    allowed = Text("쉼표로 나눈 메일 주소", "mail addresses, separated by commas")
    if most == 1:
        allowed = Text("메일 주소", "a mail address")
    return Kind(allowed, parse)


def line_of_text(most: int) -> Kind:
    """Return the kind of lines of at most `most` characters that can be shown as they are."""

    def parse(text: str) -> str:
        if len(text) > most or not text.isprintable():
            raise ValueError(text)
        return text

    return Kind(Text(f"{most}자 이하의 한 줄", f"a line of at most {most} characters"), parse)


@dataclass(frozen=True, slots=True)
class Description:
    """All about one setting, for the loader and for `docs/settings.md`.

    `default` is text as one would write it; None: a secret, which is generated; empty:
    not set, which leaves the value an empty text.
    """

    env: str
    default: str | None
    kind: Kind
    about: Text
    unit: Text = _NO_UNIT

    @property
    def is_generated(self) -> bool:
        """Whether this is a secret that is made at the first start."""
        return self.default is None

    @property
    def is_optional(self) -> bool:
        """Whether the service goes without it."""
        return self.default == ""


def setting(
    env: str, default: str | None, kind: Kind, about: tuple[str, str],
    unit: tuple[str, str] = ("", ""), *, is_hidden: bool = False,
) -> Any:  # fmt: skip
    """Return a field of `Settings`; `about` and `unit` in Korean and English.

    Secrets are left out of the repr, and whatever `is_hidden`.
    """
    description = Description(env, default, kind, Text(*about), Text(*unit))
    return field(metadata={"description": description}, repr=default is not None and not is_hidden)
