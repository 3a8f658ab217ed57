"""Lists, totals, events, replays, the timeline, and what housekeeping leaves."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import asyncpg

from gateway_common.auth.internal_tokens import InternalTokens
from gateway_common.clock import to_iso
from gateway_common.database import Database
from gateway_common.ids import new_payment_id
from gateway_local.sandbox import Sandbox
from webhooks.jobs import counts, housekeeping

from .conftest import CLOCK, MerchantServer, Shop, settings_of, wait_until


async def _delivered(shop: Shop, server: MerchantServer, *types: str) -> list[str]:
    """Emits these events and waits until all are successes; returns the event ids."""
    if (await shop.api.get("/api/v1/webhooks/config")).json()["webhook_url"] is None:
        await shop.configure(f"{server.url}/hooks")
    before = len(await shop.log())
    ids = [await shop.emit(kind) for kind in types]

    async def done() -> bool:
        return (await shop.statuses()).count("success") == before + len(types)

    await wait_until(done)
    return ids


async def test_the_list_pages_filters_and_counts(shop: Shop, server: MerchantServer, sandbox: Sandbox) -> None:
    await _delivered(shop, server, *["payment.created", "payment.pending", "payment.success"] * 4)
    answer = (await shop.api.get("/api/v1/webhooks", params={"limit": 5, "offset": 10})).json()
    assert (len(answer["data"]), answer["total"], answer["limit"], answer["offset"]) == (2, 12, 5, 10)
    everything = await shop.log()
    assert [row["created_at"] for row in everything] == sorted((row["created_at"] for row in everything), reverse=True)
    filtered = (await shop.api.get("/api/v1/webhooks", params={"event": "payment.success"})).json()
    assert (filtered["total"], {row["event"] for row in filtered["data"]}) == (4, {"payment.success"})
    assert (await shop.api.get("/api/v1/webhooks", params={"status": "failed"})).json()["total"] == 0
    # The same after the changes have been folded into totals.
    database = await Database.connect(sandbox.database_url("webhooks"))
    await counts.fold(database)
    await database.close()
    assert (await shop.api.get("/api/v1/webhooks", params={"limit": 1})).json()["total"] == 12
    for query in ({"limit": 0}, {"limit": 101}, {"offset": -1}, {"status": "lost"}):
        assert (await shop.api.get("/api/v1/webhooks", params=query)).status_code == 400


async def test_events_can_be_pulled(shop: Shop, server: MerchantServer) -> None:
    ids = await _delivered(shop, server, *["payment.success"] * 5, "payment.failed")
    first = (await shop.api.get("/api/v1/events", params={"limit": 4})).json()
    assert [event["id"] for event in first["data"]] == ids[:1:-1]
    assert first["has_more"] is True
    rest = (await shop.api.get("/api/v1/events", params={"limit": 4, "starting_after": first["next_cursor"]})).json()
    assert [event["id"] for event in rest["data"]] == [ids[1], ids[0]]
    assert rest["has_more"] is False
    failed = (await shop.api.get("/api/v1/events", params={"event": "payment.failed"})).json()["data"]
    assert [event["id"] for event in failed] == [ids[5]]
    one = (await shop.api.get(f"/api/v1/events/{ids[0]}")).json()
    assert one["data"]["payment"]["amount"] == 50_000
    assert one["deliveries"][0]["status"] == "success"
    late = {"created_gte": to_iso(CLOCK.now() + timedelta(hours=1))}
    assert (await shop.api.get("/api/v1/events", params=late)).json()["data"] == []
    assert (await shop.api.get("/api/v1/events/evt_0000000000000000")).status_code == 404


async def test_a_replay_counts_sends_and_reports(shop: Shop, server: MerchantServer) -> None:
    since = to_iso(CLOCK.now())
    ids = await _delivered(shop, server, *["payment.success"] * 6, "payment.failed")
    old = {hit.event["id"]: hit for hit in server.hits}
    server.hits.clear()
    wanted = {"since": since, "event": "payment.success"}
    dry = await shop.api.post("/api/v1/webhooks/replay", json={**wanted, "dry_run": True})
    assert (dry.status_code, dry.json()["total"]) == (200, 6)
    await asyncio.sleep(1.1)  # so that the signature's time, in whole seconds, differs
    assert server.hits == []
    started = await shop.api.post("/api/v1/webhooks/replay", json={**wanted, "rate": 4})
    assert (started.status_code, started.json()["total"], started.json()["status"]) == (202, 6, "running")
    path = f"/api/v1/webhooks/replays/{started.json()['id']}"

    async def completed() -> bool:
        return bool((await shop.api.get(path)).json()["status"] == "completed")

    await wait_until(completed)
    await wait_until(lambda: len(server.hits) == 6)
    assert (await shop.api.get(path)).json()["queued"] == 6
    assert {hit.event["id"] for hit in server.hits} == set(ids[:6])
    for hit in server.hits:
        before = old[hit.event["id"]]
        assert hit.body == before.body
        assert hit.headers["webhook-timestamp"] != before.headers["webhook-timestamp"]
    assert len((await shop.api.get("/api/v1/webhooks/replays")).json()["data"]) == 1


async def test_a_replay_can_be_paused_and_cancelled(shop: Shop, server: MerchantServer) -> None:
    since = to_iso(CLOCK.now())
    await _delivered(shop, server, *["payment.success"] * 6)
    server.hits.clear()
    started = (await shop.api.post("/api/v1/webhooks/replay", json={"since": since, "rate": 1})).json()
    path = f"/api/v1/webhooks/replays/{started['id']}"
    assert (await shop.api.post(f"{path}/pause")).json()["status"] == "paused"
    await asyncio.sleep(0.3)
    sent = len(server.hits)
    await asyncio.sleep(1.5)
    assert len(server.hits) == sent
    assert (await shop.api.post(f"{path}/resume")).json()["status"] == "running"
    await wait_until(lambda: len(server.hits) > sent)
    assert (await shop.api.post(f"{path}/cancel")).json()["status"] == "cancelled"
    assert (await shop.api.post(f"{path}/resume")).status_code == 400
    assert (await shop.api.post("/api/v1/webhooks/replays/nonsense/pause")).status_code == 404
    backwards = {"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
    assert (await shop.api.post("/api/v1/webhooks/replay", json=backwards)).status_code == 400


async def test_the_timeline_names_every_attempt(shop: Shop, server: MerchantServer, sandbox: Sandbox) -> None:
    await shop.configure(f"{server.url}/hooks")
    payment_id = new_payment_id()
    await shop.emit("payment.created", payment_id=payment_id, sequence=1)
    await shop.emit("payment.success", payment_id=payment_id, sequence=3)
    await wait_until(lambda: len(server.hits) == 2)
    secret = settings_of(sandbox).internal_token_secret.get_secret_value()
    headers = InternalTokens(secret, "payments-api", CLOCK).headers("webhooks")
    path = f"/internal/v1/payments/{payment_id}/timeline"
    query = {"merchant_id": str(shop.merchant_id)}

    async def both() -> bool:
        answer = await shop.api.get(path, params=query, headers=headers)
        return bool(len(answer.json()["entries"]) == 2)

    await wait_until(both)
    entries = (await shop.api.get(path, params=query, headers=headers)).json()["entries"]
    assert {entry["type"] for entry in entries} == {"webhook.attempted"}
    assert {entry["data"]["event"] for entry in entries} == {"payment.created", "payment.success"}
    assert {entry["request_id"] for entry in entries} == {"req-1"}
    foreign = InternalTokens(secret, "payments-api", CLOCK).headers("refunds")
    assert (await shop.api.get(path, params=query, headers=foreign)).status_code == 401


async def test_old_partitions_are_dropped_and_lists_stay_quick(
    shop: Shop, sandbox: Sandbox, database: asyncpg.Connection[Any]
) -> None:
    await _insert_history(database, shop, 100_000)
    await database.execute("ANALYZE deliveries")
    queries: list[dict[str, Any]] = [
        {},
        {"status": "failed"},
        {"event": "webhook.test"},
        {"status": "success", "offset": 5000},
    ]
    for query in queries:
        started = time.perf_counter()
        answer = await shop.api.get("/api/v1/webhooks", params={"limit": 100, **query})
        assert answer.status_code == 200
        assert time.perf_counter() - started < 0.5, query
    assert (await shop.api.get("/api/v1/webhooks")).json()["total"] == 100_000
    pool = await Database.connect(sandbox.database_url("webhooks"))
    await counts.fold(pool)
    later = CLOCK.now() + timedelta(days=40)

    class Later:
        def now(self) -> Any:
            return later

    await housekeeping.keep_house(pool, Later(), 30, timedelta(hours=72))
    await pool.close()
    assert await database.fetchval("SELECT count(*) FROM deliveries WHERE merchant_id = $1", shop.merchant_id) == 0
    assert (await shop.api.get("/api/v1/webhooks")).json()["total"] == 0


async def _insert_history(database: asyncpg.Connection[Any], shop: Shop, count: int) -> None:
    """Rows as years of traffic would leave them: mostly successes, one failure in a thousand."""
    await database.execute(
        """
        INSERT INTO deliveries (merchant_id, created_at, id, event_id, endpoint_id, event_type, status, reason,
                                round_started_at, attempts)
        SELECT $1, $2::timestamptz - make_interval(secs => n::float8 / 10), gen_random_uuid(), 'evt_' || n, 'we_history',
               'payment.success', CASE WHEN n % 1000 = 0 THEN 'failed' ELSE 'success' END, NULL, $2, 1
        FROM generate_series(1, $3::int) AS n
        """,
        shop.merchant_id,
        CLOCK.now(),
        count,
    )
