"""What cannot be a key is refused without asking anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import httpx
import pytest

from gateway_common.auth.credentials import Authenticator
from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.auth.remote_keys import RemoteKeySource
from gateway_common.clock import FixedClock
from gateway_common.errors import AuthenticationError


def must_not_be_asked(request: httpx.Request) -> httpx.Response:
    raise AssertionError(request.url)


@pytest.mark.parametrize("key", ["a/b", "..", ".", "a?b", "a b", "é", "a\x00", "%2e%2e", "a\n"])
async def test_no_key(key: str) -> None:
    clock = FixedClock(datetime(2026, 1, 1, tzinfo=UTC))
    tokens = InternalTokens("x" * 32, "refunds", clock)
    async with httpx.AsyncClient(transport=httpx.MockTransport(must_not_be_asked), base_url="http://payments") as http:
        source = RemoteKeySource(http, cast("Any", None), tokens)
        assert await source.find(key) is None
        with pytest.raises(AuthenticationError):
            await Authenticator(source, clock).authenticate(key, "secret", None)
