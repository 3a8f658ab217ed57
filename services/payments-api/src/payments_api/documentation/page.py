"""The page at `/docs`, made of the document: plain HTML and one style sheet, no script, nothing from another host."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from payments_api.documentation.merging import Document, is_open

STYLE = """\
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0b62d6; }
@media (prefers-color-scheme: dark) { :root { --accent: #7ab3ff; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
.layout { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 80rem; margin: auto; }
nav { position: sticky; top: 0; max-height: 100vh; overflow: auto; padding: 1.5rem 1rem; font-size: .85rem; }
nav h2 { font-size: .8rem; margin: 1rem 0 .25rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: block; padding: .15rem 0; text-decoration: none; overflow-wrap: anywhere; }
a { color: var(--accent); }
main { padding: 1.5rem; }
section { border-top: 1px solid var(--line); padding: 1rem 0; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
h4 { font-size: .85rem; margin: 1rem 0 .25rem; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; overflow: auto; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; }
summary { cursor: pointer; }
@media (max-width: 50rem) { .layout { display: block; } nav { position: static; max-height: none; } }
"""

_CREDENTIALS = '-H "X-Api-Key: key_test_abc123" -H "X-Api-Secret: secret_test_xyz789"'


def render(document: Document, origin: str) -> str:
    """`origin` is where the reader's own requests go, such as `http://localhost:8000`."""
    operations = [
        (path, method, operation) for path, item in document["paths"].items() for method, operation in item.items()
    ]
    groups = {
        tag["name"]: [one for one in operations if tag["name"] in one[2].get("tags", [])] for tag in document["tags"]
    }
    title = escape(document["info"]["title"])
    menu = "".join(_menu(tag, group) for tag, group in groups.items())
    sections = "".join(
        f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2>' + "".join(_section(document, origin, *one) for one in group)
        for tag, group in groups.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: API</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/docs/style.css">'
        f'</head><body><div class="layout"><nav aria-label="Operations"><a href="/openapi.json">OpenAPI document</a>{menu}</nav>'
        f"<main><h1>{title}</h1>{_paragraphs(document['info']['description'])}{sections}"
        f"{_schemas(document)}</main></div></body></html>"
    )


def _menu(tag: str, group: list[tuple[str, str, dict[str, Any]]]) -> str:
    links = "".join(
        f'<li><a href="#{_anchor(method + path)}">{escape(operation.get("summary", path))}</a></li>'
        for path, method, operation in group
    )
    return f"<h2>{escape(tag)}</h2><ul>{links}</ul>"


def _section(document: Document, origin: str, path: str, method: str, operation: dict[str, Any]) -> str:
    parts = [
        f'<section id="{_anchor(method + path)}"><h3><span class="method">{method.upper()}</span><code>{escape(path)}</code></h3>',
        f"<p>{escape(operation.get('summary', ''))}</p>",
        _paragraphs(operation.get("description", "")),
        _parameters(operation.get("parameters", [])),
    ]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if content:
        parts.append(f"<h4>Body</h4>{_fields(document, content['schema'])}")
    parts.append(_curl(origin, path, method, content))
    rows = "".join(
        f"<tr><td>{escape(status)}</td><td>{_answer(answer)}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    parts.append(f"<h4>Answers</h4><table><tbody>{rows}</tbody></table></section>")
    return "".join(parts)


def _answer(answer: dict[str, Any]) -> str:
    names = {
        content.get("schema", {}).get("$ref", "").rpartition("/")[2] for content in answer.get("content", {}).values()
    }
    links = " ".join(
        f'<a href="#{_anchor("schema" + name)}"><code>{escape(name)}</code></a>' for name in sorted(names) if name
    )
    return f"{escape(answer['description'])} {links}"


def _parameters(parameters: list[dict[str, Any]]) -> str:
    if not parameters:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td>{_type(one.get('schema', {}))}</td><td>{escape(one.get('description', ''))}</td></tr>"
        for one in parameters
    )
    return f"<h4>Parameters</h4><table><tbody>{rows}</tbody></table>"


def _fields(document: Document, schema: dict[str, Any]) -> str:
    """A table of an object's fields; of several shapes, one table each."""
    schema = _resolved(document, schema)
    if "oneOf" in schema:
        return "".join(
            f"<p><strong>{escape(one.get('title', ''))}</strong> {escape(one.get('description', ''))}</p>{_fields(document, one)}"
            for one in schema["oneOf"]
        )
    required = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code>{' (required)' if name in required else ''}</td><td>{_type(field)}</td>"
        f"<td>{escape(field.get('description', ''))}</td></tr>"
        for name, field in schema.get("properties", {}).items()
    )
    return f"<table><tbody>{rows}</tbody></table>" if rows else f"<p>{_type(schema)}</p>"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{_anchor("schema" + name)}">{escape(name)}</a>'
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return " ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    types = schema.get("type", "any")
    text = escape(" or ".join(types) if isinstance(types, list) else types)
    return f"{text} of {_type(schema['items'])}" if "items" in schema else text


def _curl(origin: str, path: str, method: str, content: dict[str, Any]) -> str:
    """A command line; one with a body works as it stands on a fresh start."""
    examples = list(content.get("examples", {}).values()) or [{"summary": "", "value": None}]
    blocks = []
    for example in examples:
        line = f"curl {'' if method == 'get' else f'-X {method.upper()} '}{origin}{path}"
        if not is_open(path):
            line += f" \\\n  {_CREDENTIALS}"
        if example["value"] is not None:
            body = json.dumps(example["value"], ensure_ascii=False)
            line += f" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{body}'"
        blocks.append(f"<p>{escape(example['summary'])}</p><pre>{escape(line)}</pre>")
    return "<h4>Try it</h4>" + "".join(blocks)


def _schemas(document: Document) -> str:
    parts = [
        f'<section id="{_anchor("schema" + name)}"><h3><code>{escape(name)}</code></h3>'
        f"{_paragraphs(schema.get('description', ''))}{_fields(document, schema)}</section>"
        for name, schema in document["components"]["schemas"].items()
    ]
    return "<h2>Shapes</h2>" + "".join(parts)


def _resolved(document: Document, schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = document["components"]["schemas"].get(schema["$ref"].rpartition("/")[2], {})
        return found
    return schema


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_with_code(part)}</p>" for part in text.split("\n\n") if part.strip())


def _with_code(text: str) -> str:
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))


def _anchor(text: str) -> str:
    return "".join(character if character.isalnum() else "-" for character in text.lower())
