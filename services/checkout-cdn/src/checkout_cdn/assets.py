"""Static files, read and compressed once at start, and answered with validators and cache rules."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

IMMUTABLE = "public, max-age=31536000, immutable"
_MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}


@dataclass(frozen=True)
class Asset:
    """One file in both encodings. `digest` is the hex SHA-256 of the plain bytes."""

    body: bytes
    compressed: bytes
    media_type: str
    digest: str

    @classmethod
    def of(cls, body: bytes, suffix: str) -> Asset:
        """`mtime=0` keeps the compressed bytes, and so the ETag's meaning, equal on every replica."""
        return cls(body, gzip.compress(body, 9, mtime=0), _MEDIA_TYPES[suffix], hashlib.sha256(body).hexdigest())


def load_folder(folder: Path) -> dict[str, Asset]:
    """Every file of the folder that browsers fetch by itself, by name."""
    return {
        path.name: Asset.of(path.read_bytes(), path.suffix)
        for path in sorted(folder.iterdir())
        if path.suffix in _MEDIA_TYPES
    }


def with_one_style_sheet(assets: Mapping[str, Asset], name: str, first: str) -> dict[str, Asset]:
    """The same assets with all style sheets as one: nothing is painted before the last of them has come.

    `first` leads, because it resets what the others build on.
    """
    sheets = sorted((file for file in assets if file.endswith(".css")), key=lambda file: (file != first, file))
    joined = b"\n".join(assets[file].body for file in sheets)
    return {file: asset for file, asset in assets.items() if file not in sheets} | {name: Asset.of(joined, ".css")}


def release_of(assets: Mapping[str, Asset]) -> str:
    """One short hash over all files: it names the folder they are served from, so that modules that
    import each other by relative path always come from one release, and can be cached for ever."""
    together = hashlib.sha256()
    for name, asset in sorted(assets.items()):
        together.update(f"{name}\0{asset.digest}\n".encode())
    return together.hexdigest()[:16]


def answer(request: Request, asset: Asset, cache_control: str, headers: Mapping[str, str]) -> Response:
    """The asset in the best encoding the browser takes, or 304 when it has this very one."""
    takes_gzip = accepts_gzip(request)
    etag = f'"{asset.digest[:32]}{"-gz" if takes_gzip else ""}"'
    common = {
        **headers,
        "ETag": etag,
        "Cache-Control": cache_control,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if _matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=common)
    if takes_gzip:
        common["Content-Encoding"] = "gzip"
    return Response(asset.compressed if takes_gzip else asset.body, headers=common, media_type=asset.media_type)


def accepts_gzip(request: Request) -> bool:
    """RFC 9110 section 12.5.3, as far as one coding needs it: named, and not with a weight of zero."""
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        if coding == "gzip":
            return weight.strip("0.") != "" or not weight
    return False


def _matches(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    candidates = {candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")}
    return etag in candidates or "*" in candidates
