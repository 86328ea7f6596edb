"""kis-backend keys."""

import json

import typer

from kis.cli.client import prepare
from kis.cli.server import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="예 Example: kis-backend keys --json")(keys)


def keys(as_json: AsJson = False) -> None:
    """키의 id와 권한을 나열한다. 비밀값은 없다. List key ids and scopes, never secrets."""
    from kis.access.keys import Scope, key_id_for  # noqa: PLC0415 - only when the command runs
    from kis.evidence.envelope import key_id_for as evidence_key_id_for  # noqa: PLC0415

    settings = prepare().settings
    admin_scope = Scope.ADMIN if settings.admin_key_usable else Scope.API
    rows = [
        ("API_KEY", key_id_for(Scope.API, settings.api_key), "api"),
        ("ADMIN_API_KEY", key_id_for(admin_scope, settings.admin_api_key), str(admin_scope)),
        ("EVIDENCE_SECRET", evidence_key_id_for(settings.evidence_secret.encode()), "evidence"),
    ]
    if as_json:
        fields = ("name", "keyId", "scope")
        typer.echo(json.dumps([dict(zip(fields, row, strict=True)) for row in rows]))
        return
    for name, key_id, scope in rows:
        typer.echo(f"{name:16} {key_id:24} {scope}")
