"""How routes are documented: structs and models as components, errors by status."""

from typing import Annotated, Any

import msgspec
import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel

from kis.api.errors import STATUS
from kis.api.openapi import COMMON, WITH_BODY, Documented
from kis.errors import ErrorCode


class Answer(msgspec.Struct, rename="camel"):
    """What is answered."""

    board_label: str
    inner: "Inner"
    anything: object = None


class Inner(msgspec.Struct):
    """A part of it."""

    size: int | float


class Order(BaseModel):
    """What is asked."""

    label: str


def complete(documented: Documented, **docs: Any) -> Any:
    app = FastAPI(openapi_url=None)

    @app.post("/v1/x", **docs)
    async def endpoint() -> None:
        """무엇. What."""

    return documented.complete(app)


def test_answer_and_body_are_components() -> None:
    documented = Documented()
    docs = documented.route(Answer, status=201, body=Order, example={"label": "x"})
    document = complete(documented, **docs)
    operation = document["paths"]["/v1/x"]["post"]
    schema = operation["responses"]["201"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Answer"}
    assert operation["requestBody"] == {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Order"},
                "example": {"label": "x"},
            }
        },
    }
    schemas = document["components"]["schemas"]
    assert {"Answer", "Inner", "Order", "Problem", "ProblemFinding"} <= set(schemas)
    assert set(schemas["Answer"]["properties"]) == {"boardLabel", "inner", "anything"}
    assert "type" not in schemas["Answer"]["properties"]["anything"]


def test_list_of_structs() -> None:
    documented = Documented()
    document = complete(documented, **documented.route(list[Inner]))
    content = document["paths"]["/v1/x"]["post"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Inner"},
    }


def test_codes_of_one_status_stand_together() -> None:
    docs = Documented().route(
        Answer, errors=[ErrorCode.VERSION_ACTIVE, ErrorCode.ACTIVATION_CONFLICT]
    )
    assert docs["responses"][409]["description"] == "`VERSION_ACTIVE`, `ACTIVATION_CONFLICT`"
    assert set(docs["responses"][409]["content"]) == {"application/problem+json"}


@pytest.mark.parametrize(
    ("is_open", "body", "codes"),
    [(True, None, ()), (False, None, COMMON), (False, Order, (*COMMON, *WITH_BODY))],
)
def test_codes_that_every_route_can_answer(
    is_open: bool, body: type[BaseModel] | None, codes: tuple[ErrorCode, ...]
) -> None:
    docs = Documented().route(Answer, is_open=is_open, body=body)
    assert set(docs["responses"]) == {200, *(STATUS[code] for code in codes)}
    assert docs["openapi_extra"]["security"] == ([] if is_open else [{"apiKey": []}])


def test_errors_of_parameters_are_problems() -> None:
    """FastAPI would document them as 422, with a shape of its own."""
    documented = Documented()
    app = FastAPI(openapi_url=None)

    @app.get("/v1/x", **documented.route(Answer))
    async def endpoint(limit: Annotated[int, Query()] = 1) -> None:
        """무엇. What."""

    document = documented.complete(app)
    responses = document["paths"]["/v1/x"]["get"]["responses"]
    assert "422" not in responses
    assert set(responses["400"]["content"]) == {"application/problem+json"}
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_domain_errors_with_422_stay() -> None:
    documented = Documented()
    document = complete(documented, **documented.route(Answer, errors=[ErrorCode.REQ_MORE_INFO]))
    assert (
        "`REQ_MORE_INFO`" in document["paths"]["/v1/x"]["post"]["responses"]["422"]["description"]
    )
