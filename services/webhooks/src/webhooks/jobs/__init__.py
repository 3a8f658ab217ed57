"""What a worker does by the clock: sweep, recover, replay, count, keep house, measure."""
