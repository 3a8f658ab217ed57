"""Every (state, news) pair of an operation."""

from __future__ import annotations

from itertools import product

import pytest

from processor.domain.operations import Outcome
from processor.domain.states import TRANSITIONS, is_told

BEFORE: list[Outcome | None] = [None, *Outcome]


def test_the_table_is_complete() -> None:
    assert set(TRANSITIONS) == set(product(BEFORE, Outcome))


@pytest.mark.parametrize(("before", "learnt"), list(product(BEFORE, Outcome)))
def test_decided_stays_and_unknown_never_decides(before: Outcome | None, learnt: Outcome) -> None:
    after = TRANSITIONS[before, learnt]
    if before in (Outcome.SUCCEEDED, Outcome.DECLINED):
        assert after is before
        assert not is_told(before, learnt)
    else:
        assert after is learnt
        assert is_told(before, learnt) is (learnt is not Outcome.UNKNOWN)
