"""Merging the services' documents, and the page made of the result."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from payments_api.documentation.merging import Document, is_open, merge
from payments_api.documentation.page import render
from payments_api.endpoints.documentation import merged_document

GET = {"get": {"tags": ["Refunds"], "summary": "<b>", "responses": {"200": {"description": "ok"}}}}


def part(path: str, schema: dict[str, str] | None = None) -> Document:
    return {"paths": {path: GET}, "components": {"schemas": {"Refund": schema} if schema else {}}}


def test_paths_are_joined_and_internal_ones_left_out() -> None:
    merged = merge({"a": part("/api/v1/refunds"), "b": part("/internal/v1/x"), "c": part("/health")})
    assert list(merged["paths"]) == ["/api/v1/refunds", "/health"]
    assert merged["paths"]["/health"]["get"]["security"] == []
    assert "security" not in merged["paths"]["/api/v1/refunds"]["get"]
    assert {"401", "404", "429", "500", "503"} <= set(merged["paths"]["/api/v1/refunds"]["get"]["responses"])


def test_contradictions_are_refused() -> None:
    with pytest.raises(ValueError, match="/api/v1/refunds"):
        merge({"a": part("/api/v1/refunds"), "b": part("/api/v1/refunds")})
    with pytest.raises(ValueError, match="Refund"):
        merge({"a": part("/a", {"type": "object"}), "b": part("/b", {"type": "string"})})
    merge({"a": part("/a", {"type": "object"}), "b": part("/b", {"type": "object"})})


def test_open_paths() -> None:
    assert is_open("/api/v1/orders/{order_id}/public")
    assert is_open("/health")
    assert not is_open("/api/v1/orders")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name == "style" or name.startswith("on") for name, _ in attrs)


def test_the_page_has_no_script_and_asks_no_other_host() -> None:
    text = render(merged_document(), "http://localhost:8000")
    links = _Links()
    links.feed(text)
    assert "script" not in links.tags
    assert "style" not in links.tags
    assert all(source.startswith(("#", "/")) for source in links.sources)
    assert "<b>" not in render(merge({"a": part("/api/v1/refunds")}), "http://localhost:8000")
