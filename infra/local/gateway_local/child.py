"""One supervised process: started, watched, restarted with back-off, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gateway_local import leftovers
from gateway_local.processes import ProcessSpec
from gateway_local.state import ProcessState, born

FIRST_DELAY_S = 0.3
LONGEST_DELAY_S = 15.0
STEADY_S = 20.0
"""A process that ran this long is trusted again: its next crash is restarted at once."""
LOG_LIMIT_BYTES = 64 * 1024 * 1024


class Child:
    def __init__(self, spec: ProcessSpec, log: Path, mark: str, changed: Callable[[], None]) -> None:
        self.spec = spec
        self.log = log
        self.healthy = False
        self.held = False
        self.restarts = 0
        self.exit_code: int | None = None
        self._mark = mark
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._born: float | None = None
        self._started_at: datetime | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False
        self._released = asyncio.Event()
        self._released.set()

    @property
    def name(self) -> str:
        return self.spec.name

    def state(self) -> ProcessState:
        pid = self._process.pid if self._process and self._process.returncode is None else None
        return ProcessState(
            name=self.name,
            role=self.spec.role,
            kind=self.spec.kind,
            pid=pid,
            born=self._born if pid else None,
            port=self.spec.port,
            healthy=self.healthy,
            held=self.held,
            restarts=self.restarts,
            started_at=self._started_at.isoformat().replace("+00:00", "Z") if self._started_at else None,
            log=str(self.log),
        )

    def keep_running(self) -> None:
        self._keeper = asyncio.create_task(self._keep(), name=self.name)

    async def check(self) -> None:
        """Asks the process how it is."""
        alive = self._process is not None and self._process.returncode is None
        healthy = alive and await self.spec.probe()
        if healthy != self.healthy:
            self.healthy = healthy
            self._changed()
        self._trim_log()

    async def stop(self) -> None:
        """Ends it and whatever it started, and does not start it again."""
        self._stopping = True
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        await self._end()
        self.healthy = False

    async def hold(self) -> None:
        """Stops it until `release`."""
        if not self.held:
            self.held = True
            self._released.clear()
            await self._end()
            self._changed()

    def release(self) -> None:
        if self.held:
            self.held = False
            self._released.set()

    async def reconfigure(self, spec: ProcessSpec) -> None:
        """Ends the process if its settings differ from those of `spec`; it comes back with the new ones."""
        if spec.environ != self.spec.environ:
            self.spec = spec
            await self._end()

    def signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)

    async def _keep(self) -> None:
        delay = FIRST_DELAY_S
        while True:
            await self._released.wait()
            started = time.monotonic()
            try:
                await self._start()
            except OSError as error:
                self._note(f"could not be started: {error}")
            else:
                assert self._process is not None
                self.exit_code = await self._process.wait()
                self._note(f"ended with {self.exit_code}")
                await asyncio.to_thread(leftovers.end, leftovers.of_session(self._process.pid), 1.0)
            self.healthy = False
            self._changed()
            if self.held:
                continue
            if time.monotonic() - started > STEADY_S:
                delay = FIRST_DELAY_S
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY_S)
            self.restarts += 1

    async def _start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self.spec.argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.spec.cwd,
                env={**self.spec.environ, leftovers.MARK: self._mark},
                # Ctrl-C at the terminal is for the command in front; it decides in which order all stop.
                start_new_session=True,
                user=self.spec.user,
                group=self.spec.user,
                extra_groups=[] if self.spec.user else None,
            )
        self._born = born(self._process.pid)
        self._started_at = datetime.now(UTC)
        self._changed()

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)  # a stopped process would not hear the next one
                process.send_signal(self.spec.stop_signal)
            try:
                await asyncio.wait_for(process.wait(), self.spec.stop_timeout_s)
            except TimeoutError:
                self._note(f"did not stop within {self.spec.stop_timeout_s:.0f} s and was killed")
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        rest = leftovers.of_session(process.pid)
        if rest:
            await asyncio.to_thread(leftovers.end, rest, 2.0)

    def _note(self, text: str) -> None:
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {self.name}: {text}", flush=True)

    def _trim_log(self) -> None:
        """Keeps one older part. Writers append, so a file cut to nothing goes on growing from its start."""
        try:
            if self.log.stat().st_size > LOG_LIMIT_BYTES:
                older = self.log.with_suffix(".1.log")
                older.write_bytes(self.log.read_bytes())
                os.truncate(self.log, 0)
        except OSError as error:
            self._note(f"log could not be trimmed: {error}")
