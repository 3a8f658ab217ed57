"""Keep what helps to understand an answer, without what should not be stored: cookies, tokens, keys."""

from __future__ import annotations

from collections.abc import Mapping

_SECRET_WORDS = ("cookie", "auth", "token", "secret", "key", "password", "session", "credential")
_MAX_HEADERS = 40
_MAX_VALUE_LENGTH = 512
HIDDEN = "[redacted]"


def redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """At most 40 headers with values of at most 512 characters; a value under a telling name is hidden."""
    kept: dict[str, str] = {}
    for name, value in list(headers.items())[:_MAX_HEADERS]:
        is_secret = any(word in name.lower() for word in _SECRET_WORDS)
        kept[str(name)] = HIDDEN if is_secret else value[:_MAX_VALUE_LENGTH].encode("utf-8", "replace").decode()
    return kept
