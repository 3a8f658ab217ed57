"""Balance the books after a run: what was promised to merchants against what really happened.

    ./gateway status --json | python -m loadtests.audit --merchant <id> [--deliveries FILE] [--accepted FILE]

Reads, as PostgreSQL's superuser and RabbitMQ's operator, what the services wrote each in its own schema; the bank's
book and the sink's record are witnesses that the services cannot write to. Nothing is changed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson

# Schemas whose outbox must be empty in the end.
OUTBOXES = ("payments", "processor", "refunds")
EXAMPLES = 5

_IS_SETTLED = """
SELECT NOT EXISTS (SELECT FROM payments.payments WHERE status = 'pending')
    AND NOT EXISTS (SELECT FROM payments.outbox WHERE sent_at IS NULL)
    AND NOT EXISTS (SELECT FROM processor.outbox WHERE sent_at IS NULL)
    AND NOT EXISTS (SELECT FROM webhooks.deliveries WHERE status = 'pending' AND next_retry_at <= now())
"""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the balance. It holds when `wrong` is 0; `examples` are ids to look at."""

    name: str
    checked: int
    wrong: int
    examples: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return self.wrong == 0

    def __str__(self) -> str:
        verdict = "ok  " if self.holds else "WRONG"
        tail = f", {self.wrong} wrong: {', '.join(self.examples)}" if self.wrong else ""
        return f"{verdict} {self.name} ({self.checked} checked{tail})"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the run itself saw: ids that were answered with 201, webhooks as they arrived (None: not recorded)."""

    accepted: frozenset[str] = frozenset()
    deliveries: Sequence[dict[str, Any]] | None = None
    events: frozenset[str] | None = None
    """Event types the sink's endpoint was subscribed to; None for all."""
    repeats_are_counted: bool = False
    """Delivery is at least once: where workers are killed on purpose, whoever asks counts repeats instead of refusing them."""


@dataclass(slots=True)
class Balance:
    checks: list[Check] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)

    def add(self, name: str, checked: int, wrong: Iterable[object]) -> None:
        found = [str(one) for one in wrong]
        self.checks.append(Check(name, checked, len(found), tuple(found[:EXAMPLES])))


async def balance(status: dict[str, Any], merchant_id: str, evidence: Evidence) -> Balance:
    """`status` is what `./gateway status --json` prints."""
    found = Balance()
    connection = await asyncpg.connect(status["addresses"]["database_url"]["postgres"])
    try:
        async with connection.transaction(readonly=True, isolation="repeatable_read"):
            merchant = UUID(merchant_id)
            await _payments(connection, merchant, evidence, found)
            await _refunds(connection, merchant, found)
            await _webhooks(connection, merchant, evidence, found)
            await _outboxes(connection, found)
    finally:
        await connection.close()
    parked = await asyncio.to_thread(queues, status)
    found.add("no parked message", len(parked), (name for name, n in parked.items() if name.endswith(".parked") and n))
    return found


async def _payments(connection: asyncpg.Connection, merchant: UUID, evidence: Evidence, found: Balance) -> None:
    rows = await connection.fetch("SELECT id, status FROM payments.payments WHERE merchant_id = $1", merchant)
    present = {row["id"] for row in rows}
    if evidence.accepted:
        found.add("every payment answered with 201 is there", len(evidence.accepted), evidence.accepted - present)
    found.add("every payment is terminal", len(rows), (row["id"] for row in rows if row["status"] == "pending"))
    unlike = await connection.fetch(
        """
        SELECT p.id FROM payments.payments p
        LEFT JOIN bank.operations b ON b.kind = 'charge' AND b.reference = p.id
        WHERE p.merchant_id = $1 AND (
            b.reference IS NULL OR b.amount <> p.amount OR b.currency <> p.currency
            OR (b.outcome = 'succeeded') <> (p.status IN ('success', 'cancelled')))
        """,
        merchant,
    )
    found.add("each was charged by the bank, as it says", len(rows), (row["id"] for row in unlike))
    twice = await connection.fetch(
        """
        SELECT payment_id FROM bank.operations WHERE merchant_id = $1 AND kind = 'charge'
        GROUP BY payment_id HAVING count(*) > 1
        """,
        merchant,
    )
    found.add("none was charged twice", len(rows), (row["payment_id"] for row in twice))
    unknown = await connection.fetch(
        """
        SELECT b.reference FROM bank.operations b WHERE b.merchant_id = $1 AND b.kind = 'charge'
        AND NOT EXISTS (SELECT FROM payments.payments p WHERE p.merchant_id = $1 AND p.id = b.payment_id)
        """,
        merchant,
    )
    found.add("the bank charged nothing that we do not know", len(rows), (row["reference"] for row in unknown))
    doubled = await connection.fetch(
        """
        SELECT order_id FROM payments.payments
        WHERE merchant_id = $1 AND is_exclusive AND status IN ('pending', 'success')
        GROUP BY order_id HAVING count(*) > 1
        """,
        merchant,
    )
    found.add("no order that takes one payment has two", len(rows), (row["order_id"] for row in doubled))


