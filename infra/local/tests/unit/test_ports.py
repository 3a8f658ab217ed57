from __future__ import annotations

import socket

import pytest

from gateway_local import ports as ports_module
from gateway_local.ports import DEFAULTS, assign_ports, free_offset, require_free
from gateway_local.problems import Problem


def test_an_offset_moves_all_ports_and_a_variable_one() -> None:
    ports = assign_ports({"GATEWAY_PORT_OFFSET": "100", "DASHBOARD_PORT": "4000"})
    assert ports["GATEWAY_PORT"] == 8100
    assert ports["DASHBOARD_PORT"] == 4000
    assert set(ports) == set(DEFAULTS)


@pytest.mark.parametrize("text", ["abc", "0", "65536", "80.0"])
def test_what_is_no_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(Problem, match="GATEWAY_PORT="):
        assign_ports({"GATEWAY_PORT": text})


def test_a_taken_port_is_told_with_its_holder_and_the_variable_that_moves_it() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(Problem, match=rf"Port {port} is taken by .*process \d+.*REDIS_PORT moves it"):
            require_free({"REDIS_PORT": port})


def test_two_processes_may_not_share_a_port() -> None:
    with pytest.raises(Problem, match="share"):
        require_free({"REDIS_PORT": 7000, "GATEWAY_PORT": 7000})


def test_a_port_that_browsers_refuse_is_told_before_anything_starts() -> None:
    with pytest.raises(Problem, match="Browsers refuse to open port 6000; DASHBOARD_PORT moves it"):
        require_free(assign_ports({"GATEWAY_PORT_OFFSET": "3000"}))


@pytest.mark.parametrize("process_id", range(100))
def test_a_private_copy_takes_no_port_that_browsers_refuse(process_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getpid", lambda: process_id)
    ports = assign_ports({"GATEWAY_PORT_OFFSET": str(free_offset())})
    assert 6000 not in ports.values()


@pytest.mark.parametrize("process_id", range(0, 200, 7))
def test_a_private_copy_keeps_below_the_ports_of_outgoing_connections(
    process_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A probe that is given the port it asks for is connected to itself, and RabbitMQ never gets the port.
    monkeypatch.setattr("os.getpid", lambda: process_id)
    first_ephemeral = int(ports_module.EPHEMERAL_RANGE.read_text().split()[0])
    ports = assign_ports({"GATEWAY_PORT_OFFSET": str(free_offset())})
    assert ports["GATEWAY_PORT"] - DEFAULTS["GATEWAY_PORT"] >= 1000
    assert max(ports.values()) < first_ephemeral
