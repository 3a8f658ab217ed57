"""Asks the acquirer to charge and refund, and keeps what it answered."""
