"""Asks axe-core what is wrong with a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python  # type: ignore[import-untyped]
from playwright.sync_api import Frame, Page

_SOURCE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(where: Page | Frame) -> list[str]:
    """One line per violation, with the elements it is about; best practices included."""
    if not where.evaluate("typeof window.axe === 'object'"):
        where.evaluate(_SOURCE)
    found: list[dict[str, Any]] = where.evaluate("axe.run(document).then(results => results.violations)")
    return [
        f"{one['id']}: {one['help']}: " + "; ".join(" ".join(map(str, node["target"])) for node in one["nodes"])
        for one in found
    ]
