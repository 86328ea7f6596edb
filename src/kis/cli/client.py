"""What commands share: the settings of the home, files, and how results are shown."""

import codecs
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, NoReturn

import typer

if TYPE_CHECKING:
    from kis.cli.connection import Reply
    from kis.settings import Settings

UNAUTHENTICATED = 401
KEYS_ARE_OF_THE_ENV = (
    "명령은 .env의 API_KEY와 ADMIN_API_KEY를 씁니다: kis-backend doctor"
    " / Commands use the keys of the .env: see kis-backend doctor"
)


class Prepared(NamedTuple):
    """Settings of a home that is ready, and the secrets that had to be made for it."""

    settings: "Settings"
    generated: dict[str, str]


def prepare() -> Prepared:
    """Make folders and missing secrets, and read the settings.

    Raises:
        SettingsError: the home or a setting is wrong.

    """
    from kis.home import ensure_secrets, prepare_home  # noqa: PLC0415 - only when a command runs
    from kis.settings import home_of, load_settings  # noqa: PLC0415

    home = home_of(os.environ)
    prepare_home(home)
    generated = ensure_secrets(home, os.environ)
    return Prepared(load_settings(os.environ), generated)


def show_secrets(prepared: Prepared, stream: IO[str]) -> None:
    """Say on `stream` where newly made secrets are; show them, this once, if it is a terminal.

    Anything else keeps what it gets: a journal, the log of a container.
    """
    from kis.settings import env_file_of  # noqa: PLC0415 - only when a command runs

    if not prepared.generated:
        return
    stream.write(
        f"새 비밀값을 {env_file_of(prepared.settings.home)} 파일에 저장했습니다.\n"
        "New secrets were stored there.\n"
    )
    if stream.isatty():
        stream.write("지금 한 번만 보여 줍니다. They are shown only this once:\n")
        stream.writelines(f"  {name}={secret}\n" for name, secret in prepared.generated.items())


def fail(korean: str, english: str, code: int = 1) -> NoReturn:
    """End with a message in both languages."""
    typer.echo(korean, err=True)
    typer.echo(english, err=True)
    raise typer.Exit(code)


def show_refusal(reply: "Reply", *, as_json: bool) -> NoReturn:
    """Show a problem and end with exit code 1."""
    if as_json:
        show_json(reply)
        raise typer.Exit(1)
    problem = reply.json()
    for finding in problem.get("findings", [problem]):
        typer.echo(f"{finding['code']} {finding['path']}".rstrip(), err=True)
        typer.echo(f"  {finding['detail']} / {finding['detailEn']}", err=True)
        if reply.status == UNAUTHENTICATED:
            typer.echo(f"  → {KEYS_ARE_OF_THE_ENV}", err=True)
        elif finding["hint"]:
            typer.echo(f"  → {finding['hint']} / {finding['hintEn']}", err=True)
    raise typer.Exit(1)


def show_json(reply: "Reply") -> None:
    """Show the answer as it came."""
    typer.echo(reply.body.decode())


def read_input(path: str) -> bytes:
    """Return the content of a file, or of standard input for `-`."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        fail(f"읽을 수 없습니다: {error}", f"Cannot be read: {path}", 2)


def read_json(path: str) -> bytes:
    """Return the JSON of `read_input` in UTF-8, as the service wants it.

    Korean editors on Windows put a byte order mark before it, or save CP949.
    What is neither goes as it is: the service says what is wrong with it.
    """
    raw = read_input(path).removeprefix(codecs.BOM_UTF8)
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding).encode()
        except UnicodeDecodeError:
            continue
    return raw
