"""kis-backend sample."""

import json
from pathlib import Path
from typing import Annotated

import typer

from kis.cli.client import fail
from kis.cli.server import AsJson


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(epilog="예 Example: kis-backend sample boards")(sample)


def sample(
    folder: Annotated[Path, typer.Argument(help="쓸 폴더. The folder to write to.")] = Path(),
    force: Annotated[
        bool, typer.Option("--force", help="고친 파일도 덮어쓴다. Overwrite changed files.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """런북의 예제 요청과 새 차단기 표를 쓴다. Write sample requests and a table to import.

    이미 있는 다른 내용의 파일은 두고 알린다. Files that were changed are kept, and named.
    """
    from importlib.resources import files  # noqa: PLC0415 - only when a sample is written

    written, kept = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sorted(files("kis").joinpath("seed", "samples").iterdir(), key=str):
            target, content = folder / source.name, source.read_bytes()
            if not force and target.exists() and target.read_bytes() != content:
                kept.append(str(target))
                continue
            target.write_bytes(content)
            written.append(str(target))
    except OSError as error:
        fail(f"쓸 수 없습니다: {error}", f"Cannot write to {folder}.", 2)
    if kept:
        typer.echo(
            "이미 있어 그대로 둔 파일 (덮어쓰려면 --force):\n"
            "Kept, because they are there with other content (--force overwrites):",
            err=True,
        )
        typer.echo("\n".join(f"  {name}" for name in kept), err=True)
    typer.echo(json.dumps(written) if as_json else "\n".join(written))
