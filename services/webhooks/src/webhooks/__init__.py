"""Endpoints, events, deliveries and their attempts."""
