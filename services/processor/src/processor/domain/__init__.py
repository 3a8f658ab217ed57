"""Rules of an operation with the acquirer; imports no framework, driver or settings."""
