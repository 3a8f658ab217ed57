"""Containers run as nobody in particular, change nothing of their image, and may ask the kernel for nothing.

Static, on the files that are used; tests/compose/check.sh sees the same on running containers.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("payments-api", "processor", "refunds", "webhooks", "checkout-cdn", "dashboard")
# The servers' own images start as root to hand their data folder to their user; they get what that takes, no more.
MAY_ADD = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}
SERVERS = {"postgres", "redis", "rabbitmq", "edge"}
# Writes its node's configuration next to its program.
WRITABLE_ROOT = {"rabbitmq"}
# Writes the definitions into a volume that belongs to root; it has no capabilities and ends at once.
ROOT_ONCE = {"broker-definitions"}
# Other people's tools for watching, started only when asked for (profile `watch`); their images write to themselves.
TOOLS = {"grafana", "pgadmin"}
SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|KEYS?|CREDENTIALS?)\b", re.IGNORECASE)


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = found["services"]
    return services


def complaints(services: dict[str, Any]) -> list[str]:
    found = []
    for name, service in services.items():
        if name in TOOLS and service.get("profiles") == ["watch"]:
            continue
        if service.get("privileged") or service.get("pid") or service.get("network_mode"):
            found.append(f"{name}: shares more with the host than it may")
        if service.get("cap_drop") != ["ALL"]:
            found.append(f"{name}: keeps capabilities")
        allowed = MAY_ADD if name in SERVERS else set()
        if not set(service.get("cap_add", ())) <= allowed:
            found.append(f"{name}: adds capabilities")
        if "no-new-privileges:true" not in service.get("security_opt", ()):
            found.append(f"{name}: may gain privileges")
        if not service.get("read_only") and name not in WRITABLE_ROOT:
            found.append(f"{name}: can write to its root file system")
        if str(service.get("user", "")).startswith(("0", "root")) and name not in ROOT_ONCE:
            found.append(f"{name}: is told to run as root")
        if any("docker.sock" in str(volume) for volume in service.get("volumes", ())):
            found.append(f"{name}: holds the container engine")
    return found


def image_complaints(dockerfile: str) -> list[str]:
    found = []
    users = re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        found.append("does not end as a user with a number that is not root's")
    for line in dockerfile.splitlines():
        if line.startswith(("ENV ", "ARG ")) and SECRET_NAME.search(line):
            found.append(f"keeps a secret in a layer: {line}")
        if re.match(r"(COPY|ADD) \.\s", line) or re.search(r"\.env\b|credentials", line):
            found.append(f"copies more than the program: {line}")
        if line.startswith("ADD "):
            found.append(f"fetches or unpacks on its own: {line}")
    return found


def test_containers_of_the_compose_file_are_locked_down() -> None:
    assert complaints(compose()) == []


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("cap_drop", [], "keeps capabilities"),
        ("cap_add", ["NET_ADMIN"], "adds capabilities"),
        ("security_opt", [], "may gain privileges"),
        ("read_only", False, "can write to its root file system"),
        ("user", "0", "is told to run as root"),
        ("privileged", True, "shares more with the host than it may"),
        ("volumes", ["/var/run/docker.sock:/var/run/docker.sock"], "holds the container engine"),
    ],
)
@pytest.mark.parametrize("service", ["processor", "payments-api-web", "dashboard"])
def test_the_check_sees_a_protection_that_was_taken_away(
    service: str, field: str, value: object, complaint: str
) -> None:
    changed = copy.deepcopy(compose())
    changed[service][field] = value
    assert complaints(changed) == [f"{service}: {complaint}"]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_is_not_root_and_holds_no_secret(service: str) -> None:
    assert image_complaints((ROOT / "services" / service / "Dockerfile").read_text()) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("USER 10001:10001", "USER 0:0"),
        ("USER 10001:10001", ""),
        ("WORKDIR /app", "WORKDIR /app\nENV API_SECRET=x"),
        ("WORKDIR /app", "WORKDIR /app\nCOPY . ."),
        ("WORKDIR /app", "WORKDIR /app\nCOPY .env .env"),
    ],
)
def test_the_check_sees_an_image_that_was_weakened(before: str, after: str) -> None:
    dockerfile = (ROOT / "services/processor/Dockerfile").read_text()
    assert before in dockerfile
    assert image_complaints(dockerfile.replace(before, after)) != []


def test_what_is_sent_to_the_builder_is_listed_not_excluded() -> None:
    lines = (ROOT / ".dockerignore").read_text().split("\n")
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {line for line in rules if line.startswith("!")}
    assert allowed == {"!requirements", "!libs/common/src", "!services/*/src", "!services/*/migrations"}


def test_no_port_of_a_server_is_open_to_the_network() -> None:
    services = compose()
    on_loopback = ("postgres", "redis", "rabbitmq", "prometheus", "grafana", "pgadmin")
    for name in on_loopback:
        assert all(str(port).startswith("127.0.0.1:") for port in services[name].get("ports", ())), name
    for name, service in services.items():
        if name not in {*on_loopback, "edge", "checkout-cdn", "dashboard"}:
            assert not service.get("ports"), f"{name} is reachable from outside"


def pods() -> list[tuple[str, dict[str, Any]]]:
    found = []
    for path in sorted((ROOT / "infra/kubernetes").rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            template = ((document or {}).get("spec") or {}).get("template") if isinstance(document, dict) else None
            if isinstance(template, dict) and "spec" in template:
                found.append((f"{path.name}:{document['metadata']['name']}", template["spec"]))
    return found


def pod_complaints(spec: dict[str, Any]) -> list[str]:
    found = []
    pod = spec.get("securityContext", {})
    for container in [*spec.get("initContainers", ()), *spec["containers"]]:
        own = container.get("securityContext", {})
        if not own.get("runAsNonRoot", pod.get("runAsNonRoot")):
            found.append("may run as root")
        if not own.get("readOnlyRootFilesystem"):
            found.append("can write to its root file system")
        if own.get("allowPrivilegeEscalation") is not False:
            found.append("may gain privileges")
        if "ALL" not in own.get("capabilities", {}).get("drop", ()):
            found.append("keeps capabilities")
    if spec.get("automountServiceAccountToken") is not False:
        found.append("holds a token of the cluster's API")
    return found


def test_pods_are_locked_down_too() -> None:
    found = pods()
    assert found
    assert {name: wrong for name, spec in found if (wrong := pod_complaints(spec))} == {}


@pytest.mark.parametrize(
    "field", ["runAsNonRoot", "readOnlyRootFilesystem", "allowPrivilegeEscalation", "capabilities"]
)
def test_the_check_sees_a_pod_that_was_weakened(field: str) -> None:
    _, spec = pods()[0]
    changed = copy.deepcopy(spec)
    changed.get("securityContext", {}).pop(field, None)
    for container in changed["containers"]:
        container.get("securityContext", {}).pop(field, None)
    assert pod_complaints(changed) != []
