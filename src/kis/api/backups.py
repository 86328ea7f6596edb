"""/v1/backups: back up now, and what backups there are."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from kis.api.health import TAG
from kis.api.knowledge import actor_of, answer
from kis.api.openapi import Documented
from kis.errors import ErrorCode
from kis.ops.backup.folder import BackupAnswer
from kis.ops.backup.service import BackupService

File = Annotated[str, Path(max_length=64)]
ERRORS = (ErrorCode.BACKUP_RUNNING, ErrorCode.BACKUP_FAILED, ErrorCode.DISK_FULL)


def router(backups: BackupService, documented: Documented) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(tags=list(TAG))

    @routes.post("/v1/backups", **documented.route(BackupAnswer, status=201, errors=ERRORS))
    async def make_backup(request: Request) -> Response:
        """지금 백업하고, 점검이 끝나면 답한다. Back up now; answers once it is checked."""
        return answer(await backups.make(actor_of(request)), 201)

    noted = documented.route(BackupAnswer, errors=(ErrorCode.NOT_FOUND,))

    @routes.post("/v1/backups/{file}/note", **noted)
    async def note_backup(request: Request, file: File) -> Response:
        """명령이 만든 백업을 감사 기록에 남긴다. Note in the audit trail what a command made."""
        return answer(await backups.note(file, actor_of(request)))

    @routes.get("/v1/backups", **documented.route(list[BackupAnswer]))
    async def list_backups() -> Response:
        """백업, 새것부터. All backups, newest first."""
        return answer(await backups.list())

    return routes
