"""Cut the definitions of the kinds we use out of Kubernetes' own schemas.

    python infra/kubernetes/schemas/prune.py _definitions.json api.apps.v1.Deployment … > kubernetes-1.31.json

`_definitions.json` is what `openapi2jsonschema --strict` makes of the OpenAPI document of a Kubernetes release
(`api/openapi-spec/swagger.json`, Apache License 2.0), as the package `kubernetes-validate` carries it. Descriptions are
left out: they are nine tenths of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_POINTER = "#/$defs/"


def references(schema: Any) -> set[str]:
    """Names of the definitions that `schema` refers to."""
    if isinstance(schema, dict):
        own = {schema["$ref"].rpartition(_POINTER)[2]} if isinstance(schema.get("$ref"), str) else set()
        return own.union(*(references(value) for value in schema.values()))
    if isinstance(schema, list):
        return set().union(*(references(value) for value in schema))
    return set()


def without_descriptions(schema: Any) -> Any:
    """References point into the same document afterwards."""
    if isinstance(schema, dict):
        kept = {
            key: without_descriptions(value)
            for key, value in schema.items()
            if not (key == "description" and isinstance(value, str)) and not key.startswith("x-kubernetes-")
        }
        if isinstance(kept.get("$ref"), str):
            kept["$ref"] = _POINTER + kept["$ref"].rpartition(_POINTER)[2]
        return kept
    return [without_descriptions(value) for value in schema] if isinstance(schema, list) else schema


def prune(definitions: dict[str, Any], kinds: list[str]) -> dict[str, Any]:
    """`kinds` are ends of the definitions' names, such as `api.apps.v1.Deployment`."""
    wanted = {name for name in definitions if name.endswith(tuple(f".{kind}" for kind in kinds))}
    kept: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        kept[name] = without_descriptions(definitions[name])
        wanted |= references(kept[name]) - kept.keys()
    return {"$defs": dict(sorted(kept.items()))}


if __name__ == "__main__":
    document = json.loads(Path(sys.argv[1]).read_text())["$defs"]
    json.dump(prune(document, sys.argv[2:]), sys.stdout, separators=(",", ":"), sort_keys=True)
