"""What travels with a piece of work: the request id and the W3C trace parent, through HTTP, broker and logs."""

from __future__ import annotations

import random as _random
import re
from contextvars import ContextVar

# These ids are no secrets, and the kernel's randomness costs ten times as much.
random = _random.Random()  # noqa: S311

request_id: ContextVar[str] = ContextVar("request_id", default="")
traceparent: ContextVar[str] = ContextVar("traceparent", default="")

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z")


def accept_request_id(offered: str | None) -> str:
    """The caller's own request id when it is sane (1-128 of `A-Za-z0-9._-`), a new one otherwise."""
    if offered and _SANE_REQUEST_ID.match(offered):
        return offered
    return f"{random.getrandbits(128):032x}"


def accept_traceparent(offered: str | None) -> str:
    """Continue the caller's trace with a span id of our own, or start one (W3C Trace Context, version 00)."""
    span = f"{random.getrandbits(64):016x}"
    if offered and _TRACEPARENT.match(offered):
        return f"{offered[:36]}{span}{offered[52:]}"
    return f"00-{random.getrandbits(128):032x}-{span}-01"


def is_traceparent(text: str) -> bool:
    """Whether `text` is a whole traceparent of version 00."""
    return _TRACEPARENT.match(text) is not None
