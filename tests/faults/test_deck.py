"""A seed means the same rounds every time."""

from __future__ import annotations

from gateway_local.faults.kinds import KINDS, deck


def test_a_seed_repeats_its_rounds() -> None:
    names = list(KINDS)
    assert [deck(7, number, names) for number in range(1, 50)] == [deck(7, number, names) for number in range(1, 50)]
    assert [deck(7, number, names) for number in range(1, 50)] != [deck(8, number, names) for number in range(1, 50)]


def test_every_kind_comes_before_one_comes_again() -> None:
    names = list(KINDS)
    assert sorted(deck(3, number, names) for number in range(1, len(names) + 1)) == sorted(names)
