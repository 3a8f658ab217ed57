"""Style sheets, scripts and pictures: read once, served under a name that changes with their content."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from gateway_common.errors import NotFoundError

FOLDER = Path(__file__).parents[1] / "static"
# Not every machine's table knows these.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Assets:
    """All files of `folder`. One release name for all, so that scripts can import their neighbours by plain names."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        digest = hashlib.sha256()
        for name, content in self._files.items():
            digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
        self.release = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.release}/{name}"

    def answer(self, name: str) -> Response:
        """Raises `NotFoundError`."""
        if name not in self._files:
            raise NotFoundError("There is no such file")
        suffix = Path(name).suffix
        return Response(
            self._files[name],
            media_type=_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream",
            headers={"Cache-Control": "public, max-age=31536000, immutable"},
        )


def make_router(assets: Assets) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{release}/{name:path}")
    async def static(name: str) -> Response:
        # A page of the release before may still ask for its files; what is there now serves it.
        return assets.answer(name)

    @router.get("/favicon.ico")
    async def icon() -> Response:
        return assets.answer("icon.svg")

    return router
