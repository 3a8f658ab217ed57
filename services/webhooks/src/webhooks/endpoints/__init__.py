"""The HTTP endpoints of this service."""
