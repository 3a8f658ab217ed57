"""The rendered body against ECMAScript's rules, without a JavaScript engine (with one: integration/test_signatures.py)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks.domain.javascript_json import stringify


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (100.0, "100"),
        (123456789.125, "123456789.125"),
        (9007199254740991.0, "9007199254740991"),
        (9007199254740992.0, '"9007199254740992"'),
        (1e20, '"100000000000000000000"'),
        (1e21, '"1e+21"'),
        (-1.5e300, '"-1.5e+300"'),
        (123e-20, "1.23e-18"),
        (1e-6, "0.000001"),
        (1.5e-6, "0.0000015"),
        (1e-7, "1e-7"),
        (5e-324, "5e-324"),
        (2**53 - 1, "9007199254740991"),
        (-(2**53 - 1), "-9007199254740991"),
        (2**53, '"9007199254740992"'),
        (10**30, '"1000000000000000000000000000000"'),
        (True, "true"),
        (None, "null"),
        (float("nan"), "null"),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_numbers_are_laid_out_as_javascript_does(value: Any, text: str) -> None:
    assert stringify(value) == text


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        (["b", "2", "a", "1"], ["1", "2", "b", "a"]),
        (["10", "9", "01", "-1", "1.0", "+1"], ["9", "10", "01", "-1", "1.0", "+1"]),
        (["4294967295", "4294967294", "0"], ["0", "4294967294", "4294967295"]),
        (["٣", "1"], ["1", "٣"]),  # a digit, but no ASCII one
        (["x", "__proto__", "0"], ["0", "x", "__proto__"]),
    ],
)
def test_integer_like_keys_come_first_and_ascending(keys: list[str], order: list[str]) -> None:
    assert list(json.loads(stringify(dict.fromkeys(keys, 1)))) == order


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é✓😀", '"é✓😀"'),
        ("a/b", '"a/b"'),
        ('"\\', '"\\"\\\\"'),
        ("\b\f\n\r\t\x00\x1f\x7f", '"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"'),
        ("\u2028\u2029", '"\u2028\u2029"'),
        ("a\ud800b", '"a\ufffdb"'),
        ("\udc00", '"\ufffd"'),
    ],
)
def test_texts_are_escaped_as_javascript_does(value: str, text: str) -> None:
    assert stringify(value) == text


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.integers(0, 2**33).map(str), inner, max_size=6)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(JSON_VALUES)
def test_a_second_rendering_changes_nothing(value: Any) -> None:
    text = stringify(value)
    assert stringify(json.loads(text)) == text
    assert text.encode("utf-8")
