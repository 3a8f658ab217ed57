"""Ten rounds of a fixed seed on the whole gateway: something breaks under load, it heals, the books balance.

`./gateway faults --rounds 100` runs the hundred of docs/reliability.md.
"""

from __future__ import annotations

import asyncio

from gateway_local.faults import campaign, tables
from gateway_local.faults.kinds import KINDS, NEEDS_DISK
from gateway_local.faults.rounds import Plan, Report, Rounds
from gateway_local.stack import Stack

SEED = 8
ROUNDS = 10
# Less than the fifty of the hundred rounds: the rest of the tests run on the same two cores.
PER_SECOND = 20
# What any machine may do; full disks need the right to mount.
NAMES = [name for name in KINDS if name not in NEEDS_DISK]


def test_ten_rounds_balance(stack: Stack) -> None:
    reports = asyncio.run(ten_rounds(stack))
    assert [tables.line(report) for report in reports if not report.holds] == []
    assert len({report.kind for report in reports}) == ROUNDS


async def ten_rounds(stack: Stack) -> list[Report]:
    scene = await campaign.set_up(stack, NAMES)
    try:
        plan = Plan(SEED, range(1, ROUNDS + 1), PER_SECOND, NAMES)
        return await Rounds(scene, plan, lambda report: print(tables.line(report))).run()
    finally:
        await campaign.tear_down(scene)
