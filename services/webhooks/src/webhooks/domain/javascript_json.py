"""Render JSON exactly as `JSON.stringify(JSON.parse(text))` would (EVENTS.md): receivers hash what they re-serialise.

Differences to a plain serialiser: integer-like object keys come first and ascending, numbers are written as
ECMAScript's Number::toString writes them, and numbers above 2^53 - 1 become texts so that no digit is lost.
"""

from __future__ import annotations

import math
from typing import Any

import orjson

# Largest integer up to which every integer is a double (Number.MAX_SAFE_INTEGER).
MAX_SAFE_INTEGER = 2**53 - 1
# ECMAScript's "array index": such keys are enumerated first, in numeric order.
_MAX_ARRAY_INDEX = 2**32 - 2


def stringify(value: Any) -> str:
    """Compact JSON of dicts, lists, texts, numbers, booleans and None."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value) if abs(value) <= MAX_SAFE_INTEGER else f'"{value}"'
    if isinstance(value, float) and not math.isfinite(value):
        return "null"
    if isinstance(value, float):
        return _number(value) if abs(value) <= MAX_SAFE_INTEGER else _text(_number(value))
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(key)}:{stringify(value[key])}" for key in _in_order(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(stringify(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _text(value: str) -> str:
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        # Half of a surrogate pair is no text and has no UTF-8 form; it becomes the replacement character.
        return orjson.dumps(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")).decode()


def _in_order(value: dict[str, Any]) -> list[str]:
    indexes = [key for key in value if _is_array_index(key)]
    if not indexes:
        return list(value)
    return sorted(indexes, key=int) + [key for key in value if not _is_array_index(key)]


def _is_array_index(key: str) -> bool:
    if not (key.isascii() and key.isdigit()) or len(key) > 10:
        return False
    return key == str(int(key)) and int(key) <= _MAX_ARRAY_INDEX


def _number(value: float) -> str:
    """Number::toString (ECMA-262, 6.1.6.1.20). Python and ECMAScript agree on the digits and differ in their layout."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent_text = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    point = len(whole) + int(exponent_text or 0)
    leading = len(digits) - len(digits.lstrip("0"))
    digits, point = digits[leading:].rstrip("0"), point - leading
    return sign + _lay_out(digits, point)


def _lay_out(digits: str, point: int) -> str:
    """`digits` without zeros at either end; the decimal point stands after `point` of them."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    exponent = point - 1
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{'+' if exponent > 0 else '-'}{abs(exponent)}"
