"""Fault rounds: constant load, something breaks, it heals, the books must balance (docs/reliability.md)."""
