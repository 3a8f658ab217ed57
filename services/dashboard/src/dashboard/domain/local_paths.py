"""Where a visitor may be sent after signing in: a path of this site, nothing else."""

from __future__ import annotations

import re

HOME = "/dashboard"

# One slash, then no second slash or backslash: browsers read `//host` and `/\host` as another site.
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*\Z")


def local_path_or_home(path: str | None) -> str:
    """`path` if it stays on this site, the overview otherwise."""
    return path if path and len(path) <= 2000 and _LOCAL.match(path) else HOME
