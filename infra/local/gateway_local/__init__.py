"""The native runner: what `./gateway` does on a machine without containers."""
