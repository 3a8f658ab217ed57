"""Every exchange, queue and binding of the system, in one place.

The broker's boot definitions are generated from this (`definitions.py`), so that even an emptied broker has every
queue before anyone publishes; services only check passively. Changing an argument of a queue means a new queue name:
RabbitMQ refuses to re-declare with other arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# Messages that a crashed worker had prefetched count as delivered once; 20 leaves room for crashes and still stops a poison message.
DELIVERY_LIMIT = 20
PARKED_LENGTH_LIMIT = 100_000
QUEUE_LENGTH_LIMIT = 5_000_000


class Exchange(StrEnum):
    """One durable topic exchange per owning service; the routing key is the event type."""

    PAYMENTS = "payments"
    PROCESSOR = "processor"
    REFUNDS = "refunds"
    WEBHOOKS = "webhooks"


class Kind(StrEnum):
    WORK = "work"
    DELAY = "delay"
    PARKED = "parked"
    MARKER = "marker"


@dataclass(frozen=True, slots=True)
class Binding:
    exchange: Exchange
    routing_key: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A quorum queue. `owner` is the exchange of the consuming service, where its parked and delayed messages come back to."""

    name: str
    owner: Exchange
    kind: Kind
    bindings: tuple[Binding, ...] = ()
    delay_seconds: int = 0
    dead_letter_key: str = ""

    @property
    def parked_name(self) -> str:
        return f"{self.name}.parked"

    @property
    def arguments(self) -> dict[str, str | int]:
        """At-least-once dead-lettering needs a quorum queue, `reject-publish` and a target that exists (BROKER.md)."""
        if self.kind is Kind.WORK:
            return {
                "x-queue-type": "quorum",
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-max-length": QUEUE_LENGTH_LIMIT,
                "x-overflow": "reject-publish",
                "x-dead-letter-exchange": self.owner.value,
                "x-dead-letter-routing-key": f"parked.{self.name}",
                "x-dead-letter-strategy": "at-least-once",
            }
        if self.kind is Kind.DELAY:
            return {
                "x-queue-type": "quorum",
                "x-message-ttl": self.delay_seconds * 1000,
                "x-max-length": QUEUE_LENGTH_LIMIT,
                "x-overflow": "reject-publish",
                "x-dead-letter-exchange": self.owner.value,
                "x-dead-letter-routing-key": self.dead_letter_key,
                "x-dead-letter-strategy": "at-least-once",
            }
        if self.kind is Kind.PARKED:
            return {"x-queue-type": "quorum", "x-max-length": PARKED_LENGTH_LIMIT, "x-overflow": "reject-publish"}
        return {"x-queue-type": "quorum", "x-max-length": 10, "x-overflow": "drop-head"}


def _work(name: str, owner: Exchange, *bindings: tuple[Exchange, str]) -> tuple[Queue, Queue]:
    queue = Queue(name, owner, Kind.WORK, tuple(Binding(exchange, key) for exchange, key in bindings))
    parked = Queue(queue.parked_name, owner, Kind.PARKED, (Binding(owner, f"parked.{name}"),))
    return queue, parked


def _marker(owner: Exchange) -> Queue:
    return Queue(f"{owner.value}.marker", owner, Kind.MARKER, (Binding(owner, f"marker.{owner.value}"),))


# Delay levels of the webhook retry schedule (EVENTS.md): the default one, the test one, the extended one, and a
# short one for what is over an endpoint's concurrency cap.
WEBHOOK_DELAY_SECONDS = (2, 5, 10, 15, 20, 60, 300, 1800, 7200, 21600, 43200, 86400)
DELIVER_KEY = "deliver"


def webhook_delay_key(seconds: int) -> str:
    """Routing key on the exchange `webhooks` of the delay queue of that many seconds."""
    return f"retry.{seconds}s"


def _webhook_delay(seconds: int) -> Queue:
    return Queue(
        f"webhooks.retry.{seconds}s",
        Exchange.WEBHOOKS,
        Kind.DELAY,
        (Binding(Exchange.WEBHOOKS, webhook_delay_key(seconds)),),
        delay_seconds=seconds,
        dead_letter_key=DELIVER_KEY,
    )


PROCESSOR_CHARGES, _PROCESSOR_CHARGES_PARKED = _work(
    "processor.charges", Exchange.PROCESSOR, (Exchange.PAYMENTS, "payment.created")
)
PROCESSOR_REFUNDS, _PROCESSOR_REFUNDS_PARKED = _work(
    "processor.refunds", Exchange.PROCESSOR, (Exchange.REFUNDS, "refund.requested")
)
PAYMENTS_RESULTS, _PAYMENTS_RESULTS_PARKED = _work(
    "payments.results",
    Exchange.PAYMENTS,
    (Exchange.PROCESSOR, "charge.succeeded"),
    (Exchange.PROCESSOR, "charge.failed"),
)
PAYMENTS_REFUNDS, _PAYMENTS_REFUNDS_PARKED = _work(
    "payments.refunds",
    Exchange.PAYMENTS,
    (Exchange.REFUNDS, "refund.created"),
    (Exchange.REFUNDS, "refund.processed"),
    (Exchange.REFUNDS, "refund.failed"),
)
REFUNDS_PAYMENTS, _REFUNDS_PAYMENTS_PARKED = _work(
    "refunds.payments",
    Exchange.REFUNDS,
    (Exchange.PAYMENTS, "payment.success"),
    (Exchange.PAYMENTS, "payment.captured"),
    (Exchange.PAYMENTS, "payment.cancelled"),
)
REFUNDS_RESULTS, _REFUNDS_RESULTS_PARKED = _work(
    "refunds.results",
    Exchange.REFUNDS,
    (Exchange.PROCESSOR, "refund.executed"),
    (Exchange.PROCESSOR, "refund.declined"),
)
WEBHOOKS_PLAN, _WEBHOOKS_PLAN_PARKED = _work(
    "webhooks.plan",
    Exchange.WEBHOOKS,
    (Exchange.PAYMENTS, "payment.*"),
    (Exchange.REFUNDS, "refund.created"),
    (Exchange.REFUNDS, "refund.processed"),
    (Exchange.REFUNDS, "refund.failed"),
)
WEBHOOKS_DELIVER, _WEBHOOKS_DELIVER_PARKED = _work(
    "webhooks.deliver", Exchange.WEBHOOKS, (Exchange.WEBHOOKS, DELIVER_KEY)
)

WORK_QUEUES = (
    PROCESSOR_CHARGES,
    PROCESSOR_REFUNDS,
    PAYMENTS_RESULTS,
    PAYMENTS_REFUNDS,
    REFUNDS_PAYMENTS,
    REFUNDS_RESULTS,
    WEBHOOKS_PLAN,
    WEBHOOKS_DELIVER,
)
PARKED_QUEUES = (
    _PROCESSOR_CHARGES_PARKED,
    _PROCESSOR_REFUNDS_PARKED,
    _PAYMENTS_RESULTS_PARKED,
    _PAYMENTS_REFUNDS_PARKED,
    _REFUNDS_PAYMENTS_PARKED,
    _REFUNDS_RESULTS_PARKED,
    _WEBHOOKS_PLAN_PARKED,
    _WEBHOOKS_DELIVER_PARKED,
)
DELAY_QUEUES = tuple(_webhook_delay(seconds) for seconds in WEBHOOK_DELAY_SECONDS)
MARKER_QUEUES = {exchange: _marker(exchange) for exchange in Exchange}
ALL_QUEUES = (*WORK_QUEUES, *PARKED_QUEUES, *DELAY_QUEUES, *MARKER_QUEUES.values())
