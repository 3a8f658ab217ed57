"""Spans carry the ids that were handed on, from an HTTP request through the broker to what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import APIRouter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway_common import context, tracing
from gateway_common.broker.batches import Outgoing
from gateway_common.broker.consumer import Consumer
from gateway_common.broker.delivery import Delivery
from gateway_common.broker.publisher import Publisher
from gateway_common.broker.topology import WEBHOOKS_DELIVER, Exchange
from gateway_common.clock import SystemClock
from gateway_common.ids import new_event_id
from gateway_common.web.application import create_app
from gateway_common.web.health import Readiness
from gateway_local.sandbox import Sandbox

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    made = InMemorySpanExporter()
    tracing.install("test", None, made)
    yield made
    tracing.stop()


def told(exporter: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    tracing.stop()  # sends what is left
    return exporter.get_finished_spans()


def ids(span: ReadableSpan) -> tuple[str, str, str]:
    assert span.context is not None
    parent = "" if span.parent is None else f"{span.parent.span_id:016x}"
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}", parent


async def test_a_request_is_a_span_of_its_callers_trace_under_the_id_it_hands_on(
    exporter: InMemorySpanExporter,
) -> None:
    handed_on = ""
    router = APIRouter()

    @router.get("/things/{number}")
    async def thing(number: int) -> int:
        nonlocal handed_on
        handed_on = context.traceparent.get()
        return number

    app = create_app(service="test", readiness=Readiness(), routers=[router])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        await client.get("/things/1", headers={"traceparent": CALLER})
        await client.get("/livez")
    (span,) = told(exporter)
    assert span.name == "GET /things/{number}"
    assert ids(span) == (CALLER[3:35], handed_on[36:52], CALLER[36:52])


async def test_a_message_is_a_span_below_whoever_wrote_it_and_is_known_while_it_is_worked(
    sandbox: Sandbox, exporter: InMemorySpanExporter
) -> None:
    recalled: list[str] = []

    async def handler(batch: Sequence[Delivery]) -> None:
        recalled.extend(tracing.recall(delivery.message_id) for delivery in batch)

    @asynccontextmanager
    async def parking():  # type: ignore[no-untyped-def]
        made = Publisher(sandbox.broker_url("webhooks"), Exchange.WEBHOOKS, "test")
        yield made
        await made.close()

    async with parking() as publisher:
        consumer = Consumer(sandbox.broker_url("webhooks"), WEBHOOKS_DELIVER, handler, name="test", parking=publisher)
        running = asyncio.create_task(consumer.run())
        message_id, now = new_event_id(), SystemClock().now()
        await publisher.publish(Outgoing("deliver", b"{}", message_id, now, {"traceparent": CALLER}))
        async with asyncio.timeout(10):
            while not recalled:
                await asyncio.sleep(0.02)
        consumer.stop()
        await running
    (span,) = told(exporter)
    assert span.name == "webhooks.deliver deliver"
    assert ids(span) == (CALLER[3:35], recalled[0][36:52], CALLER[36:52])


def test_off_nothing_is_made_or_kept() -> None:
    tracing.install("test", None)
    assert not tracing.is_on()
    tracing.remember("evt_1", CALLER)
    assert tracing.recall("evt_1") == ""
    tracing.record("x", "client", seconds=1, span=CALLER)
