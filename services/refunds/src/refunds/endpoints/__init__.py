"""HTTP: the public API of refunds, and what other services may ask."""
