"""A private copy of the gateway, prepared to be harmed; the rounds on it; and its end."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway_local import operations, packages
from gateway_local.cluster.kinds import CLUSTER_KINDS
from gateway_local.cluster.stack import ClusterStack
from gateway_local.faults import tables
from gateway_local.faults.disks import SmallDisk, may_mount, unmount_below
from gateway_local.faults.kinds import KINDS, NEEDS_DISK, Scene
from gateway_local.faults.lines import Lines
from gateway_local.faults.rounds import Plan, Report, Rounds
from gateway_local.installation import Installation
from gateway_local.layout import Layout
from gateway_local.ports import free_offset
from gateway_local.stack import Stack
from gateway_local.state import Wishes

CLUSTER_PORTS = 300
"""How far above the stack's own PostgreSQL the ports of the cluster begin."""


def kinds(wanted: Sequence[str], *, cluster: bool) -> list[str]:
    """Those that this machine lets us do: full disks need the right to mount."""
    possible = list(CLUSTER_KINDS) if cluster else [name for name in KINDS if may_mount() or name not in NEEDS_DISK]
    return [name for name in possible if not wanted or any(text.lower() in name.lower() for text in wanted)]


def run(plan: Plan, tell: Callable[[Report], None], *, keep: bool, cluster: bool) -> list[Report]:
    """`tell` hears of each round when it is over."""
    # The copy starts and ends outside the event loop, so that Ctrl-C is heard at once meanwhile.
    with private_copy(keep=keep) as stack:
        return asyncio.run(_rounds(stack, plan, tell, cluster=cluster))


async def _rounds(stack: Stack, plan: Plan, tell: Callable[[Report], None], *, cluster: bool) -> list[Report]:
    print("Preparing it to be harmed …", flush=True)
    scene = await set_up_cluster(stack) if cluster else await set_up(stack, plan.kinds)
    print(tables.heading(), flush=True)
    try:
        return await Rounds(scene, plan, tell, CLUSTER_KINDS if cluster else KINDS).run()
    finally:
        await scene.lines.close()


async def set_up(stack: Stack, names: Sequence[str]) -> Scene:
    """Lines and small disks on a running stack."""
    lines = Lines(stack)
    servers = {NEEDS_DISK[name] for name in names if name in NEEDS_DISK}
    disks = {server: SmallDisk(stack, server) for server in sorted(servers)}
    for disk in disks.values():
        await asyncio.to_thread(disk.move_in)
    await lines.lay()
    await asyncio.to_thread(stack.wait_healthy)
    return Scene(stack, lines, disks)


async def set_up_cluster(stack: Stack) -> Scene:
    """The services use three RabbitMQ nodes and a PostgreSQL pair that begins as a copy of the stack's own."""
    clustered = ClusterStack(stack, stack.installation.ports["POSTGRES_PORT"] + CLUSTER_PORTS)
    await asyncio.to_thread(clustered.start)
    lines = Lines(clustered, {"postgres": clustered.postgres.port, "rabbitmq": clustered.rabbitmq.port})
    await lines.lay()
    await asyncio.to_thread(clustered.wait_healthy)
    return Scene(clustered, lines, {})


async def tear_down(scene: Scene) -> None:
    """The stack as it was: direct connections, data on the disk where they were."""
    await scene.lines.remove()
    for disk in scene.disks.values():
        await asyncio.to_thread(disk.move_out)
    await asyncio.to_thread(scene.stack.wait_healthy)


@contextmanager
def private_copy(*, keep: bool) -> Iterator[Stack]:
    """A whole gateway in a folder and on ports of its own: quick bank, quick retries, no rate limits."""
    packages.ensure(packages.SERVERS)
    print("Starting a private copy of the gateway …", flush=True)
    run_folder = Path(tempfile.mkdtemp(prefix="gateway-faults-"))
    run_folder.chmod(0o755)  # PostgreSQL's own user must be able to pass through
    environ = _environment(run_folder)
    layout = Layout.from_environment(environ)
    try:
        layout.create()
        Wishes().save(layout.wishes)
        process = operations.spawn(layout, environ, tether=True)
        state = operations.wait_until_ready(layout, process, lambda _: None)
        yield Stack(Installation.open(environ, ports=state.ports))
    finally:
        print("Stopping the private copy …", flush=True)
        operations.stop(layout)
        unmount_below(run_folder)
        if keep:
            print(f"Data and logs are in {run_folder}")
        else:
            shutil.rmtree(run_folder, ignore_errors=True)


def _environment(run_folder: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "TEST_"))}
    return own | {
        "GATEWAY_ROOT": os.environ.get("GATEWAY_ROOT", ""),
        "GATEWAY_RUN_DIR": str(run_folder),
        "GATEWAY_PORT_OFFSET": str(free_offset()),
        "TEST_MODE": "true",
        "TEST_PROCESSING_DELAY": "500",
        "WEBHOOK_RETRY_INTERVALS_TEST": "true",
        "RATE_LIMITS_ENABLED": "false",
    }
