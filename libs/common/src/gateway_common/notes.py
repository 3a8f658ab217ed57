"""Limits of `notes`, a merchant's own JSON object that every answer and webhook carries along."""

from __future__ import annotations

import math
from typing import Any

import orjson

from gateway_common.errors import ValidationError
from gateway_common.money import MAX_AMOUNT

MAX_KEYS = 50
MAX_KEY_LENGTH = 64
MAX_DEPTH = 5
MAX_BYTES = 16 * 1024


def as_text(notes: dict[str, Any] | None) -> str | None:
    """JSON text with the keys in the order given; whole numbers lose a `.0`, as a JavaScript receiver would write them.

    Raises:
        ValidationError: over a limit, or a number that JavaScript cannot hold exactly.
    """
    if notes is None:
        return None
    if len(notes) > MAX_KEYS or any(not 1 <= len(key) <= MAX_KEY_LENGTH for key in notes):
        raise _refused(f"notes may have {MAX_KEYS} keys of 1 to {MAX_KEY_LENGTH} characters")
    text = orjson.dumps({key: _clean(value, 1) for key, value in notes.items()})
    if len(text) > MAX_BYTES:
        raise _refused(f"notes may take {MAX_BYTES} bytes")
    return text.decode()


def _clean(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _refused(f"notes may be nested {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        return {key: _clean(member, depth + 1) for key, member in value.items()}
    if isinstance(value, list):
        return [_clean(member, depth + 1) for member in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refused("notes may hold finite numbers only")
        value = int(value) if value.is_integer() and abs(value) <= MAX_AMOUNT else value
    if type(value) is int and abs(value) > MAX_AMOUNT:
        raise _refused("notes may hold integers from -(2^53 - 1) to 2^53 - 1; send larger ones as text")
    return value


def _refused(description: str) -> ValidationError:
    return ValidationError(description, field="notes", reason="invalid_notes")
