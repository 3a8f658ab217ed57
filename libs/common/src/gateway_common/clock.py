"""Time as a dependency: services take a `Clock`, so tests can set it and one process can be given a wrong one."""

from __future__ import annotations

import functools
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_OFFSET_CHECK_SECONDS = 0.2


class Clock(Protocol):
    """Where the current time comes from. Always aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own clock.

    In development, `GATEWAY_CLOCK_OFFSET_FILE` names a file with a number of seconds to be added, read again when
    it changes: fault rounds make the clock of one running process jump with it.
    """

    def __init__(self) -> None:
        named = os.environ.get("GATEWAY_CLOCK_OFFSET_FILE", "")
        self._offset = _OffsetFile(Path(named)) if named and os.environ.get("GATEWAY_ENV") == "development" else None

    def now(self) -> datetime:
        offset = 0.0 if self._offset is None else self._offset.seconds()
        return datetime.fromtimestamp(time.time() + offset, tz=UTC)


class _OffsetFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = -1.0
        self._seconds = 0.0

    def seconds(self) -> float:
        if time.monotonic() - self._read_at > _OFFSET_CHECK_SECONDS:
            self._read_at = time.monotonic()
            try:
                self._seconds = float(self._path.read_text())
            except (OSError, ValueError):
                self._seconds = 0.0
        return self._seconds


class FixedClock:
    """A clock that moves only when told to; for tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, **timedelta_arguments: float) -> None:
        self._now += timedelta(**timedelta_arguments)


@functools.lru_cache(maxsize=256)  # one request writes the same moment seven times
def to_iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`, as every timestamp of the public API is written."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    text = in_utc.isoformat(timespec="milliseconds")
    return text[:-6] + "Z"


def from_iso(text: str) -> datetime:
    """Read ISO 8601; a text without an offset is taken as UTC.

    Raises:
        ValueError: the text is no ISO 8601 date-time.
    """
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:  # the first or last day of the calendar, with an offset
        raise ValueError("the time is outside of the calendar") from error
