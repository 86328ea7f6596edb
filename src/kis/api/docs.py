"""/api-docs: Swagger UI from our own files, and the document that it shows."""

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response

from kis.api.knowledge import answer
from kis.api.openapi import Documented

PAGE = """<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>KIS API</title>
<link rel="icon" href="/static/swagger-ui/favicon-32x32.png">
<link rel="stylesheet" href="/static/swagger-ui/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/static/swagger-ui/swagger-ui-bundle.js"></script>
<script src="/static/swagger-ui/start.js"></script>
</body>
</html>
"""
# Swagger UI sets style attributes; everything else comes from here and nowhere else.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " frame-ancestors 'none'; base-uri 'none'"
)


def mount(app: FastAPI, documented: Documented) -> None:
    """Add the page and the document to `app`; its files are with the console's."""

    @app.get("/api-docs", include_in_schema=False)
    async def show_docs() -> HTMLResponse:
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})

    @app.get("/openapi.json", include_in_schema=False)
    async def get_document() -> Response:
        if app.openapi_schema is None:
            app.openapi_schema = documented.complete(app)
        return answer(app.openapi_schema)
