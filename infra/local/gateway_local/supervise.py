"""The supervisor's own process: `python -m gateway_local.supervise [--tethered]`. Started by `./gateway up`."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
import threading

from gateway_local.installation import current
from gateway_local.problems import Problem
from gateway_local.supervisor import Supervisor

FILES = 65536


def _stop_with_parent() -> None:
    """Standard input is a pipe from the command in front; it ends when that process does."""
    while os.read(sys.stdin.fileno(), 1024):  # not through `sys.stdin`: its lock, held here, would abort the exit
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _allow_many_files() -> None:
    """Thousands of payments in flight are thousands of sockets; the usual soft limit is 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> int:
    _allow_many_files()
    try:
        supervisor = Supervisor(current(), os.environ)
        if "--tethered" in sys.argv:
            threading.Thread(target=_stop_with_parent, daemon=True).start()
        return asyncio.run(supervisor.run())
    except Problem as problem:
        print(problem, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
