"""The simulated bank: delays, success rates, magic values, and books of its own (API.md, The simulated bank)."""

from processor.acquirers.simulator.bank import SimulatedBank
from processor.acquirers.simulator.behaviour import Behaviour

__all__ = ["Behaviour", "SimulatedBank"]
