"""Internal endpoints refuse whoever has no token made for that very service, and the edge does not lead there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.clock import SystemClock
from gateway_local.stack import Stack

SERVICES = {
    "payments_api": ("payments-api-web", "payments-api"),
    "processor": ("processor", "processor"),
    "refunds": ("refunds-web", "refunds"),
    "webhooks": ("webhooks-web", "webhooks"),
}
MERCHANT = "550e8400-e29b-41d4-a716-446655440000"


def modules_of(package: str) -> Iterator[ModuleType]:
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def internal_routes(package: str) -> set[tuple[str, str]]:
    """(method, path) of every route below `/internal/v1` that any module of the service defines."""
    found = set()
    for module in modules_of(package):
        for value in vars(module).values():
            if isinstance(value, APIRouter):
                for route in value.routes:
                    if isinstance(route, APIRoute) and route.path.startswith("/internal/v1"):
                        found |= {(method, route.path) for method in route.methods}
    return found


ROUTES = [(package, *route) for package in SERVICES for route in sorted(internal_routes(package))]


def call(client: httpx.Client, method: str, path: str, authorization: str | None) -> int:
    path = (
        path.replace("{payment_id}", "pay_AAAAAAAAAAAAAAAA")
        .replace("{merchant_id}", MERCHANT)
        .replace("{key}", "key_x")
    )
    body = {
        "merchant_id": MERCHANT, "sequence": 3, "amount": 50_000, "currency": "INR", "kind": "capture",
        "name": "N", "email": "n@example.com",
    } if method == "POST" else None  # fmt: skip
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.request(method, path, json=body, headers=headers, params={"merchant_id": MERCHANT}).status_code


def call_badly(client: httpx.Client, method: str, path: str) -> int:
    """With nothing right about it, and no token either."""
    path = path.replace("{payment_id}", "%20").replace("{merchant_id}", "x").replace("{key}", "x")
    content = b"{" if method == "POST" else None
    return client.request(method, path, content=content, params={"merchant_id": "x"}).status_code


def lets_in(client: httpx.Client, method: str, path: str, secret: str, audience: str) -> list[str]:
    """Who is let in and must not be."""
    other = next(name for _, name in SERVICES.values() if name != audience)
    clock = SystemClock()
    callers = {
        "nobody": None,
        "a merchant": "Basic a2V5X3Rlc3RfYWJjMTIzOnNlY3JldF90ZXN0X3h5ejc4OQ==",
        "who guesses the secret": f"Bearer {InternalTokens('x' * 40, 'dashboard', clock).sign(audience)}",
        "who has a token for another service": f"Bearer {InternalTokens(secret, 'dashboard', clock).sign(other)}",
        "who leaves the signature out": "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4IiwiYXVkIjoicmVmdW5kcyJ9.",
    }
    return [who for who, authorization in callers.items() if call(client, method, path, authorization) != 401]


def test_every_service_with_internal_endpoints_is_here() -> None:
    assert {package for package, _, _ in ROUTES} == set(SERVICES)


@pytest.mark.parametrize(("package", "method", "path"), ROUTES)
def test_only_a_token_made_for_this_service_opens_it(stack: Stack, package: str, method: str, path: str) -> None:
    process, audience = SERVICES[package]
    secret = stack.installation.credentials.internal_token_secret
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.process(process).port}") as client:
        assert lets_in(client, method, path, secret, audience) == []
        assert call_badly(client, method, path) == 401, "nothing is read before the token"
        rightful = f"Bearer {InternalTokens(secret, 'dashboard', SystemClock()).sign(audience)}"
        if method == "GET":
            assert call(client, method, path, rightful) in (200, 404)


@pytest.mark.parametrize(("package", "method", "path"), ROUTES)
def test_the_edge_does_not_lead_there(stack: Stack, package: str, method: str, path: str) -> None:
    secret = stack.installation.credentials.internal_token_secret
    token = f"Bearer {InternalTokens(secret, 'dashboard', SystemClock()).sign(SERVICES[package][1])}"
    with httpx.Client(base_url=stack.urls["origin"].replace("localhost", "127.0.0.1")) as client:
        for prefix in ("", "/api/v1", "/api/v1/..", "/", "/api/v1/refunds/../../.."):
            assert call(client, method, prefix + path, token) == 404


def test_the_check_sees_an_endpoint_that_asks_for_nothing() -> None:
    doorless = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)), base_url="http://test")
    assert len(lets_in(doorless, "GET", "/internal/v1/api-keys/{key}", "s" * 40, "payments-api")) == 5
