"""What the worker reads from the broker."""
