"""What the supervisor tells others through files: its state, and what operators wish of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from gateway_local.credentials import write_private

Phase = Literal["starting", "servers", "migrating", "services", "ready", "stopping", "failed"]


@dataclass
class ProcessState:
    name: str
    role: str
    kind: str
    pid: int | None
    born: float | None
    """The process's start time as the kernel has it: with the pid it names one process for good."""
    port: int
    healthy: bool
    held: bool
    """Stopped on an operator's wish; not restarted until released."""
    restarts: int
    started_at: str | None
    log: str


@dataclass
class State:
    supervisor_pid: int
    supervisor_born: float
    phase: Phase = "starting"
    message: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    processes: list[ProcessState] = field(default_factory=list)

    def save(self, path: Path) -> None:
        write_private(path, json.dumps(asdict(self)))

    @property
    def is_supervised(self) -> bool:
        return is_alive(self.supervisor_pid, self.supervisor_born)


def load_state(path: Path) -> State | None:
    try:
        raw: dict[str, Any] = json.loads(path.read_text())
        raw["processes"] = [ProcessState(**process) for process in raw["processes"]]
        return State(**raw)
    except (OSError, ValueError, TypeError, KeyError):
        return None


@dataclass
class Wishes:
    """What operators asked for; the supervisor reads it again on SIGHUP."""

    services: bool = True
    copies: dict[str, int] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    """Process -> settings that replace its own; it is started again when they change."""

    def save(self, path: Path) -> None:
        write_private(path, json.dumps(asdict(self)))


def load_wishes(path: Path) -> Wishes:
    try:
        return Wishes(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return Wishes()


def born(pid: int) -> float | None:
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def is_alive(pid: int, born_at: float | None) -> bool:
    """Whether exactly that process still runs: a pid alone may have been given to another since.

    The two seconds allow for a clock that was set: the kernel counts from boot, people from 1970.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return born_at is None or abs(process.create_time() - born_at) < 2
    except psutil.Error:
        return False
