"""Serves the SDK and the checkout page."""
