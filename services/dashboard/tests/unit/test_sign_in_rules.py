from __future__ import annotations

from datetime import timedelta

from dashboard.domain.sign_in_rules import ACCOUNT, FIRST_PAUSE, LONGEST_PAUSE


def test_mistakes_are_free() -> None:
    assert ACCOUNT.pause_after(ACCOUNT.free_failures - 1) == timedelta(0)


def test_pauses_double_to_the_longest() -> None:
    pauses = [ACCOUNT.pause_after(ACCOUNT.free_failures + more) for more in range(8)]
    assert pauses[0] == FIRST_PAUSE
    assert pauses[1] == 2 * FIRST_PAUSE
    assert pauses[-1] == LONGEST_PAUSE
    assert pauses == sorted(pauses)


def test_guessing_all_day_gets_about_a_hundred_tries() -> None:
    spent, tries = timedelta(0), 0
    while spent < timedelta(days=1):
        tries += 1
        spent += ACCOUNT.pause_after(tries)
    assert tries < 120
