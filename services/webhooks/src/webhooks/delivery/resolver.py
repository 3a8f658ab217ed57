"""Look a name up once and vet every address; the connection is then made to one of exactly those (EVENTS.md, SSRF)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from webhooks.delivery.timings import current_timings
from webhooks.domain.targets import TargetPolicy

# A name whose server is silent holds a thread for seconds; there must be enough for other names meanwhile.
_THREADS = 32

Lookup = Callable[[str], Sequence[str]]


def system_lookup(host: str) -> list[str]:
    """Every address of `host`, IPv4 and IPv6. Raises `OSError` when there is none."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class VettedResolver(AbstractResolver):
    """aiohttp's resolver interface. Raises `TargetRefusedError` when one of the addresses is refused."""

    def __init__(self, policy: TargetPolicy, lookup: Lookup = system_lookup) -> None:
        self._policy = policy
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_THREADS, "dns")
        self._under_way: dict[str, asyncio.Future[Sequence[str]]] = {}

    async def addresses(self, host: str) -> Sequence[str]:
        """The vetted addresses of `host`. Raises `OSError` for a name that has none, `TargetRefusedError` for a bad one."""
        found = await self._look_up_once(host)
        self._policy.check_addresses(found)
        return found

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        started = time.perf_counter()
        found = await self.addresses(host)
        current_timings.get().dns_ms = (time.perf_counter() - started) * 1000
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
            if family in (socket.AF_UNSPEC, socket.AF_INET6 if ":" in address else socket.AF_INET)
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _look_up_once(self, host: str) -> Sequence[str]:
        """Requests that want the same name at the same time share one look-up."""
        under_way = self._under_way.get(host)
        if under_way is None:
            under_way = asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host)
            self._under_way[host] = under_way
            under_way.add_done_callback(lambda done: self._forget(host, done))
        return await asyncio.shield(under_way)

    def _forget(self, host: str, done: asyncio.Future[Any]) -> None:
        self._under_way.pop(host, None)
        if not done.cancelled():
            done.exception()  # read here, so that a look-up whose request has timed out is not reported as unhandled