async def _refunds(connection: asyncpg.Connection, merchant: UUID, found: Balance) -> None:
    rows = await connection.fetch("SELECT id, status FROM refunds.refunds WHERE merchant_id = $1", merchant)
    found.add("every refund is processed or failed", len(rows), (r["id"] for r in rows if r["status"] == "pending"))
    unlike = await connection.fetch(
        """
        SELECT r.id FROM refunds.refunds r
        LEFT JOIN bank.operations b ON b.kind = 'refund' AND b.reference = r.id
        WHERE r.merchant_id = $1 AND r.status <> 'pending' AND (
            b.reference IS NULL OR b.amount <> r.amount OR (b.outcome = 'succeeded') <> (r.status = 'processed'))
        """,
        merchant,
    )
    found.add("each was paid back by the bank, as it says", len(rows), (row["id"] for row in unlike))
    over = await connection.fetch(
        """
        WITH given AS (
            SELECT payment_id, sum(amount) AS amount FROM bank.operations
            WHERE merchant_id = $1 AND kind = 'refund' AND outcome = 'succeeded' GROUP BY payment_id
        )
        SELECT p.id FROM payments.payments p LEFT JOIN given g ON g.payment_id = p.id
        WHERE p.merchant_id = $1 AND (coalesce(g.amount, 0) > p.amount OR coalesce(g.amount, 0) <> p.amount_refunded)
        """,
        merchant,
    )
    found.add("no more was refunded than paid, and the payment says how much", len(rows), (row["id"] for row in over))


async def _webhooks(connection: asyncpg.Connection, merchant: UUID, evidence: Evidence, found: Balance) -> None:
    events = await connection.fetch("SELECT id, type FROM webhooks.events WHERE merchant_id = $1", merchant)
    missing = await connection.fetch(
        """
        SELECT p.id FROM payments.payments p WHERE p.merchant_id = $1 AND p.status <> 'pending' AND NOT EXISTS (
            SELECT FROM webhooks.events e WHERE e.merchant_id = $1 AND e.payment_id = p.id
            AND e.type IN ('payment.success', 'payment.failed'))
        """,
        merchant,
    )
    found.add("every verdict became an event", len(events), (row["id"] for row in missing))
    if evidence.deliveries is None:
        return
    wanted = {row["id"] for row in events if evidence.events is None or row["type"] in evidence.events}
    arrived = Counter(one["event_id"] for one in evidence.deliveries)
    found.add("every event arrived at the sink", len(wanted), wanted - arrived.keys())
    if not evidence.repeats_are_counted:
        twice = (event_id for event_id, n in arrived.items() if n > 1)
        found.add("none arrived twice", len(arrived), twice)
    found.add("nothing arrived that is no event", len(arrived), arrived.keys() - {row["id"] for row in events})
    forged = (one["event_id"] for one in evidence.deliveries if not one["is_genuine"])
    found.add("every signature was right", len(evidence.deliveries), forged)


async def _outboxes(connection: asyncpg.Connection, found: Balance) -> None:
    waiting = [
        f"{schema}: {count}"
        for schema in OUTBOXES
        if (count := await connection.fetchval(f"SELECT count(*) FROM {schema}.outbox WHERE sent_at IS NULL"))
    ]
    found.add("no message waits in an outbox", len(OUTBOXES), waiting)


async def settled(status: dict[str, Any], patience_seconds: float = 180.0) -> bool:
    """Waits until no payment is pending, no message waits and no webhook is due; False when patience ran out."""
    connection = await asyncpg.connect(status["addresses"]["database_url"]["postgres"])
    try:
        deadline = asyncio.get_running_loop().time() + patience_seconds
        while asyncio.get_running_loop().time() < deadline:
            if await connection.fetchval(_IS_SETTLED):
                return True
            await asyncio.sleep(0.5)
        return False
    finally:
        await connection.close()


def queues(status: dict[str, Any]) -> dict[str, int]:
    """Messages per queue, ready and unacknowledged, as the broker's management counts them."""
    management = status["addresses"]["broker_management"]
    pair = base64.b64encode(f"{management['user']}:{management['password']}".encode()).decode()
    columns = "columns=name,messages&disable_stats=true&enable_queue_totals=true"
    request = urllib.request.Request(
        f"{management['url']}/api/queues?{columns}", headers={"Authorization": f"Basic {pair}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return {queue["name"]: queue.get("messages", 0) for queue in json.load(answer)}


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Balance the books of one merchant.")
    parser.add_argument("--merchant", required=True, help="the merchant's id")
    parser.add_argument("--deliveries", type=Path, help="the sink's record")
    parser.add_argument("--accepted", type=Path, help="a file with one payment id per line")
    parser.add_argument("--events", help="event types the sink is subscribed to, with commas; default all")
    arguments = parser.parse_args()
    evidence = Evidence(
        frozenset(arguments.accepted.read_text().split()) if arguments.accepted else frozenset(),
        read_lines(arguments.deliveries) if arguments.deliveries else None,
        frozenset(arguments.events.split(",")) if arguments.events else None,
    )
    done = asyncio.run(balance(json.load(sys.stdin), arguments.merchant, evidence))
    for check in done.checks:
        print(check)
    sys.exit(0 if done.holds else 1)


if __name__ == "__main__":
    main()
