"""Where things lie: the checkout, the run folder, and the servers' data."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway_local.problems import Problem

CHECKOUT = Path(os.environ.get("GATEWAY_ROOT") or Path(__file__).resolve().parents[3])


@dataclass(frozen=True)
class Layout:
    """Paths of one running copy; two copies with different run folders share nothing but the checkout."""

    root: Path
    run: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Layout:
        run = Path(environ.get("GATEWAY_RUN_DIR") or CHECKOUT / ".run")
        return cls(root=CHECKOUT, run=run.expanduser().absolute())

    @property
    def key(self) -> str:
        """Eight characters that name this copy where a path would be too long."""
        return hashlib.sha256(str(self.run).encode()).hexdigest()[:8]

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def state(self) -> Path:
        return self.run / "state.json"

    @property
    def wishes(self) -> Path:
        return self.run / "wishes.json"

    @property
    def lock(self) -> Path:
        return self.run / "supervisor.lock"

    @property
    def credentials(self) -> Path:
        return self.run / "credentials.json"

    @property
    def supervisor_log(self) -> Path:
        return self.logs / "supervisor.log"

    def create(self) -> None:
        """Raises Problem for a path that the servers' own configuration files could not spell."""
        if re.search(r"""[\s"'{};$\\]""", str(self.run)):
            raise Problem(f"The run folder {self.run} has a space or quote in it; set GATEWAY_RUN_DIR to another one.")
        self.logs.mkdir(parents=True, exist_ok=True)
