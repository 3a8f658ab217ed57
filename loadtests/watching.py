"""What each process of the gateway uses while a run goes on: processor time and memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Usage:
    """Since the watch began: `cpu_seconds` used; `memory_mib` now: what would be free if the process ended."""

    cpu_seconds: float
    memory_mib: float


class Watch:
    """Looks at the processes that `./gateway status --json` lists, and their children."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        self._pids = {one["name"]: (one["pid"], one["kind"]) for one in status["processes"] if one["pid"]}
        self._before = {name: _cpu_seconds(pid) for name, (pid, _) in self._pids.items()}

    def usage(self) -> dict[str, Usage]:
        return {
            name: Usage(_cpu_seconds(pid) - self._before[name], _memory_mib(pid))
            for name, (pid, _) in self._pids.items()
        }

    def memory_mib(self) -> dict[str, float]:
        return {name: _memory_mib(pid) for name, (pid, _) in self._pids.items()}

    def of_services(self, memory_mib: Mapping[str, float]) -> float:
        """All services together, without the servers."""
        return sum(memory_mib[name] for name, (_, kind) in self._pids.items() if kind == "service")


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu_seconds(pid: int) -> float:
    total = 0.0
    for process in _family(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # PostgreSQL's backends come and go: what ended ones used is in their parent's `children_*`.
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _memory_mib(pid: int) -> float:
    total = 0
    for process in _family(pid):
        try:
            total += process.memory_full_info().uss
        except psutil.Error:
            continue
    return total / MEBIBYTE
