"""The SDK as a release: a name with its hash in it, and what a merchant needs to pin it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass

from checkout_cdn.assets import Asset


@dataclass(frozen=True)
class SdkRelease:
    """`manifest` is the body of `/sdk.json`: url, integrity and sizes of the immutable file."""

    script: Asset
    name: str
    integrity: str
    manifest: Asset


def make_release(script: Asset) -> SdkRelease:
    """SRI as in the W3C recommendation: base64 of the SHA-384 of the uncompressed file."""
    integrity = "sha384-" + base64.b64encode(hashlib.sha384(script.body).digest()).decode()
    name = f"checkout.{script.digest[:16]}.js"
    manifest = {
        "name": "checkout.js",
        "path": f"/{name}",
        "integrity": integrity,
        "bytes": len(script.body),
        "gzip_bytes": len(script.compressed),
    }
    body = json.dumps(manifest, indent=2).encode() + b"\n"
    return SdkRelease(script, name, integrity, Asset.of(body, ".json"))
