"""How routes are documented: our own structs and models in OpenAPI's terms."""

from collections.abc import Iterable
from typing import Any

import msgspec
from fastapi import FastAPI
from pydantic import BaseModel

from kis import __version__
from kis.api.errors import PROBLEM_TYPE, STATUS, Problem
from kis.errors import ErrorCode

REF = "#/components/schemas/{name}"
COMMON = (
    ErrorCode.UNAUTHENTICATED,
    ErrorCode.FORBIDDEN,
    ErrorCode.RATE_LIMITED,
    ErrorCode.HEADERS_TOO_LARGE,
    ErrorCode.NOT_READY,
    ErrorCode.INTERNAL,
)
WITH_BODY = (
    ErrorCode.MALFORMED_JSON,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.BODY_TOO_LARGE,
    ErrorCode.REQUEST_TIMEOUT,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
)


class Documented:
    """Collects the structs and models that routes speak, for the components."""

    def __init__(self) -> None:
        """Start empty."""
        self._structs: dict[str, Any] = {"Problem": Problem}
        self._models: dict[str, type[BaseModel]] = {}

    def route(
        self,
        answer: Any,
        *,
        status: int = 200,
        body: type[BaseModel] | None = None,
        example: object = None,
        errors: Iterable[ErrorCode] = (),
        is_open: bool = False,
        media_type: str = "application/json",
        extra: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the keyword arguments of a route's decorator.

        `answer` is a struct type or list of one, `body` the request model,
        `example` a body, `errors` the codes beyond those that every route can answer.
        """
        codes = [*errors, *(() if is_open else COMMON), *(WITH_BODY if body else ())]
        responses: dict[int | str, dict[str, Any]] = {
            status: {
                "description": "성공. Success.",
                "content": {media_type: {"schema": self._schema_of(answer)}},
            }
        }
        for code in codes:
            self._add_error(responses, code)
        openapi_extra = dict(extra or {})
        if body is not None:
            taken = {"schema": self.model(body), "example": example}
            openapi_extra["requestBody"] = {
                "required": True,
                "content": {"application/json": taken},
            }
        openapi_extra["security"] = [] if is_open else [{"apiKey": []}]
        return {
            "status_code": status,
            "responses": responses,
            "openapi_extra": openapi_extra,
            "response_model": None,
        }

    def model(self, body: type[BaseModel]) -> dict[str, Any]:
        """Return the reference to a request model, which will be among the components."""
        self._models[body.__name__] = body
        return {"$ref": REF.format(name=body.__name__)}

    def struct(self, answer: Any) -> dict[str, Any]:
        """Return the reference to a struct, which will be among the components."""
        self._structs[answer.__name__] = answer
        return {"$ref": REF.format(name=answer.__name__)}

    def _schema_of(self, answer: Any) -> dict[str, Any]:
        if isinstance(answer, dict):
            return answer
        item = answer.__args__[0] if hasattr(answer, "__args__") else answer
        schema = self.struct(item)
        return {"type": "array", "items": schema} if item is not answer else schema

    def _add_error(self, responses: dict[int | str, dict[str, Any]], code: ErrorCode) -> None:
        status = STATUS[code]
        entry = responses.setdefault(
            status,
            {
                "description": "",
                "content": {PROBLEM_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}},
            },
        )
        entry["description"] = ", ".join(filter(None, [entry["description"], f"`{code}`"]))

    def complete(self, app: FastAPI) -> dict[str, Any]:
        """Return the OpenAPI document of `app` with all components."""
        from fastapi.openapi.utils import get_openapi  # noqa: PLC0415 - only when it is asked for

        document = get_openapi(
            title="KIS", version=__version__, routes=app.routes, description=app.description
        )
        components = document.setdefault("components", {})
        schemas = components.setdefault("schemas", {})
        structs = tuple(self._structs.values())
        _, found = msgspec.json.schema_components(
            structs, ref_template=REF, schema_hook=_schema_of_anything
        )
        schemas.update(found)
        for name, model in self._models.items():
            schema = model.model_json_schema(ref_template=REF.replace("{name}", "{model}"))
            schemas.update(schema.pop("$defs", {}))
            schemas[name] = schema
        components["securitySchemes"] = {
            "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}
        }
        _drop_stock_validation_errors(document)
        for path in document["paths"].values():
            for operation in path.values():
                # The docstring in Korean and English says more than the function's name.
                operation["summary"] = operation.pop("description", operation["summary"])
        return document


def _schema_of_anything(kind: type) -> dict[str, Any]:
    """Return the schema of `object`, the one type of ours that msgspec cannot tell."""
    if kind is not object:
        raise NotImplementedError
    return {"description": "어떤 JSON 값이든. Any JSON value."}


def _drop_stock_validation_errors(document: dict[str, Any]) -> None:
    """Remove FastAPI's own 422 for parameters: ours are problems with status 400."""
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
    problem = {PROBLEM_TYPE: {"schema": {"$ref": REF.format(name="Problem")}}}
    for path in document["paths"].values():
        for operation in path.values():
            stock = operation["responses"].get("422", {})
            if "HTTPValidationError" in str(stock):
                del operation["responses"]["422"]
                operation["responses"].setdefault(
                    "400", {"description": "`INVALID_REQUEST`", "content": problem}
                )
