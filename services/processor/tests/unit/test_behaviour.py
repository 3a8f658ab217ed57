"""Determinism, rates and delays of the simulated bank."""

from __future__ import annotations

import subprocess
import sys
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from processor.acquirers import ChargeRequest, RefundRequest
from processor.acquirers.simulator.behaviour import Behaviour

MERCHANT = UUID(int=1)
SAMPLE = 4_000


def charge(reference: str, method: str = "upi", attempt: int = 1) -> ChargeRequest:
    return ChargeRequest(reference, MERCHANT, reference, 50_000, "INR", method, "user@paytm", attempt=attempt)


@given(st.integers(), st.text(max_size=30), st.integers(1, 5))
def test_an_outcome_is_a_pure_function_of_seed_reference_and_attempt(seed: int, reference: str, attempt: int) -> None:
    request = charge(reference, attempt=attempt)
    assert Behaviour(seed).decide_charge(request) == Behaviour(seed).decide_charge(request)


def test_another_process_decides_the_same() -> None:
    """Nothing depends on a process, such as the seed of Python's own hashes."""
    program = (
        "from uuid import UUID\n"
        "from processor.acquirers import ChargeRequest\n"
        "from processor.acquirers.simulator.behaviour import Behaviour\n"
        "for n in range(20):\n"
        "    r = ChargeRequest(f'pay_{n}', UUID(int=1), f'pay_{n}', 50_000, 'INR', 'upi', 'user@paytm')\n"
        "    print(Behaviour(7).decide_charge(r))\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_environment()
    )
    here = "".join(f"{Behaviour(7).decide_charge(charge(f'pay_{n}'))}\n" for n in range(20))
    assert printed.stdout == here


def _environment() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(path for path in sys.path if path), "PYTHONHASHSEED": "random"}


def test_seed_and_attempt_change_the_luck() -> None:
    def outcomes(seed: int, attempt: int) -> list[bool]:
        return [
            Behaviour(seed, upi_success_rate=0.5).decide_charge(charge(f"pay_{n}", attempt=attempt)).is_success
            for n in range(64)
        ]

    assert outcomes(1, 1) != outcomes(2, 1)
    assert outcomes(1, 1) != outcomes(1, 2)


def test_rates_are_kept() -> None:
    behaviour = Behaviour(seed=1)
    for method, rate in (("upi", 0.90), ("card", 0.95)):
        successes = sum(behaviour.decide_charge(charge(f"pay_{n}", method)).is_success for n in range(SAMPLE))
        # Four standard deviations of a binomial of this size are 0.019 and 0.014.
        assert abs(successes / SAMPLE - rate) < 0.02


def test_delays_fill_their_bounds() -> None:
    behaviour = Behaviour(seed=1)
    charges = [behaviour.decide_charge(charge(f"pay_{n}")).delay_seconds for n in range(SAMPLE)]
    refunds = [
        behaviour.decide_refund(RefundRequest(f"rfnd_{n}", MERCHANT, "pay_x", 1, "INR")).delay_seconds
        for n in range(SAMPLE)
    ]
    assert 5 <= min(charges) < 5.1 < 9.9 < max(charges) <= 10
    assert 3 <= min(refunds) < 3.1 < 4.9 < max(refunds) <= 5
