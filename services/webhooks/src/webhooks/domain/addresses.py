"""Which addresses a webhook may be sent to: two tiers of refusal (EVENTS.md, SSRF).

`never` holds everywhere: metadata services, link-local, multicast, reserved, unspecified, documentation.
`private` is loopback and private networks, refused unless the operator allows private targets.
An IPv6 address that carries an IPv4 one (mapped, compatible, NAT64, 6to4, ISATAP) is judged by what it carries.
Ranges: IANA special-purpose registries for IPv4 and IPv6; metadata addresses of the clouds' own documentation.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address


def _networks(table: dict[str, str]) -> tuple[tuple[IPv4Network | IPv6Network, str], ...]:
    return tuple((ip_network(network), reason) for network, reason in table.items())


_NEVER_V4 = _networks(
    {
        "169.254.0.0/16": "link-local or metadata",
        "100.100.100.200/32": "metadata",  # Alibaba Cloud
        "168.63.129.16/32": "metadata",  # Azure
        "0.0.0.0/8": "unspecified",
        "192.0.0.0/24": "reserved",  # holds Oracle Cloud's metadata address, 192.0.0.192
        "192.0.2.0/24": "documentation",
        "198.51.100.0/24": "documentation",
        "203.0.113.0/24": "documentation",
        "192.88.99.0/24": "reserved",
        "198.18.0.0/15": "benchmarking",
        "224.0.0.0/4": "multicast",
        "240.0.0.0/4": "reserved",
    }
)
_PRIVATE_V4 = _networks(
    {
        "127.0.0.0/8": "loopback",
        "10.0.0.0/8": "private",
        "172.16.0.0/12": "private",
        "192.168.0.0/16": "private",
        "100.64.0.0/10": "private",  # shared address space of carriers
    }
)
_NEVER_V6 = _networks(
    {
        "fd00:ec2::/32": "metadata",  # Amazon, fd00:ec2::254
        "fd20:ce::/32": "metadata",  # Google Cloud, fd20:ce::254
        "fd00:c1::a9fe:a9fe/128": "metadata",  # Oracle Cloud
        "fe80::/10": "link-local",
        "fec0::/10": "reserved",  # site-local, deprecated
        "ff00::/8": "multicast",
        "64:ff9b:1::/48": "reserved",  # local NAT64: where it ends is for its network to say
        "2001::/23": "reserved",  # protocol assignments, Teredo among them
        "2001:db8::/32": "documentation",
        "3fff::/20": "documentation",
    }
)
_PRIVATE_V6 = _networks({"::1/128": "loopback", "fc00::/7": "private"})
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")
_COMPATIBLE = ip_network("::/96")


def refusal(address: Address, *, allow_private: bool) -> str | None:
    """Why nothing may be sent to `address`; None when it may."""
    if isinstance(address, IPv6Address):
        return _refusal_v6(address, allow_private=allow_private)
    for network, reason in _NEVER_V4:
        if address in network:
            return reason
    return None if allow_private else _first(address, _PRIVATE_V4)


def read_address(host: str) -> Address | None:
    """The address that `host` spells in any notation a resolver takes for one: dotted, decimal, octal, hex, short, IPv6.

    None for a name. A scope id (`fe80::1%eth0`) is kept away from `ip_address` and judged without it.
    """
    text = host.strip("[]").partition("%")[0].rstrip(".")
    try:
        return ip_address(text)
    except ValueError:
        pass
    try:
        # inet_aton reads 127.1, 0x7f000001, 0177.0.0.1 and 2130706433 just as getaddrinfo does.
        return IPv4Address(socket.inet_aton(text)) if text and text[-1].isalnum() else None
    except OSError:
        return None


def _refusal_v6(address: IPv6Address, *, allow_private: bool) -> str | None:
    if address.is_unspecified:
        return "unspecified"
    if address == IPv6Address("::1"):
        return None if allow_private else "loopback"
    carried = _carried_v4(address)
    if carried is not None:
        return refusal(carried, allow_private=allow_private)
    for network, reason in _NEVER_V6:
        if address in network:
            return reason
    if address in _SIX_TO_FOUR:
        return "6to4"
    private = _first(address, _PRIVATE_V6)
    if private is not None:
        return None if allow_private else private
    return None if address in _GLOBAL_UNICAST else "reserved"


def _carried_v4(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64 or address in _COMPATIBLE:
        return low
    # ISATAP (RFC 5214): the interface identifier is ::0:5efe:a.b.c.d or ::200:5efe:a.b.c.d.
    if (int(address) >> 32) & 0xFCFFFFFF == 0x00005EFE:
        return low
    return None


def _first(address: Address, networks: tuple[tuple[IPv4Network | IPv6Network, str], ...]) -> str | None:
    return next((reason for network, reason in networks if address in network), None)
