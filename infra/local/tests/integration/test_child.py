"""Supervision of one process, with real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_local import leftovers
from gateway_local.child import Child
from gateway_local.processes import ProcessSpec

# A process with a child of its own in another session, which only its mark gives away.
FAMILY = "import subprocess, sys, time; subprocess.Popen(['sleep', '60'], start_new_session=True); time.sleep(60)"


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[[str], Child]]:
    made: list[Child] = []

    def make(program: str) -> Child:
        async def probe() -> bool:
            return True

        spec = ProcessSpec(
            "child", "test", "service", (sys.executable, "-c", program), dict(os.environ), 1, probe, tmp_path,
            stop_timeout_s=1.0,
        )  # fmt: skip
        child = Child(spec, tmp_path / "child.log", str(tmp_path), lambda: None)
        child.keep_running()
        made.append(child)
        return child

    yield make
    for child in made:
        await child.stop()
    leftovers.end(leftovers.of_run(str(tmp_path), []), 1)


async def pid_of(child: Child, other_than: int | None = None) -> int:
    async with asyncio.timeout(5):
        while True:
            pid = child.state().pid
            if pid and pid != other_than:
                return pid
            await asyncio.sleep(0.02)


async def test_a_killed_process_comes_back(start: Callable[[str], Child]) -> None:
    child = start("import time; time.sleep(60)")
    first = await pid_of(child)
    os.kill(first, signal.SIGKILL)
    await pid_of(child, other_than=first)
    assert child.restarts == 1


async def test_a_process_that_keeps_crashing_is_tried_less_and_less_often(start: Callable[[str], Child]) -> None:
    child = start("raise SystemExit(3)")
    await asyncio.sleep(2.5)
    assert 2 <= child.restarts <= 4
    assert child.exit_code == 3


async def test_a_process_that_ignores_being_asked_is_killed(start: Callable[[str], Child]) -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    child = start(program)
    pid = await pid_of(child)
    while "deaf" not in child.log.read_text():
        await asyncio.sleep(0.02)
    async with asyncio.timeout(4):
        await child.stop()
    assert not Path(f"/proc/{pid}").exists()


async def test_a_held_process_stays_down_until_released(start: Callable[[str], Child]) -> None:
    child = start("import time; time.sleep(60)")
    first = await pid_of(child)
    await child.hold()
    await asyncio.sleep(0.6)
    assert child.state().pid is None
    child.release()
    assert await pid_of(child) != first


async def test_whoever_left_the_session_is_found_by_its_mark(start: Callable[[str], Child], tmp_path: Path) -> None:
    child = start(FAMILY)
    pid = await pid_of(child)
    async with asyncio.timeout(5):
        while len(leftovers.of_run(str(tmp_path), [child.state()])) < 2:
            await asyncio.sleep(0.05)
    found = {process.pid for process in leftovers.of_run(str(tmp_path), [child.state()])}
    assert pid in found
    await child.stop()
    assert leftovers.end(leftovers.of_run(str(tmp_path), []), 1) == 1


async def test_a_process_whose_settings_change_is_started_again_with_them(
    start: Callable[[str], Child], tmp_path: Path
) -> None:
    child = start("import os, time; print('colour', os.environ.get('COLOUR'), flush=True); time.sleep(60)")
    first = await pid_of(child)
    await child.reconfigure(child.spec)
    assert child.state().pid == first
    await child.reconfigure(replace(child.spec, environ={**child.spec.environ, "COLOUR": "green"}))
    await pid_of(child, other_than=first)
    async with asyncio.timeout(5):
        while "colour green" not in (tmp_path / "child.log").read_text():
            await asyncio.sleep(0.02)
