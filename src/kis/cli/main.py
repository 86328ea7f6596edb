"""kis-backend: one file a command group; each imports what it needs when it runs."""

import os
import sys
from typing import NoReturn

import typer

from kis.cli import (
    backup,
    db,
    drill,
    estimate,
    evidence,
    health_check,
    journal,
    keys,
    knowledge,
    logs,
    maintenance,
    report,
    restore,
    sample,
    selftest,
    server,
)

app = typer.Typer(
    name="kis-backend",
    help="배전반 외함 견적 서비스 KIS. Sizes switchboard enclosures, with evidence.",
    epilog="예 Example: kis-backend estimate sample-request.json",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
server.register(app)
health_check.register(app)
sample.register(app)
estimate.register(app)
app.add_typer(knowledge.app, name="knowledge", epilog="예 Example: kis-backend knowledge versions")
app.add_typer(
    evidence.app, name="evidence", epilog="예 Example: kis-backend evidence verify evidence.json"
)
app.add_typer(db.app, name="db", epilog="예 Example: kis-backend db check")
app.add_typer(backup.app, name="backup", epilog="예 Example: kis-backend backup --json")
restore.register(app)
app.add_typer(drill.app, name="drill", epilog="예 Example: kis-backend drill restore")
app.add_typer(report.app, name="report", epilog="예 Example: kis-backend report daily")
app.add_typer(logs.app, name="logs", epilog="예 Example: kis-backend logs clean")
app.add_typer(keys.app, name="keys")
app.add_typer(journal.app, name="journal", epilog="예 Example: kis-backend journal status")
maintenance.register(app)
selftest.register(app)


def run() -> NoReturn:
    """Run the command line; every expected trouble is a message and an exit code."""
    _open_missing_streams()
    try:
        app()
    except Exception as error:
        # Imported only now: `--help` and the like need neither.
        from kis.db.unavailable import DatabaseUnavailable  # noqa: PLC0415
        from kis.settings import SettingsError  # noqa: PLC0415

        if isinstance(error, DatabaseUnavailable):
            sys.stderr.write("데이터베이스를 쓸 수 없습니다.\nThe database cannot be used.\n")
        elif not isinstance(error, SettingsError):
            raise
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    sys.exit(0)


def _open_missing_streams() -> None:
    """Put the null device where a standard stream is closed.

    Else the next file that is opened, be it the database, would take its number
    and whatever is written to the stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest free number is the missing one: those below it are open.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
