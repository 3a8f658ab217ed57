"""Pure rules: how amounts are written, when a sign-in waits, what a signature proves. No framework, no server."""
