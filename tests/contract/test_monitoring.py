"""Alerts, dashboards and scaling ask for metrics that some process really has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
_DEFINED = re.compile(r"""\b(?:Counter|Gauge|Histogram)\(\s*["']([a-z0-9_]+)["']""")
_USED = re.compile(r"\b(?:gateway|payments|processor|process)_[a-z0-9_]+\b")
_SUFFIXES = ("_bucket", "_sum", "_count")
# Of prometheus-client's own process collector.
_STANDARD = {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"}


def defined() -> set[str]:
    sources = [*(ROOT / "libs").rglob("src/**/*.py"), *(ROOT / "services").glob("*/src/**/*.py")]
    return _STANDARD.union(*(set(_DEFINED.findall(path.read_text())) for path in sources))


def expressions() -> Iterator[tuple[str, str]]:
    for group in yaml.safe_load((ROOT / "infra/prometheus/rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            yield rule.get("alert") or rule["record"], rule["expr"]
    for path in (ROOT / "infra/grafana/dashboards").glob("*.json"):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield f"{path.stem}: {panel['title']}", target["expr"]
    for document in yaml.safe_load_all((ROOT / "infra/kubernetes/base/scaling.yaml").read_text()):
        for trigger in document["spec"].get("triggers", ()):
            if "query" in trigger["metadata"]:
                yield document["metadata"]["name"], trigger["metadata"]["query"]


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_every_metric_asked_for_exists(where: str, expression: str) -> None:
    used = set(_USED.findall(expression))
    plain = set()
    for name in used:
        suffix = next((end for end in _SUFFIXES if name.endswith(end)), "")
        plain.add(name.removesuffix(suffix))
    assert used or ":" in expression or expression.startswith("up"), where
    assert plain <= defined(), where


def test_every_alert_says_how_bad_it_is_and_what_it_means() -> None:
    for group in yaml.safe_load((ROOT / "infra/prometheus/rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                assert rule["labels"]["severity"] in ("page", "ticket")
                assert len(rule["annotations"]["summary"]) > 20


def test_every_process_is_scraped() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    scraped = {
        (job["job_name"], str(job["dns_sd_configs"][0]["port"]))
        for job in yaml.safe_load((ROOT / "infra/prometheus/prometheus.yml").read_text())["scrape_configs"]
    }
    ours = {
        (name, service["environment"]["PORT"])
        for name, service in compose.items()
        if isinstance(service.get("environment"), dict) and "PORT" in service["environment"] and name != "receiver"
    }
    assert scraped == ours
