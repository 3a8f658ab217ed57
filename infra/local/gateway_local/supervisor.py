"""Starts everything in order, keeps it running, and stops it in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import IO

from gateway_local import leftovers, migrations
from gateway_local.child import Child
from gateway_local.installation import Installation
from gateway_local.ports import free_copy_port, require_free
from gateway_local.problems import LockedError, Problem
from gateway_local.processes import SERVICES, ProcessSpec, Service
from gateway_local.state import Phase, State, Wishes, born, load_state, load_wishes

SERVER_PATIENCE_S = 90.0
SERVICE_PATIENCE_S = 90.0
CHECK_EVERY_S = 1.0
SERVER_PORTS = ("POSTGRES", "REDIS", "RABBITMQ")


class Supervisor:
    def __init__(self, installation: Installation, environ: Mapping[str, str]) -> None:
        self.installation = installation
        self.layout = installation.layout
        self.environ = environ
        self.children: dict[str, Child] = {}
        self.state = State(os.getpid(), born(os.getpid()) or 0.0, ports=dict(installation.ports))
        self._stop = asyncio.Event()
        self._wished = asyncio.Event()
        self._lock: IO[str] | None = None

    async def run(self) -> int:
        """Until told to stop. Returns the exit code: 0 after a wish to stop, 1 when starting failed."""
        self._take_lock()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._wished.set)
        checker = asyncio.create_task(self._check_for_ever())
        try:
            self._clear_leftovers()
            starting = asyncio.create_task(self._start())
            stopping = asyncio.create_task(self._stop.wait())
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
            else:
                starting.cancel()
            self._enter("stopping")
        except Problem as problem:
            print(problem, flush=True)
            self._enter("failed", str(problem))
            return 1
        finally:
            checker.cancel()
            await self._stop_all()
            if self.state.phase != "failed":
                self.layout.state.unlink(missing_ok=True)
        return 0

    def _take_lock(self) -> None:
        """The kernel gives the lock back when the process dies, however it dies."""
        self._lock = self.layout.lock.open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(f"The gateway in {self.layout.run} is already up.") from None

    def _clear_leftovers(self) -> None:
        earlier = load_state(self.layout.state)
        found = leftovers.of_run(str(self.layout.run), earlier.processes if earlier else [])
        if count := leftovers.end(found):
            print(f"ended {count} processes of an earlier run that was killed", flush=True)
        (self.installation.postgres.data / "postmaster.pid").unlink(missing_ok=True)

    async def _start(self) -> None:
        wishes = load_wishes(self.layout.wishes)
        self._enter("starting", "preparing data folders")
        ports = self.installation.ports
        servers_only = {name: port for name, port in ports.items() if name.startswith(SERVER_PORTS)}
        require_free(ports if wishes.services else servers_only)
        servers = self.installation
        await asyncio.gather(
            asyncio.to_thread(servers.postgres.prepare),
            asyncio.to_thread(servers.redis.prepare),
            asyncio.to_thread(servers.rabbitmq.prepare),
        )
        self._enter("servers", "starting PostgreSQL, Redis and RabbitMQ")
        mapper, *others = servers.server_specs()
        self._add(mapper)
        await self._until_healthy([mapper.name], SERVER_PATIENCE_S)
        for spec in others:
            self._add(spec)
        await self._until_healthy([spec.name for spec in others], SERVER_PATIENCE_S)
        await asyncio.to_thread(servers.postgres.provision)
        if wishes.services:
            await self._start_services()
        self._enter("ready")
        while True:
            await self._wished.wait()
            self._wished.clear()
            try:
                await self._reconcile()
            except Problem as problem:  # what runs goes on running; whoever wished it reads why it did not happen
                self._enter("ready", str(problem))

    async def _start_services(self) -> None:
        stamp, current = self.layout.run / "migrated", migrations.fingerprint(self.installation)
        if not stamp.exists() or stamp.read_text() != current:
            self._enter("migrating", "bringing the schemas up to date")
            await migrations.migrate_and_seed(self.installation, self.environ)
            stamp.write_text(current)
        self._enter("services", "starting the services")
        await self._reconcile()
        await self._until_healthy(list(self.children), SERVICE_PATIENCE_S)

    async def _reconcile(self) -> None:
        """Makes what runs agree with what operators wish."""
        wishes = load_wishes(self.layout.wishes)
        if wishes.services:
            if "edge" not in self.children and self.state.phase == "ready":
                await self._start_services()
                self._enter("ready")
                return
            await self._scale(wishes)
        for name, child in self.children.items():
            if name in wishes.held:
                await child.hold()
            else:
                child.release()
        self._save()

    async def _scale(self, wishes: Wishes) -> None:
        surplus, changed = [], []
        for service in SERVICES:
            wanted = wishes.copies.get(service.name, 1)
            for copy in range(1, wanted + 1):
                name = service.name if copy == 1 else f"{service.name}-{copy}"
                own = wishes.settings.get(name, {})
                if name in self.children:
                    child = self.children[name]
                    changed.append(child.reconfigure(self._spec(service, copy, child.spec.port, own)))
                    continue
                taken = {child.spec.port for child in self.children.values()}
                port = self.installation.ports[service.port_variable]
                if copy > 1:
                    port = free_copy_port(taken, self.environ)
                self._add(self._spec(service, copy, port, own))
            surplus += [n for n in self.children if _is_copy_beyond(n, service.name, wanted)]
        self._route(without=surplus)
        await asyncio.gather(*changed, *(self.children.pop(name).stop() for name in surplus))

    def _spec(self, service: Service, copy: int, port: int, settings: Mapping[str, str]) -> ProcessSpec:
        spec = self.installation.service_spec(service, self.environ, copy, port)
        return replace(spec, environ={**spec.environ, **settings})

    def _route(self, without: list[str]) -> None:
        """Tells the edge where the copies of each public service are."""
        upstreams = {
            service.routed_as: [
                child.spec.port
                for name, child in self.children.items()
                if name not in without and (name == service.name or _is_copy_beyond(name, service.name, 1))
            ]
            for service in SERVICES
            if service.routed_as
        }
        self.installation.edge.render(upstreams)
        if "edge" in self.children:
            self.children["edge"].signal(signal.SIGHUP)
        else:
            self._add(self.installation.edge.spec())

    def _add(self, spec: ProcessSpec) -> None:
        child = Child(spec, self.layout.logs / f"{spec.name}.log", str(self.layout.run), self._save)
        self.children[spec.name] = child
        child.keep_running()

    async def _until_healthy(self, names: list[str], patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            waiting = [self.children[name] for name in names if not self.children[name].healthy]
            if not waiting:
                return
            await asyncio.gather(*(child.check() for child in waiting))
            crashing = [child for child in waiting if child.restarts >= 4]
            if crashing or time.monotonic() > deadline:
                raise Problem(_explain((crashing or waiting)[0]))
            await asyncio.sleep(0.1)

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            await asyncio.gather(*(child.check() for child in list(self.children.values())))

    async def _stop_all(self) -> None:
        ranks = sorted({child.spec.stop_rank for child in self.children.values()})
        for rank in ranks:
            await asyncio.gather(*(c.stop() for c in self.children.values() if c.spec.stop_rank == rank))
        rest = leftovers.of_run(str(self.layout.run), [])
        await asyncio.to_thread(leftovers.end, rest, 3.0)

    def _enter(self, phase: Phase, message: str = "") -> None:
        self.state.phase, self.state.message = phase, message
        self._save()

    def _save(self) -> None:
        self.state.processes = [child.state() for child in self.children.values()]
        with contextlib.suppress(OSError):  # a full disk must not end what runs
            self.state.save(self.layout.state)


def _is_copy_beyond(name: str, service: str, count: int) -> bool:
    prefix, _, number = name.rpartition("-")
    return prefix == service and number.isdigit() and int(number) > count


def _explain(child: Child) -> str:
    lines = child.log.read_text(errors="replace").splitlines() if child.log.exists() else []
    what = f"ends with {child.exit_code} again and again" if child.restarts else "does not become ready"
    return f"{child.name} {what}. The end of {child.log}:\n" + "\n".join(lines[-15:])
