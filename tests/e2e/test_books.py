"""The auditor of the load tests: it finds a run in order, and finds what is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from loadtests.audit import Balance, Evidence, balance
from loadtests.measuring import Measurement, Plan

from gateway_local.stack import Stack


def wrong(found: Balance) -> set[str]:
    return {check.name for check in found.checks if not check.holds}


def test_books_of_a_short_load_balance_and_a_doctored_one_is_found_out(stack: Stack) -> None:
    plan = Plan(seconds=3, connections=4, per_second=20, events=None)
    run = Measurement(stack.installation, stack.status(), plan, lambda _: None)
    report = asyncio.run(run.run())
    assert report.accepted == 60
    assert report.balance is not None
    # Another test's merchant may have left parked messages or a full outbox behind; this run's own books are meant.
    assert wrong(report.balance) <= {"no parked message", "no message waits in an outbox"}
    assert run.evidence is not None
    doctored: dict[str, Evidence] = {
        "every payment answered with 201 is there": replace(run.evidence, accepted=frozenset({"pay_that_is_not"})),
        "every event arrived at the sink": replace(run.evidence, deliveries=run.evidence.deliveries[1:]),
        "none arrived twice": replace(run.evidence, deliveries=[*run.evidence.deliveries, run.evidence.deliveries[0]]),
        "every signature was right": replace(
            run.evidence, deliveries=[one | {"is_genuine": False} for one in run.evidence.deliveries]
        ),
    }
    for name, evidence in doctored.items():
        assert name in wrong(asyncio.run(balance(stack.status(), run.merchant_id, evidence)))
