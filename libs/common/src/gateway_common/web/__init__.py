"""What every HTTP service shares: one error shape, request ids, body limits, health, lists, idempotent answers."""
