"""What is served besides the page: encodings, validators, cache rules, who may read it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

import httpx
import pytest

SDK_BUDGET_BYTES = 6 * 1024
PLAIN = {"Accept-Encoding": "identity"}


async def first_asset(client: httpx.AsyncClient) -> str:
    page = await client.get("/checkout?order_id=order_test_123")
    match = re.search(r'"(/assets/[0-9a-f]{16}/main\.js)"', page.text)
    assert match
    return match[1]


async def test_the_sdk_is_small_readable_by_every_site_and_checked_again_soon(client: httpx.AsyncClient) -> None:
    answer = await client.get("/checkout.js")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) <= SDK_BUDGET_BYTES
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["cache-control"] == "public, max-age=300, stale-while-revalidate=86400"
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_the_pinned_sdk_is_immutable_and_fits_its_integrity_value(client: httpx.AsyncClient) -> None:
    manifest = (await client.get("/sdk.json")).json()
    pinned = await client.get(manifest["path"])
    assert pinned.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert pinned.headers["access-control-allow-origin"] == "*"
    assert pinned.content == (await client.get("/checkout.js")).content
    digest = base64.b64encode(hashlib.sha384(pinned.content).digest()).decode()
    assert manifest["integrity"] == f"sha384-{digest}"
    assert (await client.get("/checkout.0123456789abcdef.js")).status_code == 404


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [("gzip", "gzip"), ("br, GZIP;q=0.5", "gzip"), ("gzip;q=0", None), ("gzip;q=0.0, br", None), ("", None)],
)
async def test_encodings(client: httpx.AsyncClient, accepts: str, encoding: str | None) -> None:
    for path in ("/checkout.js", "/checkout?order_id=order_test_123", await first_asset(client)):
        answer = await client.get(path, headers={"Accept-Encoding": accepts})
        assert answer.headers.get("content-encoding") == encoding
        assert answer.content


async def test_validators_differ_by_encoding_and_save_the_body(client: httpx.AsyncClient) -> None:
    path = await first_asset(client)
    plain = await client.get(path, headers=PLAIN)
    packed = await client.get(path)
    assert plain.content == packed.content
    assert plain.headers["etag"] != packed.headers["etag"]
    for known in (plain.headers["etag"], f'"other", W/{plain.headers["etag"]}', "*"):
        again = await client.get(path, headers={**PLAIN, "If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == plain.headers["etag"]
        assert again.headers["cache-control"] == plain.headers["cache-control"]
    other = await client.get(path, headers={**PLAIN, "If-None-Match": packed.headers["etag"]})
    assert other.status_code == 200


async def test_head_tells_what_get_would_bring(client: httpx.AsyncClient) -> None:
    head = await client.head("/checkout.js")
    got = await client.get("/checkout.js")
    assert head.content == b""
    for name in ("etag", "content-length", "content-encoding", "cache-control"):
        assert head.headers[name] == got.headers[name]


async def test_assets_are_kept_for_ever_under_their_release_and_not_at_all_under_another(
    client: httpx.AsyncClient,
) -> None:
    path = await first_asset(client)
    ours = await client.get(path)
    assert ours.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert ours.headers["cross-origin-resource-policy"] == "same-origin"
    older = await client.get(re.sub(r"[0-9a-f]{16}", "0" * 16, path))
    assert (older.status_code, older.headers["cache-control"]) == (200, "no-store")
    assert older.content == ours.content


@pytest.mark.parametrize("name", ["nothing.js", "index.html", "..%2fsettings.py", "%2e%2e/%2e%2e/settings.py"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, name: str) -> None:
    folder = (await first_asset(client)).removesuffix("main.js")
    answer = await client.get(folder + name)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND_ERROR"


def test_compression_is_the_same_everywhere() -> None:
    """Replicas must agree on the bytes behind an ETag."""
    from checkout_cdn.assets import Asset

    asset = Asset.of(b"x" * 1000, ".js")
    assert asset == Asset.of(b"x" * 1000, ".js")
    assert gzip.decompress(asset.compressed) == asset.body
