"""A merchant's server that pays and pays: prepared requests over a pool of kept connections, and what came of them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from loadtests.connection import NO_ANSWER, Answer, Connection, connect

ORDERS = 500
# As a merchant's server would have it: what is due while all are busy waits, and its waiting is counted.
MOST_CONNECTIONS = 256
AMOUNT = 50_000
_ACCEPTED = 201


@dataclass(frozen=True, slots=True)
class Merchant:
    """Where the gateway is, and whose keys are used."""

    host: str
    port: int
    id: str
    api_key: str
    api_secret: str

    def request(self, method: str, path: str, body: object = None, idempotency_key: str = "") -> bytes:
        """A whole HTTP request to the public API; `path` is below `/api/v1`."""
        payload = b"" if body is None else orjson.dumps(body)
        lines = [
            f"{method} /api/v1{path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            f"X-Api-Key: {self.api_key}",
            f"X-Api-Secret: {self.api_secret}",
            "Content-Type: application/json",
            f"Content-Length: {len(payload)}",
        ]
        if idempotency_key:
            lines.append(f"Idempotency-Key: {idempotency_key}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


@dataclass(slots=True)
class Accepted:
    """One payment: when its request was due and when its 201 was here (seconds of `time.time`)."""

    due: float
    answered: float


@dataclass(slots=True)
class Outcome:
    """What a run made: accepted payments by id, latencies in seconds, and refusals by kind."""

    accepted: dict[str, Accepted] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


class Shop:
    """Sends payments, each with a key of its own. Every request that gets no 201 is counted as refused."""

    def __init__(self, merchant: Merchant, *, vpa: str = "success@upi") -> None:
        self.outcome = Outcome()
        self._merchant = merchant
        self._vpa = vpa
        self._idle: list[Connection] = []
        self._free = asyncio.Semaphore(MOST_CONNECTIONS)
        self._prepared: list[tuple[bytes, bytes]] = []
        self._sent = 0
        self._run = secrets.token_hex(6)

    async def open(self, connections: int, orders: int = ORDERS) -> None:
        """Registers the orders to be paid, and connects."""
        self._idle = list(
            await asyncio.gather(*(connect(self._merchant.host, self._merchant.port) for _ in range(connections)))
        )
        for _ in range(0, orders, connections):
            made = await asyncio.gather(*(self._register_order() for _ in range(connections)))
            self._prepare(made)

    def _prepare(self, order_ids: Sequence[str]) -> None:
        for order_id in order_ids:
            body = {"order_id": order_id, "method": "upi", "vpa": self._vpa}
            head, _, rest = self._merchant.request("POST", "/payments", body, "\0").partition(b"\0")
            self._prepared.append((head, rest))

    async def pay(self, due: float) -> None:
        """One payment; `due` is on the clock of `time.perf_counter`."""
        number, self._sent = self._sent, self._sent + 1
        head, rest = self._prepared[number % len(self._prepared)]
        answer = await self.call(b"%s%s-%d%s" % (head, self._run.encode(), number, rest))
        now = time.perf_counter()
        self.outcome.latencies.append(now - due)
        if answer.status != _ACCEPTED:
            self.outcome.refused[_kind(answer)] += 1
            return
        # The id comes first in our answers; reading all of the JSON would cost more than sending it.
        start = answer.body.index(b'"pay_') + 1
        payment_id = answer.body[start : answer.body.index(b'"', start)].decode()
        wall = time.time()
        self.outcome.accepted[payment_id] = Accepted(wall - (now - due), wall)

    async def call(self, request: bytes) -> Answer:
        async with self._free:
            connection = self._idle.pop() if self._idle else None
            if connection is None or not connection.is_open:
                try:
                    connection = await connect(self._merchant.host, self._merchant.port)
                except OSError:
                    return NO_ANSWER
            answer = await connection.send(request)
            if connection.is_open:
                self._idle.append(connection)
            return answer

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _register_order(self) -> str:
        body = {"amount": AMOUNT, "multiple_payments": True}
        answer = await self.call(self._merchant.request("POST", "/orders", body))
        if answer.status != _ACCEPTED:
            raise RuntimeError(f"POST /orders answered {answer.status}: {answer.body.decode(errors='replace')}")
        return str(orjson.loads(answer.body)["id"])


def _kind(answer: Answer) -> str:
    if answer.status == 0:
        return "no answer"
    try:
        error = orjson.loads(answer.body)["error"]
    except (ValueError, KeyError, TypeError):
        return str(answer.status)
    return f"{answer.status} {error.get('reason') or error.get('code')}"


def percent_refused(outcome: Outcome) -> float:
    refused = sum(outcome.refused.values())
    return 100 * refused / max(1, refused + len(outcome.accepted))


def describe_refusals(refused: Counter[str]) -> str:
    """For a person: `none`, or each kind with its count."""
    return ", ".join(f"{count} x {kind}" for kind, count in refused.most_common()) or "none"


def ids(outcomes: Sequence[Outcome]) -> set[str]:
    return {payment_id for outcome in outcomes for payment_id in outcome.accepted}
