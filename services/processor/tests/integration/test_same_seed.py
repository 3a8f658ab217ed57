"""The same seed gives the same outcomes in two fresh runs: other databases, another broker, another order of work."""

from __future__ import annotations

import aio_pika

from gateway_local.fixtures import MakeSandbox
from gateway_local.sandbox import Sandbox
from processor.bootstrap import build_app
from processor.settings import Settings

from .conftest import Sent, World, charge_of


async def outcomes(sandbox: Sandbox, seed: int, payments: list[Sent]) -> dict[str, tuple[str, str | None]]:
    """By payment, with the bank's own rates and delays of its own choice."""
    settings = sandbox.environment(
        "processor", TEST_MODE="false", BANK_SEED=str(seed), BANK_CHARGE_DELAY_SECONDS="[0.01, 0.3]"
    )
    known = {name.lower(): value for name, value in settings.items() if name.lower() in Settings.model_fields}
    connection = await aio_pika.connect(sandbox.broker_url("operator"))
    app = build_app(Settings.model_validate(known))
    async with connection, app.router.lifespan_context(app):
        world = World(sandbox, connection, await connection.channel(publisher_confirms=True))
        await world.listen()
        await world.publish(*payments)
        told = {sent.reference: await world.result_of(sent, 30) for sent in payments}
        await world.redis.aclose()
    return {payment: (event_type, result.get("reason")) for payment, (event_type, result) in told.items()}


async def test_the_same_seed_gives_the_same_outcomes_in_two_fresh_runs(make_sandbox: MakeSandbox) -> None:
    payments = [charge_of() for _ in range(200)]
    first = await outcomes(make_sandbox("processor"), 7, payments)
    again = await outcomes(make_sandbox("processor"), 7, payments[::-1])
    other = await outcomes(make_sandbox("processor"), 8, payments)
    assert first == again
    assert first != other
    assert {event_type for event_type, _ in first.values()} == {"charge.succeeded", "charge.failed"}
