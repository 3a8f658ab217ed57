"""Life cycle of an operation. A decided one never changes, whatever arrives late, twice or out of order.

`repository.RECORD` enforces the same table in SQL; a test walks every pair through both.
"""

from __future__ import annotations

from collections.abc import Mapping

from processor.domain.operations import Outcome

# (state now, or None before the first record; what was learnt) -> state afterwards
TRANSITIONS: Mapping[tuple[Outcome | None, Outcome], Outcome] = {
    (None, Outcome.UNKNOWN): Outcome.UNKNOWN,
    (None, Outcome.SUCCEEDED): Outcome.SUCCEEDED,
    (None, Outcome.DECLINED): Outcome.DECLINED,
    (Outcome.UNKNOWN, Outcome.UNKNOWN): Outcome.UNKNOWN,
    (Outcome.UNKNOWN, Outcome.SUCCEEDED): Outcome.SUCCEEDED,
    (Outcome.UNKNOWN, Outcome.DECLINED): Outcome.DECLINED,
    (Outcome.SUCCEEDED, Outcome.UNKNOWN): Outcome.SUCCEEDED,
    (Outcome.SUCCEEDED, Outcome.SUCCEEDED): Outcome.SUCCEEDED,
    (Outcome.SUCCEEDED, Outcome.DECLINED): Outcome.SUCCEEDED,
    (Outcome.DECLINED, Outcome.UNKNOWN): Outcome.DECLINED,
    (Outcome.DECLINED, Outcome.SUCCEEDED): Outcome.DECLINED,
    (Outcome.DECLINED, Outcome.DECLINED): Outcome.DECLINED,
}


def is_told(before: Outcome | None, learnt: Outcome) -> bool:
    """Whether learning this emits the result event: only what decides an undecided operation does."""
    return before in (None, Outcome.UNKNOWN) and learnt is not Outcome.UNKNOWN
