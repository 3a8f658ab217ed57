"""Faults of the cluster: a node dies and comes back, the primary dies and the standby takes over."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from functools import partial
from random import Random

from gateway_local.cluster.rabbitmq import NODES
from gateway_local.cluster.stack import ClusterStack
from gateway_local.faults.kinds import Fault, Prepare, Scene


def _cluster(scene: Scene) -> ClusterStack:
    assert isinstance(scene.stack, ClusterStack)
    return scene.stack


def _node_lost(sign: signal.Signals) -> Prepare:
    def prepare(scene: Scene, random: Random) -> Fault:
        nodes, number = _cluster(scene).rabbitmq, random.randrange(NODES)
        return Fault(
            nodes.names[number],
            partial(asyncio.to_thread, nodes.bring_down, number, sign),
            partial(asyncio.to_thread, nodes.bring_up, number),
            lasts_s=6,
        )

    return prepare


def _primary_lost(scene: Scene, _random: Random) -> Fault:
    pair = _cluster(scene).postgres
    begin, end = partial(asyncio.to_thread, pair.lose_primary), partial(asyncio.to_thread, pair.add_standby)
    return Fault("postgres primary", begin, end, lasts_s=3)


def _standby_lost(scene: Scene, _random: Random) -> Fault:
    pair = _cluster(scene).postgres
    begin, end = partial(asyncio.to_thread, pair.lose_standby), partial(asyncio.to_thread, pair.add_standby)
    return Fault("postgres standby", begin, end, lasts_s=3)


CLUSTER_KINDS: Mapping[str, Prepare] = {
    "kill -9 of a RabbitMQ node": _node_lost(signal.SIGKILL),
    "restart of a RabbitMQ node": _node_lost(signal.SIGTERM),
    "primary lost, promotion": _primary_lost,
    "standby lost": _standby_lost,
}
