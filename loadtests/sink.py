"""A webhook sink that can take thousands a second: verifies the signature, keeps a line per webhook, answers 200.

    python -m loadtests.sink --port 8091 --secret whsec_… --record deliveries.jsonl

The load generator runs one inside its own process, so that "delivered" and "due" are told by one clock. Its record,
not the gateway's, is what the auditor believes.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import orjson
import uvloop

from loadtests.connection import content_length

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Received:
    """One webhook as it arrived. `object_id` is the payment's or the refund's; `at` is Unix seconds."""

    event_id: str
    event: str
    object_id: str
    attempt: int
    is_genuine: bool
    at: float


class Sink:
    """`arrived` is called with each webhook, as soon as it is here."""

    def __init__(self, secret: str, arrived: Callable[[Received], None] | None = None) -> None:
        self.received: list[Received] = []
        self._secret = secret.encode()
        self._arrived = arrived
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()
        self._written = 0

    def use_secret(self, secret: str) -> None:
        """The endpoint's secret is known only after its address, which is known only after `start`."""
        self._secret = secret.encode()

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, port: int = 0) -> None:
        """Listens on loopback; port 0 takes a free one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Exchange(self._take, self._connections), "127.0.0.1", port, backlog=1024
        )

    async def stop(self) -> None:
        """Stops listening and ends the senders' connections, which they would keep open otherwise."""
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0)  # one that was just accepted gets its transport, so that it can be closed
        for transport in list(self._connections):
            transport.abort()
        while self._connections:
            await asyncio.sleep(0.01)

    def append_record(self, path: Path) -> None:
        """One JSON line per webhook that came since the last call, for the auditor."""
        fresh = self.received[self._written :]
        self._written += len(fresh)
        with path.open("ab") as file:
            file.writelines(orjson.dumps(asdict(one)) + b"\n" for one in fresh)

    def _take(self, headers: dict[bytes, bytes], body: bytes) -> None:
        signature = headers.get(b"x-webhook-signature", b"").decode("latin-1")
        data = orjson.loads(body).get("data", {})
        one = Received(
            headers.get(b"x-webhook-id", b"").decode("latin-1"),
            headers.get(b"x-webhook-event", b"").decode("latin-1"),
            str((data.get("refund") or data.get("payment") or {}).get("id", "")),
            int(headers.get(b"x-webhook-attempt", b"0")),
            hmac.compare_digest(hmac.new(self._secret, body, "sha256").hexdigest(), signature),
            time.time(),
        )
        self.received.append(one)
        if self._arrived is not None:
            self._arrived(one)


class _Exchange(asyncio.Protocol):
    """One connection of a sender; requests come one after the other."""

    def __init__(self, take: Callable[[dict[bytes, bytes], bytes], None], connections: set[asyncio.Transport]) -> None:
        self._take = take
        self._connections = connections
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has no such base
        self._connections.add(self._transport)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._transport is not None:
            self._connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end])
            after = end + 4 + content_length(head)
            if len(self._buffer) < after:
                return
            self._take(_headers(head), bytes(self._buffer[end + 4 : after]))
            del self._buffer[:after]
            if self._transport is not None:
                self._transport.write(_OK)


def _headers(head: bytes) -> dict[bytes, bytes]:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in pairs}


async def _serve(port: int, secret: str, record: Path) -> None:
    sink = Sink(secret)
    await sink.start(port)
    print(f"webhook sink on http://127.0.0.1:{sink.port}/, record in {record}; Ctrl-C ends it", flush=True)
    try:
        while True:
            await asyncio.sleep(1)
            sink.append_record(record)
    finally:
        sink.append_record(record)


def main() -> None:
    parser = argparse.ArgumentParser(description="A fast webhook sink that keeps a record.")
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--record", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.record.write_bytes(b"")
    try:
        uvloop.run(_serve(arguments.port, arguments.secret, arguments.record))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
