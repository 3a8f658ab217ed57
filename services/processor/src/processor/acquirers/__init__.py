"""The port to whoever moves the money. `simulator` is one implementation; a real acquirer is another package here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from gateway_common.card import Card
from processor.domain.operations import Answer, Kind


class OutcomeUnknownError(Exception):
    """No answer came, or it was lost: the acquirer may or may not have moved the money. Inquire; never ask again."""


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """`reference` is the acquirer's idempotency key; `amount` in the smallest unit; either `vpa` or `card` is set.

    `attempt` numbers tries of the merchant's own making; a message that is delivered again is the same attempt.
    """

    reference: str
    merchant_id: UUID
    payment_id: str
    amount: int
    currency: str
    method: str
    vpa: str | None = None
    card: Card | None = field(default=None, repr=False)
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Give `amount` of a charged payment back. `reference` is the acquirer's idempotency key."""

    reference: str
    merchant_id: UUID
    payment_id: str
    amount: int
    currency: str


class Acquirer(Protocol):
    """Rules that an implementation keeps.

    - Asked twice with one reference, it moves money once and answers the same.
    - It gives up waiting by itself and then raises `OutcomeUnknownError`; a refusal to connect may be retried inside.
    - Waiting holds no database connection, lock or thread.
    """

    async def charge(self, request: ChargeRequest) -> Answer:
        """Raises `OutcomeUnknownError`."""
        ...

    async def refund(self, request: RefundRequest) -> Answer:
        """Raises `OutcomeUnknownError`."""
        ...

    async def inquire(self, kind: Kind, reference: str) -> Answer | None:
        """What became of a reference; None when the acquirer has no record of it.

        Raises:
            OutcomeUnknownError: it could not be asked, or has not decided yet.
        """
        ...

    async def abandon(self, request: ChargeRequest | RefundRequest, reason: str) -> Answer:
        """Make sure that a reference without a record never moves money from now on (a reversal by reference).

        Returns what became of it: declined with `reason`, or what had been decided before, so that a question still
        on its way and this one cannot both win.

        Raises:
            OutcomeUnknownError: it could not be asked.
        """
        ...
