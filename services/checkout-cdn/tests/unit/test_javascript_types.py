"""The browser's JavaScript against its JSDoc types, wherever `npm ci` has brought the compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path

SERVICE_FOLDER = Path(__file__).parents[2]
COMPILER = SERVICE_FOLDER / "node_modules" / ".bin" / "tsc"

if COMPILER.exists():

    def test_javascript_types() -> None:
        result = subprocess.run(
            [COMPILER, "--project", SERVICE_FOLDER], capture_output=True, text=True, check=False, timeout=60
        )
        assert result.returncode == 0, result.stdout
