"""Refunds and the refundable balance of every payment."""
