"""The life of a payment as a table (API.md, States). What the table does not name is refused, or ignored when it is a message."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """`CAPTURED` shows to merchants as `success` with `captured: true`."""

    PENDING = "pending"
    SUCCESS = "success"
    CAPTURED = "captured"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    CHARGE_SUCCEEDED = "charge.succeeded"
    CHARGE_FAILED = "charge.failed"
    CAPTURE = "capture"
    CANCEL = "cancel"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.PENDING, Event.CHARGE_SUCCEEDED): State.SUCCESS,
    (State.PENDING, Event.CHARGE_FAILED): State.FAILED,
    (State.SUCCESS, Event.CAPTURE): State.CAPTURED,
    (State.SUCCESS, Event.CANCEL): State.CANCELLED,
}


def state_of(status: str, *, captured: bool) -> State:
    return State.CAPTURED if captured and status == State.SUCCESS else State(status)


def after(state: State, event: Event) -> State | None:
    """The state that follows, or None where the event changes nothing: a terminal state is never left."""
    return TRANSITIONS.get((state, event))
