"""What commands do with a running copy: start its supervisor, wait for it, send it wishes, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from gateway_local import leftovers
from gateway_local.installation import Installation
from gateway_local.layout import Layout
from gateway_local.problems import Problem
from gateway_local.state import State, Wishes, is_alive, load_state, load_wishes

START_PATIENCE_S = 300.0
STOP_PATIENCE_S = 60.0


def running(layout: Layout) -> State | None:
    """The state of the supervisor that runs this copy, or None."""
    state = load_state(layout.state)
    return state if state and state.is_supervised else None


def require_running(layout: Layout) -> State:
    state = running(layout)
    if state is None:
        raise Problem(f"The gateway is not up (run folder {layout.run}). Start it with ./gateway up")
    return state


def open_running(layout: Layout, environ: Mapping[str, str]) -> Installation:
    """The running copy with the ports it really uses, whatever this caller's environment says."""
    return Installation.open(environ, ports=require_running(layout).ports)


def spawn(layout: Layout, environ: Mapping[str, str], tether: bool) -> subprocess.Popen[bytes]:
    """Starts a supervisor in a session of its own. With a tether it stops when this process dies, however it dies."""
    layout.create()
    if layout.supervisor_log.exists():
        layout.supervisor_log.replace(layout.supervisor_log.with_suffix(".1.log"))
    with layout.supervisor_log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "gateway_local.supervise", *(["--tethered"] if tether else [])],
            stdin=subprocess.PIPE if tether else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environ),
            cwd=layout.root,
            start_new_session=True,
        )


def wait_until_ready(layout: Layout, process: subprocess.Popen[bytes], tell: Callable[[State], None]) -> State:
    """Waits for phase `ready`; `tell` is called with every state seen. Raises Problem when it ends instead."""
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline:
        state = load_state(layout.state)
        mine = state is not None and state.supervisor_pid == process.pid
        if process.poll() is not None:
            if state and mine and state.phase == "failed":
                raise Problem(state.message)
            raise Problem(f"The supervisor ended with {process.returncode}:\n{tail(layout.supervisor_log)}")
        if state and mine:
            tell(state)
            if state.phase == "ready":
                return state
        time.sleep(0.1)
    raise Problem(f"Not ready after {START_PATIENCE_S:.0f} s; see {layout.logs}")


def wish(layout: Layout, change: Callable[[Wishes], None]) -> None:
    """Writes what is wished and tells the supervisor to look."""
    state = require_running(layout)
    wishes = load_wishes(layout.wishes)
    change(wishes)
    wishes.save(layout.wishes)
    os.kill(state.supervisor_pid, signal.SIGHUP)


def wait_for(layout: Layout, is_reached: Callable[[State], bool], patience_s: float, what: str) -> State:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        state = require_running(layout)
        if is_reached(state):
            return state
        time.sleep(0.1)
    raise Problem(f"Waited {patience_s:.0f} s for {what}; see ./gateway status and ./gateway logs")


def stop(layout: Layout) -> bool:
    """Stops the supervisor and all it runs, also what an earlier, killed one left. False if nothing ran."""
    state = load_state(layout.state)
    stopped = False
    if state and state.is_supervised:
        os.kill(state.supervisor_pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_PATIENCE_S
        while is_alive(state.supervisor_pid, state.supervisor_born) and time.monotonic() < deadline:
            time.sleep(0.05)
        stopped = True
    rest = leftovers.of_run(str(layout.run), state.processes if state else [])
    if leftovers.end(rest):
        stopped = True
    layout.state.unlink(missing_ok=True)
    return stopped


def tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""
