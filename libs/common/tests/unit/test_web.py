"""The HTTP layer every service shares, driven as a client sees it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.responses import Response

from gateway_common.errors import BadRequestError, InvalidVpaError, RateLimitedError
from gateway_common.web.application import GatewayRoute, create_app
from gateway_common.web.direct import DirectRoute
from gateway_common.web.health import Readiness


def refuse_vpa(value: str) -> str:
    raise InvalidVpaError


class Body(BaseModel):
    model_config = ConfigDict(strict=True)

    amount: int
    vpa: Annotated[str, AfterValidator(refuse_vpa)] | None = None
    notes: dict[str, Any] | None = None


router = APIRouter(route_class=GatewayRoute)


@router.post("/echo")
async def echo(body: Body) -> dict[str, int]:
    return {"amount": body.amount}


@router.get("/crash")
async def crash() -> None:
    raise KeyError("password=hunter2")


@router.get("/refuse")
async def refuse() -> None:
    raise BadRequestError("Payment not in capturable state", reason="not_capturable")


@router.get("/limited")
async def limited() -> None:
    raise RateLimitedError(retry_after_seconds=7)


direct = APIRouter(prefix="/direct", route_class=DirectRoute)


@direct.post("/made", status_code=201, summary="Make")
async def make(request: Request) -> Response:
    if (await request.body()) == b"refuse":
        raise BadRequestError("Payment not in capturable state", reason="not_capturable")
    return Response(await request.body(), status_code=201)


@direct.get("/{name}")
async def read(request: Request, name: str, limit: int = 1) -> dict[str, object]:
    return {"name": name, "limit": limit}


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def app(readiness: Readiness) -> FastAPI:
    return create_app(service="test", readiness=readiness, routers=[router, direct])


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as opened:
        yield opened


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == status
    assert body["detail"] == body["error"]["description"]
    assert body["error"]["code"] == code
    assert body["request_id"] == response.headers["x-request-id"]
    return body


async def test_a_sane_request_id_is_echoed_and_a_strange_one_replaced(client: httpx.AsyncClient) -> None:
    assert (await client.get("/livez", headers={"X-Request-Id": "mine-1"})).headers["x-request-id"] == "mine-1"
    replaced = (await client.get("/livez", headers={"X-Request-Id": 'a"b c'})).headers["x-request-id"]
    assert len(replaced) == 32


async def test_every_kind_of_error_has_the_one_shape(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/nowhere"), 404, "NOT_FOUND_ERROR")
    assert_problem(await client.get("/echo"), 405, "BAD_REQUEST_ERROR")
    assert_problem(await client.get("/refuse"), 400, "BAD_REQUEST_ERROR")
    assert_problem(await client.post("/echo", content=b"x" * 65_537), 413, "BAD_REQUEST_ERROR")
    assert_problem(await client.post("/echo", json={"amount": 1, "vpa": "x"}), 400, "INVALID_VPA")
    limited_answer = await client.get("/limited")
    assert_problem(limited_answer, 429, "RATE_LIMITED")
    assert limited_answer.headers["retry-after"] == "7"


async def test_a_crash_shows_no_internals(client: httpx.AsyncClient) -> None:
    answer = await client.get("/crash")
    assert_problem(answer, 500, "INTERNAL_ERROR")
    assert "hunter2" not in answer.text
    assert "KeyError" not in answer.text


@pytest.mark.parametrize("amount", [True, "1", 1.0, None, [], 10**30])
async def test_a_wrong_type_is_a_400_that_names_the_field(client: httpx.AsyncClient, amount: object) -> None:
    body = assert_problem(await client.post("/echo", json={"amount": amount}), 400, "BAD_REQUEST_ERROR")
    assert body["error"]["field"] == "amount"
    assert body["detail"].startswith("amount")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"null", b'"x"', b"\xff\xfe", b'{"amount": NaN}', b'{"amount": 1, "notes": {"a": "\\ud800"}}'],
)
async def test_what_is_no_json_object_is_a_400(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post("/echo", content=content, headers={"content-type": "application/json"})
    assert_problem(answer, 400, "BAD_REQUEST_ERROR")


@pytest.mark.parametrize("depth", [40, 900, 20_000])
async def test_deep_nesting_is_a_400(client: httpx.AsyncClient, depth: int) -> None:
    content = b'{"amount": 1, "notes": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    answer = await client.post("/echo", content=content[:65_000], headers={"content-type": "application/json"})
    assert_problem(answer, 400, "BAD_REQUEST_ERROR")


async def test_a_body_of_exactly_64_kib_passes(client: httpx.AsyncClient) -> None:
    padding = "x" * (65_536 - len(json.dumps({"amount": 1, "pad": ""})))
    content = json.dumps({"amount": 1, "pad": padding})
    assert len(content) == 65_536
    answer = await client.post("/echo", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 200


async def test_readiness_follows_its_checks_and_draining(client: httpx.AsyncClient, readiness: Readiness) -> None:
    healthy = True

    async def check() -> bool:
        return healthy

    readiness.add("database", check)
    assert (await client.get("/readyz")).status_code == 200
    healthy = False
    down = await client.get("/readyz")
    assert down.status_code == 503
    assert down.json()["checks"] == {"database": False}
    healthy = True
    readiness.is_draining = True
    assert (await client.get("/readyz")).status_code == 503


async def test_metrics_count_requests_by_route(client: httpx.AsyncClient) -> None:
    await client.post("/echo", json={"amount": 100})
    text = (await client.get("/metrics")).text
    assert 'gateway_http_requests_total{method="POST",route="/echo",status="200"}' in text


@pytest.mark.parametrize("path", ["/echo/%00", "/refuse?q=a%00b"])
async def test_a_url_that_the_database_could_not_hold_is_refused(client: httpx.AsyncClient, path: str) -> None:
    body = assert_problem(await client.get(path), 400, "BAD_REQUEST_ERROR")
    assert body["error"]["reason"] == "invalid_character"


async def test_a_direct_route_is_like_any_other_from_outside(client: httpx.AsyncClient, app: FastAPI) -> None:
    made = await client.post("/direct/made", content=b"x")
    assert (made.status_code, made.content) == (201, b"x")
    assert made.headers["x-request-id"]
    assert_problem(await client.post("/direct/made", content=b"refuse"), 400, "BAD_REQUEST_ERROR")
    assert_problem(await client.post("/direct/made", content=b"x" * 70_000), 413, "BAD_REQUEST_ERROR")
    assert_problem(await client.delete("/direct/made"), 405, "BAD_REQUEST_ERROR")
    assert (await client.get("/direct/some?limit=7")).json() == {"name": "some", "limit": 7}
    assert app.openapi()["paths"]["/direct/made"]["post"]["summary"] == "Make"
    assert 'route="/direct/made"' in (await client.get("/metrics")).text
