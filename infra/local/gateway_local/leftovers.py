"""Finds and ends what a supervisor left behind: its own remains, or those of one that was killed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

import psutil

from gateway_local.state import ProcessState, is_alive

MARK = "GATEWAY_SUPERVISED_RUN"
"""Environment variable that every child carries, with the run folder as its value."""


def of_run(run: str, recorded: Iterable[ProcessState]) -> list[psutil.Process]:
    """Processes of that run folder: the recorded ones, whoever is in their sessions, whoever carries the mark."""
    known = {process.pid: process.born for process in recorded if process.pid}
    sessions = {pid for pid, born in known.items() if is_alive(pid, born)}
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        if (process.pid in known and is_alive(process.pid, known[process.pid])) or _belongs(process, sessions, run):
            found.append(process)
    return found


def of_session(leader: int) -> list[psutil.Process]:
    """Who is left of a session whose leader has gone."""
    return [process for process in psutil.process_iter() if _session(process) == leader]


def _belongs(process: psutil.Process, sessions: set[int], run: str) -> bool:
    if _session(process) in sessions:
        return True
    try:
        return process.environ().get(MARK) == run
    except (psutil.Error, OSError):
        return False


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except OSError:
        return None


def end(processes: Iterable[psutil.Process], patience_s: float = 8.0) -> int:
    """SIGTERM, some patience, SIGKILL. Returns how many there were."""
    remaining = list(processes)
    count = len(remaining)
    for process in remaining:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, remaining = psutil.wait_procs(remaining, timeout=patience_s)
    for process in remaining:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(remaining, timeout=3)
    return count
