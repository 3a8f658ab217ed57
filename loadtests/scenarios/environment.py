"""What a user needs to know of the run: handed over by `./gateway load` in the environment, read once."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Run:
    """`folder` collects what the auditor reads; `per_second` is None in the closed model."""

    folder: Path
    api_key: str
    api_secret: str
    order_ids: tuple[str, ...]
    per_second: float | None
    seconds: float

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Api-Key": self.api_key, "X-Api-Secret": self.api_secret}


def read() -> Run:
    """Raises KeyError when locust was started by hand without the run's file (README.md shows how)."""
    path = Path(os.environ["GATEWAY_LOAD_RUN"])
    told = json.loads(path.read_text())
    return Run(
        path.parent,
        told["api_key"],
        told["api_secret"],
        tuple(told["order_ids"]),
        told["per_second"],
        told["seconds"],
    )
