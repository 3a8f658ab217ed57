"""The same seed gives the same outcomes in two fresh runs: other databases, another broker, another order of work."""

from __future__ import annotations

from typing import Any

import aio_pika
import pytest

from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox
from processor.bootstrap import build_app
from processor.settings import Settings

from .conftest import Sent, World, charge_of


async def outcomes(sandbox: Sandbox, seed: int, payments: list[Sent]) -> dict[str, tuple[str, str | None]]:
    """By payment, with the bank's own rates and delays of its own choice."""
    environment = sandbox.environment("processor", TEST_MODE="false", BANK_SEED=str(seed))
    known: dict[str, Any] = {
        name.lower(): value for name, value in environment.items() if name.lower() in Settings.model_fields
    }
    settings = Settings.model_validate(known | {"bank_charge_delay_seconds": (0.01, 0.3)})
    connection = await aio_pika.connect(sandbox.broker_url("operator"))
    app = build_app(settings)
    async with connection, app.router.lifespan_context(app):
        world = World(sandbox, connection, await connection.channel(publisher_confirms=True))
        await world.listen()
        await world.publish(*payments)
        told = {sent.reference: await world.result_of(sent, 30) for sent in payments}
        await world.redis.aclose()
    return {payment: (event_type, result.get("reason")) for payment, (event_type, result) in told.items()}


@pytest.fixture
def fresh(make_sandbox: MakeSandbox) -> list[Sandbox]:
    return [make_sandbox("processor") for _ in range(3)]


async def test_the_same_seed_gives_the_same_outcomes_in_two_fresh_runs(fresh: list[Sandbox]) -> None:
    payments = [charge_of() for _ in range(200)]
    first = await outcomes(fresh[0], 7, payments)
    again = await outcomes(fresh[1], 7, payments[::-1])
    other = await outcomes(fresh[2], 8, payments)
    assert first == again
    assert first != other
    assert {event_type for event_type, _ in first.values()} == {"charge.succeeded", "charge.failed"}
