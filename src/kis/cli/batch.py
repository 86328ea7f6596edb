"""kis-backend estimate --batch: a file of boards in, a file of results out."""

import csv
import json
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer

from kis.cli.client import fail, show_refusal

if TYPE_CHECKING:
    from kis.cli.batch_results import Result, Sink
    from kis.cli.board_files import BoardFile, Entry
    from kis.cli.streaming import Stream

BOARDS_A_REQUEST = 50_000
"""The service takes twice as many; a larger file is several batches."""
SHOWN_REFUSALS = 10
SHOWN_EVERY = 50


class Tally:
    """How many boards came to what, and the first that were refused."""

    def __init__(self) -> None:
        """Start with none."""
        self.boards = 0
        self.estimated = 0
        self.refusals: list[str] = []

    @property
    def refused(self) -> int:
        """How many boards have no estimate."""
        return self.boards - self.estimated

    def count(self, result: "Result") -> None:
        """Count one."""
        self.boards += 1
        self.estimated += result.is_estimated
        if not result.is_estimated and len(self.refusals) < SHOWN_REFUSALS:
            number, label, *_, code, place, message, _, _, _ = result.cells
            told = "\n  ".join(str(message).split("\n"))
            self.refusals.append(f"{number} {label}: {code} {place}\n  {told}")


class Advance(Protocol):
    """Shows how far a batch is."""

    def __call__(self, position: int, boards: int) -> None:
        """`position` is in the units of the file's total."""


def estimate_file(source: str, output: str | None, *, as_json: bool) -> None:
    """Estimate the boards of `source` into `output`; without one, NDJSON on standard output."""
    from kis.cli.batch_results import open_sink  # noqa: PLC0415 - only when a batch runs
    from kis.cli.board_files import open_boards  # noqa: PLC0415
    from kis.cli.board_sheet import SheetFault  # noqa: PLC0415

    if output is not None and Path(output).resolve() == Path(source).resolve():
        fail("결과를 입력 파일에 쓸 수 없습니다.", "The results would overwrite the input.", 2)
    try:
        boards = open_boards(source)
    except SheetFault as fault:
        fail(f"{source}: {fault.text.ko}", fault.text.en, 2)
    except OSError as error:
        fail(f"읽을 수 없습니다: {error}", f"Cannot be read: {source}", 2)
    sink = open_sink(output or "-", None if output else sys.stdout.buffer)
    tally = Tally()
    is_shown = output is not None and not as_json and sys.stderr.isatty()
    try:
        with _progress(boards.total, is_shown=is_shown) as advance:
            _run(boards, sink, tally, advance, as_json=as_json)
    finally:
        sink.close()
    if output is not None:
        _show(tally, output, as_json=as_json)
    if tally.refused:
        raise typer.Exit(1)


def _run(
    boards: "BoardFile", sink: "Sink", tally: Tally, advance: Advance, *, as_json: bool
) -> None:
    """Send the boards and write what comes of them, in their order."""
    from kis.cli.streaming import Broken, Refused, streaming  # noqa: PLC0415 - as above

    try:
        with streaming() as stream:
            while (first := next(boards.entries, None)) is not None:
                part = chain((first,), islice(boards.entries, BOARDS_A_REQUEST - 1))
                for entry, result in _results(stream, part, boards):
                    sink.write(result)
                    tally.count(result)
                    advance(entry.position, tally.boards)
    except Refused as refused:
        show_refusal(refused.reply, as_json=as_json)
    except Broken as broken:
        fail(
            f"서버와의 연결이 끊겼습니다: {broken}\n{tally.boards}개까지의 결과는 저장되었습니다.",
            f"The connection broke; what came of the first {tally.boards} boards is stored.",
        )
    except (csv.Error, OSError) as error:
        fail(
            f"파일을 더 읽을 수 없습니다: {error}\n{tally.boards}개까지의 결과는 저장되었습니다.",
            f"The file cannot be read any further; {tally.boards} boards are done.",
        )


def _results(
    stream: "Stream", entries: Iterator["Entry"], boards: "BoardFile"
) -> Iterator[tuple["Entry", "Result"]]:
    """Yield what comes of `entries`, those that cannot be asked among them, in their order."""
    from kis.cli.batch_results import line_of, result_of, result_of_complaint  # noqa: PLC0415
    from kis.cli.streaming import Broken  # noqa: PLC0415

    # Appended by the thread that sends, always before the answer can be here.
    waiting: deque[tuple[int, Entry]] = deque()

    def lines() -> Iterator[bytes]:
        for number, entry in enumerate(entries, start=1):
            waiting.append((number, entry))
            yield entry.line

    def unasked(until: int) -> Iterator[tuple["Entry", "Result"]]:
        while waiting and waiting[0][0] < until:
            _, entry = waiting.popleft()
            if entry.board is not None and entry.board.complaint is not None:
                yield entry, result_of_complaint(entry, boards.headings)
            elif entry.line.strip():
                # The answer before says why: the key has ended, for one.
                missing = f"{entry.number}번째 줄부터 답이 없음, no answer from that line on"
                raise Broken(missing)

    for answer in stream.exchange(lines()):
        yield from unasked(line_of(answer))
        _, entry = waiting.popleft()
        yield entry, result_of(entry, answer, boards.headings)
    yield from unasked(sys.maxsize)


@contextmanager
def _progress(total: int, *, is_shown: bool) -> Iterator[Advance]:
    """Show a bar on a terminal; elsewhere it would be in the way."""
    if not is_shown:
        yield lambda _position, _boards: None
        return
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[boards]:,}면"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total or None, boards=0)

        def advance(position: int, boards: int) -> None:
            if boards % SHOWN_EVERY == 0:
                progress.update(task, completed=position, boards=boards)

        yield advance
        progress.update(task, completed=total)


def _show(tally: Tally, output: str, *, as_json: bool) -> None:
    """Say what came of all."""
    if as_json:
        figures = {"boards": tally.boards, "estimated": tally.estimated, "refused": tally.refused}
        typer.echo(json.dumps({**figures, "output": output}, ensure_ascii=False))
        return
    typer.echo(
        f"반 {tally.boards:,}면: 견적 {tally.estimated:,}, 거절 {tally.refused:,} → {output}\n"
        f"{tally.boards:,} boards: {tally.estimated:,} estimated, {tally.refused:,} refused"
    )
    for refusal in tally.refusals:
        typer.echo(refusal, err=True)
    if tally.refused > len(tally.refusals):
        more = tally.refused - len(tally.refusals)
        typer.echo(f"... {more:,}면 더, 결과 파일에. {more:,} more in the file.", err=True)
