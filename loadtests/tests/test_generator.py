"""The generator measures what it says: due times, percentiles, requests over real sockets, the sink's record."""

from __future__ import annotations

import asyncio
import gc
import hmac
import json
import time
from pathlib import Path

from loadtests.arrivals import Schedule, in_open_model
from loadtests.connection import connect, content_length
from loadtests.latency import leave_full_collections_out, summarise
from loadtests.shop import Merchant
from loadtests.sink import Sink

SECRET = "whsec_of_the_test"
MERCHANT = Merchant("127.0.0.1", 1, "merchant", "key", "secret")


def test_percentiles_are_values_that_were_measured() -> None:
    found = summarise([number / 1000 for number in range(1, 101)])
    assert (found.p50, found.p95, found.p99, found.worst) == (50, 95, 99, 100)
    assert summarise([]).count == 0


def test_content_length_is_found_whatever_its_case_and_place() -> None:
    assert content_length(b"HTTP/1.1 200 OK\r\nCONTENT-length: 17\r\nX: y") == 17
    assert content_length(b"HTTP/1.1 204 No Content\r\nX: y") == 0


async def test_a_stall_counts_for_every_request_that_was_due_in_it() -> None:
    latencies: list[float] = []
    stalled_until = time.perf_counter() + 0.4

    async def answer(due: float) -> None:
        await asyncio.sleep(max(0.0, stalled_until - time.perf_counter()))
        latencies.append(time.perf_counter() - due)

    await in_open_model(Schedule(100, 0.5), answer)
    assert len(latencies) == 50
    assert sum(one > 0.1 for one in latencies) >= 20


async def test_the_sink_keeps_what_came_and_tells_a_forged_signature(tmp_path: Path) -> None:
    sink = Sink(SECRET)
    await sink.start()
    connection = await connect("127.0.0.1", sink.port)
    body = b'{"event":"payment.success","data":{"payment":{"id":"pay_1"}},"id":"evt_1"}'
    for signature in (hmac.new(SECRET.encode(), body, "sha256").hexdigest(), "0" * 64):
        head = (
            f"POST / HTTP/1.1\r\nContent-Length: {len(body)}\r\nX-Webhook-Id: evt_1\r\nX-Webhook-Attempt: 1\r\n"
            f"X-Webhook-Event: payment.success\r\nX-Webhook-Signature: {signature}\r\n\r\n"
        )
        # In two pieces: a head and its body need not arrive together.
        answer = connection.send(head.encode())
        await asyncio.sleep(0.01)
        connection._transport.write(body)  # type: ignore[union-attr]
        assert (await answer).status == 200
    assert [one.is_genuine for one in sink.received] == [True, False]
    sink.append_record(tmp_path / "record")
    sink.append_record(tmp_path / "record")
    lines = [json.loads(line) for line in (tmp_path / "record").read_text().splitlines()]
    assert [line["object_id"] for line in lines] == ["pay_1", "pay_1"]
    connection.close()
    await sink.stop()


async def test_a_lost_connection_is_an_answer_without_status() -> None:
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    connection = await connect("127.0.0.1", server.sockets[0].getsockname()[1])
    answer = connection.send(MERCHANT.request("GET", "/orders"))
    connection.close()
    assert (await answer).status == 0
    server.close()


def test_measuring_is_not_held_up_by_full_collections() -> None:
    thresholds = gc.get_threshold()
    try:
        leave_full_collections_out()
        before = gc.get_stats()[2]["collections"]
        kept = [{"n": number} for number in range(300_000)]
        assert gc.get_stats()[2]["collections"] == before
        assert gc.get_stats()[0]["collections"] > 0
        assert len(kept) == 300_000
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
