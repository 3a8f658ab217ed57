"""The merchant's dashboard: pages over the public API."""
