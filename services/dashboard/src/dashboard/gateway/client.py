"""Call a service on behalf of a merchant, with a signed token that names the merchant (docs/processes.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
import orjson

from dashboard.errors import ApiRefusalError
from gateway_common import context
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.errors import NotFoundError, ServiceUnavailableError

TIMEOUT_SECONDS = 5.0

PAYMENTS_API = "payments-api"
REFUNDS = "refunds"
WEBHOOKS = "webhooks"


class GatewayClient:
    """One pool of connections per service."""

    def __init__(
        self, urls: Mapping[str, str], tokens: InternalTokens, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """`urls` by service name; `transport` stands in for the network in tests."""
        self._tokens = tokens
        self._clients = {
            service: httpx.AsyncClient(
                base_url=url.rstrip("/"),
                timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=1.0),
                transport=transport,
                limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
            )
            for service, url in urls.items()
        }

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        *,
        merchant_id: UUID | None = None,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """The decoded JSON of a 2xx answer (None for an empty one).

        Raises:
            NotFoundError: the service knows no such object of this merchant.
            ApiRefusalError: any other 4xx, with the service's own words.
            ServiceUnavailableError: the service cannot be reached, is too slow, or failed.
        """
        headers = self._tokens.headers(service, merchant_id)
        headers["X-Request-Id"] = context.request_id.get() or "dashboard"
        if trace := context.traceparent.get():
            headers["traceparent"] = trace
        if body is not None:
            headers["Content-Type"] = "application/json"
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        try:
            response = await self._clients[service].request(
                method,
                path,
                params={name: value for name, value in (params or {}).items() if value not in (None, "")},
                content=None if body is None else orjson.dumps(body),
                headers=headers,
            )
        except httpx.HTTPError as error:
            raise ServiceUnavailableError(
                "This part of the gateway does not answer at the moment. Nothing is lost; try again shortly.",
                reason=f"{service}_unavailable",
            ) from error
        return _read(service, response)

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()


def _read(service: str, response: httpx.Response) -> Any:
    if response.is_success:
        return orjson.loads(response.content) if response.content else None
    if response.status_code >= 500 or response.status_code in (401, 403):
        raise ServiceUnavailableError(
            "This part of the gateway does not answer at the moment. Nothing is lost; try again shortly.",
            reason=f"{service}_answered_{response.status_code}",
        )
    try:
        error = orjson.loads(response.content)["error"]
        code, description = str(error["code"]), str(error["description"])
    except (ValueError, KeyError, TypeError):
        code, description = "BAD_REQUEST_ERROR", "The request was refused"
    if response.status_code == 404:
        raise NotFoundError(description)
    wait = response.headers.get("retry-after", "")
    raise ApiRefusalError(response.status_code, code, description, int(wait) if wait.isdigit() else None)
