"""Rules of payments and orders in plain Python: no framework, driver or settings."""
