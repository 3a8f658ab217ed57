"""Rules of refunds; imports no framework, driver or settings."""
