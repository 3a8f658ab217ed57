"""Endpoints that hang, go away, ask for less, or are down for long: the others feel nothing, and nothing is lost."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import asyncpg
from aiohttp import web

from .conftest import CLOCK, MerchantServer, RunService, Shop, wait_until

QUICK_BREAKER = {
    "BREAKER_FAILURES": "3",
    "BREAKER_FAILING_SECONDS": "0",
    "BREAKER_FIRST_PROBE_SECONDS": "1",
    "BREAKER_LONGEST_PROBE_PAUSE_SECONDS": "1",
    "RECOVERY_PER_SECOND": "20",
}


async def _hang(_request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def test_a_hanging_endpoint_delays_no_other(run_service: RunService, server: MerchantServer) -> None:
    async with run_service() as new_shop:
        hanging, healthy = new_shop(), new_shop()
        await hanging.configure(f"{server.url}/hang")
        await healthy.configure(f"{server.url}/ok")
        server.react["/hang"] = _hang
        await asyncio.gather(*(hanging.emit() for _ in range(400)))
        await wait_until(lambda: len(server.at("/hang")) >= 16)
        delays: list[float] = []
        for _ in range(30):
            started = time.time()
            await healthy.emit()
            await wait_until(lambda: len(server.at("/ok")) == len(delays) + 1)
            delays.append(server.at("/ok")[-1].at - started)
        assert sorted(delays)[-2] < 1.0
        assert len(server.at("/hang")) < 40  # the cap holds, and shrinks with every timeout


async def test_410_disables_and_stops(run_service: RunService, server: MerchantServer) -> None:
    async with run_service() as new_shop:
        shop = new_shop()
        await shop.configure(f"{server.url}/gone")
        server.answer("/gone", 410)
        await shop.emit()
        await wait_until(lambda: _reasons(shop, {"gone"}))
        (row,) = await shop.log()
        assert (row["status"], row["attempts"], row["response_code"]) == ("failed", 1, 410)
        await wait_until(lambda: _is_disabled(shop, "gone"))
        await shop.emit()
        await wait_until(lambda: _count(shop, 1, status="skipped"))
        await shop.configure(f"{server.url}/back")  # setting the URL enables it again
        await shop.emit()
        await wait_until(lambda: len(server.at("/back")) == 1)


async def test_retry_after_lengthens_the_pause_and_slows_the_endpoint(
    run_service: RunService, server: MerchantServer
) -> None:
    async with run_service() as new_shop:
        shop = new_shop()
        await shop.configure(f"{server.url}/busy")
        server.answer("/busy", 429, {"Retry-After": "7"})
        await shop.emit()
        await wait_until(lambda: len(server.hits) == 1)
        server.react.clear()
        await asyncio.sleep(0.3)
        await shop.emit()  # another one waits as long
        await wait_until(lambda: len(server.hits) == 3, patience_s=14)
        pauses = [hit.at - server.hits[0].at for hit in server.hits[1:]]
        assert min(pauses) > 6.5
        assert max(pauses) < 11.5


async def test_an_open_breaker_holds_and_recovery_sends_in_order(
    run_service: RunService, server: MerchantServer, database: asyncpg.Connection[Any]
) -> None:
    async with run_service(**QUICK_BREAKER) as new_shop:
        shop = new_shop()
        await shop.configure(f"{server.url}/down")
        server.answer("/down", 503)
        first = [await shop.emit() for _ in range(4)]
        await wait_until(lambda: _is_open(database, shop))
        moment = CLOCK.now()
        missed = [await shop.emit(occurred_at=moment, sequence=number) for number in range(1, 11)]
        await wait_until(lambda: _are_held(shop, missed))
        assert not [hit for hit in server.hits if hit.event["id"] in missed[1:]]  # while it is open only probes go out
        server.hits.clear()
        server.react.clear()
        await wait_until(lambda: _all_succeeded(shop, 14), patience_s=40)
        arrived = [hit.event["id"] for hit in server.hits]
        assert [event_id for event_id in arrived if event_id in missed] == missed
        assert set(arrived) >= set(first + missed)
        await shop.emit()
        await wait_until(lambda: _all_succeeded(shop, 15))


async def test_what_was_exhausted_in_an_outage_is_sent_when_it_ends(
    run_service: RunService, server: MerchantServer, database: asyncpg.Connection[Any]
) -> None:
    async with run_service(BREAKER_FIRST_PROBE_SECONDS="2") as new_shop:
        shop = new_shop()
        await shop.configure(f"{server.url}/down")
        server.answer("/down", 500)
        for _ in range(5):
            await shop.emit()
        await wait_until(lambda: _attempted(shop, 5))
        # As if four attempts had been made already: the whole schedule takes 50 s (tests/e2e waits for it).
        await database.execute(
            "UPDATE deliveries SET attempts = 4, next_retry_at = $1 WHERE merchant_id = $2",
            CLOCK.now(),
            shop.merchant_id,
        )
        await wait_until(lambda: _reasons(shop, {"exhausted"}, at_least=5), patience_s=20)
        assert await shop.statuses() == ["failed"] * 5
        server.hits.clear()
        server.react.clear()
        await wait_until(lambda: _all_succeeded(shop, 5), patience_s=40)
        created = [row["event_id"] for row in reversed(await shop.log())]
        assert [hit.event["id"] for hit in server.hits] == created
        detail = await shop.detail((await shop.log())[0]["id"])
        assert detail["attempt_log"][-1]["kind"] in ("probe", "recovery")


async def test_a_dead_worker_s_lease_ends_and_the_sweeper_sends(
    run_service: RunService, server: MerchantServer, database: asyncpg.Connection[Any]
) -> None:
    async with run_service(role="web") as new_shop:
        shop = new_shop()
        await shop.configure(f"{server.url}/a")
        answer = await shop.api.post("/api/v1/webhooks/test")
        # A worker took it and died: the word is gone from the broker, the lease is in the row.
        await database.execute(
            "UPDATE deliveries SET claimed_until = $1, created_at = created_at WHERE merchant_id = $2",
            CLOCK.now(),
            shop.merchant_id,
        )
        async with run_service():
            await wait_until(lambda: len(server.hits) == 1)
            await wait_until(lambda: _all_succeeded(shop, 1))
        assert (await shop.log())[0]["id"] == answer.json()["id"]


async def test_what_an_endpoint_missed_while_the_broker_was_away_is_not_sent_in_drops(
    run_service: RunService, server: MerchantServer, database: asyncpg.Connection[Any]
) -> None:
    """The sweeper wakes a few a second. A lane that has learnt to take more than those must look for the rest itself."""
    async with run_service() as new_shop:
        shop = new_shop()
        await shop.configure(f"{server.url}/fast")
        await asyncio.gather(*(shop.emit() for _ in range(300)))
        await wait_until(lambda: len(server.hits) == 300)
        await wait_until(lambda: _delivered(database, shop, 300))
        await database.execute(
            "UPDATE deliveries SET status = 'pending', next_retry_at = $1 WHERE merchant_id = $2",
            CLOCK.now() - timedelta(seconds=10),
            shop.merchant_id,
        )
        await wait_until(lambda: len(server.hits) == 600, patience_s=5)


async def _delivered(database: asyncpg.Connection[Any], shop: Shop, count: int) -> bool:
    found = await database.fetchval(
        "SELECT count(*) FROM deliveries WHERE merchant_id = $1 AND status = 'success'", shop.merchant_id
    )
    return bool(found == count)


async def _is_disabled(shop: Shop, reason: str) -> bool:
    (endpoint,) = (await shop.api.get("/api/v1/webhook-endpoints")).json()["data"]
    return (endpoint["enabled"], endpoint["disabled_reason"]) == (False, reason)


async def _is_open(database: asyncpg.Connection[Any], shop: Shop) -> bool:
    state = await database.fetchval("SELECT state FROM endpoint_health WHERE merchant_id = $1", shop.merchant_id)
    return bool(state == "open")


async def _are_held(shop: Shop, event_ids: list[str]) -> bool:
    return {row["event_id"] for row in await shop.log() if row.get("reason") == "held"} >= set(event_ids)


async def _reasons(shop: Shop, wanted: set[str], at_least: int = 1) -> bool:
    return sum(row.get("reason") in wanted for row in await shop.log()) >= at_least


async def _count(shop: Shop, count: int, **query: Any) -> bool:
    return len(await shop.log(**query)) == count


async def _attempted(shop: Shop, count: int) -> bool:
    return sum(int(row["attempts"] > 0) for row in await shop.log()) == count


async def _all_succeeded(shop: Shop, count: int) -> bool:
    return bool(await shop.statuses() == ["success"] * count)
