"""The SSRF table (EVENTS.md): what is refused always, what is refused unless private targets are allowed, what is not."""

from __future__ import annotations

import pytest

from webhooks.domain.targets import TargetPolicy, TargetRefusedError

STRICT = TargetPolicy(allow_private=False)
LENIENT = TargetPolicy(allow_private=True)

NEVER = [
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.0.1/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://2852039166/",  # 169.254.169.254 as one number
    "http://0xa9fea9fe/",
    "http://0xa9.0xfe.0xa9.0xfe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:808:808::]/",
    "http://[::169.254.169.254]/",
    "http://[fe80::5efe:169.254.169.254]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",  # Teredo
    "http://[fd00:ec2::254]/",
    "http://[fd20:ce::254]/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://0.0.0.0/",
    "http://0/",
    "http://0x0/",
    "http://0.1.2.3/",
    "http://[::]/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://[ff02::1]/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://4294967295/",
    "http://192.0.2.1/",
    "http://198.51.100.7/",
    "http://203.0.113.9/",
    "http://198.18.0.1/",
    "http://192.88.99.1/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[100::1]/",
    "http://[fec0::1]/",
    "http://[5f00::1]/",
    "http://[4000::1]/",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://example.com:80@169.254.169.254/",
    "http://169.254.169.254%2f@example.com/",
    "http://@example.com/",
    "http://example.com\\@169.254.169.254/",
    "http://exa mple.com/",
    "http://example.com/\n",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com:6379/_",
    "javascript:alert(1)",
    "//example.com/",
    "example.com/hook",
    "http://",
    "http:///path",
    "",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:5432/",
    "http://example.com:6379/",
    "http://example.com:5672/",
    "http://example.com:0/",
    "http://example.com:99999/",
    "http://example.com:port/",
    "http://example.com/" + "a" * 2048,
]
PRIVATE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://127.255.255.254:8090/",
    "http://①②⑦.0.0.1/",  # digits that IDNA makes ASCII
    "http://127。0。0。1/",  # ideographic full stops
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[2606:4700::5efe:10.0.0.1]/",  # ISATAP
    "http://[2606:4700::200:5efe:192.168.0.1]/",
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://167772161/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://0300.0250.1.1/",
    "http://100.64.0.1/",
    "http://100.127.255.255/",
    "http://[fc00::1]/",
    "http://[fd12:3456::1]/",
]
PUBLIC = [
    "https://example.com/hooks",
    "http://example.com:8080/hooks?shop=1",
    "https://93.184.216.34/",
    "https://[2606:4700::6810:85e5]/",
    "http://[64:ff9b::808:808]/",
    "http://172.15.255.255/",
    "http://172.32.0.1/",
    "http://11.0.0.1/",
    "http://100.63.255.255/",
    "http://192.167.255.255/",
    "https://bücher.example/hooks",
    "https://127.0.0.1.example.com/",
]


@pytest.mark.parametrize("url", NEVER)
def test_never_allowed(url: str) -> None:
    for policy in (STRICT, LENIENT):
        with pytest.raises(TargetRefusedError):
            policy.check_url(url)


@pytest.mark.parametrize("url", PRIVATE)
def test_private_targets_only_where_allowed(url: str) -> None:
    with pytest.raises(TargetRefusedError):
        STRICT.check_url(url)
    LENIENT.check_url(url)


@pytest.mark.parametrize("url", PUBLIC)
def test_public_targets_are_allowed(url: str) -> None:
    STRICT.check_url(url)


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        ["127.0.0.1"],
        ["93.184.216.34", "10.0.0.1"],  # one bad address refuses the name
        ["::ffff:169.254.169.254"],
        ["fe80::1%eth0"],
        ["64:ff9b::7f00:1"],
    ],
)
def test_a_name_is_judged_by_all_its_addresses(addresses: list[str]) -> None:
    with pytest.raises(TargetRefusedError):
        STRICT.check_addresses(addresses)


def test_a_port_list_allows_nothing_else() -> None:
    policy = TargetPolicy(allow_private=True, ports=frozenset({443}))
    policy.check_url("https://example.com/")
    for url in ("http://example.com/", "https://example.com:8443/"):
        with pytest.raises(TargetRefusedError):
            policy.check_url(url)
