"""A key's limit counts for this service too, over all of its copies."""

from __future__ import annotations

from collections import Counter
from typing import Any


async def test_a_key_that_asks_too_often(start: Any) -> None:
    limits = {"rate_limits_enabled": True, "rate_limit_per_key": "7/hour"}
    async with start("web", **limits) as one, start("web", **limits) as other:
        answers = [await copy.merchant.http.get("/api/v1/refunds") for copy in (one, other) for _ in range(5)]
        assert Counter(answer.status_code for answer in answers) == {200: 7, 429: 3}
        assert answers[0].headers["ratelimit-limit"] == "7"
        refused = answers[-1]
        assert refused.json()["error"]["code"] == "RATE_LIMITED"
        assert 1 <= int(refused.headers["retry-after"]) <= 3600
        assert refused.headers["ratelimit-remaining"] == "0"
        assert (await one.other_merchant.http.get("/api/v1/refunds")).status_code == 200
