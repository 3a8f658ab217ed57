"""Which URLs may be a webhook's target, before any name is looked up (EVENTS.md, SSRF)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from yarl import URL

from webhooks.domain.addresses import read_address, refusal

MAX_URL_LENGTH = 2048
_AUTHORITY_END = re.compile(r"[/?#]")

# Databases, brokers, orchestrators: what speaks to anyone who reaches it. Ports under 1024 but 80 and 443 are refused too.
_OTHER_SERVICES = """
1433 1521 2049 2375 2376 2379 2380 3306 3389 4369 5432 5433 5671 5672 5900 5984 6379 6380 6443 6666 6667 7199 9042 9092
9160 9200 9300 10250 10255 11211 15672 25672 26257 27017 27018 27019 50070
"""
_REFUSED_PORTS = (frozenset(range(1024)) - {80, 443}) | {int(port) for port in _OTHER_SERVICES.split()}


class TargetRefusedError(Exception):
    """Nothing is sent there. The text says why, for a person, and names no address the merchant did not give."""


@dataclass(frozen=True, slots=True)
class TargetPolicy:
    """What the operator allows.

    Attributes:
        allow_private: loopback and private addresses too (`WEBHOOK_ALLOW_PRIVATE_TARGETS`).
        ports: the only ports allowed; empty for every port but those of well-known other services.
    """

    allow_private: bool
    ports: frozenset[int] = frozenset()

    def check_url(self, text: str) -> URL:
        """The URL that will be requested; the same object is given to the client, so both read it alike.

        Raises:
            TargetRefusedError: not http(s), user info, a refused port, or a refused address in any spelling.
        """
        if len(text) > MAX_URL_LENGTH:
            raise TargetRefusedError(f"the URL is longer than {MAX_URL_LENGTH} characters")
        if not text.isprintable() or any(character in text for character in ' \\"<>'):
            raise TargetRefusedError("the URL has characters that do not belong in one")
        try:
            url = URL(text)
            port = url.port
        except ValueError as error:
            raise TargetRefusedError("this is not a URL") from error
        if url.scheme not in ("http", "https"):
            raise TargetRefusedError("only http and https URLs are called")
        if not url.host or not url.raw_host:
            raise TargetRefusedError("the URL names no host")
        if "@" in _AUTHORITY_END.split(text.partition("//")[2], maxsplit=1)[0]:
            raise TargetRefusedError("the URL must not carry user info")
        if port is None or not self._is_port_allowed(port):
            raise TargetRefusedError(f"port {port} is not allowed")
        self._check_host(url.host)
        return url

    def check_addresses(self, addresses: Sequence[str]) -> None:
        """Every address a name was resolved to; one that is refused refuses the name.

        Raises:
            TargetRefusedError: there is none, or one is refused.
        """
        if not addresses:
            raise TargetRefusedError("the name has no address")
        for address in addresses:
            reason = refusal(ip_address(address.partition("%")[0]), allow_private=self.allow_private)
            if reason is not None:
                raise TargetRefusedError(f"the name leads to an address that is not allowed ({reason})")

    def _check_host(self, host: str) -> None:
        if "%" in host:
            raise TargetRefusedError("an address with a zone is not allowed (link-local)")
        address = read_address(host)
        if address is not None:
            reason = refusal(address, allow_private=self.allow_private)
            if reason is not None:
                raise TargetRefusedError(f"this address is not allowed ({reason})")

    def _is_port_allowed(self, port: int) -> bool:
        return port in self.ports if self.ports else port > 0 and port not in _REFUSED_PORTS
