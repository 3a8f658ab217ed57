"""Coverage-guided fuzzing of our own parsers with Atheris, bounded in time.

    pip install atheris                      # 35 MB, Linux on x86-64 only: not among the locked tools for that reason
    python -m tests.security.fuzz_parsers [vpa|card|id|credentials|token|target|time|message|reference] [seconds]

Each target takes any bytes. An exception that is not the parser's own refusal, or an accepted value that breaks its rule,
is a finding; libFuzzer writes the input to `crash-…`. tests/security/test_parsers.py tries the same with Hypothesis.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, cast

SECONDS = 30
OURS = ["gateway_common", "payments_api", "webhooks", "tests.security.fuzz_targets"]


def main(name: str = "target", seconds: str = str(SECONDS)) -> None:
    try:
        import atheris  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        sys.exit("Atheris is not installed: pip install atheris")
    fuzzer = cast("Any", atheris)
    with fuzzer.instrument_imports(include=OURS):  # all of pydantic and asyncpg would take minutes
        targets = importlib.import_module("tests.security.fuzz_targets").TARGETS
    fuzzer.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=512", "-print_final_stats=1"], targets[name])
    fuzzer.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
