"""The manifests are valid Kubernetes, and agree with the processes, queues and images of this repository."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from gateway_common.broker.topology import WORK_QUEUES
from gateway_local.ports import DEFAULTS
from gateway_local.processes import SERVICES

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "infra/kubernetes"
DEFINITIONS: dict[str, Any] = {
    name: schema
    for file in ("kubernetes-1.31.json", "keda.json")
    for name, schema in json.loads((KUBERNETES / "schemas" / file).read_text())["$defs"].items()
}
DEPLOYED = [service for service in SERVICES if service.name != "receiver"]


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(KUBERNETES.rglob("*.yaml")):
        if path.name == "kustomization.yaml":
            continue
        for document in yaml.safe_load_all(path.read_text()):
            yield path.name, document


OBJECTS = list(documents())


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document for _, document in OBJECTS if document["kind"] == kind}


def definition_of(document: dict[str, Any]) -> str:
    group, _, version = document["apiVersion"].rpartition("/")
    if group == "keda.sh":
        return f"keda.sh.{document['kind']}"
    short = group.removesuffix(".k8s.io").split(".")[0] or "core"
    return f"io.k8s.api.{short}.{version}.{document['kind']}"


def problems(document: dict[str, Any]) -> list[str]:
    schema = {"$ref": f"#/$defs/{definition_of(document)}", "$defs": DEFINITIONS}
    return [
        f"{error.instance_path}: {error.message}" for error in jsonschema_rs.validator_for(schema).iter_errors(document)
    ]


@pytest.mark.parametrize(
    "document", [pytest.param(one, id=f"{one['kind']}-{one['metadata']['name']}") for _, one in OBJECTS]
)
def test_is_valid_for_the_schema_of_its_kind(document: dict[str, Any]) -> None:
    assert problems(document) == []


def test_a_misspelt_field_is_found() -> None:
    broken = json.loads(json.dumps(of_kind("Deployment")["processor"]))
    broken["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    assert problems(broken)


@pytest.mark.parametrize("service", DEPLOYED, ids=lambda service: service.name)
def test_every_process_is_deployed_with_its_role_port_and_probes(service: Any) -> None:
    template = of_kind("Deployment")[service.name]["spec"]["template"]["spec"]
    (container,) = template["containers"]
    assert container["args"] == [service.role]
    assert container["ports"] == [{"name": "http", "containerPort": DEFAULTS[service.port_variable]}]
    assert container["image"].removeprefix("payment-gateway/") in {path.name for path in (ROOT / "services").iterdir()}
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["resources"]["limits"]["memory"]
    assert template["terminationGracePeriodSeconds"] > 25
    # A service without a secret of its own cannot read another's.
    secrets = [source["secretRef"]["name"] for source in container["envFrom"] if "secretRef" in source]
    assert secrets == ([service.package.replace("_", "-")] if service.uses_redis else [])


def test_every_workload_is_locked_down() -> None:
    for document in (*of_kind("Deployment").values(), *of_kind("Job").values()):
        pod = document["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_every_deployment_may_lose_one_pod_at_a_time_and_no_more() -> None:
    budgets = of_kind("PodDisruptionBudget")
    assert budgets.keys() == of_kind("Deployment").keys()
    for name, budget in budgets.items():
        assert budget["spec"]["selector"] == of_kind("Deployment")[name]["spec"]["selector"]


def test_addresses_in_the_settings_are_services_that_exist() -> None:
    settings = of_kind("ConfigMap")["gateway-settings"]["data"]
    services = {name: document["spec"]["ports"][0]["port"] for name, document in of_kind("Service").items()}
    for name in ("PAYMENTS_API_URL", "PROCESSOR_URL", "REFUNDS_URL", "WEBHOOKS_URL"):
        found = re.fullmatch(r"http://([a-z-]+):(\d+)", settings[name])
        assert found
        assert services[found[1]] == int(found[2])


def test_every_schema_has_a_migration_job() -> None:
    owners = {service.package.replace("_", "-") for service in SERVICES if service.database_role}
    assert of_kind("Job").keys() == {f"{owner}-migrate" for owner in owners}


def test_scaling_watches_queues_and_deployments_that_exist() -> None:
    queues = {queue.name for queue in WORK_QUEUES}
    for document in of_kind("ScaledObject").values():
        target = document["spec"]["scaleTargetRef"]["name"]
        assert of_kind("Deployment")[target]["spec"]["replicas"] == document["spec"]["minReplicaCount"]
        for trigger in document["spec"]["triggers"]:
            if trigger["type"] == "rabbitmq":
                assert trigger["metadata"]["queueName"] in queues


def test_every_consumer_of_a_work_queue_is_scaled_by_its_depth() -> None:
    watched = {
        trigger["metadata"]["queueName"]: name
        for name, document in of_kind("ScaledObject").items()
        for trigger in document["spec"]["triggers"]
        if trigger["type"] == "rabbitmq"
    }
    # payments.refunds is fed by refunds, a small part of the traffic of payments.results on the same worker.
    assert {queue.name for queue in WORK_QUEUES} - watched.keys() == {"payments.refunds"}


def test_kustomizations_name_every_file_of_their_folder() -> None:
    for path in KUBERNETES.rglob("kustomization.yaml"):
        listed = set(yaml.safe_load(path.read_text())["resources"])
        assert listed == {file.name for file in path.parent.glob("*.yaml")} - {"kustomization.yaml"}
