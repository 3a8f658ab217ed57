"""Load on a running gateway from outside, and the auditor that balances the books afterwards (README.md)."""
