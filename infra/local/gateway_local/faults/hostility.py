"""Requests that no honest client sends: malformed, oversized, misleading. Made from a seed, as raw bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

KEY, SECRET = "key_test_abc123", "secret_test_xyz789"
_PAIR = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()

# Where each kind of server is asked for something that it has; `{id}` is filled with something odd.
PATHS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "payments-api-web": (
        ("POST", "/api/v1/orders"), ("GET", "/api/v1/orders"), ("GET", "/api/v1/orders/{id}"),
        ("GET", "/api/v1/orders/{id}/public"), ("POST", "/api/v1/payments"), ("POST", "/api/v1/payments/public"),
        ("GET", "/api/v1/payments"), ("GET", "/api/v1/payments/{id}"), ("GET", "/api/v1/payments/{id}/timeline"),
        ("GET", "/api/v1/payments/{id}/public"), ("POST", "/api/v1/payments/{id}/capture"),
        ("POST", "/api/v1/payments/{id}/cancel"), ("GET", "/api/v1/payments/summary"), ("GET", "/api/v1/merchant"),
        ("DELETE", "/api/v1/merchant/keys/{id}"), ("GET", "/internal/v1/api-keys/{id}"),
        ("POST", "/internal/v1/merchants"), ("GET", "/internal/v1/payments/{id}"), ("GET", "/health"),
    ),
    "refunds-web": (
        ("POST", "/api/v1/payments/{id}/refunds"), ("GET", "/api/v1/payments/{id}/refunds"), ("GET", "/api/v1/refunds"),
        ("GET", "/api/v1/refunds/{id}"), ("POST", "/internal/v1/payments/{id}/settlement"),
        ("GET", "/internal/v1/payments/{id}/timeline"),
    ),
    "webhooks-web": (
        ("GET", "/api/v1/webhooks"), ("GET", "/api/v1/webhooks/{id}"), ("POST", "/api/v1/webhooks/{id}/retry"),
        ("POST", "/api/v1/webhooks/replay"), ("PUT", "/api/v1/webhooks/config"), ("POST", "/api/v1/webhook-endpoints"),
        ("PATCH", "/api/v1/webhook-endpoints/{id}"), ("DELETE", "/api/v1/webhook-endpoints/{id}"),
        ("GET", "/api/v1/events"), ("GET", "/api/v1/events/{id}"), ("GET", "/internal/v1/payments/{id}/timeline"),
    ),
    "processor": (("GET", "/internal/v1/payments/{id}/timeline"), ("GET", "/readyz"), ("POST", "/metrics")),
    "dashboard": (
        ("POST", "/login"), ("GET", "/dashboard/transactions"), ("GET", "/dashboard/transactions/{id}"),
        ("GET", "/dashboard/webhooks/{id}"), ("GET", "/static/{id}"), ("POST", "/signup"), ("GET", "/checkout"),
    ),
    "checkout-cdn": (("GET", "/checkout"), ("GET", "/checkout.js"), ("GET", "/static/{id}"), ("GET", "/{id}")),
}  # fmt: skip
EDGE_PATHS = PATHS["payments-api-web"] + PATHS["refunds-web"] + PATHS["webhooks-web"]

ODD_IDS = (
    "pay_AAAAAAAAAAAAAAAA", "order_test_123", "rfnd_AAAAAAAAAAAAAAAA", "evt_AAAAAAAAAAAAAAAA", "%00", "pay_%00AAAAAAAAAAAAAAA",
    "..%2f..%2fetc%2fpasswd", "%2e%2e", "%ff%fe", "%ED%A0%80", "%F0%9F%92%B3", "a" * 300, "a" * 7000, "'%20OR%201=1--", "%0d%0aX:y",
    "00000000-0000-0000-0000-000000000000", "{{7*7}}", "%25%32%35", ";", "//", "-1", "9" * 40, "NaN", "null", "%C0%AE",
)  # fmt: skip
ODD_QUERIES = (
    "limit=-1", "limit=0", "limit=99999999999999999999", "limit=abc", "limit=1e3", "limit=1&limit=2", "starting_after=%00",
    "starting_after=pay_AAAAAAAAAAAAAAAA", "created_gte=NaN", "created_gte=1e400", "created_gte=-99999999999999",
    "created_gte=99999999999999999", "created_lte=0001-01-01T00:00:00%2B23:59", "created_lte=9999-12-31T23:59:59-23:59",
    "created_gte=2024-02-30", "status=%ff", "status=" + "x" * 3000, "method[]=upi", "q=%25%25%25", "q=%00", "q=%5C",
    "order_id=" + "y" * 5000, "offset=-1", "offset=99999999999999999999", "interval=century", "merchant_id=zz",
    "merchant_id=00000000-0000-0000-0000-000000000000", "wait=1e9", "wait=-1", "wait=NaN", "client_token=%00", "key=%ff",
    "client_token=" + "A" * 4000, "after_hours=1e99", "&&&&", "=", "a" * 2000 + "=1", "event=*", "embedded=%3Cscript%3E",
)  # fmt: skip
ODD_VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 99, 100.0, 1e308, -(10**30), 10**30, 2**63, 2**53 + 1, "", " ", "100", "\u0000", "a\u0000b",
    "x" * 300, "x" * 20_000, "💳", "\ud800", [], {}, [[]], {"a": {"b": 1}}, ["x"] * 500, "NaN", "<script>", "'; DROP TABLE payments;--",
    "${jndi:ldap://x}", "http://169.254.169.254/", "http://0/", "http://[::ffff:127.0.0.1]/", "https://user:pw@example.com/",
    "javascript:alert(1)", "file:///etc/passwd", "http://example.com:99999/", "http://" + "a" * 3000 + ".com/",
    "success@upi\n", "a@b@c", "@", "user@paytm", "upi", "card", "INR", "inr", "XXX", "order_test_123", "2030-13-45",
)  # fmt: skip
FIELDS = (
    "amount", "currency", "receipt", "notes", "multiple_payments", "order_id", "method", "vpa", "card", "capture", "reason",
    "url", "webhook_url", "webhookUrl", "events", "enabled", "since", "until", "event", "status", "name", "email", "key",
    "merchant_id", "kind", "sequence", "capture_amount", "description",
)  # fmt: skip
CARD_FIELDS = ("number", "expiry_month", "expiry_year", "cvv", "holder_name")


@dataclass(frozen=True)
class Hostile:
    """`kind` names the trick, for the report; `raw` is everything that is sent."""

    kind: str
    raw: bytes


def make(random: Random, paths: tuple[tuple[str, str], ...]) -> Hostile:
    method, path = random.choice(paths)
    path = path.replace("{id}", random.choice(ODD_IDS))
    if random.random() < 0.4:
        path += "?" + "&".join(random.choice(ODD_QUERIES) for _ in range(random.randint(1, 3)))
    kind = random.choice(list(_TRICKS))
    return Hostile(kind, _TRICKS[kind](random, method, path))


def request(method: str, path: str, headers: list[bytes], body: bytes = b"", *, length: int | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: localhost", b"Connection: close", *headers]
    if body or length is not None or method in ("POST", "PUT", "PATCH"):
        lines.append(b"Content-Length: %d" % (len(body) if length is None else length))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _signed(random: Random) -> list[bytes]:
    chosen = random.random()
    if chosen < 0.8:
        return [b"X-Api-Key: " + KEY.encode(), b"X-Api-Secret: " + SECRET.encode(), b"Content-Type: application/json"]
    return [b"Authorization: Basic " + _PAIR.encode(), b"Content-Type: application/json"]


def _odd_json(random: Random) -> bytes:
    body: dict[str, object] = {"order_id": "order_test_123", "method": "upi", "vpa": "user@paytm"}
    for _ in range(random.randint(1, 4)):
        body[random.choice(FIELDS)] = random.choice(ODD_VALUES)
    if random.random() < 0.3:
        card = {"number": "4242424242424242", "expiry_month": 12, "expiry_year": 2040, "cvv": "123", "holder_name": "A"}
        body |= {"method": "card", "card": card | {random.choice(CARD_FIELDS): random.choice(ODD_VALUES)}}
    return json.dumps(body).encode()


def _wrong_values(random: Random, method: str, path: str) -> bytes:
    return request(method, path, _signed(random), _odd_json(random) if method != "GET" else b"")


def _no_json(random: Random, method: str, path: str) -> bytes:
    whole = _odd_json(random)
    body = random.choice((
        b"", b"{", b"null", b"[]", b'"x"', b"1e999", b"NaN", b"{'a':1}", b"\xef\xbb\xbf{}", whole[: len(whole) // 2], whole * 2,
        b'{"amount":NaN}', b'{"amount":1,"amount":100,"amount":-1}', b'{"order_id":"\xff\xfe"}', b'{"order_id":"\xed\xa0\x80"}',
        '{"amount":100}'.encode("utf-16"), b'{"amount":' + b"9" * 5000 + b"}", b"\x00" * 100, b"amount=100&x=1",
        b'{"\\u0000":1}', b'{"__proto__":{"a":1},"constructor":{}}',
    ))  # fmt: skip
    return request(method, path, _signed(random), body)


def _deep(random: Random, method: str, path: str) -> bytes:
    depth = random.choice((33, 200, 2000, 15_000))
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    inner = opening * depth + b"1" + closing * depth
    return request(method, path, _signed(random), random.choice((inner, b'{"notes":' + inner + b"}")))


def _oversized(random: Random, method: str, path: str) -> bytes:
    size = random.choice((64 * 1024 + 1, 70_000, 79_000, 200_000))
    return request(method, path, _signed(random), b'{"notes":"' + b"x" * size + b'"}')


def _lying_length(random: Random, method: str, path: str) -> bytes:
    extra = random.choice((
        [b"Content-Length: 5", b"Content-Length: 6"], [b"Content-Length: -1"], [b"Content-Length: 1e3"], [b"Content-Length: +5"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 5"], [b"Transfer-Encoding: xchunked"], [b"Transfer-Encoding: gzip, chunked"],
        [b"Transfer-Encoding : chunked"], [b"Content-Length: 99999999999999999999"],
    ))  # fmt: skip
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: localhost", b"Connection: close", *_signed(random), *extra]
    body = random.choice((b"0\r\n\r\n", b"hello", b"ZZZ\r\n{}\r\n0\r\n\r\n", b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _odd_headers(random: Random, method: str, path: str) -> bytes:
    odd = random.choice((
        [b"X-Big: " + b"x" * 9000], [b"X-Big: " + b"x" * 20_000], [b"X-%d: y" % i for i in range(200)], [b"X-Nul: a\x00b"],
        [b"X-Fold: a", b" folded: b"], [b"X-Bad\x01: a"], [b": empty"], [b"X-Request-Id: a\rb"], [b"X-Request-Id: " + b"i" * 500],
        [b"X-Request-Id: \xff\xfe"], [b"traceparent: 00-" + b"f" * 200], [b"Host: other"], [b"Host: "], [b"Range: bytes=0-1"],
        [b"Expect: 100-continue"], [b"Expect: nonsense"], [b"Upgrade: websocket", b"Connection: Upgrade"], [b"Content-Encoding: gzip"],
        [b"Content-Type: text/xml"], [b"Content-Type: application/json; charset=utf-7"], [b"X-Forwarded-For: " + b"1.1.1.1, " * 200],
        [b"Accept: \xff"], [b"Cookie: " + b"a=b; " * 700], [b"Origin: null"], [b"If-None-Match: " + b'"x",' * 500],
        [b"X-Http-Method-Override: DELETE"],
    ))  # fmt: skip
    return request(method, path, [*_signed(random), *odd], _odd_json(random) if method != "GET" else b"")


def _odd_key(random: Random, method: str, path: str) -> bytes:
    key = random.choice(
        (b"", b" ", b"\xff\xfe", b"x" * 255, b"x" * 256, b"x" * 5000, b"a\tb", b"\xc3\xa9", b"{}", b"'; --", b"same")
    )
    return request(method, path, [*_signed(random), b"Idempotency-Key: " + key], _odd_json(random))


def _odd_credentials(random: Random, method: str, path: str) -> bytes:
    def basic(pair: bytes) -> list[bytes]:
        return [b"Authorization: Basic " + base64.b64encode(pair)]

    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=")
    claims = base64.urlsafe_b64encode(b'{"iss":"x","aud":"payments-api","iat":1,"exp":99999999999}').rstrip(b"=")
    headers = random.choice((
        [], basic(b"a\x00b:c"), basic(b"\xff:\xfe"), basic(b"nocolon"), basic(b":"), basic(b"a:" + b"b" * 5000),
        basic(KEY.encode() + b":wrong"), [b"Authorization: Basic ==="], [b"Authorization: Basic"], [b"Authorization: "],
        [b"Authorization: Bearer " + none + b"." + claims + b"."], [b"Authorization: Bearer a.b.c"], [b"Authorization: Bearer \xff"],
        [b"Authorization: Digest x"], [b"X-Api-Key: \xff\xfe", b"X-Api-Secret: \xff"], [b"X-Api-Key: " + b"k" * 5000, b"X-Api-Secret: s"],
        [b"X-Api-Key: " + KEY.encode(), b"X-Api-Key: other", b"X-Api-Secret: s"], [b"X-Api-Key: " + KEY.encode()],
        [b"X-Api-Key: key_test_\xc3\xa9", b"X-Api-Secret: x"],
    ))  # fmt: skip
    return request(method, path, headers, _odd_json(random) if method != "GET" else b"")


def _odd_method(random: Random, _method: str, path: str) -> bytes:
    return request(random.choice(("TRACE", "CONNECT", "get", "FOO", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "X" * 300)), path,
                   _signed(random))  # fmt: skip


def _no_http(random: Random, method: str, path: str) -> bytes:
    return random.choice((
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 50, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\n\r\n",
        b"GET http://evil/ HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        f"{method} {path} HTTP/1.1\r\n\r\n".encode(), f"{method} {path} HTTP/1.0\r\n\r\n".encode(), b"\r\n" * 50,
        b"GET / HTTP/1.1\nHost: x\n\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ))  # fmt: skip


_TRICKS: Mapping[str, Callable[[Random, str, str], bytes]] = {
    "wrong values": _wrong_values,
    "no JSON": _no_json,
    "deeply nested": _deep,
    "oversized": _oversized,
    "lying about its length": _lying_length,
    "odd headers": _odd_headers,
    "odd idempotency key": _odd_key,
    "odd credentials": _odd_credentials,
    "odd method": _odd_method,
    "no HTTP": _no_http,
}
