"""What an estimate would be, for whoever is still typing: nothing is stored. Pure."""

from kis.estimate.checking import try_board
from kis.estimate.drawing.sheet import Drawn
from kis.estimate.model import ENGINE_VERSION, BoardDraft, Caution, Rejected
from kis.estimate.tracing import trace, typed_rows
from kis.knowledge.snapshot import Snapshot


class Preview(Drawn, frozen=True, rename="camel", kw_only=True):
    """What `POST /v1/estimate/create` would answer, but for what makes an answer lasting.

    `rows` leads from a device of the layout to the line as it was typed:
    `{"B3": "branches[1]"}`.
    """

    warnings: tuple[Caution, ...]
    rejected: tuple[Rejected, ...]
    rows: dict[str, str]
    knowledge_version: str
    rules_version: str
    engine_version: str


def preview_board(draft: BoardDraft, snapshot: Snapshot, *, allow_mixed: bool) -> Preview:
    """Return what an estimate of `draft` under `snapshot` would be.

    Raises:
        DomainError: everything that the gates and the tables have against it.

    """
    board, outcome = try_board(draft, snapshot, allow_mixed=allow_mixed)
    result = outcome.estimate
    parts = trace(board, result.bill_of_materials, result.layout.placements)
    return Preview(
        enclosure=result.enclosure,
        required=result.required,
        warnings=result.warnings,
        layout=result.layout,
        bill_of_materials=result.bill_of_materials,
        rejected=result.rejected,
        request=board,
        rows=typed_rows(draft, board, parts),
        knowledge_version=snapshot.label,
        rules_version=snapshot.rules.version,
        engine_version=ENGINE_VERSION,
    )
