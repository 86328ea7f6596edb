"""kis-backend: one file a command group; each imports what it needs when it runs."""

import sys
from typing import NoReturn

import typer

from kis.cli import estimate, evidence, keys, knowledge, server

app = typer.Typer(
    name="kis-backend",
    help="배전반 외함 견적 서비스 KIS. Sizes switchboard enclosures, with evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
server.register(app)
estimate.register(app)
app.add_typer(knowledge.app, name="knowledge")
app.add_typer(evidence.app, name="evidence")
keys.register(app)


def run() -> NoReturn:
    """Run the command line; every expected trouble is a message and an exit code."""
    from kis.db.engine import DatabaseUnavailable  # noqa: PLC0415 - after --help is answered
    from kis.settings import SettingsError  # noqa: PLC0415

    try:
        app()
    except (SettingsError, DatabaseUnavailable) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    sys.exit(0)
