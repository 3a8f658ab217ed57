"""A server process of the cluster: started here, not by the supervisor, because the rounds decide when it comes back."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway_local import leftovers
from gateway_local.problems import Problem


class ServerProcess:
    """`mark` is the run folder: whoever stops that copy finds this process by it."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str], cwd: Path, log: Path, mark: Path, user: str | None = None
    ) -> None:
        self._argv = list(argv)
        self._environ = {**environ, leftovers.MARK: str(mark)}
        self._cwd = cwd
        self._log = log
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._argv, env=self._environ, cwd=self._cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, user=self._user, group=self._user, extra_groups=[] if self._user else None,
            )  # fmt: skip

    def kill(self, number: signal.Signals = signal.SIGKILL, patience_s: float = 30.0) -> None:
        """Ends it, and with SIGKILL whatever it had started at the same moment: as when a machine loses power."""
        if self._process is None:
            return
        if number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.send_signal(number)
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        leftovers.end(leftovers.of_session(self._process.pid), 1)


def wait_until(is_true: Callable[[], bool], patience_s: float, what: str) -> None:
    """Raises Problem when patience runs out."""
    deadline = time.monotonic() + patience_s
    while not is_true():
        if time.monotonic() > deadline:
            raise Problem(f"Waited {patience_s:.0f} s for {what}")
        time.sleep(0.05)
