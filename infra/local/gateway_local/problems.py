"""Errors that are told to the person at the terminal, without a traceback."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818  # it is a message to a person, not a fault in the program
    """Something is in the way; the text says what it is and how to mend it."""


class LockedError(Problem):
    """Another supervisor already runs this copy."""
