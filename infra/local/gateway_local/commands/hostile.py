"""Send hostile requests to a private copy of the gateway: no 5xx, no restart, memory flat."""

from __future__ import annotations

import argparse
import asyncio
import sys

from gateway_local.interrupting import end_on_sigterm
from gateway_local.layout import CHECKOUT

SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)


def run(arguments: argparse.Namespace) -> int:
    sys.path.insert(0, str(CHECKOUT))
    from gateway_local.faults import campaign, siege

    end_on_sigterm()
    with campaign.private_copy(keep=False) as stack:
        found = asyncio.run(siege.besiege(stack, arguments.requests, arguments.seed))
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(found.statuses.items()))
    print(f"{found.sent} hostile requests in {found.seconds:.0f} s (seed {arguments.seed}). Answers: {answers}")
    for name, (before, after) in found.memory.items():
        print(f"{name:22} {before / 2**20:6.0f} MiB -> {after / 2**20:6.0f} MiB")
    for server, kind, line, raw in found.server_errors[:SHOWN]:
        print(f"SERVER ERROR {server}, {kind}: {line}\n    {raw[:300]!r}")
    if len(found.server_errors) > SHOWN:
        print(f"… and {len(found.server_errors) - SHOWN} more server errors")
    if found.restarted:
        print(f"RESTARTED: {', '.join(found.restarted)}")
    if found.grown:
        print(f"MEMORY GREW: {', '.join(found.grown)}")
    print("All held." if found.holds else "Not all held.")
    return 0 if found.holds else 1
